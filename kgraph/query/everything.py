"""Every edge of the graph, in the order of callers."""

from collections.abc import Iterator

from kgraph.graph import CallGraph
from kgraph.model.answers import Hop


def all_hops(graph: CallGraph) -> Iterator[Hop]:
    """Every edge as a hop, one caller's after another's: by call site, then by callee."""
    for function in range(len(graph)):
        for edge in graph.edges_from(function):
            yield graph.hop(edge)
