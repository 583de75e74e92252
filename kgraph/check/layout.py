"""The layout of a document: one claim a line, what stands under each line, and the sections.

`f() { g(); h(); }` becomes three lines. Each `else` gets the condition of its `if`. Verdicts
are folded back onto the lines as they were. A section reaches from one Markdown heading to the
next.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from kgraph.check.context import CheckContext
from kgraph.check.outcome import SEVERITY, describe_by_name, label_claim
from kgraph.model.document import Claim, Document, DocumentLine, LineKind
from kgraph.model.verdicts import LineVerdict

NAMING_KINDS = (LineKind.FUNCTION, LineKind.CALL)
QUOTING_KINDS = (LineKind.STATEMENT, LineKind.CONDITION)


@dataclass
class Layout:
    """The lines of a document by their number, what hangs under each, the section of each, and the
    lines of each section.
    """

    lines: dict[int, DocumentLine] = field(default_factory=dict)
    children: dict[int, list[DocumentLine]] = field(default_factory=dict)
    section: dict[int, int] = field(default_factory=dict)
    sections: dict[int, list[DocumentLine]] = field(default_factory=dict)


def lay_out(document: Document) -> Layout:
    """The layout of a document."""
    layout, section = Layout(), 0
    for line in document.lines:
        if line.kind is LineKind.HEADING and line.text.lstrip().startswith("#"):
            section += 1
        layout.lines[line.number] = line
        layout.section[line.number] = section
        layout.sections.setdefault(section, []).append(line)
        layout.children.setdefault(line.parent, []).append(line)
    return layout


def iter_judging_order(lines: Iterable[DocumentLine]) -> Iterator[DocumentLine]:
    """Lines after the lines that they hang under, which come later in the stacks of a kernel."""
    waiting: list[DocumentLine] = []
    for line in lines:
        if line.parent > line.number:
            waiting.append(line)
            continue
        yield line
        last = line.number
        while waiting and waiting[-1].parent == last:
            last = waiting[-1].number
            yield waiting.pop()


def find_unknown_names(ground: CheckContext, document: Document) -> set[str]:
    """The names of a document that no function or object of the index has."""
    names = {line.claim.name for line in document.lines if line.kind in NAMING_KINDS}
    names |= {line.claim.target for line in document.lines}
    names |= {name for line in document.lines for name in line.claim.onward}
    return {name for name in names if name.isidentifier() and not _known(ground, name)}


def _known(ground: CheckContext, name: str) -> bool:
    return bool(ground.graph.find_functions(name)) or ground.graph.is_call_macro(name)


@dataclass
class SingleClaims:
    """The lines to be judged, and how many of them each line of the document became."""

    lines: tuple[DocumentLine, ...]
    held: list[int]

    def fold(
        self, verdicts: Sequence[LineVerdict], lines: Sequence[DocumentLine]
    ) -> Iterator[LineVerdict]:
        """The verdicts on the lines of the document, of those on the lines that they became."""
        start = 0
        for line, count in zip(lines, self.held, strict=True):
            yield replace(_merge_verdicts(verdicts[start:start + count]), line=line)
            start += count


def split_claims(document: Document) -> SingleClaims:
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
            _add_line(lines, each)
        held.append(len(lines) - first)
    for place in of_lines:
        lines[place] = replace(lines[place], parent=numbers[lines[place].parent])
    return SingleClaims(tuple(lines), held)


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


def _add_line(lines: list[DocumentLine], line: DocumentLine) -> None:
    """Add a line and what stands in its braces, each under a number of its own."""
    number, before = len(lines) + 1, Claim()
    claim = replace(line.claim, within=())
    lines.append(replace(line, number=number, claim=claim, one_line=line.file_line))
    for kind, each in line.claim.within:
        before = _of_its_if(each, before)
        _add_line(lines, replace(line, kind=kind, claim=before, parent=number, depth=line.depth + 1,
                            citation=None, comment=""))


def _merge_verdicts(verdicts: Sequence[LineVerdict]) -> LineVerdict:
    """One verdict on a line: the worst of those on its claims, with what is to say of each."""
    first, *others = verdicts
    if not others:
        return first
    worst = max(verdicts, key=lambda each: SEVERITY.index(each.verdict))
    note = describe_by_name(
        (label_claim(each.line.kind, each.line.claim), each) for each in verdicts
    )
    return replace(first, verdict=worst.verdict, note=note)
