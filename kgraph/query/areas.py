"""What a search of ways is made of: the nodes that it reached, and the areas that it looks in."""

from dataclasses import dataclass
from functools import cached_property

from kgraph.query.steps import State, Step

Place = tuple[int, tuple[tuple[int, int], ...], int]


@dataclass(frozen=True, slots=True)
class Way:
    """A path as it is searched: where it starts, its steps, its cost."""

    start: State
    steps: tuple[Step, ...]
    cost: int

    def functions(self) -> tuple[int, ...]:
        """The functions it passes: two paths are different where these are."""
        return (self.start.function, *(step.state.function for step in self.steps))


def place_of(state: State) -> Place:
    """What a way passes only once: its folder does not make a state another."""
    return state[:3]


class Area:
    """The ways that begin with the same `depth` + 1 functions, in the states of one of `roots`,
    and whose next function is none of `closed`; divided, once the best of them was found.
    """

    __slots__ = ("closed", "depth", "divided", "roots")

    def __init__(self, depth: int, closed: frozenset[int]) -> None:
        self.depth = depth
        self.closed = closed
        self.divided = False
        self.roots: list[Node] = []


class Root:
    """Where the search of an area starts: in `node`; `fewest` are the hops to the states that were
    looked at.
    """

    def __init__(self, area: Area, node: "Node") -> None:
        self.area = area
        self.node = node
        self.fewest: dict[State, int] = {}

    @cached_property
    def forbidden(self) -> frozenset[Place]:
        """What was passed on the way there."""
        return frozenset(map(place_of, self.node.states()))


class Node:
    """A state that the search reached by a step from `before`."""

    __slots__ = ("before", "cost", "hops", "root", "state", "step")

    root: "Root"

    def __init__(self, state: State, step: Step | None, before: "Node | None") -> None:
        self.state = state
        self.step = step
        self.before = before
        self.cost = 0
        self.hops = 0
        if step is not None and before is not None:
            self.cost = before.cost + step.cost
            self.hops = before.hops + 1

    def recurs(self) -> bool:
        """Whether its search passed the same place before."""
        place, node = place_of(self.state), self.before
        while node is not None and node.hops >= self.root.area.depth:
            if place_of(node.state) == place:
                return True
            node = node.before
        return False

    def states(self) -> list[State]:
        """The states of the way here, first to last."""
        found: list[State] = []
        node: Node | None = self
        while node is not None:
            found.append(node.state)
            node = node.before
        return found[::-1]

    def way(self) -> Way:
        """The way here."""
        steps: list[Step] = []
        node = self
        while node.step is not None and node.before is not None:
            steps.append(node.step)
            node = node.before
        return Way(node.state, tuple(reversed(steps)), self.cost)
