"""What a way to a function costs at least: a search backwards over functions alone.

What parameters are bound to is left aside, so that no way can cost less than its bound. The search
goes as far as it is asked; must not know what is made of its bounds.
"""

from heapq import heappop, heappush

from kgraph.query.adjacency import Adjacency

UNREACHABLE = -1
_PROBED = 512


class Bound:
    """For every function a lower bound of the cost of a way to `target`. What is not settled costs
    at least as much as what is. Ways that cost more than `most` are as good as none.
    """

    def __init__(
        self, functions: Adjacency, source: int, target: int, most: int | None = None
    ) -> None:
        self._adjacency = functions
        self._most = most
        self._settled: dict[int, int] = {}
        self._costs = {target: 0}
        self._queue = [(0, target)]
        self._beyond = 0
        self._look_for(source, target)

    def _look_for(self, source: int, target: int) -> None:
        """Settle the source, or find that nothing leads from it to the target. All that leads to
        the target may be much where little leads on from the source."""
        probe, functions = _Probe(self._adjacency, source, target), _PROBED
        self._settle(source, functions=functions)
        while source not in self._settled and self._queue and not probe.misses(functions):
            functions *= 4
            self._settle(source, functions=functions)
        if source not in self._settled:
            self._queue.clear()

    def raised(self, function: int, need: int | None) -> int:
        """The bound of a function after searching on until it is settled, or is above `need`;
        UNREACHABLE if no way leads from it to the target.
        """
        if function not in self._settled:
            self._settle(function, need=need)
        return self[function]

    def _settle(
        self, function: int, *, need: int | None = None, functions: int | None = None
    ) -> None:
        """Search on until `function` is settled, or all is that costs at most `need`, or so many
        functions are."""
        settled, costs, queue, most = self._settled, self._costs, self._queue, self._most
        before, known = self._adjacency.reaching, self._costs.get
        while function not in settled and queue:
            if need is not None and queue[0][0] > need:
                self._beyond = queue[0][0]
                break
            if functions is not None and len(settled) >= functions:
                break
            cost, here = heappop(queue)
            if here in settled:
                continue
            settled[here] = self._beyond = cost
            for caller, more in before(here):
                if caller not in settled:
                    total = cost + more
                    if total < known(caller, total + 1) and (most is None or total <= most):
                        costs[caller] = total
                        heappush(queue, (total, caller))

    def settled(self, function: int) -> int | None:
        """The bound of a function where it is settled."""
        return self._settled.get(function)

    def __len__(self) -> int:
        return len(self._settled)

    def __getitem__(self, function: int) -> int:
        return self._settled.get(function, self._beyond if self._queue else UNREACHABLE)


class _Probe:
    """A search forward, by layers, to see early that a function cannot reach another."""

    def __init__(self, functions: Adjacency, source: int, target: int) -> None:
        self._adjacency = functions
        self._target = target
        self._seen = {source}
        self._layer = [source]

    def misses(self, functions: int) -> bool:
        """Whether all that the source reaches is known and the target is not in it, after looking
        at about so many functions more."""
        seen, until = self._seen, len(self._seen) + functions
        while self._layer and len(seen) < until:
            following: list[int] = []
            for function in self._layer:
                for callee in self._adjacency.callees(function):
                    if callee not in seen:
                        seen.add(callee)
                        following.append(callee)
            self._layer = following
        return not self._layer and self._target not in seen
