"""Finds the k cheapest paths: A* over states, in disjoint partitions (Lawler's scheme).

A backward search from the callee over functions alone (lower_bounds.py) gives each function a cost
that no path from it can undercut. A* with this bound walks almost straight; it only has to find out
the bindings of parameters. When a path is found, the rest of its partition is divided by where
a path leaves it: a partition holds the paths that begin with the same functions and go on to none
of an excluded set. All partitions share one queue, so none is searched further than the next path
requires.
"""

from collections.abc import Iterator
from functools import cached_property
from heapq import heappop, heappush
from itertools import pairwise

from msgspec import Struct

from kgraph.query.paths.lower_bounds import UNREACHABLE, LowerBounds
from kgraph.query.paths.state_space import Bindings, State, StateSpace, Step

VisitKey = tuple[int, Bindings, int]
_MAX_ROOTS = 64  # of a partition; more only where many calls hand on several functions


def get_visit_key(state: State) -> VisitKey:
    """What a path visits only once: states that differ only in their folder are the same visit."""
    return state[:3]


class StatePath(Struct, frozen=True):
    """A path as the search finds it: its first state, its steps, its cost."""

    start: State
    steps: tuple[Step, ...]
    cost: int

    def functions(self) -> tuple[int, ...]:
        """The functions on the path. Two paths are different if these are."""
        return (self.start.function, *(step.state.function for step in self.steps))


class Partition:
    """The paths that begin with the same `depth` + 1 functions, in the states of one of `roots`,
    and whose next function is not in `excluded`. It is divided once its best path was found.
    """

    __slots__ = ("depth", "excluded", "is_divided", "roots")

    def __init__(self, depth: int, excluded: frozenset[int]) -> None:
        self.depth = depth
        self.excluded = excluded
        self.is_divided = False
        self.roots: list[SearchNode] = []


class PartitionRoot:
    """A node where the search of a partition starts. `fewest` has the fewest hops to each state
    that was looked at.
    """

    def __init__(self, partition: Partition, node: "SearchNode") -> None:
        self.partition = partition
        self.node = node
        self.fewest: dict[State, int] = {}

    @cached_property
    def visited_keys(self) -> frozenset[VisitKey]:
        """What the path to the root visits."""
        return frozenset(map(get_visit_key, self.node.states()))


class SearchNode:
    """A state that the search reached by a step from the node `before`."""

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
        """Whether the search of its partition visits the same before."""
        key, node = get_visit_key(self.state), self.before
        while node is not None and node.hops >= self.root.partition.depth:
            if get_visit_key(node.state) == key:
                return True
            node = node.before
        return False

    def states(self) -> list[State]:
        """The states of the path to here, first to last."""
        found: list[State] = []
        node: SearchNode | None = self
        while node is not None:
            found.append(node.state)
            node = node.before
        return found[::-1]

    def make_path(self) -> StatePath:
        """The path to here."""
        steps: list[Step] = []
        node = self
        while node.step is not None and node.before is not None:
            steps.append(node.step)
            node = node.before
        return StatePath(node.state, tuple(reversed(steps)), self.cost)


class PathSearch:
    """Finds paths from the state `start` to the function `target` that pass the functions `via` of
    the constraints: of at most `max_hops` hops, and none that surely costs more than `max_cost`.
    """

    def __init__(
        self, space: StateSpace, start: State, target: int, *,
        max_hops: int | None = None, max_cost: int | None = None,
    ) -> None:
        self.space = space
        self.max_hops = max_hops
        self.partitions: list[Partition] = []  # that were opened
        self._target = target
        stops = [start, *map(State, (*space.constraints.via, target))]
        self._bounds = [
            LowerBounds(space.adjacency, a, b.function, max_cost) for a, b in pairwise(stops)]
        self._rest = self._bound_later_legs(stops)
        self._queue: list[tuple[int, int, SearchNode]] = []
        self._pushed = 0
        self._looked_at = 0
        self._open(Partition(0, frozenset()), [SearchNode(start, None, None)])

    def _bound_later_legs(self, stops: list[State]) -> list[int]:
        """For each leg the lower bound of all legs after it."""
        rest = [0] * len(self._bounds)
        for leg in reversed(range(len(self._bounds) - 1)):
            following, later = self._bounds[leg + 1].get(stops[leg + 1]), rest[leg + 1]
            rest[leg] = UNREACHABLE if UNREACHABLE in (following, later) else following + later
        return rest

    def iter_paths(self) -> Iterator[StatePath]:
        """The paths that were not found yet, best first. Each has other functions than those before
        it, and none visits a state twice.
        """
        while (path := self.find_next()) is not None:
            yield path

    @property
    def is_exhausted(self) -> bool:
        """Whether every path was found."""
        return not self._queue

    def measure_effort(self) -> int:
        """How many states, and functions of the backward search, were looked at."""
        return self._looked_at + sum(len(bounds) for bounds in self._bounds)

    def get_exact_estimate(self, state: State) -> int | None:
        """The estimate of a state; None where the bound of its function is not exact yet."""
        leg = self._bounds[state.via_passed].get_exact(state)
        rest = self._rest[state.via_passed]
        return None if leg is None or rest == UNREACHABLE else leg + rest

    def is_goal(self, node: SearchNode) -> bool:
        """Whether a node ends a path."""
        state = node.state
        return bool(
            node.hops
            and state.function == self._target
            and state.via_passed == len(self._bounds) - 1
        )

    def find_next(self, max_effort: int | None = None) -> StatePath | None:
        """The next best path; None if there is none, or if `max_effort` does not suffice."""
        queue = self._queue
        while queue:
            if max_effort is not None and self.measure_effort() > max_effort:
                return None
            estimate, number, node = heappop(queue)
            if node.root.partition.is_divided or self._is_closed(node):
                continue
            rest = self._tighten(node)
            if rest == UNREACHABLE:
                continue
            if node.cost + rest > estimate:  # the bound was raised after the node was pushed
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

    def _estimate(self, state: State) -> int:
        leg, rest = self._bounds[state.via_passed].get(state), self._rest[state.via_passed]
        return UNREACHABLE if UNREACHABLE in (leg, rest) else leg + rest

    def _tighten(self, node: SearchNode) -> int:
        """The estimate of a node, tightened until it is exact or worse than that of the next."""
        leg = node.state.via_passed
        need = None
        if self._queue:
            need = self._queue[0][0] - node.cost - self._rest[leg]
        self._bounds[leg].tighten(node.state, need)
        return self._estimate(node.state)

    def _open(self, partition: Partition, roots: list[SearchNode]) -> None:
        """Begin to search a partition."""
        self.partitions.append(partition)
        for node in roots:
            estimate = self._estimate(node.state)
            if estimate != UNREACHABLE:
                root = SearchNode(node.state, node.step, node.before)
                root.root = PartitionRoot(partition, root)
                partition.roots.append(root)
                self._push(node.cost + estimate, root)

    def _push(self, estimate: int, node: SearchNode) -> None:
        self._pushed += 1
        heappush(self._queue, (estimate, self._pushed, node))

    def _is_closed(self, node: SearchNode) -> bool:
        """Whether expanding a node would find nothing new."""
        if self.is_goal(node):
            return False
        known = node.root.fewest.get(node.state)
        if known is not None and (self.max_hops is None or node.hops >= known):
            return True
        # Only a function of a header can recur in a state that differs in nothing but its folder.
        return self.space.graph.folder[node.state.function] < 0 and node.has_cycle()

    def _expand(self, node: SearchNode) -> None:
        """Push the successors of a node."""
        partition, visited = node.root.partition, node.root.visited_keys
        excluded = partition.excluded if node.hops == partition.depth else ()
        for step in self.space.iter_steps(node.state):
            state = step.state
            estimate = self._estimate(state)
            if estimate == UNREACHABLE or state.function in excluded:
                continue
            child = SearchNode(state, step, node)
            child.root = node.root
            if get_visit_key(state) not in visited or self.is_goal(child):
                self._push(child.cost + estimate, child)

    def _divide(self, found: SearchNode) -> None:
        """Replace the partition of a path by those of the paths that leave it, one for each of its
        functions.
        """
        partition = found.root.partition
        partition.is_divided = True
        roots, functions = partition.roots, [state.function for state in found.states()]
        for depth in range(partition.depth, found.hops):
            following = functions[depth + 1]
            excluded = partition.excluded if depth == partition.depth else frozenset()
            self._open(Partition(depth, excluded | {following}), roots)
            roots = self.follow_function(roots, following)

    def follow_function(self, nodes: list[SearchNode], function: int) -> list[SearchNode]:
        """The nodes that steps to `function` lead to: the cheapest of each state, for each set of
        visits on the path there.
        """
        found: dict[tuple[State, frozenset[VisitKey]], SearchNode] = {}
        for node in nodes:
            steps = [step for step in self.space.iter_steps(node.state)
                     if step.state.function == function]
            visited = frozenset(map(get_visit_key, node.states())) if steps else frozenset()
            for step in steps:
                if get_visit_key(step.state) in visited:
                    continue
                known, child = found.get((step.state, visited)), SearchNode(step.state, step, node)
                if known is None or child.cost < known.cost:
                    found[step.state, visited] = child
        return sorted(found.values(), key=lambda node: node.cost)[:_MAX_ROOTS]
