"""What a change touches, as text and JSON."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from kgraph.report.json import Record, encode_function, encode_place
from kgraph.report.text import format_section

if TYPE_CHECKING:
    from kgraph.api import ImpactResult
    from kgraph.query.impact.touched import TouchedFile

_SIDES = {"before": "the text before the change: calls that it adds are not known",
          "after": "the text after the change: calls that it removed are not known"}


def format_impact(result: "ImpactResult", most: int) -> Iterator[str]:
    """Each kind of what is touched, at most `most` of it."""
    found = result.found
    yield f"the index is of {_SIDES[found.side.value]}"
    yield from format_section("files", (
        f"{each.path}: {each.lines} lines{_describe_fit(each)}"
        + (f", {each.other_lines} in no function, table or macro" if each.other_lines else "")
        for each in found.files), len(found.files), most)
    yield from format_section("functions", (
        f"{each} ({each.location})" for each in found.functions), len(found.functions), most)
    yield from format_section("tables and variables", (
        f"{each.id.name} ({each.location})" for each in found.tables), len(found.tables), most)
    yield from format_section("macros", (
        f"{each.name} ({each.location})" for each in found.macros), len(found.macros), most)
    yield from format_section("slots", found.slots, len(found.slots), most)
    yield from format_section("callers through these slots and macros", (
        f"{each} ({each.location})" for each in found.callers), len(found.callers), most)
    yield from format_section("system calls that lead there", (
        f"{each.function} ({each.distance} calls)" for each in found.syscalls),
        len(found.syscalls), most)
    yield from format_section(f"lines of {len(result.documents)} documents", (
        f"{each.file}:{each.number}: {each.text}" for each in result.lines),
        len(result.lines), most)


def _describe_fit(file: "TouchedFile") -> str:
    if not file.is_known:
        return ", not in the index"
    if file.fits is None:
        return ", changed since it was indexed or not cited: the lines may be off"
    return "" if file.fits else ", does not fit the indexed text: lines may be off"


def encode_impact(result: "ImpactResult") -> Record:
    """Everything that is touched."""
    found = result.found
    return {
        "format": "kgraph-impact/1", "side": found.side.value,
        "files": [{"file": each.path, "lines": each.lines, "known": each.is_known,
                   "fits": each.fits, "other_lines": each.other_lines} for each in found.files],
        "functions": list(map(encode_function, found.functions)),
        "tables": [{"name": each.id.name, "site": encode_place(each.location)}
                   for each in found.tables],
        "macros": [{"name": each.name, "site": encode_place(each.location)}
                   for each in found.macros],
        "slots": list(found.slots),
        "callers": list(map(encode_function, found.callers)),
        "syscalls": [{**encode_function(each.function), "distance": each.distance}
                     for each in found.syscalls],
        "documents": list(result.documents),
        "lines": [{"file": each.file, "line": each.number, "text": each.text,
                   "caller": encode_function(each.hop.caller),
                   "callee": encode_function(each.hop.callee)} for each in result.lines],
    }
