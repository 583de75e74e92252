"""Lower bounds of path costs: a backward search over functions alone.

The search ignores what parameters stand for: it counts a function that hands a callback on as a
caller of that callback. So a bound may be too low, and no path costs less than its bound. The
search goes only as far as it is asked.
"""

from collections.abc import Collection
from heapq import heappop, heappush

from kgraph.query.paths.adjacency import Adjacency
from kgraph.query.paths.costs import HOP
from kgraph.query.paths.state_space import State

UNREACHABLE = -1
_FIRST_PROBE = 512  # functions


class LowerBounds:
    """For every state a lower bound of the cost of a path to `target` (Dijkstra's algorithm,
    backwards). What is not settled costs at least as much as what is. Paths that cost more than
    `max_cost` are ignored.
    """

    def __init__(
        self, adjacency: Adjacency, source: State, target: int, max_cost: int | None = None
    ) -> None:
        self._adjacency = adjacency
        self._max_cost = max_cost
        self._settled: dict[int, int] = {}
        self._costs = {target: 0}
        self._queue = [(0, target)]
        self._frontier_cost = 0
        self._search_source(source, target)

    def _search_source(self, source: State, target: int) -> None:
        """Settle the source, or find that nothing leads from it to the target. A forward search
        takes turns: much may lead to the target where little leads on from the source.
        """
        probe, more = _ForwardProbe(self._adjacency, source.function, target), _FIRST_PROBE
        starts = {source.function, *(function for _, function in source.bindings)}
        self._settle(more, starts)
        while self._get_least(source) is None and self._queue and not probe.has_missed(more):
            more *= 4
            self._settle(more, starts)
        if self._get_least(source) is None:
            self._queue.clear()

    def tighten(self, state: State, need: int | None) -> int:
        """The bound of a state, after searching until it is exact or above `need`. UNREACHABLE if
        no path leads from the state to the target.
        """
        # In large portions: after each of them all that waits for its bound is looked at again.
        while self._queue and self.get_exact(state) is None and not self._is_above(need):
            self._settle(len(self._settled) // 8 + 16)
        return self.get(state)

    def get(self, state: State) -> int:
        """The bound of a state as far as it is known."""
        known = self._get_least(state)
        if not self._queue:
            return UNREACHABLE if known is None else known
        return self._frontier_cost if known is None else min(known, self._frontier_cost)

    def get_exact(self, state: State) -> int | None:
        """The bound of a state, None while it is not exact."""
        known = self._get_least(state)
        return None if known is None or (self._queue and known > self._frontier_cost) else known

    def __len__(self) -> int:
        return len(self._settled)

    def _is_above(self, need: int | None) -> bool:
        return need is not None and self._frontier_cost > need

    def _get_least(self, state: State) -> int | None:
        """The least that is settled: for the function of a state, and for those in its bindings,
        which are a call away.
        """
        least = self._settled.get(state.function)
        for _, function in state.bindings:
            bound = self._settled.get(function)
            if bound is not None and (least is None or bound + HOP < least):
                least = bound + HOP
        return least

    def _settle(self, more: int, until: Collection[int] = ()) -> None:
        """Settle `more` functions, or until one of `until` is settled."""
        settled, costs, queue, limit = self._settled, self._costs, self._queue, self._max_cost
        find_callers, get_cost = self._adjacency.find_weighted_callers, self._costs.get
        last = len(settled) + more
        while queue and len(settled) < last:
            cost, here = heappop(queue)
            if here in settled:
                continue
            settled[here] = cost
            if here in until:
                last = len(settled)
            for caller, step in find_callers(here):
                if caller not in settled:
                    total = cost + step
                    if total < get_cost(caller, total + 1) and (limit is None or total <= limit):
                        costs[caller] = total
                        heappush(queue, (total, caller))
        self._frontier_cost = queue[0][0] if queue else self._frontier_cost


class _ForwardProbe:
    """A breadth-first search forwards, to see early that a function cannot reach another."""

    def __init__(self, adjacency: Adjacency, source: int, target: int) -> None:
        self._find_callees = adjacency.make_callee_function()
        self._target = target
        self._seen = {source}
        self._layer = [source]

    def has_missed(self, more: int) -> bool:
        """Whether all that the source reaches is known and the target is not in it, after looking
        at about `more` functions more.
        """
        seen, until = self._seen, len(self._seen) + more
        while self._layer and len(seen) < until:
            following: list[int] = []
            for function in self._layer:
                for callee in self._find_callees(function):
                    if callee not in seen:
                        seen.add(callee)
                        following.append(callee)
            self._layer = following
        return not self._layer and self._target not in seen
