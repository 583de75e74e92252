"""Stored callbacks: calls through pointers that run what was stored before.

What a packet goes on with is kept beside it in a queue; initcalls lie in a section until the
machine starts. Such a call requests nothing: its candidates themselves are deferred calls.
Declared slots, and the sections that loops walk, tell which they are.
"""

from collections.abc import Iterable

from kgraph.resolve.constraint_graph import Nodes, SlotReadKey, WithinKey
from kgraph.resolve.deferred.specification import DeferralRules
from kgraph.resolve.interning import ObjectKey, SlotKey
from kgraph.resolve.models.declared import load_sections


class StoredCallbacks:
    """Tells which candidates of calls through pointers are deferred."""

    def __init__(self, rules: DeferralRules, nodes: Nodes) -> None:
        self._nodes = nodes
        self._slots = dict(rules.stored)
        self._starts = dict(load_sections().deferred)

    def find_key(self, node: int, passed: Iterable[int]) -> str:
        """The kind and key under which a function is stored that came to the called node over the
        nodes `passed`; "" for an ordinary call."""
        for each in passed:
            start = self._nodes.keys[each]
            if isinstance(start, ObjectKey):
                kind = self._starts.get(self._nodes.object_id(start.object).name)
                if kind is not None:
                    return kind
        key = self._nodes.keys[node]
        if isinstance(key, SlotReadKey | WithinKey):
            key = self._nodes.keys[key.slot]
        if not isinstance(key, SlotKey):
            return ""
        kind = self._slots.get((key.record, key.field))
        return "" if kind is None else f"{kind} {key.record}.{key.field}"
