"""Lower bounds of path costs: a backward search over functions alone.

A bound parameter shortens a path only at the call through it. The bounds take whoever hands a
callback on for its caller, so no path costs less than its bound. The search goes only as far as
it is asked.
"""

from collections.abc import Collection
from heapq import heappop, heappush

from kgraph.query.paths.adjacency import Adjacency
from kgraph.query.paths.costs import CALLBACK_COST
from kgraph.query.paths.state_space import State

UNREACHABLE = -1
_PROBED = 512


class LowerBounds:
    """For every state a lower bound of the cost of a way to `target`. What is not settled costs at
    least as much as what is. Ways that cost more than `most` are as good as none.
    """

    def __init__(
        self, functions: Adjacency, source: State, target: int, most: int | None = None
    ) -> None:
        self._adjacency = functions
        self._most = most
        self._settled: dict[int, int] = {}
        self._costs = {target: 0}
        self._queue = [(0, target)]
        self._beyond = 0
        self._look_for(source, target)

    def _look_for(self, source: State, target: int) -> None:
        """Settle the source, or find that nothing leads from it to the target. All that leads to
        the target may be much where little leads on from the source."""
        probe, more = _Probe(self._adjacency, source.function, target), _PROBED
        starts = {source.function, *(function for _, function in source.bindings)}
        self._settle(more, starts)
        while self._least(source) is None and self._queue and not probe.misses(more):
            more *= 4
            self._settle(more, starts)
        if self._least(source) is None:
            self._queue.clear()

    def tighten(self, state: State, need: int | None) -> int:
        """The bound of a state after searching on until it is exact, or is above `need`;
        UNREACHABLE if no way leads from it to the target.
        """
        # Never by a few functions only: all that waits for its bound is looked at again after it.
        while self._queue and self.get_exact(state) is None and not self._above(need):
            self._settle(len(self._settled) // 8 + 16)
        return self.get(state)

    def _above(self, need: int | None) -> bool:
        return need is not None and self._beyond > need

    def get(self, state: State) -> int:
        """The bound of a state as far as it is known."""
        known = self._least(state)
        if not self._queue:
            return UNREACHABLE if known is None else known
        return self._beyond if known is None else min(known, self._beyond)

    def get_exact(self, state: State) -> int | None:
        """The bound of a state where it is exact."""
        known = self._least(state)
        return None if known is None or (self._queue and known > self._beyond) else known

    def _least(self, state: State) -> int | None:
        """The least that is settled: of its function, and of those that its parameters are bound
        to, which are a call away."""
        least = self._settled.get(state.function)
        for _, function in state.bindings:
            bound = self._settled.get(function)
            if bound is not None and (least is None or bound + CALLBACK_COST < least):
                least = bound + CALLBACK_COST
        return least

    def _settle(self, more: int, until: Collection[int] = ()) -> None:
        """Settle so many functions more, or until one of some is settled."""
        settled, costs, queue, most = self._settled, self._costs, self._queue, self._most
        before, known, last = (
            self._adjacency.find_weighted_callers,
            self._costs.get,
            len(settled) + more,
        )
        while queue and len(settled) < last:
            cost, here = heappop(queue)
            if here in settled:
                continue
            settled[here] = cost
            if here in until:
                last = len(settled)
            for caller, step in before(here):
                if caller not in settled:
                    total = cost + step
                    if total < known(caller, total + 1) and (most is None or total <= most):
                        costs[caller] = total
                        heappush(queue, (total, caller))
        self._beyond = queue[0][0] if queue else self._beyond

    def __len__(self) -> int:
        return len(self._settled)


class _Probe:
    """A search forward, by layers, to see early that a function cannot reach another."""

    def __init__(self, functions: Adjacency, source: int, target: int) -> None:
        self._callees = functions.make_callee_function()
        self._target = target
        self._seen = {source}
        self._layer = [source]

    def misses(self, more: int) -> bool:
        """Whether all that the source reaches is known and the target is not in it, after looking
        at about so many functions more."""
        seen, until = self._seen, len(self._seen) + more
        while self._layer and len(seen) < until:
            following: list[int] = []
            for function in self._layer:
                for callee in self._callees(function):
                    if callee not in seen:
                        seen.add(callee)
                        following.append(callee)
            self._layer = following
        return not self._layer and self._target not in seen
