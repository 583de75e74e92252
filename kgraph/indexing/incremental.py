"""Patch the graph of the previous index when an edit changes little.

Decides whether the facts that were read again make another graph than those that they replace.
If only lines moved, or only the call sites of the functions that were read again differ, the
previous graph is patched; otherwise the caller resolves everything. How changes are judged is
kgraph.resolve's, how they are written kgraph.store's.
"""

import re
from collections.abc import Iterable
from functools import cache

from msgspec.structs import replace

from kgraph.errors import StoreError
from kgraph.indexing.unit_invalidation import ReusePlan
from kgraph.model.facts import Definition, Function
from kgraph.model.ids import FunctionId
from kgraph.model.incremental import GraphChange
from kgraph.model.results import Coverage
from kgraph.resolve import DeferralRules
from kgraph.resolve.incremental.change_impact import analyse_impact
from kgraph.resolve.linkage import FunctionLinker
from kgraph.resolve.models.declared import collect_declared_words
from kgraph.store import Connection
from kgraph.store.codec import FactsDecoder
from kgraph.store.facts_writer import CitedFiles
from kgraph.store.incremental.graph_patch import patch_graph
from kgraph.store.incremental.line_shift import LineShift
from kgraph.store.incremental.previous_graph import PreviousGraph
from kgraph.store.previous_index import PreviousIndex
from kgraph.store.reader import iter_encoded_definitions


def patch_previous_graph(
    connection: Connection, files: CitedFiles, fresh: ReusePlan, rows: DeferralRules,
    read: set[str],
) -> Coverage | str:
    """Carry the former graph over to the new facts; its account. A str says why that cannot be
    done; then nothing is written. `read` are the keys of the facts in units that were read."""
    former = fresh.previous
    assert former is not None
    new = dict(iter_encoded_definitions(connection))
    old = former.read_keys()
    decoder = FactsDecoder()
    try:
        gone = [decoder.decode(*row) for row in former.read_definitions_by_key(old - new.keys())]
        come = [decoder.decode(key, new[key]) for key in new.keys() - old]
        change = _find_change(former, gone, come, rows)
    except StoreError:  # damaged: what is there is not carried over
        return "the former index is damaged"
    if isinstance(change, str):
        return change
    moves = LineShift(change)
    moves.confirm_unmoved(decoder.decode(key, new[key]) for key in sorted(read & old))
    if not moves.is_consistent:
        return "places changed their order"
    edited = [path for path in former.files if fresh.states.has_changed(path)]
    if not patch_graph(connection, former.path, change, moves, files, edited):
        return "the former graph does not fit"
    return _update_coverage(former.coverage, change)


def _find_change(
    former: PreviousIndex, gone: list[Definition], come: list[Definition], rows: DeferralRules
) -> GraphChange | str:
    graph = PreviousGraph(former.path)
    try:
        return analyse_impact(gone, come, _PreviousGraphFacts(graph, rows, come))
    finally:
        graph.close()


class _PreviousGraphFacts:
    """What resolve.contribution.Former asks for."""

    def __init__(
        self, graph: PreviousGraph, rows: DeferralRules, come: Iterable[Definition]
    ) -> None:
        self._graph = graph
        self._words = collect_declared_words() | set(re.findall(r"\w+", repr(rows)))
        self._come: dict[str, list[Function]] = {}
        for definition in come:
            if isinstance(definition.subject, Function):
                self._come.setdefault(definition.subject.id.name, []).append(definition.subject)
        self.find_weight = graph.find_weight
        self.is_table = graph.is_table
        self.is_pointer = graph.is_pointer
        self.link = cache(self._link)

    def _link(self, function: FunctionId) -> tuple[FunctionId, bool]:
        """Links among the former functions and those that came: what is gone is named by what is
        gone only."""
        functions: dict[FunctionId, Function] = {}
        names, seen = [function.name], {function.name}
        while names:
            name = names.pop()
            for found in (*self._graph.find_functions(name), *self._come.get(name, ())):
                functions[found.id] = found
                if found.alias_of and found.alias_of not in seen:
                    seen.add(found.alias_of)
                    names.append(found.alias_of)
        linked = FunctionLinker(functions).link(function)
        return linked, linked in functions

    def is_declared(self, *names: str) -> bool:
        """Whether all of these are words of the declared tables or the user's rows."""
        return self._words.issuperset(names)


def _update_coverage(account: Coverage, change: GraphChange) -> Coverage:
    """The account after a change."""
    functions = direct = 0
    for rewritten in change.rewritten_functions:
        for definition, sign in ((rewritten.before, -1), (rewritten.after, 1)):
            if definition is not None:
                functions += sign
                direct += sign * sum(
                    isinstance(call.target, FunctionId) for call in definition.calls)
    return replace(account, functions=account.functions + functions,
                   direct=account.direct + direct)
