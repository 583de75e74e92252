"""Answers for editors: a place a line, `file:line:column: text`, as compilers write messages."""

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from kgraph.model.location import Location
from kgraph.model.results import Hop, IndexDescription, OpsRow, SiteAnswer
from kgraph.report.text import format_definition, format_short_note
from kgraph.textfile import unescape_name

if TYPE_CHECKING:
    from kgraph.model.verdicts import ChainCheck

Place = tuple[Location, str]


def format_places(
    places: Iterable[Place], index: IndexDescription, folder: str
) -> Iterator[str]:
    """The lines. Files are relative to `folder` if they are below it, else absolute paths."""
    known: dict[str, str] = {}
    for location, text in places:
        path = location.path
        if path not in known:
            known[path] = find_file(path, index, folder)
        yield f"{known[path]}:{location.line}:{max(location.column, 1)}: {' '.join(text.split())}"


def find_file(path: str, index: IndexDescription, folder: str) -> str:
    """The file of a citation: relative to `folder` if it is below it, else an absolute path."""
    name = unescape_name(path)
    for file in map(Path, index.iter_places(name)):
        if file.exists():
            return os.path.relpath(file, folder) if folder and file.is_relative_to(folder) else str(
                file)
    return name


def iter_call_places(hops: Iterable[Hop]) -> Iterator[Place]:
    """Every call site of some hops."""
    for hop in hops:
        note = format_short_note(hop)
        text = f"{hop.caller}() calls {hop.callee}(){f', {note}' if note else ''}"
        yield from ((location, text) for location in (hop.site.location, *hop.sites))


def iter_path_places(paths: Iterable[Sequence[Hop]]) -> Iterator[Place]:
    """The calls of some paths, one after another, and where each of them ends."""
    for hops in paths:
        for hop in hops:
            note = format_short_note(hop)
            yield (hop.site.location,
                   f"{hop.caller}() calls {hop.callee}(){f', {note}' if note else ''}")
        if hops and hops[-1].callee.location is not None:
            yield hops[-1].callee.location, f"{hops[-1].callee}()"


def iter_binding_places(rows: Iterable[OpsRow]) -> Iterator[Place]:
    """Where something is bound."""
    for row in rows:
        table = f" in {row.table.id.name}" if row.table is not None else ""
        yield row.location, f"{row.slot} = {row.bound.id.name}{table}"


def iter_site_places(answers: Iterable[SiteAnswer]) -> Iterator[Place]:
    """Call sites, each with a line for every candidate."""
    for answer in answers:
        site = answer.site
        head = f"{answer.caller}(): {site.expression}()"
        if not answer.candidates:
            reason = f": {site.reason}" if site.reason else ""
            yield site.location, f"{head} {site.status}{reason}"
        for hop in answer.candidates:
            yield site.location, f"{head} calls {hop.callee}() ({format_definition(hop.callee)})"


def iter_claim_lines(checks: "Iterable[ChainCheck]") -> Iterator[str]:
    """The claims of documents that are wrong or open."""
    for check in checks:
        for line in check.claims:
            if line.verdict.is_wrong or line.verdict.is_open:
                note = " ".join(line.note.split())
                yield f"{check.document.file}:{line.line.file_line}:1: {line.verdict}: {note}"
