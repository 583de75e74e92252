"""The graph as a whole, or a part of it: for other programs."""

from collections.abc import Iterator, Sequence
from posixpath import normpath
from typing import TYPE_CHECKING

from kgraph.errors import LookupFailed

if TYPE_CHECKING:
    from kgraph.graph import CallGraph
    from kgraph.graph.nx import NetworkxGraph
    from kgraph.model.results import Hop
    from kgraph.query.neighbours import EdgeRow, Progress


def _ignore_edges_read(_done: int, _total: int) -> None:
    """Receive how far an export is and do nothing."""


def export(
    graph: "CallGraph", progress: "Progress" = _ignore_edges_read
) -> "Iterator[Hop]":
    """Every edge of the graph as a hop, once, one caller's after another's. `progress` receives how
    many functions are done, of how many.
    """
    from kgraph.query.neighbours import iter_hops

    return iter_hops(graph, progress)


def export_edges(
    graph: "CallGraph", progress: "Progress" = _ignore_edges_read
) -> "Iterator[EdgeRow]":
    """Every edge of the graph once, without its evidence: in seconds for a whole kernel."""
    from kgraph.query.neighbours import iter_edge_rows

    return iter_edge_rows(graph, progress)


def network(
    graph: "CallGraph", *, only: str = "", around: Sequence[str] = (), depth: int = 1
) -> "NetworkxGraph":
    """The graph, or a part of it, as a networkx.MultiDiGraph (see kgraph.graph.nx).

    `only` is a folder or file: functions defined there. `around` are functions: they, and what
    reaches them or is reached from them in at most `depth` calls.

    Raises LookupFailed for an unknown or ambiguous function, and if the part has no function.
    """
    from kgraph.graph.nx import GraphPart, to_networkx
    from kgraph.query import find_function

    centres = tuple(find_function(graph, name).number for name in around)
    folder = normpath(only)
    whole = folder == "."  # which is also the folder ""
    part = to_networkx(
        graph, GraphPart(folder="" if whole else folder, around=centres, depth=depth))
    if not part:
        near = f" near {', '.join(around)}" if around else ""
        raise LookupFailed(
            f"no function{near} is defined in {only or 'the tree'}",
            "give a folder or file of the tree, as citations write it")
    return part
