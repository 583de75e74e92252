"""Steps between functions, whatever their parameters are bound to.

Over-approximates the state search: an edge absent here cannot be taken there.
"""

from collections.abc import Callable, Iterable, Iterator

from kgraph.graph import CallGraph
from kgraph.query.paths.constraints import PathConstraints
from kgraph.query.paths.costs import CALLBACK_COST, ONE, hop_cost
from kgraph.store.arrays import FLAG_DEFERRED, FLAG_INDIRECT, FLAG_TYPE


class Adjacency:
    """Who calls whom, as far as rules leave it."""

    def __init__(self, graph: CallGraph, rules: PathConstraints) -> None:
        self.graph = graph
        self.constraints = rules
        closed = (0 if rules.deferred else FLAG_DEFERRED) | (0 if rules.types else FLAG_TYPE)
        self.excluded_flags = closed & graph.used_flags  # 0 where no hop need be looked at for it
        self.pinned_callers = {graph.caller_of(site) for site in rules.pins}
        self._allowed: dict[int, frozenset[int] | None] = {}

    def iter_callees(self, function: int, passed: int | None = None) -> Iterable[int]:
        """The functions that a step from `function` may reach, whatever its parameters are bound
        to, where `passed` of the functions to pass were passed (None: anywhere on the way); some
        more than once.
        """
        graph, rules = self.graph, self.constraints
        first, last = graph.hop_start[function], graph.hop_start[function + 1]
        found: Iterable[int] = graph.hop_callee[first:last]
        if self.excluded_flags or function in self.pinned_callers:
            found = [graph.hop_callee[hop] for hop in range(first, last) if self._open(hop, passed)]
        if rules.types:
            sites = graph.by_type.sites_of(function)
            found = [*found, *(callee for site in sites for callee in graph.by_type.callees(site))]
        return [callee for callee in found if callee not in rules.avoid] if rules.avoid else found

    def make_callee_function(self, passed: int | None = None) -> Callable[[int], Iterable[int]]:
        """`callees` of any function; quicker to call where rules leave every hop."""
        if self._restricted:
            return lambda function: self.iter_callees(function, passed)
        start, callee = self.graph.hop_start, self.graph.hop_callee
        return lambda function: callee[start[function]:start[function + 1]]

    @property
    def _restricted(self) -> bool:
        rules = self.constraints
        return bool(self.excluded_flags or rules.avoid or rules.pins or rules.types)

    def iter_callers(self, function: int) -> Iterable[int]:
        """The functions that a step may lead from to `function`; some more than once."""
        if self._restricted:
            return [caller for caller, _ in self.find_weighted_callers(function)]
        graph = self.graph
        hops = graph.back_hop[graph.back_start[function]:graph.back_start[function + 1]]
        return map(graph.hop_caller.__getitem__, hops)

    def _open(self, hop: int, passed: int | None) -> bool:
        """Whether flags and pins leave a hop."""
        flags = self.graph.hop_flags[hop]
        if flags & self.excluded_flags:
            return False
        if flags & (FLAG_INDIRECT | FLAG_DEFERRED) != FLAG_INDIRECT:
            return True
        allowed = self._pinned(self.graph.site_of(self.graph.hop_edge[hop]), passed)
        return allowed is None or self.graph.hop_callee[hop] in allowed

    def _pinned(self, site: int, passed: int | None) -> frozenset[int] | None:
        """What pins leave to a call site (see Rules.allowed)."""
        if passed is not None:
            return self.constraints.get_allowed_callees(site, passed)
        if site not in self._allowed:
            self._allowed[site] = self.constraints.get_allowed_callees(site)
        return self._allowed[site]

    def find_weighted_callers(self, function: int) -> list[tuple[int, int]]:
        """The callers of a function, each with a cost that no step from it to here is below, where
        it has no bindings: only as far as pins and flags leave the call. Those that hand the
        function on are among them, with the least that the steps to its call cost.
        """
        graph, start, avoid = self.graph, self.graph.hop_start, self.constraints.avoid
        hop_flags, hop_width, hop_caller = graph.hop_flags, graph.hop_width, graph.hop_caller
        closed, pinned, found = self.excluded_flags, self.pinned_callers, []
        for hop in graph.back_hop[graph.back_start[function]:graph.back_start[function + 1]]:
            flags, caller = hop_flags[hop], hop_caller[hop]
            if flags & closed or caller in avoid:
                continue
            width = hop_width[hop]
            if caller in pinned and flags & FLAG_INDIRECT:
                if not self._open(hop, None):
                    continue
                site = graph.site_of(graph.hop_edge[hop])
                if site in self.constraints.pins and not flags & FLAG_DEFERRED:
                    width = 1
            found.append((caller, hop_cost(width, flags, start[caller + 1] - start[caller])))
        handing = map(graph.caller_of, graph.sites_by_forwarded.get(function, ()))
        found += [(caller, ONE + CALLBACK_COST) for caller in handing if caller not in avoid]
        if self.constraints.types:
            found += self._callers_by_type(function)
        return found

    def _callers_by_type(self, function: int) -> Iterator[tuple[int, int]]:
        by_type = self.graph.by_type
        for site in by_type.sites_for(function):
            caller = self.graph.caller_of(site)
            if caller not in self.constraints.avoid:
                yield caller, hop_cost(len(by_type.callees(site)), FLAG_INDIRECT | FLAG_TYPE)
