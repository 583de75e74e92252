"""The states of a search and the steps between them.

A callback that is only handed on belongs to its call site, so a state is a function together with
what its parameters are bound to. A call through a bound parameter has that one callee; through an
unbound one it has all candidates. A function may recur in one path with other bindings.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import product
from typing import NamedTuple

from kgraph.graph import CallGraph
from kgraph.query.costs import CHANGE_OF_FOLDER, hop_cost
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
    passed: int = 0
    folder: int = -1


class Step(NamedTuple):
    """A hop to a state. `edge` is an edge; below 0 the call site -1 - edge is called by type."""

    cost: int
    state: State
    edge: int
    width: int


class SitePin(NamedTuple):
    """The only callees of a call site, on the part of a way where at least `first` and fewer than
    `last` of the functions to pass were passed. `table` (an object's number, -1 for none) is what
    the pin says that `slot` holds.
    """

    callees: frozenset[int]
    first: int = 0
    last: int = 1 << 30
    table: int = -1
    slot: str = ""


@dataclass(frozen=True)
class Rules:
    """What a path may do. `via` are the functions to pass, in order; `pins` what is left to some
    call sites (see allowed).
    """

    via: tuple[int, ...] = ()
    avoid: frozenset[int] = frozenset()
    pins: dict[int, tuple[SitePin, ...]] = field(default_factory=dict)
    deferred: bool = True
    types: bool = False

    def allowed(self, site: int, passed: int | None = None) -> frozenset[int] | None:
        """The callees that pins leave to a call site once `passed` of `via` were passed (None:
        anywhere on the way); None where no pin concerns it there.
        """
        pins = self.pins.get(site)
        if pins is None:
            return None
        if passed is not None:
            here = [pin.callees for pin in pins if pin.first <= passed < pin.last]
            return frozenset.intersection(*here) if here else None
        if any(pin.first > 0 or pin.last <= len(self.via) for pin in pins):
            return None
        return frozenset.intersection(*(pin.callees for pin in pins))


    def pin(self, site: int, passed: int) -> SitePin | None:
        """The pin to a table that concerns a call site where `passed` of `via` were passed."""
        pins = self.pins.get(site, ())
        return next(
            (pin for pin in pins if pin.table >= 0 and pin.first <= passed < pin.last), None
        )


class Steps:
    """The steps that rules leave in a graph."""

    def __init__(self, graph: CallGraph, rules: Rules) -> None:
        self.graph = graph
        self.rules = rules
        self._closed = (0 if rules.deferred else FLAG_DEFERRED) | (
            0 if rules.types else FLAG_TYPE
        )

    def after(self, state: State) -> Iterator[Step]:
        """The steps that leave a state."""
        graph, bound = self.graph, dict(state.bindings)
        first, last = graph.hop_start[state.function], graph.hop_start[state.function + 1]
        for hop in range(first, last):
            callee, flags = graph.hop_callee[hop], graph.hop_flags[hop]
            if flags & self._closed or callee in self.rules.avoid:
                continue
            width = self._width(hop, callee, flags, bound, state.passed)
            if not width:
                continue
            cost, edge = hop_cost(width, flags, last - first), graph.hop_edge[hop]
            for bindings in self._bindings(edge, flags, bound):
                yield self._step(cost, State(callee, bindings), state, edge, width)
        if self.rules.types:
            yield from self._by_type(state)

    def callees(self, function: int) -> Iterator[int]:
        """The functions that a step from `function` may reach, whatever its parameters are bound
        to; some more than once."""
        graph = self.graph
        if self.rules.pins or self.rules.types:
            yield from {step.state.function: None for step in self.after(State(function))}
            return
        for hop in range(graph.hop_start[function], graph.hop_start[function + 1]):
            callee = graph.hop_callee[hop]
            if not graph.hop_flags[hop] & self._closed and callee not in self.rules.avoid:
                yield callee

    def start(self, function: int) -> State:
        """The state that a path from `function` starts in."""
        return State(function, folder=self.graph.folder[function])

    def _step(self, cost: int, to: State, before: State, edge: int, width: int) -> Step:
        """The step from `before`, with what the state `to` takes over from it."""
        via, passed, folder = self.rules.via, before.passed, self.graph.folder[to.function]
        if passed < len(via) and via[passed] == to.function:
            passed += 1
        if folder < 0:
            folder = before.folder
        elif before.folder not in (-1, folder):
            cost += CHANGE_OF_FOLDER
        return Step(cost, State(to.function, to.bindings, passed, folder), edge, width)

    def _width(
        self, hop: int, callee: int, flags: int, bound: dict[int, int], passed: int
    ) -> int:
        """How many candidates the hop's call site has here; 0 where `callee` is none of them."""
        if flags & FLAG_INDIRECT and (self.rules.pins or flags & FLAG_CALLBACK):
            site = self.graph.site_of(self.graph.hop_edge[hop])
            pinned = None if flags & FLAG_DEFERRED else self.rules.allowed(site, passed)
            if pinned is not None:
                return len(pinned) if callee in pinned else 0
            only = bound.get(self.graph.callbacks[site]) if flags & FLAG_CALLBACK else None
            if only is not None:
                return int(only == callee)
        return self.graph.hop_width[hop]

    def _bindings(
        self, edge: int, flags: int, bound: dict[int, int]
    ) -> Iterator[tuple[tuple[int, int], ...]]:
        """What the callee's parameters are bound to: alternatives, where the call has several."""
        if not flags & FLAG_FORWARDS:
            yield ()
            return
        values: dict[int, set[int]] = {}
        for parameter, value in self.graph.forwards[self.graph.site_of(edge)]:
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
                if callee not in self.rules.avoid:
                    yield self._step(cost, State(callee), state, -1 - site, len(callees))

    def before(self, function: int) -> Iterator[tuple[int, int]]:
        """The callers of a function, each with a cost that no step from it to here is below:
        whatever the bindings are, and only as far as pins and flags leave the call.
        """
        graph = self.graph
        for place in range(graph.back_start[function], graph.back_start[function + 1]):
            hop = graph.back_hop[place]
            flags = graph.hop_flags[hop]
            caller = graph.hop_caller[hop]
            if flags & self._closed or caller in self.rules.avoid:
                continue
            width = graph.hop_width[hop]
            if flags & FLAG_INDIRECT and self.rules.pins:
                site = graph.site_of(graph.hop_edge[hop])
                pinned = None if flags & FLAG_DEFERRED else self.rules.allowed(site)
                if pinned is not None and function not in pinned:
                    continue
                if site in self.rules.pins and not flags & FLAG_DEFERRED:
                    width = 1
            callees = graph.hop_start[caller + 1] - graph.hop_start[caller]
            yield caller, hop_cost(1 if flags & FLAG_CALLBACK else width, flags, callees)
        if self.rules.types:
            for site in graph.by_type.sites_for(function):
                caller = graph.site(site).caller
                if caller not in self.rules.avoid:
                    yield caller, hop_cost(
                        len(graph.by_type.callees(site)), FLAG_INDIRECT | FLAG_TYPE
                    )
