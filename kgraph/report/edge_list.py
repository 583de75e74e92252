"""The edges of a graph as rows: JSON lines and CSV."""

import csv
import io
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from kgraph.model.results import KnownFunction
from kgraph.report.json import Record, encode_function, encode_place

if TYPE_CHECKING:
    from kgraph.query.neighbours import EdgeRow

COLUMNS = ("caller", "caller_file", "caller_line", "caller_image", "callee", "callee_file",
           "callee_line", "callee_image", "kind", "file", "line", "column", "slot", "candidates",
           "calls")


def encode_edge(row: "EdgeRow") -> Record:
    """An edge without its evidence. `calls`: how many call sites it has."""
    return {
        "caller": encode_function(row.caller), "callee": encode_function(row.callee),
        "kind": row.kind.value,
        "site": encode_place(row.location),
        "slot": row.slot or None, "candidates": row.candidates, "calls": row.sites,
    }


def format_csv(rows: "Iterable[EdgeRow]") -> Iterator[str]:
    """The lines of a CSV file (RFC 4180), the names of its columns first."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="")
    yield ",".join(COLUMNS)
    for row in rows:
        writer.writerow((
            *_describe(row.caller), *_describe(row.callee), row.kind.value, row.location.path,
            row.location.line, row.location.column, row.slot, row.candidates, row.sites))
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()


def _describe(function: KnownFunction) -> tuple[str, str, int | str, str]:
    place = function.location
    return (function.id.name, place.path if place else "", place.line if place else "",
            function.id.image)
