"""The layout of a document: one claim a line, what stands under each line, and the sections.

`f() { g(); h(); }` becomes three lines. Each `else` gets the condition of its `if`. Verdicts are
folded back onto the lines as they were. A section reaches from one Markdown heading to the next.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from kgraph.check.context import CheckContext
from kgraph.check.outcome import SEVERITY, describe_parts, label_claim
from kgraph.model.document import Claim, Document, DocumentLine, LineKind
from kgraph.model.ids import VMLINUX
from kgraph.model.verdicts import LineVerdict

NAMING_KINDS = (LineKind.FUNCTION, LineKind.CALL)
_SHELL_FUNCTION = re.compile(r"[A-Za-z_]\w*\s+\(\)\s*\{", re.ASCII)
QUOTING_KINDS = (LineKind.STATEMENT, LineKind.CONDITION)


@dataclass
class SingleClaims:
    """The lines to judge, with one claim each, and how many of them each line of the document
    became.
    """

    lines: tuple[DocumentLine, ...]
    counts: list[int]

    def fold(
        self, verdicts: Sequence[LineVerdict], lines: Sequence[DocumentLine]
    ) -> tuple[LineVerdict, ...]:
        """The verdicts on the lines of the document, of those on the lines that they became."""
        found, start = [], 0
        for line, count in zip(lines, self.counts, strict=True):
            found.append(replace(_merge_verdicts(verdicts[start:start + count]), line=line))
            start += count
        return tuple(found)


def split_claims(document: Document) -> SingleClaims:
    """The lines of a document with one claim each."""
    lines: list[DocumentLine] = []
    counts, numbers, before = [], {0: 0}, dict[int, Claim]()
    unnumbered: list[int] = []  # the places of lines whose parent still has its old number
    for line in document.lines:
        first = len(lines)
        numbers[line.number] = first + 1
        for each in _iter_beside(line, before.get(line.parent, Claim())):
            unnumbered.append(len(lines))
            before[line.parent] = each.claim
            _add_line(lines, each)
        counts.append(len(lines) - first)
    for place in unnumbered:
        lines[place] = replace(lines[place], parent=numbers[lines[place].parent])
    return SingleClaims(tuple(lines), counts)


def _iter_beside(line: DocumentLine, before: Claim) -> Iterator[DocumentLine]:
    """A line; of `if (x) { f(); } else { g(); }` one line for each of the two. `before` is the
    claim before it under the same line.
    """
    is_apart = any(claim.within for _, claim in line.claim.also)
    first = replace(line.claim, also=()) if is_apart else line.claim
    for kind, claim in ((line.kind, first), *(line.claim.also if is_apart else ())):
        whole = _add_condition(claim, before)
        yield replace(line, kind=kind, claim=whole)
        line, before = replace(line, citation=None, comment=""), whole


def _add_condition(claim: Claim, before: Claim) -> Claim:
    """A claim; an `else` with the condition of the claim before it, if that is an `if`."""
    if claim.branch != "else" or before.branch != "if":
        return claim
    return replace(claim, condition=before.condition, negated=before.negated)


def _add_line(lines: list[DocumentLine], line: DocumentLine) -> None:
    """Add a line and what stands in its braces, each under a number of its own."""
    number, before = len(lines) + 1, Claim()
    claim = replace(line.claim, within=())
    lines.append(replace(line, number=number, claim=claim, one_line=line.file_line))
    for kind, each in line.claim.within:
        before = _add_condition(each, before)
        _add_line(lines, replace(line, kind=kind, claim=before, parent=number, depth=line.depth + 1,
                                 citation=None, comment=""))


def _merge_verdicts(verdicts: Sequence[LineVerdict]) -> LineVerdict:
    """One verdict on a line: the worst of those on its claims, with a note about each."""
    first, *others = verdicts
    if not others:
        return first
    worst = max(verdicts, key=lambda each: SEVERITY.index(each.verdict))
    note = describe_parts(
        (label_claim(each.line.kind, each.line.claim), each) for each in verdicts)
    return replace(first, verdict=worst.verdict, note=note)


@dataclass
class Layout:
    """The lines of a document by number, the lines directly under each, the section of each, and
    the lines of each section.
    """

    lines: dict[int, DocumentLine] = field(default_factory=dict)
    children: dict[int, list[DocumentLine]] = field(default_factory=dict)
    section: dict[int, int] = field(default_factory=dict)
    sections: dict[int, list[DocumentLine]] = field(default_factory=dict)

    def iter_judging_order(self) -> Iterator[DocumentLine]:
        """The lines, each behind the one that it stands under, which comes later in a backtrace."""
        waiting: list[DocumentLine] = []
        for line in self.lines.values():
            if line.parent > line.number:
                waiting.append(line)
                continue
            yield line
            last = line.number
            while waiting and waiting[-1].parent == last:
                last = waiting[-1].number
                yield waiting.pop()


def lay_out(lines: Iterable[DocumentLine]) -> Layout:
    """The layout of a document with these lines."""
    layout, section = Layout(), 0
    for line in lines:
        if line.kind is LineKind.HEADING and line.text.lstrip().startswith("#"):
            section += 1
        layout.lines[line.number] = line
        layout.section[line.number] = section
        layout.sections.setdefault(section, []).append(line)
        layout.children.setdefault(line.parent, []).append(line)
    return layout


def find_unknown_names(context: CheckContext, lines: Sequence[DocumentLine]) -> set[str]:
    """The names in a document that no function and no macro of the index has. The functions of the
    others are loaded, all at once.
    """
    names = {line.claim.name for line in lines if line.kind in NAMING_KINDS}
    names |= {line.claim.target for line in lines}
    names |= {name for line in lines for name in line.claim.onward}
    context.graph.load_names(name for name in names if name.isidentifier())
    return {name for name in names if name.isidentifier() and not _is_known(context, name)}


def drop_remarks(
    context: CheckContext, lines: Sequence[DocumentLine]
) -> tuple[DocumentLine, ...]:
    """The lines without targets that are words of a remark: what no pointer holds, as a table, a
    lock or a function that is only called by its name.
    """
    return tuple(
        replace(line, claim=replace(line.claim, target=""))
        if line.claim.is_remark and not _can_be_target(context, line.claim.target) else line
        for line in lines)


def _can_be_target(context: CheckContext, name: str) -> bool:
    """Whether a word may name the function that a pointer holds. What stands nowhere may be one
    that is written wrongly; what this configuration does not have, one of another.
    """
    known = context.find_functions(name)
    if known:
        return any(context.graph.find_bindings_of_function(each.number) for each in known)
    place = None if context.graph.is_call_macro(name) else context.tree.find_name(name)
    if place is None:
        return not context.graph.is_call_macro(name)
    text = "".join(context.tree.read_lines(place.path)[place.line - 1:place.line])
    return re.search(rf"\b{re.escape(name)}\s*\(", text, re.ASCII) is not None


def find_own_functions(context: CheckContext, layout: Layout) -> set[int]:
    """The lines that define a function which the kernel does not have, with its body: code of the
    document's own, as a program of user space.
    """
    found = set()
    for line in layout.lines.values():
        is_shell = _SHELL_FUNCTION.fullmatch(line.text.strip()) is not None
        if line.parent or line.kind not in NAMING_KINDS or not (line.claim.declared or is_shell):
            continue
        following = layout.lines.get(line.number + 1)
        has_body = line.text.rstrip().endswith("{") or (
            following is not None and following.text.strip() == "{")
        if has_body and not any(function.id.image == VMLINUX for function in
                                context.graph.find_functions(line.claim.name)) and (
                context.tree.find_name(line.claim.name) is None or line.claim.name == "main"):
            found.add(line.number)
    return found


def _is_known(context: CheckContext, name: str) -> bool:
    return bool(context.graph.find_functions(name)) or context.graph.is_call_macro(name)
