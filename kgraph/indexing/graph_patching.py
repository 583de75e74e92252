"""Patches the graph of the previous index after an edit, instead of resolving everything again.

It does so if only lines moved, or if only the call sites of the functions that were read again
differ. Otherwise it declines, and the caller resolves everything. kgraph.resolve.incremental judges
the changes, kgraph.store.incremental writes them.

Nothing else in kgraph.indexing knows of these two. To take the feature out, remove this module,
both packages and model/incremental.py, with the footprint of a Resolution.
"""

import re
from collections.abc import Iterable
from functools import cache

from msgspec.structs import replace

from kgraph.errors import StoreError
from kgraph.indexing.unit_invalidation import ReusePlan
from kgraph.logs import PackageLogger
from kgraph.model.facts import Definition, Function
from kgraph.model.ids import FunctionId
from kgraph.model.incremental import GraphChange
from kgraph.model.results import Coverage
from kgraph.resolve import DeferralRules
from kgraph.resolve.incremental.change_impact import analyse_impact
from kgraph.resolve.linkage import FunctionLinker
from kgraph.resolve.models.declared import collect_declared_words, has_declared_prefix
from kgraph.store import Connection
from kgraph.store.codec import FactsDecoder
from kgraph.store.facts_writer import CitedFiles
from kgraph.store.incremental.graph_patch import patch_graph
from kgraph.store.incremental.line_shift import LineShift
from kgraph.store.incremental.previous_graph import PreviousGraph
from kgraph.store.previous_index import PreviousIndex
from kgraph.store.reader import iter_encoded_definitions

_LOG = PackageLogger("kgraph.indexing")


def patch_previous_graph(
    connection: Connection, files: CitedFiles, plan: ReusePlan, rules: DeferralRules,
    read_keys: set[str],
) -> Coverage | None:
    """Patch the previous graph for the new facts, and return its coverage.

    None if it cannot be patched; then nothing is written. `read_keys` are the keys of the facts of
    units that were read.
    """
    assert plan.previous is not None
    result = _patch(connection, files, plan, rules, read_keys)
    if isinstance(result, str):
        _LOG.debug("the previous graph is not patched: %s", result)
        return None
    return _update_coverage(plan.previous.coverage, result)


def _patch(
    connection: Connection, files: CitedFiles, plan: ReusePlan, rules: DeferralRules,
    read_keys: set[str],
) -> GraphChange | str:
    """The change that was made; a text says why none can be."""
    previous = plan.previous
    assert previous is not None
    new = dict(iter_encoded_definitions(connection))
    old = previous.read_keys()
    decoder = FactsDecoder()
    try:
        removed = [decoder.decode(*row)
                   for row in previous.read_definitions_by_key(old - new.keys())]
        added = [decoder.decode(key, new[key]) for key in new.keys() - old]
        change = _find_change(previous, removed, added, rules)
    except StoreError:
        return "the previous index is damaged"
    if isinstance(change, str):
        return change
    shift = LineShift(change)
    shift.confirm_unmoved(decoder.decode(key, new[key]) for key in sorted(read_keys & old))
    if not shift.is_consistent:
        return "lines changed their order"
    edited = [path for path in previous.files if plan.states.has_changed(path)]
    if not patch_graph(connection, previous.path, shift, files, edited):
        return "the previous graph does not fit"
    return change


def _find_change(
    previous: PreviousIndex, removed: list[Definition], added: list[Definition],
    rules: DeferralRules,
) -> GraphChange | str:
    graph = PreviousGraph(previous.path)
    try:
        return analyse_impact(removed, added, _PreviousGraphFacts(graph, rules, added))
    finally:
        graph.close()


class _PreviousGraphFacts:
    """What kgraph.resolve.incremental asks about the previous graph."""

    def __init__(
        self, graph: PreviousGraph, rules: DeferralRules, added: Iterable[Definition]
    ) -> None:
        self._graph = graph
        self._words = collect_declared_words() | set(re.findall(r"\w+", repr(rules)))
        self._added: dict[str, list[Function]] = {}
        for definition in added:
            if isinstance(definition.subject, Function):
                self._added.setdefault(definition.subject.id.name, []).append(definition.subject)
        self.find_weight = graph.find_weight
        self.is_table = graph.is_table
        self.is_pointer = graph.is_pointer
        self.link = cache(self._link)

    def is_declared(self, *names: str) -> bool:
        """Whether the declared models or the user's rules name all of these."""
        return all(name in self._words or has_declared_prefix(name) for name in names)

    def _link(self, function: FunctionId) -> tuple[FunctionId, bool]:
        """What a function links to among the previous and the added functions, and whether that
        exists. Only removed functions name removed ones, so those need not be left out."""
        functions: dict[FunctionId, Function] = {}
        names, seen = [function.name], {function.name}
        while names:
            name = names.pop()
            for found in (*self._graph.find_functions(name), *self._added.get(name, ())):
                functions[found.id] = found
                if found.alias_of and found.alias_of not in seen:
                    seen.add(found.alias_of)
                    names.append(found.alias_of)
        linked = FunctionLinker(functions).link(function)
        return linked, linked in functions


def _update_coverage(coverage: Coverage, change: GraphChange) -> Coverage:
    """The coverage after a change."""
    functions = direct = 0
    for rewritten in change.rewritten_functions:
        for definition, sign in ((rewritten.before, -1), (rewritten.after, 1)):
            if definition is not None:
                functions += sign
                direct += sign * sum(
                    isinstance(call.target, FunctionId) for call in definition.calls)
    return replace(coverage, functions=coverage.functions + functions,
                   direct=coverage.direct + direct)
