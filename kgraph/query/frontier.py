"""Why there is no path: how far each end came, and whether types would make one."""

from collections.abc import Callable, Iterable
from dataclasses import replace

from kgraph.model.answers import Frontier, Reach
from kgraph.query.adjacency import Adjacency
from kgraph.query.open_requests import might_join

_LISTED = 8

Following = Callable[[int], Iterable[int]]


def frontier(functions: Adjacency, source: int, target: int, passed: int = 0) -> Frontier:
    """The frontier between two functions, forwarded callbacks left aside, where `passed` of the
    functions to pass were passed.
    """
    graph = functions.graph
    forward = _Reached(source, functions.leaving(passed))
    backward = _Reached(target, functions.callers)
    reached, unresolved = target in forward.places, _unresolved(functions, forward)
    return Frontier(
        graph.function(source), graph.function(target),
        Reach(
            len(forward.places), tuple(map(graph.function, forward.last[:_LISTED])),
            tuple(map(graph.site, unresolved[:_LISTED])), len(unresolved),
        ),
        Reach(len(backward.places), tuple(map(graph.function, backward.last[:_LISTED]))),
        by_type=not reached and _by_type(functions, forward, target, passed),
        callbacks=reached,
        by_request=functions.rules.deferred and not reached and might_join(
            graph, source, target, functions.leaving(passed)),
    )


class _Reached:
    """The functions that can be reached, with their places in an order of nearest first; `last`
    are those farthest away.
    """

    def __init__(self, start: int, following: Following) -> None:
        self.places = {start: 0}
        self.last = [start]
        self._spread(self.last, following)

    def _spread(self, layer: list[int], following: Following) -> None:
        places = self.places
        while layer:
            self.last, layer = layer, []
            for function in self.last:
                for other in following(function):
                    if other not in places:
                        places[other] = len(places)
                        layer.append(other)

    def more(self, starts: Iterable[int], following: Following) -> bool:
        """Reach from further functions, too: whether any is new."""
        before = len(self.places)
        layer = [start for start in dict.fromkeys(starts) if start not in self.places]
        for start in layer:
            self.places[start] = len(self.places)
        self._spread(layer, following)
        return len(self.places) > before


def _unresolved(functions: Adjacency, reached: _Reached) -> list[int]:
    """The unresolved call sites in the functions reached, nearest first."""
    by_type, places = functions.graph.by_type, reached.places
    callers = sorted((f for f in by_type.callers if f in places), key=places.__getitem__)
    return [site for function in callers for site in by_type.sites_of(function)]


def _by_type(functions: Adjacency, forward: _Reached, target: int, passed: int) -> bool:
    """Whether candidates by type would join the two; an untyped call site could reach anything."""
    by_type = functions.graph.by_type
    loose = Adjacency(functions.graph, replace(functions.rules, types=True))
    more = True
    while more:
        sites = _unresolved(functions, forward)
        if target in forward.places or any(map(by_type.untyped, sites)):
            return True
        kinds = {by_type.type_of(site): site for site in sites}
        callees = (callee for site in kinds.values() for callee in by_type.callees(site))
        starts = [callee for callee in callees if callee not in loose.rules.avoid]
        more = forward.more(starts, loose.leaving(passed))
    return target in forward.places
