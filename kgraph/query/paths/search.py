"""Finds the cheapest path: A* over states.

A backward search from the callee over functions alone (lower_bounds.py) gives each function a cost
that no path from it can undercut. A* with this bound walks almost straight; it only has to find out
the bindings of parameters. The search can go on after the first path (ways.py): it gives every step
in the order of what the cheapest path over it costs at least.

The effort is bounded, counted in calls and functions looked at: what is found does not depend on
the machine.
"""

from collections.abc import Iterator
from heapq import heappop, heappush
from itertools import pairwise
from typing import NamedTuple

from msgspec import Struct

from kgraph.query.paths.lower_bounds import UNREACHABLE, LowerBounds
from kgraph.query.paths.path_facts import Facts
from kgraph.query.paths.state_space import Bindings, State, StateSpace, Step

VisitKey = tuple[int, Bindings, Facts, int]
MAX_EFFORT = 150_000  # calls and functions to look at: some seconds
_FIRST_PATIENCE = 500  # states to look at for the rest of one path


def get_visit_key(state: State) -> VisitKey:
    """What a path visits only once: states that differ only in their folder are the same visit."""
    return state[:4]


class StatePath(Struct, frozen=True):
    """A path as the search finds it: its first state, its steps, its cost."""

    start: State
    steps: tuple[Step, ...]
    cost: int

    def functions(self) -> tuple[int, ...]:
        """The functions on the path."""
        return (self.start.function, *(step.state.function for step in self.steps))


class SearchNode:
    """A state that the search reached by a step from the node `before`."""

    __slots__ = ("before", "cost", "hops", "state", "step")

    def __init__(self, state: State, step: Step | None, before: "SearchNode | None") -> None:
        self.state = state
        self.step = step
        self.before = before
        self.cost = 0
        self.hops = 0
        if step is not None and before is not None:
            self.cost = before.cost + step.cost
            self.hops = before.hops + 1

    def iter_back(self) -> "Iterator[SearchNode]":
        """This node and those before it, the start last."""
        node: SearchNode | None = self
        while node is not None:
            yield node
            node = node.before

    def has_cycle(self) -> bool:
        """Whether the path to here visits its end before."""
        state, node = self.state, self.before
        while node is not None:
            if (node.state.function == state.function
                    and get_visit_key(node.state) == get_visit_key(state)):
                return True
            node = node.before
        return False

    def make_path(self, tail: tuple[Step, ...] = ()) -> StatePath:
        """The path to here, and on by the steps of `tail`."""
        nodes = list(self.iter_back())
        steps = [node.step for node in reversed(nodes) if node.step is not None]
        cost = self.cost + sum(step.cost for step in tail)
        return StatePath(nodes[-1].state, (*steps, *tail), cost)


class _Tail(NamedTuple):
    """The cheapest rest of a path from a state: its cost, its first step (None at its end)."""

    cost: int
    step: Step | None


_NO_TAIL = _Tail(UNREACHABLE, None)


class PathSearch:
    """Finds paths from the state `start` to the function `target` that pass the functions `via` of
    the constraints: of at most `max_hops` hops, and none that surely costs more than `max_cost`.

    `has_stopped` is set once MAX_EFFORT calls and functions were looked at: what was not found by
    then may exist.
    """

    def __init__(
        self, space: StateSpace, start: State, target: int, *,
        max_hops: int | None = None, max_cost: int | None = None,
    ) -> None:
        self.space = space
        self.max_hops = max_hops
        self.has_stopped = False
        self._target = target
        self.stops = (start.function, *space.constraints.via, target)
        stops = [start, *map(State, self.stops[1:])]
        self._bounds = [
            LowerBounds(space.adjacency, a, b.function, max_cost) for a, b in pairwise(stops)]
        self._rest = self._bound_later_legs(stops)
        self._looked_at = 0
        self._max_effort = MAX_EFFORT
        self._most: int | None = None
        self._tails: dict[State, _Tail] = {}
        self._without_tail: set[State] = set()  # the search for it was given up
        self._patience = _FIRST_PATIENCE
        self._main = _Exploration(self, SearchNode(start, None, None), max_hops)
        self._passed: list[tuple[int, SearchNode]] = []  # that the search for the first path saw

    def _bound_later_legs(self, stops: list[State]) -> list[int]:
        """For each leg the lower bound of all legs after it."""
        rest = [0] * len(self._bounds)
        for leg in reversed(range(len(self._bounds) - 1)):
            following, later = self._bounds[leg + 1].get(stops[leg + 1]), rest[leg + 1]
            rest[leg] = UNREACHABLE if UNREACHABLE in (following, later) else following + later
        return rest

    def find_first(self) -> StatePath | None:
        """The cheapest path; None if there is none, or if the effort does not suffice."""
        for estimate, node in self._main.iter_nodes():
            self._passed.append((estimate, node))
            if self._most is not None and estimate > self._most:
                self.has_stopped = True
            elif self.is_goal(node):
                return node.make_path()
        return None

    def iter_nodes(self) -> Iterator[tuple[int, SearchNode]]:
        """Every step from a state that the search reached, and what the cheapest path to its start
        and on over it costs at least, ascending. Ends early with `has_stopped`.
        """
        yield from self._passed
        yield from self._main.iter_nodes()

    def measure_effort(self) -> int:
        """How many calls, and functions of the backward search, were looked at."""
        return self._looked_at + sum(len(bounds) for bounds in self._bounds)

    def count_effort(self, calls: int) -> None:
        """Count calls that were looked at, and stop once there were too many."""
        self._looked_at += calls
        self.has_stopped = self.measure_effort() > self._max_effort

    def allow_effort(self, more: int) -> None:
        """Let the search go on with at most so much more effort."""
        self._max_effort = self.measure_effort() + more
        self.has_stopped = False

    def limit_cost(self, most: int) -> None:
        """Stop the search for a first path once all that is left costs more."""
        self._most = most if self._most is None else min(most, self._most)

    def is_goal(self, node: SearchNode) -> bool:
        """Whether a node ends a path."""
        state = node.state
        return bool(
            node.hops
            and state.function == self._target
            and state.via_passed == len(self._bounds) - 1
        )

    def estimate(self, state: State) -> int:
        """What a path costs at least from a state on, as far as it is known."""
        tail = self._tails.get(state)
        if tail is not None:
            return tail.cost
        leg, rest = self._bounds[state.via_passed].get(state), self._rest[state.via_passed]
        return UNREACHABLE if UNREACHABLE in (leg, rest) else leg + rest

    def tighten(self, state: State, need: int | None) -> int:
        """The estimate of a state, tightened until it is exact or above `need`."""
        if state not in self._tails:
            leg = state.via_passed
            self._bounds[leg].tighten(
                state, None if need is None else need - self._rest[leg])
        return self.estimate(state)

    def find_tail(self, node: SearchNode) -> tuple[Step, ...] | None:
        """The cheapest steps from the state of a node to the callee, whatever the path to the node
        visits. None if there are none, or if that is too hard to tell.
        """
        if self.is_goal(node):
            return ()
        if self.max_hops is not None:
            found = self._search_tail(node.state, self.max_hops - node.hops)
            return None if found is None else found.make_path().steps
        if node.state not in self._tails and node.state not in self._without_tail:
            self._learn_tail(node.state)
        steps: list[Step] = []
        tail = self._tails.get(node.state, _NO_TAIL)
        while tail.step is not None:
            steps.append(tail.step)
            tail = self._tails[tail.step.state]
        return None if tail is _NO_TAIL else tuple(steps)

    def is_on_tail(self, node: SearchNode) -> bool:
        """Whether the cheapest path over the last step of a node is known to be that over the step
        before.
        """
        tail = None if node.before is None else self._tails.get(node.before.state)
        return tail is not None and tail.step == node.step

    def is_dead(self, state: State) -> bool:
        """Whether a search has shown that no path leads on from a state."""
        return self._tails.get(state) is _NO_TAIL

    def _learn_tail(self, state: State) -> None:
        """Find the tail of a state, and of those on it."""
        end = self._search_tail(state, None)
        if end is None:
            if state not in self._tails:
                self._without_tail.add(state)
            return
        tail = self._tails.setdefault(end.state, _Tail(0, None))
        for node in end.iter_back():
            if node.step is not None and node.before is not None:
                tail = _Tail(tail.cost + node.step.cost, node.step)
                self._tails.setdefault(node.before.state, tail)

    def _search_tail(self, state: State, max_hops: int | None) -> SearchNode | None:
        """The node where the cheapest tail of a state ends, or meets a tail that is known. If there
        is none, no state that was reached has one.
        """
        exploration = _Exploration(self, SearchNode(state, None, None), max_hops)
        exploration.gives_every_step = False
        for count, (_, node) in enumerate(exploration.iter_nodes()):
            if self.is_goal(node) or (node.hops and node.state in self._tails):
                return node
            if count >= self._patience:
                self._patience *= 16  # to look at all that is reached shows for all that it is dead
                return None
        if max_hops is None and not self.has_stopped:
            self._tails.update(dict.fromkeys(exploration.fewest, _NO_TAIL))
        return None


class _Exploration:
    """A* from a node. A state is left once, or whenever it is reached by fewer hops, if their
    number is limited. `fewest` has the fewest hops to each state that was left. Steps to such a
    state are given unless `gives_every_step` is false.
    """

    def __init__(self, search: PathSearch, root: SearchNode, max_hops: int | None) -> None:
        self.fewest: dict[State, int] = {}
        self.gives_every_step = True
        self._search = search
        self._max_hops = max_hops
        self._queue: list[tuple[int, int, SearchNode]] = []
        self._pushed = 0
        self._push(root)

    def iter_nodes(self) -> Iterator[tuple[int, SearchNode]]:
        """The nodes, each with its estimate, ascending. Ends early if the search was stopped."""
        queue, search = self._queue, self._search
        while queue and not search.has_stopped:
            estimate, number, node = heappop(queue)
            need = queue[0][0] - node.cost if queue else None
            rest = search.tighten(node.state, need)
            if rest == UNREACHABLE:
                continue
            if node.cost + rest > estimate:  # the bound was raised after the node was pushed
                heappush(queue, (node.cost + rest, number, node))
                continue
            self._leave(node)
            yield estimate, node

    def _push(self, node: SearchNode) -> None:
        rest = self._search.estimate(node.state)
        if rest != UNREACHABLE:
            self._pushed += 1
            heappush(self._queue, (node.cost + rest, self._pushed, node))

    def _is_left(self, state: State, hops: int) -> bool:
        """Whether to leave a state again after so many hops would find nothing new."""
        known = self.fewest.get(state)
        return known is not None and (self._max_hops is None or hops >= known)

    def _leave(self, node: SearchNode) -> None:
        """Push the successors of a node, unless that would find nothing new."""
        if self._is_left(node.state, node.hops):
            return
        if self._search.is_goal(node) or node.has_cycle():
            return
        if self._max_hops is not None and node.hops >= self._max_hops:
            return
        self.fewest[node.state] = node.hops
        steps = list(self._search.space.iter_steps(node.state))
        for step in steps:
            if self.gives_every_step or not self._is_left(step.state, node.hops + 1):
                self._push(SearchNode(step.state, step, node))
        calls = self._search.space.graph.hop_start
        refused = calls[node.state.function + 1] - calls[node.state.function] - len(steps)
        self._search.count_effort(len(steps) + max(0, refused))
