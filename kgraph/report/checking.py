"""A checked document as text for people, and as the JSON that design.md fixes."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum

from kgraph.model.documents import (
    ChainCheck,
    CitationVerdict,
    LineVerdict,
    Verdict,
)
from kgraph.report.records import Record, Text, hop_record, scenario_record
from kgraph.report.text import Condition, guard_lines, scenario_text

WRONG = (Verdict.REFUTED, Verdict.CONTRADICTS)
OPEN = (Verdict.UNDECIDED, Verdict.UNREAD)
GOOD_CITATIONS = (CitationVerdict.EXACT, CitationVerdict.STATEMENT, CitationVerdict.NONE)
_WIDTH = 100


def check_lines(check: ChainCheck, guards: Condition | None = None) -> Iterator[str]:
    """The claims of a document, one a line, each with its verdict; under it what there is to say
    (and the conditions around its call, where `guards` gives their texts); then what is wrong or
    open, and the counts.
    """
    yield f"{check.document.file}"
    scenario = scenario_text(check.scenario)
    if scenario:
        yield f"scenario ({check.scenario.origin}): {scenario}"
    lines = claims(check)
    for line in lines:
        yield from _line(line, guards)
    yield from conclusion_lines(check, check.document.file)


def conclusion_lines(check: ChainCheck, name: str) -> Iterator[str]:
    """What is wrong or open in a document called `name`, and the counts."""
    lines = claims(check)
    for verdicts, head in ((WRONG, "wrong"), (OPEN, "could not be decided")):
        listed = [line for line in lines if line.verdict in verdicts]
        if listed:
            yield f"{head}:"
            yield from (
                f"  {name}:{line.line.file_line}: {line.verdict}: {line.note}"
                for line in listed
            )
    yield f"edges: {_counts((line.verdict for line in lines), Verdict)}"
    cited = [line.citation for line in lines if line.citation is not CitationVerdict.NONE]
    if cited:
        yield f"citations: {_counts(cited, CitationVerdict)}"


def claims(check: ChainCheck) -> list[LineVerdict]:
    """The lines that claim something, or look as if they did."""
    return [line for line in check.lines if line.verdict is not Verdict.PROSE]


def _counts(values: Iterable[StrEnum], order: Iterable[StrEnum]) -> str:
    found = Counter(values)
    return ", ".join(f"{found[value]} {value}" for value in order if found[value]) or "none"


def _line(line: LineVerdict, guards: Condition | None) -> Iterator[str]:
    text = line.line.text.replace("\t", "    ")
    shown = text if len(text) <= _WIDTH else f"{text[:_WIDTH - 1]}…"
    yield f"{line.line.file_line:5}  {line.verdict:<11}  {shown}"
    for said in (about_edge(line), about_citation(line)):
        if said:
            yield f"{'':20}^ {said}"
    if guards is not None and line.hop is not None:
        for around in guard_lines(line.hop.site, guards):
            yield f"{'':20}^ {around}"


def about_edge(line: LineVerdict) -> str:
    """What there is to say of the edge of a line, "" for nothing."""
    parts = [line.note] if line.note else []
    if line.via:
        parts.append(", ".join(f"{hop.callee} ({hop.site.location})" for hop in line.via))
    elif line.hop is not None and line.hop.evidence and line.verdict is not Verdict.HOLDS:
        first = line.hop.evidence[0]
        parts.append(f"{first.role} {first.location}")
    return "; ".join(parts)


def about_citation(line: LineVerdict) -> str:
    """What is wrong with the citation of a line, "" for nothing."""
    cited, found = line.line.citation, line.found
    if cited is None or line.citation in GOOD_CITATIONS:
        return ""
    said = f"citation {line.citation}"
    if line.distance:
        lines = f"{line.distance} line{'s' if line.distance > 1 else ''}"
        if found is not None and found.line > cited.line:
            return f"{said}, {lines} past another call: the one under it is {found}"
        said += f", {lines} past the call"
    return f"{said}: it is {found}" if found is not None else said


def check_record(checks: Sequence[ChainCheck], text: Text) -> Record:
    """The answer of `check`; the conditions around a call stand in its hop."""
    summary = Counter(line.verdict for check in checks for line in claims(check))
    return {
        "format": "kgraph-check/1",
        "documents": [
            {
                "file": check.document.file,
                "scenario": scenario_record(check.scenario),
                "lines": [_line_record(line, text) for line in check.lines],
            }
            for check in checks
        ],
        "summary": {verdict.value: summary[verdict] for verdict in Verdict if summary[verdict]},
    }


def _line_record(line: LineVerdict, text: Text) -> Record:
    found = line.found
    return {
        "line": line.line.file_line,
        "text": line.line.text,
        "kind": line.line.kind.value,
        "verdict": line.verdict.value,
        "citation": line.citation.value,
        "found": {"file": found.path, "line": found.line} if found else None,
        "distance": line.distance,
        "hop": hop_record(line.hop, text) if line.hop else None,
        "via": [hop_record(hop, text) for hop in line.via],
        "note": line.note,
    }
