"""What a change of the source touches."""

import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from msgspec import Struct

from kgraph.errors import DocumentError, LookupFailed

if TYPE_CHECKING:
    from kgraph.graph import CallGraph
    from kgraph.model.results import Hop
    from kgraph.model.verdicts import LineVerdict
    from kgraph.query.impact.touched import Impact

_MOST_BYTES = 256 << 20


class TouchedLine(Struct, frozen=True):
    """A line of a document that holds by a call which the change touches."""

    file: str
    number: int
    text: str
    hop: "Hop"


class ImpactResult(Struct, frozen=True):
    """What a change touches in the graph, and in documented ways: `documents` names those that were
    looked at: shipped queries that do not fit the index are left out."""

    found: "Impact"
    documents: tuple[str, ...]
    lines: tuple[TouchedLine, ...]


def impact(
    graph: "CallGraph", change: str, *, documents: Sequence[str] = (),
    side: str | None = None,
) -> ImpactResult:
    """What a patch file, or a range of commits of the indexed tree, touches: functions, tables,
    macros, slots, the callers that depend on them, system calls that lead there, and the lines of
    the shipped queries and of `documents` that hold by such a call.

    `side` says whether the index is of the text "before" or "after" the change; without it, the
    side that fits the indexed text.

    Raises DocumentError where the change cannot be read, TreeError where git does not give it.
    """
    from kgraph.check.document.query_files import read_shipped_queries
    from kgraph.graph.text import SourceText
    from kgraph.query.impact.patch import Side, read_patch
    from kgraph.query.impact.touched import find_impact

    patch = read_patch(_read_change(graph, change), change)
    found = find_impact(graph, SourceText(graph), patch, None if side is None else Side(side))
    touched = _Touched(
        frozenset(each.number for each in found.functions),
        frozenset((each.location.path, each.location.line) for each in found.bindings))
    lines: list[TouchedLine] = []
    names = []
    for query in read_shipped_queries():
        with contextlib.suppress(LookupFailed):  # its scenario is of another kernel
            lines += _find_lines(graph, touched, query.file)
            names.append(query.file)
    for document in documents:
        lines += _find_lines(graph, touched, document)
        names.append(document)
    return ImpactResult(found, tuple(names), tuple(lines))


def _read_change(graph: "CallGraph", change: str) -> str:
    from kgraph.build.git import is_range, read_range
    from kgraph.textfile import read_regular_file

    if Path(change).exists() or not is_range(change):
        try:
            return read_regular_file(change, _MOST_BYTES).decode("utf-8", "replace")
        except OSError as error:
            raise DocumentError(
                f"{change}: {error.strerror}",
                f"give a patch of at most {_MOST_BYTES >> 20} MB, or commits of the tree"
            ) from None
    return read_range(Path(graph.description.tree), change)


class _Touched(NamedTuple):
    """Functions by number, and the lines of bindings."""

    functions: frozenset[int]
    places: frozenset[tuple[str, int]]


def _find_lines(graph: "CallGraph", touched: _Touched, name: str) -> list[TouchedLine]:
    from kgraph.api.questions import check

    lines = []
    for verdict in check(graph, name).check.claims:
        hop = _find_touched_hop(verdict, touched)
        if hop is not None:
            lines.append(TouchedLine(name, verdict.line.number, verdict.line.text.strip(), hop))
    return lines


def _find_touched_hop(verdict: "LineVerdict", touched: _Touched) -> "Hop | None":
    """The first call by which a line holds that the change may have changed."""
    for hop in (*verdict.via, *([verdict.hop] if verdict.hop else [])):
        cited = {(each.location.path, each.location.line) for each in hop.evidence}
        if cited & touched.places or not touched.functions.isdisjoint(
                (hop.caller.number, hop.callee.number)):
            return hop
    return None
