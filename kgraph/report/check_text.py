"""A document as text: each claim with its verdict, then the wrong and open ones, then counts."""

from collections import Counter
from collections.abc import Iterable, Iterator
from enum import StrEnum

from kgraph.model.verdicts import ChainCheck, CitationVerdict, LineVerdict, Verdict
from kgraph.report.text import ConditionText, format_guards, format_scenario

WRONG_VERDICTS = (Verdict.REFUTED, Verdict.CONTRADICTS)
OPEN_VERDICTS = (Verdict.UNDECIDED, Verdict.UNREAD)
GOOD_CITATIONS = (CitationVerdict.EXACT, CitationVerdict.STATEMENT, CitationVerdict.NONE)
_WIDTH = 100


def format_check(check: ChainCheck, guards: ConditionText | None = None) -> Iterator[str]:
    """The claims of a document, one a line, each with its verdict; under it what there is to say
    (and the conditions around its call, where `guards` gives their texts); then what is wrong or
    open, and the counts.
    """
    yield f"{check.document.file}"
    scenario = format_scenario(check.scenario)
    if scenario:
        yield f"scenario ({check.scenario.origin}): {scenario}"
    lines = list_claims(check)
    for line in lines:
        yield from _format_line(line, guards)
    yield from format_conclusion(check, check.document.file)


def format_conclusion(check: ChainCheck, name: str) -> Iterator[str]:
    """What is wrong or open in a document called `name`, and the counts."""
    lines = list_claims(check)
    for verdicts, head in ((WRONG_VERDICTS, "wrong"), (OPEN_VERDICTS, "could not be decided")):
        listed = [line for line in lines if line.verdict in verdicts]
        if listed:
            yield f"{head}:"
            yield from (
                f"  {name}:{line.line.file_line}: {line.verdict}: {line.note}"
                for line in listed
            )
    yield f"edges: {_format_counts((line.verdict for line in lines), Verdict)}"
    cited = [line.citation for line in lines if line.citation is not CitationVerdict.NONE]
    if cited:
        yield f"citations: {_format_counts(cited, CitationVerdict)}"


def list_claims(check: ChainCheck) -> list[LineVerdict]:
    """The lines that claim something, or look as if they did."""
    return [line for line in check.lines if line.verdict is not Verdict.PROSE]


def _format_counts(values: Iterable[StrEnum], order: Iterable[StrEnum]) -> str:
    found = Counter(values)
    return ", ".join(f"{found[value]} {value}" for value in order if found[value]) or "none"


def _format_line(line: LineVerdict, guards: ConditionText | None) -> Iterator[str]:
    text = line.line.text.replace("\t", "    ")
    shown = text if len(text) <= _WIDTH else f"{text[:_WIDTH - 1]}…"
    yield f"{line.line.file_line:5}  {line.verdict:<11}  {shown}"
    for said in (describe_edge(line), describe_citation(line)):
        if said:
            yield f"{'':20}^ {said}"
    if guards is not None and line.hop is not None:
        for around in format_guards(line.hop.site, guards):
            yield f"{'':20}^ {around}"


def describe_edge(line: LineVerdict) -> str:
    """What there is to say of the edge of a line, "" for nothing."""
    parts = [line.note] if line.note else []
    if line.via:
        parts.append(", ".join(f"{hop.callee} ({hop.site.location})" for hop in line.via))
    elif line.hop is not None and line.hop.evidence and line.verdict is not Verdict.HOLDS:
        first = line.hop.evidence[0]
        parts.append(f"{first.role} {first.location}")
    return "; ".join(parts)


def describe_citation(line: LineVerdict) -> str:
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
