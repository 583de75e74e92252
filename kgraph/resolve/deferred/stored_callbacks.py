"""Stored callbacks: calls through pointers that run what was stored before.

What a packet goes on with is kept beside it in a queue; initcalls lie in a section until the
machine starts. Such a call requests nothing: its candidates themselves are deferred calls.
Declared slots, and the sections that loops walk, tell which they are.
"""

from collections.abc import Sequence

from kgraph.resolve.constraint_graph import LOADED, Nodes
from kgraph.resolve.deferred.specification import DeferralRules
from kgraph.resolve.findings.evidence import ChainStep
from kgraph.resolve.interning import NONE, OBJECT, SLOT
from kgraph.resolve.models.declared import load_sections


class StoredCallbacks:
    """Tells deferred candidates of calls through pointers."""

    def __init__(self, rows: DeferralRules, nodes: Nodes) -> None:
        self._nodes = nodes
        self._slots = dict(rows.stored)
        self._starts = dict(load_sections().deferred)

    def find_key(self, node: int, chain: Sequence[ChainStep]) -> str:
        """What a function that came to the called node by this chain is stored under, with its
        kind; "" where its call is an ordinary one."""
        for _, passed in chain:
            key = self._nodes.keys[passed]
            if key[0] == OBJECT:
                kind = self._starts.get(self._nodes.object_id(key[1]).name)
                if kind is not None:
                    return kind
        key = self._nodes.keys[node]
        if key[0] == LOADED and key[1] != NONE:
            key = self._nodes.keys[key[1]]
        kind = self._slots.get((key[1], key[2])) if key[0] == SLOT else None
        return "" if kind is None else f"{kind} {key[1]}.{key[2]}"
