"""The states of a search, and the steps between them.

A callback that is only handed on belongs to its call site. So a state is a function with bindings:
which function each of its parameters stands for. A call through a parameter with a binding has
that one callee; without a binding it has all candidates. A function may recur in one path with
other bindings.
"""

from collections.abc import Iterable, Iterator
from itertools import product
from typing import NamedTuple

from kgraph.graph import CallGraph
from kgraph.query.paths.adjacency import Adjacency
from kgraph.query.paths.constraints import PathConstraints
from kgraph.query.paths.costs import CHANGE_OF_FOLDER, LEFT_FOLDER, choice_cost, hop_cost
from kgraph.query.paths.path_facts import Facts, OutgoingHop, PathFacts, PathRule, Verdict
from kgraph.store.arrays import (
    FLAG_CALLBACK,
    FLAG_DEFERRED,
    FLAG_FORWARDS,
    FLAG_INDIRECT,
    FLAG_TYPE,
)

Bindings = tuple[tuple[int, int], ...]  # (parameter, function), ascending


class State(NamedTuple):
    """A function, the bindings of its parameters, what the path has fixed so far (path_facts.py),
    how many of the functions to pass (`via`) were passed, and its folder. A function of a header is
    in no folder (-1) and keeps its caller's.
    """

    function: int
    bindings: Bindings = ()
    facts: Facts = ()
    via_passed: int = 0
    folder: int = -1


class Step(NamedTuple):
    """A hop to a state, one of `width` candidates. It is an `edge`, or, where that is None, a call
    by type at the call site `typed_site`.
    """

    cost: int
    state: State
    width: int
    edge: int | None
    typed_site: int | None = None


class StateSpace:
    """The steps that constraints leave in a graph. `rules` refuse those that contradict what a path
    has passed.
    """

    def __init__(
        self, graph: CallGraph, constraints: PathConstraints, rules: Iterable[PathRule] = ()
    ) -> None:
        self.graph = graph
        self.constraints = constraints
        self.adjacency = Adjacency(graph, constraints)
        self.facts = PathFacts(rules)
        self.refused: dict[int, Verdict] = {}  # edges that a rule refused
        self._outgoing: dict[int, list[OutgoingHop]] = {}
        self._folders: dict[int, frozenset[int]] = {}  # by call site

    def make_start_state(self, function: int) -> State:
        """The state that a path from `function` starts in."""
        return State(function, (), self.facts.facts_at_start(function),
                     folder=self.graph.folder[function])

    def iter_steps(self, state: State) -> Iterator[Step]:
        """The steps that leave a state."""
        hops = self._outgoing.get(state.function)
        if hops is None:
            hops = self._outgoing[state.function] = list(self._iter_outgoing(state.function))
        for hop in hops:
            if hop.site is None and not state.facts and not hop.rules:
                to, detour = self._enter(hop, (), (), state)
                yield Step(hop.cost + detour, to, hop.width, hop.edge)
            else:
                yield from self._iter_dependent_steps(hop, state)
        if self.constraints.types:
            yield from self._iter_steps_by_type(state)

    def _iter_outgoing(self, function: int) -> Iterator[OutgoingHop]:
        graph, avoid = self.graph, self.constraints.avoid
        first, last = graph.hop_start[function], graph.hop_start[function + 1]
        dependent = FLAG_FORWARDS | FLAG_CALLBACK
        if function in self.adjacency.pinned_callers:
            dependent |= FLAG_INDIRECT
        for hop in range(first, last):
            callee, flags = graph.hop_callee[hop], graph.hop_flags[hop]
            if flags & self.adjacency.excluded_flags or callee in avoid:
                continue
            width, edge = graph.hop_width[hop], graph.hop_edge[hop]
            site = graph.site_of(edge) if flags & dependent else None
            found = OutgoingHop(
                function, callee, graph.hop_cost[hop], edge, width, flags, site)
            rules = self.facts.find_rules(found)
            yield found._replace(rules=rules) if rules else found

    def _iter_dependent_steps(self, hop: OutgoingHop, state: State) -> Iterator[Step]:
        """The steps of a hop that depends on the bindings or facts of `state`, or on pins."""
        own_bindings, width, facts = dict(state.bindings), hop.width, state.facts
        cost = hop.cost
        if hop.site is not None:
            width = self._count_candidates(hop, hop.site, own_bindings, state.via_passed)
            if not width:
                return
            cost += choice_cost(width) - choice_cost(hop.width)
        if facts or hop.rules:
            verdict = self.facts.judge(hop, facts, state.bindings)
            if verdict.refused:
                self.refused[hop.edge] = verdict
                return
            facts = verdict.facts
            cost += verdict.cost
            width = width if verdict.width is None else min(width, verdict.width)
        choices: Iterable[Bindings] = ((),)
        if hop.site is not None and hop.flags & FLAG_FORWARDS:
            choices = self._iter_bindings(hop.site, own_bindings)
        for bindings in choices:
            to, detour = self._enter(hop, bindings, facts, state)
            yield Step(cost + detour, to, width, hop.edge)

    def _enter(
        self, hop: OutgoingHop, bindings: Bindings, facts: Facts, before: State
    ) -> tuple[State, int]:
        """The state that a step from `before` leads to, and what a change of folder costs."""
        callee, folder, cost = hop.callee, self.graph.folder[hop.callee], 0
        if folder < 0:
            folder = before.folder
        elif before.folder not in (-1, folder):
            is_left = hop.width > 1 and before.folder in self._find_folders(hop)
            cost = LEFT_FOLDER if is_left else CHANGE_OF_FOLDER
        return State(callee, bindings, facts, self._pass(callee, before), folder), cost

    def _pass(self, callee: int, before: State) -> int:
        """How many of the functions to pass are passed once `callee` is entered."""
        via, passed = self.constraints.via, before.via_passed
        return passed + (passed < len(via) and via[passed] == callee)

    def _find_folders(self, hop: OutgoingHop) -> frozenset[int]:
        """The folders of the candidates of a call."""
        site = self.graph.site_of(hop.edge)
        if site not in self._folders:
            first, last = self.graph.edge_start[site], self.graph.edge_start[site + 1]
            self._folders[site] = frozenset(
                map(self.graph.folder.__getitem__, self.graph.edge_callee[first:last]))
        return self._folders[site]

    def _count_candidates(
        self, hop: OutgoingHop, site: int, own_bindings: dict[int, int], via_passed: int
    ) -> int:
        """How many candidates a call site has in this state; 0 if the hop's callee is not one."""
        if not hop.flags & FLAG_INDIRECT:
            return hop.width
        if not hop.flags & FLAG_DEFERRED:
            pinned = self.constraints.get_allowed_callees(site, via_passed)
            if pinned is not None:
                return len(pinned) if hop.callee in pinned else 0
        if hop.flags & FLAG_CALLBACK:
            only = own_bindings.get(self.graph.callbacks[site])
            if only is not None:
                return int(only == hop.callee)
        return hop.width

    def _iter_bindings(self, site: int, own_bindings: dict[int, int]) -> Iterator[Bindings]:
        """The bindings that a call gives to the callee's parameters. A parameter that several
        functions are handed to yields one alternative for each.
        """
        values: dict[int, set[int | None]] = {}
        for forward in self.graph.find_forwards(site):
            if forward.function_set is not None:
                continue  # handed_sets.py
            function = forward.function
            if forward.own_parameter is not None:
                function = own_bindings.get(forward.own_parameter)
            values.setdefault(forward.parameter, set()).add(function)
        parameters = sorted(values)
        for choice in product(*(sorted(values[each], key=_order) for each in parameters)):
            yield tuple((parameter, function)
                        for parameter, function in zip(parameters, choice, strict=True)
                        if function is not None)

    def _iter_steps_by_type(self, state: State) -> Iterator[Step]:
        facts = self.facts.keep_by_type(state.facts)
        for site in self.graph.by_type.sites_of(state.function):
            callees = self.graph.by_type.callees(site)
            cost = hop_cost(len(callees), FLAG_INDIRECT | FLAG_TYPE)
            for callee in callees:
                if callee not in self.constraints.avoid:
                    to = State(callee, (), facts, self._pass(callee, state), state.folder)
                    yield Step(cost, to, len(callees), None, site)


def _order(function: int | None) -> int:
    """A sort key: what is unknown comes first."""
    return -1 if function is None else function
