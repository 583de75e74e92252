"""What differs between two kernels or two configurations."""

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kgraph.api.paths import PathResult
    from kgraph.graph import CallGraph
    from kgraph.model.comparison import Comparison, WayComparison
    from kgraph.model.results import KnownFunction
    from kgraph.model.verdicts import ChainCheck


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
    from kgraph.query.comparison.path_comparison import compare_paths
    from kgraph.query.paths.question import PathQuestion

    old, new = (path(graph, PathQuestion(caller, callee)) for graph in (before, after))
    return WayResult(compare_paths(before, after, (old.answer, new.answer)), old, new)


def find_successors(
    before: "CallGraph", after: "CallGraph", checks: "Sequence[tuple[ChainCheck, ChainCheck]]"
) -> "list[dict[int, tuple[KnownFunction, KnownFunction]]]":
    """What the functions of documents became, which were checked with both indexes: for each
    document by line, for lines that fare otherwise in the second, the function in both, if it has
    another name or other parameters there.
    """
    from kgraph.query.comparison.matching import pair_functions

    rows = [[(old.line.number, old.hop.callee) for old, new in zip(
                one.lines, two.lines, strict=True)
             if old.hop is not None and old.verdict != new.verdict] for one, two in checks]
    if not any(rows):
        return [{} for _ in checks]
    pairs = pair_functions(before, after).after
    found = []
    for lines in rows:
        known = ((line, function, after.function(pairs[function.number]))
                 for line, function in lines if function.number in pairs)
        found.append({
            line: (old, new) for line, old, new in known
            if old.id.name != new.id.name or old.parameters != new.parameters})
    return found


def explain_parts(before: "CallGraph", after: "CallGraph") -> list[str]:
    """Why something may seem gone or new that is not: an index that lacks a part of its tree."""
    from kgraph.query.comparison.changes import iter_unknown_parts

    return list(iter_unknown_parts(before, after))
