"""The best path, and the k best: A* over states, Yen's deviations on top of it.

A backward search from the callee over functions alone (what parameters are bound to left aside)
gives each function a cost that no path from it can be below. A* with that bound walks almost
straight; the bindings are what it has to find out. Yen's algorithm asks for the next best path by
forbidding, at every state of a found one, the step that it took from there.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import pairwise

from kgraph.query.steps import State, Step, Steps

UNREACHABLE = -1


class Bound:
    """For every function a lower bound of the cost of a way to `target`: a search backwards that
    goes as far as it is asked. What it has not settled costs at least as much as what it has.
    Ways that cost more than `most` are as good as none.
    """

    def __init__(self, steps: Steps, source: int, target: int, most: int | None = None) -> None:
        self._steps = steps
        self._most = most
        self._settled: dict[int, int] = {}
        self._costs = {target: 0}
        self._queue = [(0, target)]
        self._beyond = 0
        self.exact(source)

    def exact(self, function: int) -> int:
        """The bound of a function after searching on until it is settled; UNREACHABLE if no way
        leads from it to the target.
        """
        settled, costs, queue = self._settled, self._costs, self._queue
        while function not in settled and queue:
            cost, here = heappop(queue)
            if here in settled:
                continue
            settled[here] = self._beyond = cost
            for caller, more in self._steps.before(here):
                total = cost + more
                if self._most is not None and total > self._most:
                    continue
                if caller not in settled and total < costs.get(caller, total + 1):
                    costs[caller] = total
                    heappush(queue, (total, caller))
        return settled.get(function, UNREACHABLE)

    def __len__(self) -> int:
        return len(self._settled)

    def __getitem__(self, function: int) -> int:
        return self._settled.get(function, self._beyond if self._queue else UNREACHABLE)


@dataclass(frozen=True, slots=True)
class Way:
    """A path as it is searched: where it starts, its steps, its cost."""

    start: State
    steps: tuple[Step, ...]
    cost: int

    def states(self) -> list[State]:
        """The states it passes, first to last."""
        return [self.start, *(step.state for step in self.steps)]

    def functions(self) -> tuple[int, ...]:
        """The functions it passes: two paths are different where these are."""
        return tuple(state.function for state in self.states())


class Search:
    """Finds ways from `source` to `target` through the rules' `via`, of at most `max_hops`; none
    that surely costs more than `most`.
    """

    def __init__(
        self, steps: Steps, source: int, target: int, max_hops: int | None = None,
        most: int | None = None,
    ) -> None:
        self._steps = steps
        self._target = target
        self._max_hops = max_hops
        stops = [source, *steps.rules.via, target]
        self._bounds = [Bound(steps, a, b, most) for a, b in pairwise(stops)]
        # What remains of the way after each of the stops.
        self._rest = [0] * len(self._bounds)
        for place in reversed(range(len(self._bounds) - 1)):
            leg = self._bounds[place + 1][stops[place + 1]]
            later = self._rest[place + 1]
            self._rest[place] = UNREACHABLE if UNREACHABLE in (leg, later) else leg + later
        self.start = steps.start(source)
        self._found: list[Way] = []
        self._waiting: list[tuple[int, int, Way]] = []
        self._shown: set[tuple[int, ...]] = set()
        self._known: set[tuple[int, ...]] = set()  # the functions of ways shown or waiting
        self._looked_at = 0
        self._running = self._run()

    def _estimate(self, state: State) -> int:
        leg, rest = self._bounds[state.passed][state.function], self._rest[state.passed]
        return UNREACHABLE if UNREACHABLE in (leg, rest) else leg + rest

    def _exact(self, state: State) -> int:
        self._bounds[state.passed].exact(state.function)
        return self._estimate(state)

    def _arrived(self, state: State) -> bool:
        return state.function == self._target and state.passed == len(self._bounds) - 1

    def best(
        self,
        start: State,
        *,
        spent: int = 0,
        forbidden: frozenset[State] = frozenset(),
        first: frozenset[State] = frozenset(),
    ) -> Way | None:
        """The best way from `start`, of which `spent` hops are used up, through no `forbidden`
        state and with none of `first` as its first step.
        """
        estimate = self._estimate(start)
        if estimate == UNREACHABLE:
            return None
        queue: list[tuple[int, int, int, _Node]] = [(estimate, 0, 0, _Node(start, None, None, 0))]
        fewest: dict[State, int] = {}
        pushed = 0
        while queue:
            estimate, number, hops, node = heappop(queue)
            known = fewest.get(node.state)
            if known is not None and (self._max_hops is None or hops >= known):
                continue
            rest = self._exact(node.state)
            if rest == UNREACHABLE:
                continue
            if node.cost + rest > estimate:  # it was pushed with less than is known by now
                heappush(queue, (node.cost + rest, number, hops, node))
                continue
            fewest[node.state] = hops
            self._looked_at += 1
            if self._arrived(node.state) and hops:
                return node.way(start)
            if self._max_hops is not None and hops + spent >= self._max_hops:
                continue
            for estimate, child in self._children(node, forbidden if hops else forbidden | first):
                pushed += 1
                heappush(queue, (estimate, pushed, hops + 1, child))
        return None

    def _children(
        self, node: "_Node", closed: frozenset[State]
    ) -> Iterator[tuple[int, "_Node"]]:
        """What a step from `node` leads to, each with the least that a way through it costs."""
        for step in self._steps.after(node.state):
            estimate = UNREACHABLE if step.state in closed else self._estimate(step.state)
            if estimate != UNREACHABLE:
                cost = node.cost + step.cost
                yield cost + estimate, _Node(step.state, step, node, cost)

    def ways(self) -> Iterator[Way]:
        """The ways that were not yielded yet, best first, each with other functions than those
        before it."""
        return (way for way in self._running if way is not None)

    def _run(self) -> Iterator[Way | None]:
        """The same, with a None for each place of a way that other ways were looked for from."""
        known: set[tuple[State, ...]] = set()
        way = self.best(self.start)
        while way is not None:
            self._found.append(way)
            if way.functions() not in self._shown:
                self._shown.add(way.functions())
                self._known.add(way.functions())
                yield way
            for other in self._deviations(way, self._found):
                if other is not None and tuple(other.states()) not in known:
                    known.add(tuple(other.states()))
                    self._known.add(other.functions())
                    heappush(self._waiting, (other.cost, len(known), other))
                yield None
            way = heappop(self._waiting)[2] if self._waiting else None

    def others(self, most: int, effort: int) -> tuple[int, bool]:
        """(how many ways `ways` has yet to yield, whether these are all): no more than `most` are
        counted, and no more are looked for once there is one and `effort` states and functions
        were looked at. Ways that wait for their turn count without being taken out.
        """
        before, began = len(self._shown), self._effort()
        for _ in self._running:
            more = len(self._known) - before
            if more > most or (more and self._effort() - began > effort):
                return min(more, most), False
        return len(self._known) - before, True

    def _effort(self) -> int:
        """How many states and, backwards, functions were looked at."""
        return self._looked_at + sum(len(bound) for bound in self._bounds)

    def _deviations(self, way: Way, found: Iterable[Way]) -> Iterator[Way | None]:
        """The best way that leaves `way` at each of its places, None where there is none."""
        states = way.states()
        for place in range(len(way.steps)):
            root = states[: place + 1]
            taken = frozenset(
                other.states()[place + 1]
                for other in found
                if other.states()[: place + 1] == root
            )
            spur = self.best(
                states[place], spent=place, forbidden=frozenset(root), first=taken
            )
            if spur is None:
                yield None
                continue
            steps = (*way.steps[:place], *spur.steps)
            yield Way(self.start, steps, sum(step.cost for step in steps))


class _Node:
    """A state that the search reached, and how."""

    __slots__ = ("before", "cost", "state", "step")

    def __init__(
        self, state: State, step: Step | None, before: "_Node | None", cost: int
    ) -> None:
        self.state = state
        self.step = step
        self.before = before
        self.cost = cost

    def way(self, start: State) -> Way:
        steps: list[Step] = []
        node: _Node | None = self
        while node is not None and node.step is not None:
            steps.append(node.step)
            node = node.before
        return Way(start, tuple(reversed(steps)), self.cost)
