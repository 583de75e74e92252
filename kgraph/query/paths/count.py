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
    search: PathSearch, ways: Sequence[StatePath], most: int, effort: int
) -> tuple[int, bool]:
    """(how many ways the search has yet to find, whether these are all), `ways` being those that it
    found: at most `most` are counted, and where `effort` states and functions were not enough to
    find them all, those that are easy to show; at least one, if there is one.
    """
    until, count = search.measure_effort() + effort, 0
    while count <= most and search.find_next(until) is not None:
        count += 1
    if search.is_exhausted or count > most:
        return min(count, most), count <= most
    shown = _PathWitnesses(search, ways[0])
    for _ in shown.more():
        count += 1
        if count >= most:
            break
    if not count and not _has_detour(search, ways) and search.find_next() is None:
        return 0, True
    return max(count, 1), False


class _PathWitnesses:
    """Shows that ways exist, by following the bounds downwards from where areas go on."""

    def __init__(self, search: PathSearch, way: StatePath) -> None:
        self._search = search
        # State -> the places that a known way from it to the callee passes.
        self._tails: dict[State, frozenset[VisitKey]] = {}
        self._learn([way.start, *(step.state for step in way.steps)], frozenset())

    def more(self) -> Iterator[None]:
        """One for each way that is shown."""
        for area in self._search.partitions:
            if not area.is_divided:
                yield from self._of(area)

    def _of(self, area: Partition) -> Iterator[None]:
        shown: set[int] = set(area.excluded)
        for root in area.roots:
            if self._search.max_hops is not None:
                return  # the bounds know nothing of hops
            for step in self._search.space.iter_steps(root.state):
                function = step.state.function
                if function not in shown and self._leads(SearchNode(step.state, step, root), root):
                    shown.add(function)
                    yield None

    def _leads(self, node: SearchNode, root: SearchNode) -> bool:
        """Whether the steps of least cost lead on to the callee, through no place twice."""
        passed = set(root.root.visited)
        states: list[State] = []
        while not self._search.is_goal(node):
            place = get_visit_key(node.state)
            if place in passed or self._search.get_exact_estimate(node.state) is None:
                return False
            passed.add(place)
            states.append(node.state)
            tail = self._tails.get(node.state)
            if tail is not None:
                if tail.isdisjoint(passed - {place}):
                    self._learn(states[:-1], tail)
                    return True
                return False
            following = self._best_step(node)
            if following is None:
                return False
            node = following
        self._learn([*states, node.state], frozenset())
        return True

    def _best_step(self, node: SearchNode) -> SearchNode | None:
        best: tuple[int, SearchNode] | None = None
        for step in self._search.space.iter_steps(node.state):
            known = self._search.get_exact_estimate(step.state)
            if known is not None and (best is None or step.cost + known < best[0]):
                best = step.cost + known, SearchNode(step.state, step, node)
        return None if best is None else best[1]

    def _learn(self, states: list[State], tail: frozenset[VisitKey]) -> None:
        """Keep what a way passes from each of its states on; `tail` is what follows them."""
        for state in reversed(states):
            tail |= {get_visit_key(state)}
            self._tails.setdefault(state, tail)


def _has_detour(search: PathSearch, ways: Sequence[StatePath]) -> bool:
    """Whether another way is easy to show that leaves the best one and comes back to it."""
    best = ways[0].functions()
    detour = _find_detour(search.space.adjacency, best)
    if detour is None or len(set(best)) < len(best):
        return False
    if any(way.functions() == (best[0], *detour) for way in ways):
        return False
    nodes = [SearchNode(ways[0].start, None, None)]
    for function in detour:
        nodes = search.follow_function(nodes, function)
    hops = search.max_hops
    return any(search.is_goal(node) and (hops is None or node.hops <= hops) for node in nodes)


def _find_detour(adjacency: Adjacency, way: tuple[int, ...]) -> list[int] | None:
    """The functions, after its first, of a way that is another than `way` but for a part at its
    start and its end: backwards from its end, by layers, then from what comes before that.
    """
    place = {function: number for number, function in enumerate(way)}
    after: dict[int, int] = {}  # what a function that was seen leads on to
    for back in reversed(range(1, len(way))):
        layer = [way[back]]
        while layer and len(after) < _LONGEST_DETOUR:
            callees, layer = layer, []
            for callee in callees:
                for caller in adjacency.iter_callers(callee):
                    at = place.get(caller)
                    if at is None:
                        if caller not in after:
                            after[caller] = callee
                            layer.append(caller)
                    elif at < back - (callee == way[back]):
                        return [
                            *way[1 : at + 1],
                            *_iter_onward(after, callee, place),
                            *way[back + 1 :],
                        ]
    return None


def _iter_onward(after: dict[int, int], function: int, place: dict[int, int]) -> Iterator[int]:
    """A function and what it leads on to, until the way is reached, that function included."""
    yield function
    while function not in place:
        function = after[function]
        yield function
