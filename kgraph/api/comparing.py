"""What differs between two kernels or two configurations."""

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from kgraph.api.paths import PathResult
    from kgraph.graph import CallGraph
    from kgraph.model.comparison import Comparison, WayComparison


class WayResult(Struct, frozen=True):
    """What became of a way, with the answer of each index."""

    ways: "WayComparison"
    before: "PathResult"
    after: "PathResult"


def diff(before: "CallGraph", after: "CallGraph", folder: str = "") -> "Comparison":
    """The functions, edges, bindings, slots and registered callbacks that came and went from one
    index to another; with `folder` those of a folder or file.

    Raises LookupFailed where neither index has a function in the folder.
    """
    from kgraph.errors import LookupFailed
    from kgraph.query.comparison.changes import compare_graphs

    found = compare_graphs(before, after, folder)
    if folder and not (found.functions_before or found.functions_after):
        raise LookupFailed(f"no function is defined in {folder}, in neither index",
                           "give a folder or file of the tree, as citations write it")
    return found


def diff_ways(
    before: "CallGraph", after: "CallGraph", caller: str, callee: str
) -> WayResult:
    """The first path from `caller` to `callee` in both indexes, side by side. The two may have
    other names in the other release, as far as kgraph knows them.

    Raises LookupFailed for a name that one of the indexes does not have.
    """
    from kgraph.api.paths import path
    from kgraph.query.comparison.ways import compare_paths
    from kgraph.query.paths.question import PathQuestion

    old, new = (path(graph, PathQuestion(caller, callee)) for graph in (before, after))
    return WayResult(compare_paths(before, after, (old.answer, new.answer)), old, new)


def explain_parts(before: "CallGraph", after: "CallGraph") -> list[str]:
    """Why something may seem gone or new that is not: an index that lacks a part of its tree."""
    from kgraph.query.comparison.changes import iter_unknown_parts

    return list(iter_unknown_parts(before, after))
