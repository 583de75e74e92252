"""A document as text: each claim with its verdict, then the wrong and open ones, then counts."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum

from kgraph.model.verdicts import ChainCheck, CitationVerdict, LineVerdict, Verdict
from kgraph.report.text import ConditionText, format_guards, format_scenario

_WIDTH = 100
_PLAIN = (Verdict.HOLDS, Verdict.STANDS)
# What counts of claims say: one claim does or is this, several do or are that.
_COUNTED = {
    Verdict.HOLDS: ("holds", "hold"), Verdict.STANDS: ("stands", "stand"),
    Verdict.GAP: ("with a gap", "with gaps"), Verdict.DEFERRED: ("deferred", "deferred"),
    Verdict.ONE_OF: ("one of several", "one of several"),
    Verdict.CONTRADICTS: ("contradicts the scenario", "contradict the scenario"),
    Verdict.REFUTED: ("refuted", "refuted"), Verdict.UNDECIDED: ("undecided", "undecided"),
    Verdict.UNREAD: ("unread", "unread"),
}


def format_check(check: ChainCheck, guards: ConditionText | None = None) -> Iterator[str]:
    """The claims of a document with their verdicts, the wrong and open ones again, and the counts.

    Remarks stand under the claim. Where `guards` gives the texts of conditions, so do those around
    its call.
    """
    yield f"{check.document.file}"
    scenario = format_scenario(check.scenario)
    if scenario:
        yield f"scenario ({check.scenario.origin}): {scenario}"
    lines = check.claims
    for line in lines:
        yield from _format_line(line, guards)
    yield from format_conclusion(check, check.document.file)


def format_conclusion(check: ChainCheck, name: str) -> Iterator[str]:
    """The wrong and the open claims of a document called `name`, and the counts."""
    lines = check.claims
    wrong = [line for line in lines if line.verdict.is_wrong]
    unsettled = [line for line in lines if line.verdict.is_open]
    for head, listed in (("wrong", wrong), ("undecided or unread", unsettled)):
        if listed:
            yield f"{head}:"
            yield from (
                f"  {name}:{line.line.file_line}: {line.verdict}: {line.note}"
                for line in listed
            )
    yield _count_claims(lines)
    cited = [line.citation for line in lines if line.citation is not CitationVerdict.NONE]
    if cited:
        yield f"citations: {_format_counts(cited, CitationVerdict)}"


def _count_claims(lines: Sequence[LineVerdict]) -> str:
    """The count of claims, in all and by their verdicts."""
    if not lines:
        return "no claims: nothing here was judged"
    found = Counter(line.verdict for line in lines)
    counts = ", ".join(f"{found[verdict]} {words[found[verdict] > 1]}"
                       for verdict, words in _COUNTED.items() if found[verdict])
    return f"{len(lines)} claim{'s' if len(lines) > 1 else ''}: {counts}"


def _format_counts(values: Iterable[StrEnum], order: Iterable[StrEnum]) -> str:
    found = Counter(values)
    return ", ".join(f"{found[value]} {value}" for value in order if found[value]) or "none"


def _format_line(line: LineVerdict, guards: ConditionText | None) -> Iterator[str]:
    yield f"{line.line.file_line:5}  {line.verdict:<11}  {shorten_claim(line)}"
    remarks = [text for text in (describe_edge(line), describe_citation(line)) if text]
    if guards is not None and line.hop is not None:
        remarks += format_guards(line.hop.site, guards)
    yield from (f"{'':20}^ {remark}" for remark in remarks)


def shorten_claim(line: LineVerdict) -> str:
    """The text of a line, cut off if it is long."""
    text = line.line.text.replace("\t", "    ")
    return text if len(text) <= _WIDTH else f"{text[:_WIDTH - 1]}…"


def describe_edge(line: LineVerdict) -> str:
    """The remark on the claim of a line; "" for none."""
    parts = [line.note] if line.note else []
    if line.via:
        parts.append(", ".join(f"{hop.callee} ({hop.site.location})" for hop in line.via))
    elif line.hop is not None and line.hop.evidence and line.verdict not in _PLAIN:
        first = line.hop.evidence[0]
        parts.append(f"{first.role} {first.location}")
    return "; ".join(parts)


def describe_citation(line: LineVerdict) -> str:
    """What is wrong with the citation of a line; "" if nothing is."""
    cited, found = line.line.citation, line.found
    if cited is None or line.citation.is_right:
        return ""
    text = f"citation {line.citation}"
    if line.distance:
        lines = f"{line.distance} line{'s' if line.distance > 1 else ''}"
        if found is not None and found.line > cited.line:
            return f"{text}, {lines} after another call: the one below is at {found}"
        text += f", {lines} after the call"
    return f"{text}: should be {found}" if found is not None else text
