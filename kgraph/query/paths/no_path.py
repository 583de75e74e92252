"""Explains why there is no path: how far each end reaches, and whether types or open requests
could join them.
"""

from collections.abc import Callable, Iterable

from msgspec.structs import replace

from kgraph.graph import CallGraph
from kgraph.model.results import Frontier, Reach
from kgraph.query.paths.adjacency import Adjacency

Successors = Callable[[int], Iterable[int]]
_MAX_LISTED = 8


def explain_no_path(
    adjacency: Adjacency, source: int, target: int, via_passed: int = 0
) -> Frontier:
    """The frontier between two functions, after `via_passed` of the functions to pass. Forwarded
    callbacks are ignored.
    """
    graph, find_callees = adjacency.graph, adjacency.make_callee_function(via_passed)
    forward = _Reachable(source, find_callees)
    backward = _Reachable(target, adjacency.iter_callers)
    is_reached = target in forward.order
    unresolved = _find_unresolved_sites(adjacency, forward)
    return Frontier(
        graph.function(source), graph.function(target),
        Reach(
            len(forward.order), tuple(map(graph.function, forward.last[:_MAX_LISTED])),
            tuple(map(graph.site, unresolved[:_MAX_LISTED])), len(unresolved),
        ),
        Reach(len(backward.order), tuple(map(graph.function, backward.last[:_MAX_LISTED]))),
        by_type=not is_reached and _can_join_by_type(adjacency, forward, target, via_passed),
        is_connected=is_reached,
        by_request=adjacency.constraints.deferred and not is_reached
        and _can_join_by_request(graph, source, target, find_callees),
    )


class _Reachable:
    """The functions that can be reached, each with its place in the order in which a breadth-first
    search reaches them; `last` are those farthest away.
    """

    def __init__(self, start: int, find_following: Successors) -> None:
        self.order = {start: 0}
        self.last = [start]
        self._search(self.last, find_following)

    def _search(self, layer: list[int], find_following: Successors) -> None:
        order = self.order
        while layer:
            self.last, layer = layer, []
            for function in self.last:
                for other in find_following(function):
                    if other not in order:
                        order[other] = len(order)
                        layer.append(other)

    def add_starts(self, starts: Iterable[int], find_following: Successors) -> bool:
        """Search from further functions as well. Whether that reached anything new."""
        before = len(self.order)
        layer = [start for start in dict.fromkeys(starts) if start not in self.order]
        for start in layer:
            self.order[start] = len(self.order)
        self._search(layer, find_following)
        return len(self.order) > before


def _find_unresolved_sites(adjacency: Adjacency, reachable: _Reachable) -> list[int]:
    """The unresolved call sites in the functions that were reached, nearest first."""
    by_type, order = adjacency.graph.by_type, reachable.order
    callers = sorted((f for f in by_type.callers if f in order), key=order.__getitem__)
    return [site for function in callers for site in by_type.sites_of(function)]


def _can_join_by_type(
    adjacency: Adjacency, forward: _Reachable, target: int, via_passed: int
) -> bool:
    """Whether candidates by type would join the two; a site of unknown type may call anything."""
    by_type = adjacency.graph.by_type
    loose = Adjacency(adjacency.graph, replace(adjacency.constraints, types=True))
    is_growing = True
    while is_growing:
        sites = _find_unresolved_sites(adjacency, forward)
        if target in forward.order or any(map(by_type.has_unknown_type, sites)):
            return True
        site_of_type = {by_type.type_of(site): site for site in sites}
        callees = (callee for site in site_of_type.values() for callee in by_type.callees(site))
        starts = [callee for callee in callees if callee not in loose.constraints.avoid]
        is_growing = forward.add_starts(starts, loose.make_callee_function(via_passed))
    return target in forward.order


def _can_join_by_request(
    graph: CallGraph, source: int, target: int, find_callees: Successors
) -> bool:
    """Whether `source` reaches `target` if every open request may run any function that it might
    mean.
    """
    reached, stack = {source}, [source]
    while stack:
        function = stack.pop()
        for following in (find_callees(function), graph.open_requests.iter_candidates(function)):
            for other in following:
                if other not in reached:
                    reached.add(other)
                    stack.append(other)
    return target in reached
