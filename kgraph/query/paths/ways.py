"""Further ways from one function to another, that differ in what a reader cares for.

For every call there is a cheapest path that runs over it: the cheapest path to its caller, the
call, the cheapest path from its callee. A further way is the cheapest of these that passes
something new: a function that no way before it passes, or the callee itself, from a function that
none comes to it from. It makes a turn if it comes to something new

- by a choice among several candidates,
- by a deferred call,
- in a folder that no way before it visits, or
- as the third of three new functions in a row.

A path without a turn is a detour, by another wrapper or error path: it counts as dearer by DETOUR.
Each call is looked at once, whatever the number of ways.

A path that costs more than twice the first and MARGIN leads through half the kernel, by a lock that
schedules or a file that is closed: it is no way.
"""

from collections.abc import Iterator
from heapq import heappop, heappush

from kgraph.model.resolution import EdgeKind
from kgraph.query.paths.costs import HOP
from kgraph.query.paths.search import PathSearch, SearchNode, StatePath, get_visit_key
from kgraph.query.paths.state_space import Step

DETOUR = 8 * HOP
MARGIN = 16 * HOP
_LONG = 3  # functions in a row


class WaySearch:
    """Finds ways besides `first`, which `search` found."""

    def __init__(self, search: PathSearch, first: StatePath) -> None:
        self._search = search
        self._most = 2 * first.cost + MARGIN
        self._is_beyond = False  # all further steps are too dear
        self._is_complete = True
        self._passed: set[int] = set()
        self._last_callers: set[int] = set()
        self._folders: set[int] = set()
        # By cost, detours dearer: the paths over the calls that were looked at.
        self._pending: list[tuple[int, int, StatePath]] = []
        self._pushed = 0
        self._nodes = search.iter_nodes()
        self._next: tuple[int, SearchNode] | None = None
        self._pass(first)

    def iter_ways(self) -> Iterator[StatePath]:
        """The ways that were not given yet, best first. If the search is stopped, those that it
        came upon are the last.
        """
        while (way := self._find_next()) is not None:
            yield way

    def _find_next(self) -> StatePath | None:
        while True:
            if self._next is None:
                self._next = self._take_node()
            way = self._take_pending(None if self._next is None else self._next[0])
            if way is not None or self._next is None:
                return way
            node, self._next = self._next[1], None
            if node.step is not None and not self._search.is_on_tail(node):
                self._add(node)

    def _take_node(self) -> tuple[int, SearchNode] | None:
        """The next step to look at; None if all others are too dear."""
        found = None if self._is_beyond else next(self._nodes, None)
        if found is not None and found[0] > self._most:
            self._is_complete, self._is_beyond = False, True
            return None
        return found

    @property
    def are_all(self) -> bool:
        """Whether no path is left that passes something new."""
        return (self._is_complete and not self._search.has_stopped
                and self._next is None and not self._pending)

    def _add(self, node: SearchNode) -> None:
        """Add the cheapest path over the last step of a node, if there is one."""
        tail = self._search.find_tail(node)
        if tail is None:
            self._is_complete = self._is_complete and self._search.is_dead(node.state)
            return
        path = node.make_path(tail)
        dearer = self._rate(path)
        if dearer is None:
            return
        if path.cost > self._most or _has_cycle(path):
            self._is_complete = False
            return
        self._push(path.cost + dearer, path)

    def _push(self, cost: int, path: StatePath) -> None:
        self._pushed += 1
        heappush(self._pending, (cost, self._pushed, path))

    def _take_pending(self, most: int | None) -> StatePath | None:
        """The best pending path that is still a way, if it counts as no dearer than `most`."""
        pending = self._pending
        while pending and (most is None or pending[0][0] <= most):
            cost, _, path = heappop(pending)
            dearer = self._rate(path)
            if dearer is None:
                continue
            if path.cost + dearer > cost:  # a way that was given since passes its turn
                self._push(path.cost + dearer, path)
                continue
            self._pass(path)
            return path
        return None

    def _rate(self, path: StatePath) -> int | None:
        """How much dearer a path counts after the ways so far; None if it passes nothing new."""
        *steps, last = path.steps
        row, found = 0, path.functions()[-2] not in self._last_callers
        if found and self._is_turn(last):
            return 0
        for step in steps:
            if step.state.function in self._passed:
                row = 0
                continue
            row, found = row + 1, True
            if row == _LONG or self._is_turn(step):
                return 0
        return DETOUR if found else None

    def _is_turn(self, step: Step) -> bool:
        graph = self._search.space.graph
        folder = graph.folder[step.state.function]
        return (
            step.width > 1
            or (folder >= 0 and folder not in self._folders)
            or (step.edge is not None and graph.kind(step.edge) is EdgeKind.DEFERRED)
        )

    def _pass(self, path: StatePath) -> None:
        """Take a path as a way."""
        folder = self._search.space.graph.folder
        functions = path.functions()
        self._passed.update(functions)
        self._last_callers.add(functions[-2])
        self._folders.update(folder[function] for function in functions)


def _has_cycle(path: StatePath) -> bool:
    """Whether a path visits something twice; its end may be its start."""
    keys = [get_visit_key(step.state) for step in path.steps]
    return len(set(keys)) < len(keys) or get_visit_key(path.start) in keys[:-1]
