"""The graph as a whole, or a part of it: for other programs."""

from collections.abc import Iterable, Iterator
from posixpath import normpath
from typing import TYPE_CHECKING

from msgspec import Struct

from kgraph.errors import LookupFailed

if TYPE_CHECKING:
    from kgraph.graph import CallGraph
    from kgraph.graph.nx import NetworkxGraph
    from kgraph.model.results import Hop, Path
    from kgraph.query.neighbours import EdgeRow, Progress


def _ignore_edges_read(_done: int, _total: int) -> None:
    """Receive how far an export is and do nothing."""


class PartQuestion(Struct, frozen=True):
    """Which functions to export: those that meet every condition that is given, all by default.

    `folder` is a folder or file: functions defined there. `around` are functions: they, and what
    reaches them or is reached from them in at most `depth` calls (1 by default). `between` are two
    functions: what lies on a way of at most `depth` calls from the first to the second, by default
    as many as the shortest has. Names are as you write them.
    """

    folder: str = ""
    around: tuple[str, ...] = ()
    between: tuple[str, str] | None = None
    depth: int | None = None

    @property
    def is_whole(self) -> bool:
        """Whether no condition is given."""
        return not (self.around or self.between) and normpath(self.folder) == "."


def export(
    graph: "CallGraph", part: PartQuestion | None = None,
    progress: "Progress" = _ignore_edges_read,
) -> "Iterator[Hop]":
    """Every edge of the graph, or between functions of a part, as a hop, once, one caller's after
    another's. `progress` receives how many functions are done, of how many.

    Raises LookupFailed for an unknown or ambiguous function, and if the part has no function.
    """
    from kgraph.query.neighbours import iter_hops

    within = _select(graph, part)
    hops = iter_hops(graph, progress, within)
    return hops if within is None else (hop for hop in hops if hop.callee.number in within)


def export_edges(
    graph: "CallGraph", part: PartQuestion | None = None,
    progress: "Progress" = _ignore_edges_read,
) -> "Iterator[EdgeRow]":
    """Every edge of the graph, or between functions of a part, once, without its evidence: in
    seconds for a whole kernel.

    Raises LookupFailed for an unknown or ambiguous function, and if the part has no function.
    """
    from kgraph.query.neighbours import iter_edge_rows

    return iter_edge_rows(graph, progress, _select(graph, part))


def network(graph: "CallGraph", part: PartQuestion | None = None) -> "NetworkxGraph":
    """The graph, or a part of it, as a networkx.MultiDiGraph (see kgraph.graph.nx).

    Raises LookupFailed for an unknown or ambiguous function, and if the part has no function.
    """
    from kgraph.graph.nx import to_networkx
    from kgraph.graph.parts import GraphPart

    return to_networkx(graph, GraphPart(functions=_select(graph, part)))


def network_of_paths(graph: "CallGraph", paths: "Iterable[Path]") -> "NetworkxGraph":
    """The functions and calls of some paths alone, as for `network`."""
    from kgraph.graph.nx import paths_to_networkx

    return paths_to_networkx(graph, paths)


def _select(graph: "CallGraph", part: PartQuestion | None) -> frozenset[int] | None:
    """The numbers of the functions of a part, None for all. Raises LookupFailed."""
    from kgraph.graph.parts import GraphPart, select_functions
    from kgraph.query import find_function

    if part is None or part.is_whole:
        return None
    folder = normpath(part.folder)
    around = tuple(find_function(graph, name).number for name in part.around)
    ends = None
    if part.between is not None:
        first, last = (find_function(graph, name).number for name in part.between)
        ends = first, last
    found = frozenset(select_functions(graph, GraphPart(
        folder="" if folder == "." else folder, around=around, between=ends, depth=part.depth)))
    if not found:
        raise LookupFailed(*_describe_nothing(part))
    return found


def _describe_nothing(part: PartQuestion) -> tuple[str, str]:
    where = part.folder or "the tree"
    if part.between is not None:
        most = "" if part.depth is None else f" of at most {part.depth} calls"
        return (f"no way{most} leads from {part.between[0]} to {part.between[1]} in {where}",
                "`kgraph path` says why; --depth allows longer ways")
    near = f" near {', '.join(part.around)}" if part.around else ""
    return (f"no function{near} is defined in {where}",
            "give a folder or file of the tree, as citations write it")
