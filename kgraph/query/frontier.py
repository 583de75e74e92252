"""Why there is no path: how far each end came, and whether types would make one."""

from collections.abc import Callable, Iterable
from dataclasses import replace

from kgraph.model.answers import Frontier, Reach
from kgraph.query.open_requests import might_join
from kgraph.query.steps import Steps

_LISTED = 8


def frontier(steps: Steps, source: int, target: int) -> Frontier:
    """The frontier between two functions, forwarded callbacks left aside."""
    graph = steps.graph
    forward = _reach(source, steps.callees)
    backward = _reach(target, lambda function: (caller for caller, _ in steps.before(function)))
    unresolved = [site for function in forward for site in graph.by_type.sites_of(function)]
    return Frontier(
        graph.function(source), graph.function(target),
        Reach(
            len(forward), tuple(map(graph.function, _deepest(forward))),
            tuple(map(graph.site, unresolved[:_LISTED])), len(unresolved),
        ),
        Reach(len(backward), tuple(map(graph.function, _deepest(backward)))),
        by_type=target not in forward and _by_type(steps, source, target),
        callbacks=target in forward,
        by_request=steps.rules.deferred and target not in forward and might_join(
            graph, source, target, steps.callees),
    )


def _reach(start: int, following: Callable[[int], Iterable[int]]) -> dict[int, int]:
    """The functions that can be reached, with their distances, nearest first."""
    distances, layer = {start: 0}, [start]
    while layer:
        reached = []
        for function in layer:
            for other in following(function):
                if other not in distances:
                    distances[other] = distances[function] + 1
                    reached.append(other)
        layer = reached
    return distances


def _deepest(distances: dict[int, int]) -> list[int]:
    most = max(distances.values())
    return [function for function, far in distances.items() if far == most][:_LISTED]


def _by_type(steps: Steps, source: int, target: int) -> bool:
    """Whether candidates by type would join the two; an untyped call site could reach anything."""
    by_type = steps.graph.by_type
    loose = Steps(steps.graph, replace(steps.rules, types=True))
    reached = _reach(source, loose.callees)
    return target in reached or any(
        by_type.untyped(site) for function in reached for site in by_type.sites_of(function)
    )
