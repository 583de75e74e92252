"""Why there is no path: how far each end came, and whether types would make one."""

from collections.abc import Callable, Iterable
from dataclasses import replace

from kgraph.model.answers import Frontier, Reach
from kgraph.query.adjacency import Adjacency

_LISTED = 8


def frontier(functions: Adjacency, source: int, target: int, passed: int = 0) -> Frontier:
    """The frontier between two functions, forwarded callbacks left aside, where `passed` of the
    functions to pass were passed.
    """
    graph = functions.graph
    forward = _Reached(source, lambda function: functions.callees(function, passed))
    backward = _Reached(target, functions.callers)
    unresolved = [site for function in forward.all for site in graph.by_type.sites_of(function)]
    return Frontier(
        graph.function(source), graph.function(target),
        Reach(
            len(forward.all), tuple(map(graph.function, forward.last[:_LISTED])),
            tuple(map(graph.site, unresolved[:_LISTED])), len(unresolved),
        ),
        Reach(len(backward.all), tuple(map(graph.function, backward.last[:_LISTED]))),
        by_type=target not in forward.all and _by_type(functions, forward, target, passed),
        callbacks=target in forward.all,
    )


class _Reached:
    """The functions that can be reached, nearest first; `last` are those farthest away."""

    def __init__(self, start: int, following: Callable[[int], Iterable[int]]) -> None:
        self.all = {start: None}
        self.last = [start]
        self._spread(self.last, following)

    def _spread(self, layer: list[int], following: Callable[[int], Iterable[int]]) -> None:
        reached = self.all
        while layer:
            self.last, layer = layer, []
            for function in self.last:
                for other in following(function):
                    if other not in reached:
                        reached[other] = None
                        layer.append(other)

    def more(self, starts: Iterable[int], following: Callable[[int], Iterable[int]]) -> list[int]:
        """Reach from further functions, too: those that are new."""
        before = len(self.all)
        layer = [start for start in dict.fromkeys(starts) if start not in self.all]
        self.all.update(dict.fromkeys(layer))
        self._spread(layer, following)
        return list(self.all)[before:]


def _by_type(functions: Adjacency, forward: _Reached, target: int, passed: int) -> bool:
    """Whether candidates by type would join the two; an untyped call site could reach anything."""
    by_type = functions.graph.by_type
    loose = Adjacency(functions.graph, replace(functions.rules, types=True))
    new = list(forward.all)
    while new:
        sites = [site for function in new for site in by_type.sites_of(function)]
        if target in forward.all or any(map(by_type.untyped, sites)):
            return True
        callees = (callee for site in sites for callee in by_type.callees(site))
        starts = [callee for callee in callees if callee not in loose.rules.avoid]
        new = forward.more(starts, lambda function: loose.callees(function, passed))
    return target in forward.all
