"""Whether what is asked to be run later, and could not be told, might join two functions."""

from collections.abc import Callable, Iterable

from kgraph.graph import CallGraph


def might_join(
    graph: CallGraph, source: int, target: int, callees: Callable[[int], Iterable[int]]
) -> bool:
    """Whether `target` is reached from `source` by `callees` once every open request on the way may
    run any function that it might mean."""
    reached, stack = {source}, [source]
    while stack:
        function = stack.pop()
        for following in (callees(function), graph.requests.candidates(function)):
            for other in following:
                if other not in reached:
                    reached.add(other)
                    stack.append(other)
    return target in reached
