"""Finds the k cheapest paths: A* over states, in disjoint partitions (Lawler's scheme).

A backward search from the callee over functions alone (lower_bounds.py) gives each function a
cost that no path from it can undercut. A* with this bound walks almost straight; it only has to
find out what parameters are bound to. When a path is found, the rest of its partition is
divided by where a path leaves it: a partition holds the paths that begin with the same
functions and go on to none of an excluded set. All partitions share one queue, so none is
searched further than the next path requires.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from heapq import heappop, heappush
from itertools import pairwise

from kgraph.query.paths.lower_bounds import UNREACHABLE, LowerBounds
from kgraph.query.paths.state_space import State, StateSpace, Step

VisitKey = tuple[int, tuple[tuple[int, int], ...], int]


@dataclass(frozen=True, slots=True)
class StatePath:
    """A path as it is searched: where it starts, its steps, its cost."""

    start: State
    steps: tuple[Step, ...]
    cost: int

    def functions(self) -> tuple[int, ...]:
        """The functions it passes: two paths are different where these are."""
        return (self.start.function, *(step.state.function for step in self.steps))


def get_visit_key(state: State) -> VisitKey:
    """What a way passes only once: its folder does not make a state another."""
    return state[:3]


class Partition:
    """The ways that begin with the same `depth` + 1 functions, in the states of one of `roots`,
    and whose next function is none of `closed`; divided, once the best of them was found.
    """

    __slots__ = ("depth", "excluded", "is_divided", "roots")

    def __init__(self, depth: int, closed: frozenset[int]) -> None:
        self.depth = depth
        self.excluded = closed
        self.is_divided = False
        self.roots: list[SearchNode] = []


class PartitionRoot:
    """Where the search of an area starts: in `node`; `fewest` are the hops to the states that were
    looked at.
    """

    def __init__(self, area: Partition, node: "SearchNode") -> None:
        self.partition = area
        self.node = node
        self.fewest: dict[State, int] = {}

    @cached_property
    def visited(self) -> frozenset[VisitKey]:
        """What was passed on the way there."""
        return frozenset(map(get_visit_key, self.node.states()))


class SearchNode:
    """A state that the search reached by a step from `before`."""

    __slots__ = ("before", "cost", "hops", "root", "state", "step")

    root: "PartitionRoot"

    def __init__(self, state: State, step: Step | None, before: "SearchNode | None") -> None:
        self.state = state
        self.step = step
        self.before = before
        self.cost = 0
        self.hops = 0
        if step is not None and before is not None:
            self.cost = before.cost + step.cost
            self.hops = before.hops + 1

    def has_cycle(self) -> bool:
        """Whether its search passed the same place before."""
        place, node = get_visit_key(self.state), self.before
        while node is not None and node.hops >= self.root.partition.depth:
            if get_visit_key(node.state) == place:
                return True
            node = node.before
        return False

    def states(self) -> list[State]:
        """The states of the way here, first to last."""
        found: list[State] = []
        node: SearchNode | None = self
        while node is not None:
            found.append(node.state)
            node = node.before
        return found[::-1]

    def make_path(self) -> StatePath:
        """The way here."""
        steps: list[Step] = []
        node = self
        while node.step is not None and node.before is not None:
            steps.append(node.step)
            node = node.before
        return StatePath(node.state, tuple(reversed(steps)), self.cost)


_MAX_ROOTS = 64  # of an area; more only where many calls hand on several functions


class PathSearch:
    """Finds ways from `source` to `target` through the rules' `via`, of at most `max_hops`; none
    that surely costs more than `most`. `start` is the state that they start in, where it is not the
    plain one of `source`.
    """

    def __init__(
        self, steps: StateSpace, source: int, target: int, max_hops: int | None = None,
        most: int | None = None, start: State | None = None,
    ) -> None:
        self.space = steps
        self._target = target
        self.max_hops = max_hops
        stops = [
            start or steps.make_start_state(source),
            *map(State, (*steps.constraints.via, target)),
        ]
        self._bounds = [
            LowerBounds(steps.adjacency, a, b.function, most) for a, b in pairwise(stops)]
        # What remains of the way after each of the stops.
        self._rest = [0] * len(self._bounds)
        for place in reversed(range(len(self._bounds) - 1)):
            leg = self._bounds[place + 1].get(stops[place + 1])
            later = self._rest[place + 1]
            self._rest[place] = UNREACHABLE if UNREACHABLE in (leg, later) else leg + later
        self.partitions: list[Partition] = []  # that were opened
        self._queue: list[tuple[int, int, SearchNode]] = []
        self._pushed = 0
        self._looked_at = 0
        self._open(Partition(0, frozenset()), [SearchNode(stops[0], None, None)])

    def iter_paths(self) -> Iterator[StatePath]:
        """The ways that were not yielded yet, best first, each with other functions than those
        before it, and none through a state twice."""
        while (way := self.find_next()) is not None:
            yield way

    @property
    def is_exhausted(self) -> bool:
        """Whether there are no other ways than those that were found."""
        return not self._queue

    def measure_effort(self) -> int:
        """How many states and, backwards, functions were looked at."""
        return self._looked_at + sum(len(bound) for bound in self._bounds)

    def _estimate(self, state: State) -> int:
        leg, rest = self._bounds[state.via_passed].get(state), self._rest[state.via_passed]
        return UNREACHABLE if UNREACHABLE in (leg, rest) else leg + rest

    def get_exact_estimate(self, state: State) -> int | None:
        """The estimate of a state, None where its function's bound is not settled yet."""
        leg = self._bounds[state.via_passed].get_exact(state)
        rest = self._rest[state.via_passed]
        return None if leg is None or rest == UNREACHABLE else leg + rest

    def _raised(self, node: SearchNode) -> int:
        """The estimate of a node, after looking whether it is as good as the next one's."""
        passed = node.state.via_passed
        need = None
        if self._queue:
            need = self._queue[0][0] - node.cost - self._rest[passed]
        self._bounds[passed].tighten(node.state, need)
        return self._estimate(node.state)

    def is_goal(self, node: SearchNode) -> bool:
        """Whether a node is the end of a way."""
        state = node.state
        return bool(
            node.hops
            and state.function == self._target
            and state.via_passed == len(self._bounds) - 1
        )

    def _open(self, area: Partition, roots: list[SearchNode]) -> None:
        """Begin to search an area."""
        self.partitions.append(area)
        for node in roots:
            estimate = self._estimate(node.state)
            if estimate != UNREACHABLE:
                root = SearchNode(node.state, node.step, node.before)
                root.root = PartitionRoot(area, root)
                area.roots.append(root)
                self._push(node.cost + estimate, root)

    def _push(self, estimate: int, node: SearchNode) -> None:
        self._pushed += 1
        heappush(self._queue, (estimate, self._pushed, node))

    def find_next(self, until: int | None = None) -> StatePath | None:
        """The next best way; None where there is no more, or it is not found before `until` is
        the effort."""
        queue = self._queue
        while queue:
            if until is not None and self.measure_effort() > until:
                return None
            estimate, number, node = heappop(queue)
            if node.root.partition.is_divided or self._closed(node):
                continue
            rest = self._raised(node)
            if rest == UNREACHABLE:
                continue
            if node.cost + rest > estimate:  # it was pushed with less than is known by now
                heappush(queue, (node.cost + rest, number, node))
                continue
            node.root.fewest[node.state] = node.hops
            self._looked_at += 1
            if self.is_goal(node):
                self._divide(node)
                return node.make_path()
            if self.max_hops is None or node.hops < self.max_hops:
                self._expand(node)
        return None

    def _closed(self, node: SearchNode) -> bool:
        """Whether nothing new can come of a node."""
        if self.is_goal(node):
            return False
        known = node.root.fewest.get(node.state)
        if known is not None and (self.max_hops is None or node.hops >= known):
            return True
        # Only a function of a header can come again in a state that differs in nothing but folder.
        return self.space.graph.folder[node.state.function] < 0 and node.has_cycle()

    def _expand(self, node: SearchNode) -> None:
        """Push what the steps from `node` lead to, with the least that ways through them cost."""
        area, forbidden = node.root.partition, node.root.visited
        closed = area.excluded if node.hops == area.depth else ()
        for step in self.space.iter_steps(node.state):
            state = step.state
            estimate = self._estimate(state)
            if estimate == UNREACHABLE or state.function in closed:
                continue
            child = SearchNode(state, step, node)
            child.root = node.root
            if get_visit_key(state) not in forbidden or self.is_goal(child):
                self._push(child.cost + estimate, child)

    def _divide(self, found: SearchNode) -> None:
        """Open the areas of the ways that leave a way which was found, in the place of its own."""
        area = found.root.partition
        area.is_divided = True
        roots, functions = area.roots, [state.function for state in found.states()]
        for depth in range(area.depth, found.hops):
            following = functions[depth + 1]
            closed = area.excluded if depth == area.depth else frozenset()
            self._open(Partition(depth, closed | {following}), roots)
            roots = self.follow_function(roots, following)

    def follow_function(self, nodes: list[SearchNode], function: int) -> list[SearchNode]:
        """What the steps to `function` make of some nodes: the cheapest of each state, for each
        choice of places passed on the way."""
        found: dict[tuple[State, frozenset[VisitKey]], SearchNode] = {}
        for node in nodes:
            steps = [step for step in self.space.iter_steps(node.state)
                     if step.state.function == function]
            passed = frozenset(map(get_visit_key, node.states())) if steps else frozenset()
            for step in steps:
                if get_visit_key(step.state) in passed:
                    continue
                known, child = found.get((step.state, passed)), SearchNode(step.state, step, node)
                if known is None or child.cost < known.cost:
                    found[step.state, passed] = child
        return sorted(found.values(), key=lambda node: node.cost)[:_MAX_ROOTS]
