"""An edit that leaves the rest of the graph as it was: the former graph is carried over.

Owns the decision whether the facts that were read make another graph than those that they replace,
but for places and for the call sites of the functions that they are of. Must not know how either
is found, nor how the graph lies in the file.
"""

import re
import sqlite3
from collections.abc import Iterable
from dataclasses import replace
from functools import cache

from kgraph.errors import StoreError
from kgraph.model.answers import Coverage
from kgraph.model.facts import Definition, Function
from kgraph.model.names import FunctionId
from kgraph.model.rewriting import Change
from kgraph.pipeline.freshness import Freshness
from kgraph.resolve import Rows
from kgraph.resolve.declared import declared_words
from kgraph.resolve.difference import difference
from kgraph.resolve.linkage import FunctionLinker
from kgraph.store.decoding import Decoder
from kgraph.store.facts import CitedFiles
from kgraph.store.former import FormerIndex
from kgraph.store.graphfacts import FormerGraph
from kgraph.store.moved import Moves
from kgraph.store.patching import carry_over


def carried(
    connection: sqlite3.Connection, files: CitedFiles, fresh: Freshness, rows: Rows,
    read: set[str],
) -> Coverage | str:
    """Carry the former graph over to the new facts; its account. A str says why that cannot be
    done; then nothing is written. `read` are the keys of the facts in units that were read."""
    former = fresh.former
    assert former is not None
    new = dict(connection.execute("SELECT key, facts FROM definition"))
    old = former.keys()
    decoder = Decoder()
    try:
        gone = [decoder.decode(*row) for row in former.definitions_named(old - new.keys())]
        come = [decoder.decode(key, new[key]) for key in new.keys() - old]
        change = _change(former, gone, come, rows)
    except StoreError:  # damaged: what is there is not carried over
        return "the former index is damaged"
    if isinstance(change, str):
        return change
    moves = Moves(change)
    moves.settle(decoder.decode(key, new[key]) for key in sorted(read & old))
    if not moves.fits:
        return "places changed their order"
    edited = [path for path in former.files if fresh.states.changed(path)]
    if not carry_over(connection, former.path, change, moves, files, edited):
        return "the former graph does not fit"
    return _account(former.coverage, change)


def _change(
    former: FormerIndex, gone: list[Definition], come: list[Definition], rows: Rows
) -> Change | str:
    graph = FormerGraph(former.path)
    try:
        return difference(gone, come, _Asked(graph, rows, come))
    finally:
        graph.close()


class _Asked:
    """What resolve.contribution.Former asks for."""

    def __init__(self, graph: FormerGraph, rows: Rows, come: Iterable[Definition]) -> None:
        self._graph = graph
        self._words = declared_words() | set(re.findall(r"\w+", repr(rows)))
        self._come: dict[str, list[Function]] = {}
        for definition in come:
            if isinstance(definition.subject, Function):
                self._come.setdefault(definition.subject.id.name, []).append(definition.subject)
        self.weight = graph.weight
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
            for found in (*self._graph.functions_named(name), *self._come.get(name, ())):
                functions[found.id] = found
                if found.alias_of and found.alias_of not in seen:
                    seen.add(found.alias_of)
                    names.append(found.alias_of)
        linked = FunctionLinker(functions).link(function)
        return linked, linked in functions

    def is_declared(self, *names: str) -> bool:
        """Whether all of these are words of the declared tables or the user's rows."""
        return self._words.issuperset(names)


def _account(account: Coverage, change: Change) -> Coverage:
    """The account after a change."""
    functions = direct = 0
    for rewritten in change.rewritten:
        for definition, sign in ((rewritten.before, -1), (rewritten.after, 1)):
            if definition is not None:
                functions += sign
                direct += sign * sum(
                    isinstance(call.target, FunctionId) for call in definition.calls)
    return replace(account, functions=account.functions + functions,
                   direct=account.direct + direct)
