"""Explains why there is no path: how far each end reaches, and whether types or open requests
could join them.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace

from kgraph.graph import CallGraph
from kgraph.model.results import Frontier, Reach
from kgraph.query.paths.adjacency import Adjacency


def can_join_by_request(
    graph: CallGraph, source: int, target: int, callees: Callable[[int], Iterable[int]]
) -> bool:
    """Whether `target` is reached from `source` by `callees` once every open request on the way may
    run any function that it might mean."""
    reached, stack = {source}, [source]
    while stack:
        function = stack.pop()
        for following in (callees(function), graph.open_requests.iter_candidates(function)):
            for other in following:
                if other not in reached:
                    reached.add(other)
                    stack.append(other)
    return target in reached


_LISTED = 8
Successors = Callable[[int], Iterable[int]]


def explain_no_path(functions: Adjacency, source: int, target: int, passed: int = 0) -> Frontier:
    """The frontier between two functions, forwarded callbacks left aside, where `passed` of the
    functions to pass were passed.
    """
    graph = functions.graph
    forward = _ReachableFunctions(source, functions.make_callee_function(passed))
    backward = _ReachableFunctions(target, functions.iter_callers)
    reached, unresolved = target in forward.places, _find_unresolved_sites(functions, forward)
    return Frontier(
        graph.function(source), graph.function(target),
        Reach(
            len(forward.places), tuple(map(graph.function, forward.last[:_LISTED])),
            tuple(map(graph.site, unresolved[:_LISTED])), len(unresolved),
        ),
        Reach(len(backward.places), tuple(map(graph.function, backward.last[:_LISTED]))),
        by_type=not reached and _can_join_by_type(functions, forward, target, passed),
        callbacks=reached,
        by_request=functions.constraints.deferred and not reached and can_join_by_request(
            graph, source, target, functions.make_callee_function(passed)),
    )


class _ReachableFunctions:
    """The functions that can be reached, with their places in an order of nearest first; `last`
    are those farthest away.
    """

    def __init__(self, start: int, following: Successors) -> None:
        self.places = {start: 0}
        self.last = [start]
        self._spread(self.last, following)

    def _spread(self, layer: list[int], following: Successors) -> None:
        places = self.places
        while layer:
            self.last, layer = layer, []
            for function in self.last:
                for other in following(function):
                    if other not in places:
                        places[other] = len(places)
                        layer.append(other)

    def more(self, starts: Iterable[int], following: Successors) -> bool:
        """Reach from further functions, too: whether any is new."""
        before = len(self.places)
        layer = [start for start in dict.fromkeys(starts) if start not in self.places]
        for start in layer:
            self.places[start] = len(self.places)
        self._spread(layer, following)
        return len(self.places) > before


def _find_unresolved_sites(functions: Adjacency, reached: _ReachableFunctions) -> list[int]:
    """The unresolved call sites in the functions reached, nearest first."""
    by_type, places = functions.graph.by_type, reached.places
    callers = sorted((f for f in by_type.callers if f in places), key=places.__getitem__)
    return [site for function in callers for site in by_type.sites_of(function)]


def _can_join_by_type(
    functions: Adjacency, forward: _ReachableFunctions, target: int, passed: int
) -> bool:
    """Whether candidates by type would join the two; an untyped call site could reach anything."""
    by_type = functions.graph.by_type
    loose = Adjacency(functions.graph, replace(functions.constraints, types=True))
    more = True
    while more:
        sites = _find_unresolved_sites(functions, forward)
        if target in forward.places or any(map(by_type.has_unknown_type, sites)):
            return True
        kinds = {by_type.type_of(site): site for site in sites}
        callees = (callee for site in kinds.values() for callee in by_type.callees(site))
        starts = [callee for callee in callees if callee not in loose.constraints.avoid]
        more = forward.more(starts, loose.make_callee_function(passed))
    return target in forward.places
