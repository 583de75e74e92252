"""Documents with one claim a line: what the braces of a line hold, `f() { g(); h(); }`, on lines of
their own under it, and each `else` with the condition of its `if`. The verdicts are told of the
lines as they were.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from kgraph.model.documents import Claim, Document, DocumentLine, LineVerdict
from kgraph.query.checking.several import WORSE, called, notes_by_name


@dataclass
class Spread:
    """The lines to be judged, and how many of them each line of the document became."""

    lines: tuple[DocumentLine, ...]
    held: list[int]

    def fold(
        self, verdicts: Sequence[LineVerdict], lines: Sequence[DocumentLine]
    ) -> Iterator[LineVerdict]:
        """The verdicts on the lines of the document, of those on the lines that they became."""
        start = 0
        for line, count in zip(lines, self.held, strict=True):
            yield replace(_together(verdicts[start:start + count]), line=line)
            start += count


def spread(document: Document) -> Spread:
    """The lines of a document with one claim each."""
    lines: list[DocumentLine] = []
    held, numbers, before = [], {0: 0}, dict[int, Claim]()
    of_lines: list[int] = []  # the places of lines whose parent has its number in the document yet
    for line in document.lines:
        first = len(lines)
        numbers[line.number] = first + 1
        for each in _beside(line, before.get(line.parent, Claim())):
            of_lines.append(len(lines))
            before[line.parent] = each.claim
            _add(lines, each)
        held.append(len(lines) - first)
    for place in of_lines:
        lines[place] = replace(lines[place], parent=numbers[lines[place].parent])
    return Spread(tuple(lines), held)


def _beside(line: DocumentLine, before: Claim) -> Iterator[DocumentLine]:
    """A line, or where it holds `if (x) { f(); } else { g(); }` one for each of these; behind the
    claim `before` under the same line.
    """
    apart = any(claim.within for _, claim in line.claim.also)
    first = replace(line.claim, also=()) if apart else line.claim
    for kind, claim in ((line.kind, first), *(line.claim.also if apart else ())):
        told = _of_its_if(claim, before)
        yield replace(line, kind=kind, claim=told)
        line, before = replace(line, citation=None, comment=""), told


def _of_its_if(claim: Claim, before: Claim) -> Claim:
    """A claim; an `else` with the condition of what stands before it, if that is an `if`."""
    if claim.branch != "else" or before.branch != "if":
        return claim
    return replace(claim, condition=before.condition, negated=before.negated)


def _add(lines: list[DocumentLine], line: DocumentLine) -> None:
    """Add a line and what stands in its braces, each under a number of its own."""
    number, before = len(lines) + 1, Claim()
    claim = replace(line.claim, within=())
    lines.append(replace(line, number=number, claim=claim, one_line=line.file_line))
    for kind, each in line.claim.within:
        before = _of_its_if(each, before)
        _add(lines, replace(line, kind=kind, claim=before, parent=number, depth=line.depth + 1,
                            citation=None, comment=""))


def _together(verdicts: Sequence[LineVerdict]) -> LineVerdict:
    """One verdict on a line: the worst of those on its claims, with what is to say of each."""
    first, *others = verdicts
    if not others:
        return first
    worst = max(verdicts, key=lambda each: WORSE.index(each.verdict))
    note = notes_by_name((called(each.line.kind, each.line.claim), each) for each in verdicts)
    return replace(first, verdict=worst.verdict, note=note)
