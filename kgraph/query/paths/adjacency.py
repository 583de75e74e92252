"""The calls between functions that constraints allow, whatever the bindings of parameters are.

Over-approximates the state search: an edge absent here cannot be taken there.
"""

from collections.abc import Callable, Iterable, Iterator

from kgraph.graph import CallGraph
from kgraph.query.paths.constraints import PathConstraints
from kgraph.query.paths.costs import HOP, choice_cost, hop_cost
from kgraph.store.arrays import FLAG_DEFERRED, FLAG_INDIRECT, FLAG_TYPE


class Adjacency:
    """Who calls whom, as far as constraints allow."""

    def __init__(self, graph: CallGraph, constraints: PathConstraints) -> None:
        self.graph = graph
        self.constraints = constraints
        excluded = 0 if constraints.deferred else FLAG_DEFERRED
        excluded |= 0 if constraints.types else FLAG_TYPE
        self.excluded_flags = excluded & graph.used_flags  # 0: no hop has to be tested for it
        self.pinned_callers = {graph.caller_of(site) for site in constraints.pins}
        self._allowed: dict[int, frozenset[int] | None] = {}

    def iter_callees(self, function: int, via_passed: int | None = None) -> Iterable[int]:
        """The functions that a step from `function` may reach, some more than once. Pins count that
        hold after `via_passed` of the functions to pass, or, for None, on the whole path.
        """
        graph, constraints = self.graph, self.constraints
        first, last = graph.hop_start[function], graph.hop_start[function + 1]
        found: Iterable[int] = graph.hop_callee[first:last]
        if self.excluded_flags or function in self.pinned_callers:
            found = [graph.hop_callee[hop] for hop in range(first, last)
                     if self._is_open(hop, via_passed)]
        if constraints.types:
            sites = graph.by_type.sites_of(function)
            found = [*found, *(callee for site in sites for callee in graph.by_type.callees(site))]
        avoid = constraints.avoid
        return [callee for callee in found if callee not in avoid] if avoid else found

    def make_callee_function(
        self, via_passed: int | None = None
    ) -> Callable[[int], Iterable[int]]:
        """`iter_callees` as a function of a function; quicker where every hop is allowed."""
        if self._is_restricted:
            return lambda function: self.iter_callees(function, via_passed)
        start, callee = self.graph.hop_start, self.graph.hop_callee
        return lambda function: callee[start[function]:start[function + 1]]

    def iter_callers(self, function: int) -> Iterable[int]:
        """The functions that a step to `function` may leave, some more than once."""
        if self._is_restricted:
            return [caller for caller, _ in self.find_weighted_callers(function)]
        graph = self.graph
        hops = graph.hops_to(function)
        return map(graph.hop_caller.__getitem__, hops)

    def find_weighted_callers(self, function: int) -> list[tuple[int, int]]:
        """The callers of a function, each with a lower bound of the cost of a step from it to here.
        Functions that hand this one on count as callers, with the least that the steps to its call
        cost.
        """
        graph, avoid = self.graph, self.constraints.avoid
        hop_flags, hop_cost, hop_caller = graph.hop_flags, graph.hop_cost, graph.hop_caller
        excluded, pinned, found = self.excluded_flags, self.pinned_callers, []
        for hop in graph.hops_to(function):
            flags, caller = hop_flags[hop], hop_caller[hop]
            if flags & excluded or caller in avoid:
                continue
            cost = hop_cost[hop]
            if caller in pinned and flags & FLAG_INDIRECT:
                if not self._is_open(hop, None):
                    continue
                site = graph.site_of(graph.hop_edge[hop])
                if site in self.constraints.pins and not flags & FLAG_DEFERRED:
                    cost -= choice_cost(graph.hop_width[hop])
            found.append((caller, cost))
        forwarding = graph.sites_by_forwarded.get(function, ())
        found += [(caller, 2 * HOP) for caller in map(graph.caller_of, forwarding)
                  if caller not in avoid]
        if self.constraints.types:
            found += self._iter_callers_by_type(function)
        return found

    @property
    def _is_restricted(self) -> bool:
        constraints = self.constraints
        return bool(
            self.excluded_flags or constraints.avoid or constraints.pins or constraints.types)

    def _is_open(self, hop: int, via_passed: int | None) -> bool:
        """Whether flags and pins allow a hop."""
        flags = self.graph.hop_flags[hop]
        if flags & self.excluded_flags:
            return False
        if flags & (FLAG_INDIRECT | FLAG_DEFERRED) != FLAG_INDIRECT:
            return True
        allowed = self._get_allowed(self.graph.site_of(self.graph.hop_edge[hop]), via_passed)
        return allowed is None or self.graph.hop_callee[hop] in allowed

    def _get_allowed(self, site: int, via_passed: int | None) -> frozenset[int] | None:
        """The callees that pins leave to a call site."""
        if via_passed is not None:
            return self.constraints.get_allowed_callees(site, via_passed)
        if site not in self._allowed:
            self._allowed[site] = self.constraints.get_allowed_callees(site)
        return self._allowed[site]

    def _iter_callers_by_type(self, function: int) -> Iterator[tuple[int, int]]:
        by_type = self.graph.by_type
        for site in by_type.sites_for(function):
            caller = self.graph.caller_of(site)
            if caller not in self.constraints.avoid:
                yield caller, hop_cost(len(by_type.callees(site)), FLAG_INDIRECT | FLAG_TYPE)
