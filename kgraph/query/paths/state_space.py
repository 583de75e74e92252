"""The states of a search, and the steps between them.

A callback that is only handed on belongs to its call site. So a state is a function together
with what its parameters are bound to. A call through a bound parameter has that one callee;
through an unbound one it has all candidates. A function may recur in one path with other
bindings.
"""

from collections.abc import Iterator
from itertools import product
from typing import NamedTuple

from kgraph.graph import CallGraph
from kgraph.query.paths.adjacency import Adjacency
from kgraph.query.paths.constraints import PathConstraints
from kgraph.query.paths.costs import CHANGE_OF_FOLDER, hop_cost
from kgraph.store.arrays import (
    FLAG_CALLBACK,
    FLAG_DEFERRED,
    FLAG_FORWARDS,
    FLAG_INDIRECT,
    FLAG_TYPE,
)


class State(NamedTuple):
    """A function, what its parameters are bound to (parameter, function), how many of the functions
    that the path must pass it has passed, and the folder that it is in or came from (a header's
    functions are in none).
    """

    function: int
    bindings: tuple[tuple[int, int], ...] = ()
    via_passed: int = 0
    folder: int = -1


class Step(NamedTuple):
    """A hop to a state. `edge` is an edge; below 0 the call site -1 - edge is called by type."""

    cost: int
    state: State
    edge: int
    width: int


class OutgoingHop(NamedTuple):
    """A hop that leaves a function, as far as that does not depend on how it was come to. `site` is
    its call site where that decides on bindings, pins or callbacks, else -1.
    """

    callee: int
    cost: int
    edge: int
    width: int
    flags: int
    site: int


class StateSpace:
    """The steps that rules leave in a graph."""

    def __init__(self, graph: CallGraph, rules: PathConstraints) -> None:
        self.graph = graph
        self.constraints = rules
        self.adjacency = Adjacency(graph, rules)
        self._leaving: dict[int, list[OutgoingHop]] = {}

    def iter_steps(self, state: State) -> Iterator[Step]:
        """The steps that leave a state."""
        known = self._leaving.get(state.function)
        if known is None:
            known = self._leaving[state.function] = list(self._leaves(state.function))
        for leaving in known:
            if leaving.site < 0:
                to = State(leaving.callee)
                yield self._step(leaving.cost, to, state, leaving.edge, leaving.width)
            else:
                yield from self._depending(leaving, state)
        if self.constraints.types:
            yield from self._by_type(state)

    def _leaves(self, function: int) -> Iterator[OutgoingHop]:
        graph, avoid = self.graph, self.constraints.avoid
        first, last = graph.hop_start[function], graph.hop_start[function + 1]
        depends = FLAG_FORWARDS | FLAG_CALLBACK
        if function in self.adjacency.pinned_callers:
            depends |= FLAG_INDIRECT
        for hop in range(first, last):
            callee, flags = graph.hop_callee[hop], graph.hop_flags[hop]
            if flags & self.adjacency.excluded_flags or callee in avoid:
                continue
            width, edge = graph.hop_width[hop], graph.hop_edge[hop]
            site = graph.site_of(edge) if flags & depends else -1
            yield OutgoingHop(
                callee, hop_cost(width, flags, last - first), edge, width, flags, site
            )

    def _depending(self, leaving: OutgoingHop, state: State) -> Iterator[Step]:
        """The steps of a hop that depend on the bindings of `state` or on pins."""
        bound = dict(state.bindings)
        width = self._width(leaving, bound, state.via_passed)
        if not width:
            return
        cost = leaving.cost
        if width != leaving.width:
            cost += hop_cost(width, leaving.flags) - hop_cost(leaving.width, leaving.flags)
        for bindings in self._bindings(leaving, bound):
            to = State(leaving.callee, bindings)
            yield self._step(cost, to, state, leaving.edge, width)

    def make_start_state(self, function: int) -> State:
        """The state that a path from `function` starts in."""
        return State(function, folder=self.graph.folder[function])

    def _step(self, cost: int, to: State, before: State, edge: int, width: int) -> Step:
        """The step from `before`, with what the state `to` takes over from it."""
        via, passed, folder = (
            self.constraints.via,
            before.via_passed,
            self.graph.folder[to.function],
        )
        if passed < len(via) and via[passed] == to.function:
            passed += 1
        if folder < 0:
            folder = before.folder
        elif before.folder not in (-1, folder):
            cost += CHANGE_OF_FOLDER
        return Step(cost, State(to.function, to.bindings, passed, folder), edge, width)

    def _width(self, leaving: OutgoingHop, bound: dict[int, int], passed: int) -> int:
        """How many candidates a hop's call site has here; 0 where its callee is none of them."""
        flags, callee = leaving.flags, leaving.callee
        if flags & FLAG_INDIRECT:
            pinned = (
                None
                if flags & FLAG_DEFERRED
                else self.constraints.get_allowed_callees(leaving.site, passed)
            )
            if pinned is not None:
                return len(pinned) if callee in pinned else 0
            only = None
            if flags & FLAG_CALLBACK:
                only = bound.get(self.graph.callbacks[leaving.site])
            if only is not None:
                return int(only == callee)
        return leaving.width

    def _bindings(
        self, leaving: OutgoingHop, bound: dict[int, int]
    ) -> Iterator[tuple[tuple[int, int], ...]]:
        """What the callee's parameters are bound to: alternatives, where the call has several."""
        if not leaving.flags & FLAG_FORWARDS:
            yield ()
            return
        values: dict[int, set[int]] = {}
        for parameter, value in self.graph.forwards[leaving.site]:
            # -1: handed on from a parameter of which nothing is known, so nothing is known here
            known = value if value >= 0 else bound.get(-1 - value, -1)
            values.setdefault(parameter, set()).add(known)
        for choice in product(*(sorted(values[parameter]) for parameter in sorted(values))):
            pairs = zip(sorted(values), choice, strict=True)
            yield tuple((parameter, value) for parameter, value in pairs if value >= 0)

    def _by_type(self, state: State) -> Iterator[Step]:
        for site in self.graph.by_type.sites_of(state.function):
            callees = self.graph.by_type.callees(site)
            cost = hop_cost(len(callees), FLAG_INDIRECT | FLAG_TYPE)
            for callee in callees:
                if callee not in self.constraints.avoid:
                    yield self._step(cost, State(callee), state, -1 - site, len(callees))
