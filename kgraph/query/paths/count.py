"""Counts further paths without finding the cheapest first.

The paths that are left lie in disjoint partitions (search.py), and within a partition those
that go on to different functions are different. So each function that a partition may go on to
counts as one more path once one continuation to the callee is shown. Where the bounds lead to
the callee that is cheap. Where they do not, a detour is looked for: out of the best path and
back into it further on.
"""

from collections.abc import Iterator, Sequence

from kgraph.query.paths.adjacency import Adjacency
from kgraph.query.paths.search import (
    Partition,
    PathSearch,
    SearchNode,
    StatePath,
    VisitKey,
    get_visit_key,
)
from kgraph.query.paths.state_space import State

_LONGEST_DETOUR = 4000  # functions to look at


def count_other_paths(
    search: PathSearch, paths: Sequence[StatePath], most: int, effort: int
) -> tuple[int, bool]:
    """(how many paths there are besides `paths`, which the search found; whether these are all).

    At most `most` are counted. If looking at `effort` states and functions does not find them all,
    those that are easy to show are counted, and at least one if there is one.
    """
    max_effort, count = search.measure_effort() + effort, 0
    while count <= most and search.find_next(max_effort) is not None:
        count += 1
    if search.is_exhausted or count > most:
        return min(count, most), count <= most
    for _ in _PathWitnesses(search, paths[0]).iter_witnesses():
        count += 1
        if count >= most:
            break
    if not count and not _has_detour(search, paths) and search.find_next() is None:
        return 0, True
    return max(count, 1), False


class _PathWitnesses:
    """Shows that paths exist: follows the bounds from where partitions go on to the callee."""

    def __init__(self, search: PathSearch, path: StatePath) -> None:
        self._search = search
        # State -> what a known path from it to the callee visits.
        self._tails: dict[State, frozenset[VisitKey]] = {}
        self._learn([path.start, *(step.state for step in path.steps)], frozenset())

    def iter_witnesses(self) -> Iterator[None]:
        """One for each path that is shown."""
        if self._search.max_hops is not None:
            return  # the bounds do not count hops
        for partition in self._search.partitions:
            if not partition.is_divided:
                yield from self._iter_witnesses_in(partition)

    def _iter_witnesses_in(self, partition: Partition) -> Iterator[None]:
        shown: set[int] = set(partition.excluded)
        for root in partition.roots:
            for step in self._search.space.iter_steps(root.state):
                function = step.state.function
                if function not in shown and self._is_witness(
                        SearchNode(step.state, step, root), root):
                    shown.add(function)
                    yield None

    def _is_witness(self, node: SearchNode, root: SearchNode) -> bool:
        """Whether the cheapest steps lead from a node to the callee and visit nothing twice."""
        visited = set(root.root.visited_keys)
        states: list[State] = []
        while not self._search.is_goal(node):
            key = get_visit_key(node.state)
            if key in visited or self._search.get_exact_estimate(node.state) is None:
                return False
            visited.add(key)
            states.append(node.state)
            tail = self._tails.get(node.state)
            if tail is not None:
                if tail.isdisjoint(visited - {key}):
                    self._learn(states[:-1], tail)
                    return True
                return False
            following = self._take_best_step(node)
            if following is None:
                return False
            node = following
        self._learn([*states, node.state], frozenset())
        return True

    def _take_best_step(self, node: SearchNode) -> SearchNode | None:
        best: tuple[int, SearchNode] | None = None
        for step in self._search.space.iter_steps(node.state):
            estimate = self._search.get_exact_estimate(step.state)
            if estimate is not None and (best is None or step.cost + estimate < best[0]):
                best = step.cost + estimate, SearchNode(step.state, step, node)
        return None if best is None else best[1]

    def _learn(self, states: list[State], tail: frozenset[VisitKey]) -> None:
        """Keep what a path visits from each of its states on; `tail` follows the last of them."""
        for state in reversed(states):
            tail |= {get_visit_key(state)}
            self._tails.setdefault(state, tail)


def _has_detour(search: PathSearch, paths: Sequence[StatePath]) -> bool:
    """Whether it is easy to show another path that leaves the best one and comes back to it."""
    best = paths[0].functions()
    detour = _find_detour(search.space.adjacency, best)
    if detour is None or len(set(best)) < len(best):
        return False
    if any(path.functions() == (best[0], *detour) for path in paths):
        return False
    nodes = [SearchNode(paths[0].start, None, None)]
    for function in detour:
        nodes = search.follow_function(nodes, function)
    hops = search.max_hops
    return any(search.is_goal(node) and (hops is None or node.hops <= hops) for node in nodes)


def _find_detour(adjacency: Adjacency, path: tuple[int, ...]) -> list[int] | None:
    """The functions, after its first, of a path that shares only its start and its end with `path`.
    Searches backwards from the end of `path`, by layers, then from what comes before the end.
    """
    index = {function: number for number, function in enumerate(path)}
    following: dict[int, int] = {}  # what a function that was seen leads on to
    for back in reversed(range(1, len(path))):
        layer = [path[back]]
        while layer and len(following) < _LONGEST_DETOUR:
            callees, layer = layer, []
            for callee in callees:
                for caller in adjacency.iter_callers(callee):
                    at = index.get(caller)
                    if at is None:
                        if caller not in following:
                            following[caller] = callee
                            layer.append(caller)
                    elif at < back - (callee == path[back]):
                        middle = _iter_until_path(following, callee, index)
                        return [*path[1 : at + 1], *middle, *path[back + 1 :]]
    return None


def _iter_until_path(
    following: dict[int, int], function: int, index: dict[int, int]
) -> Iterator[int]:
    """A function and what it leads on to, up to and including the first on the path."""
    yield function
    while function not in index:
        function = following[function]
        yield function
