"""A document under several indexes: a column of verdicts for each, as text and JSON."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from kgraph.model.results import IndexDescription, KnownFunction
from kgraph.model.verdicts import ChainCheck, LineVerdict, Verdict
from kgraph.report.check_text import describe_citation, describe_edge, shorten_claim
from kgraph.report.json import LineReader, Record, encode_checks, encode_function

_COLUMN = 11
_SETTLED = (Verdict.HOLDS, Verdict.STANDS)


class ColumnCheck(NamedTuple):
    """A document under each of several indexes, the older first. `successors`: what the function of
    a line (by its number) is in the last index, if it has another name or other parameters there.
    """

    checks: Sequence[ChainCheck]
    successors: Mapping[int, tuple[KnownFunction, KnownFunction]]


def list_columns(abouts: Sequence[IndexDescription]) -> list[str]:
    """The name of each column: the release, with a number where releases are the same."""
    names = [about.release or f"index {number}" for number, about in enumerate(abouts, 1)]
    return [f"{name} ({names[:at].count(name) + 1})" if names.count(name) > 1 else name
            for at, name in enumerate(names)]


def format_columns(
    document: ColumnCheck, abouts: Sequence[IndexDescription]
) -> Iterator[str]:
    """Each claim with its verdicts; notes stand below it, after the name of their column."""
    checks, names = document.checks, list_columns(abouts)
    yield checks[0].document.file
    for name, about in zip(names, abouts, strict=True):
        yield f"{name}: {about.tree}, {about.config}"
    yield f"{'':5}  {'  '.join(f'{name[:_COLUMN]:<{_COLUMN}}' for name in names)}"
    for row in _list_rows(checks):
        line = row[0].line
        verdicts = "  ".join(f"{each.verdict:<{_COLUMN}}" for each in row)
        yield f"{line.file_line:5}  {verdicts}  {shorten_claim(row[0])}"
        yield from _format_notes(row, names, document.successors.get(line.number))
    for name, check in zip(names, checks, strict=True):
        counts = Counter(each.verdict for each in check.claims)
        yield f"{name}: " + ", ".join(
            f"{counts[verdict]} {verdict}" for verdict in Verdict if counts[verdict])
    rows = _list_rows(checks)
    same = sum(row[0].verdict == row[-1].verdict for row in rows)
    lost = sum(row[0].verdict in _SETTLED and row[-1].verdict.is_wrong for row in rows)
    yield f"{len(rows)} claims: {same} fare alike, {lost} held and are wrong in {names[-1]}"


def _list_rows(checks: Sequence[ChainCheck]) -> list[tuple[LineVerdict, ...]]:
    """The lines that are a claim in any of the indexes."""
    return [row for row in zip(*(check.lines for check in checks), strict=True)
            if any(each.verdict is not Verdict.PROSE for each in row)]


def _format_notes(
    row: Sequence[LineVerdict], names: Sequence[str],
    successor: tuple[KnownFunction, KnownFunction] | None,
) -> Iterator[str]:
    margin = " " * (7 + (_COLUMN + 2) * len(row))
    notes = [tuple(text for text in (describe_edge(each), describe_citation(each)) if text)
             for each in row]
    if len(set(notes)) == 1:
        yield from (f"{margin}^ {note}" for note in notes[0])
    else:
        for name, texts in zip(names, notes, strict=True):
            yield from (f"{margin}^ {name}: {note}" for note in texts)
    if successor is not None:
        yield f"{margin}^ {names[-1]}: {describe_successor(*successor)}"


def describe_successor(before: KnownFunction, after: KnownFunction) -> str:
    """What a function became."""
    parameters = f"({', '.join(after.parameters)})"
    if before.id.name != after.id.name:
        return f"{before} seems to be {after}{parameters} ({after.location})"
    return f"{after} takes {parameters}, not ({', '.join(before.parameters)}) ({after.location})"


def encode_columns(
    documents: Sequence[ColumnCheck], abouts: Sequence[IndexDescription],
    readers: Sequence[LineReader],
) -> Record:
    """For each index the answer of `check` with it, and what functions became."""
    return {
        "format": "kgraph-check-columns/1",
        "columns": [{
            "name": name, "tree": str(about.tree), "release": about.release,
            "config": str(about.config),
            "check": encode_checks([document.checks[at] for document in documents], readers[at]),
        } for at, (name, about) in enumerate(zip(list_columns(abouts), abouts, strict=True))],
        "successors": [{
            "file": document.checks[0].document.file,
            "lines": [{"line": number, "before": encode_function(before),
                       "after": encode_function(after)}
                      for number, (before, after) in sorted(document.successors.items())],
        } for document in documents],
    }
