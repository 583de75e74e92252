"""Parses a document, line by line, into what each line claims and what it stands under.

A line stands under the nearest line above it that starts further to the left, or that opened
the brace around it, until prose at the left margin ends the chain. Each line of the document
becomes one record. A call that is broken over several lines is parsed as one, at the first of
them.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from kgraph.check.document.backtraces import is_in_backtrace, link_frames, parse_frame
from kgraph.check.document.blocks import (
    BODY_KINDS,
    parse_nested_record,
    parse_one_line_block,
    parse_record_head,
    parse_record_line,
    parse_table_head,
    parse_table_line,
)
from kgraph.check.document.brackets import count_braces
from kgraph.check.document.citations import take_citation
from kgraph.check.document.claim_parser import PROSE, ParsedClaim, parse_claim
from kgraph.check.document.comments import find_claimed_target, split_comment
from kgraph.check.document.continuations import (
    FENCE,
    MAX_COMMENT_LINES,
    MAX_LINE_LENGTH,
    RawLine,
    count_comment_lines,
    count_joined_lines,
    iter_raw_lines,
)
from kgraph.check.document.indentation import OpenLines, UndrawnLine, strip_drawing
from kgraph.errors import DocumentError
from kgraph.model.document import Claim, Document, DocumentLine, LineKind

MAX_LINES = 200_000
_HEADING = re.compile(r"#{1,6}\s")
_OMISSION = re.compile(r"[\s(\[]*(?:\.{2,}|…+|。{2,}|·{3,})[\s)\]]*$")
_BRACES = re.compile(r"[{}][\s;,{}]*$")
_COMMAND = re.compile(
    r"(?:[$#]\s+\S|(?:sudo\s+)?(?:ip|brctl|ifconfig|modprobe|insmod|echo|sysctl|tc|iptables|nft|"
    r"ethtool|ping|cat|mount|make|gcc|perf|trace-cmd|bpftrace|strace|nc|ssh|curl|docker)\s+[\w/-])"
)
_LEADING = re.compile(r"[}\s;,]*\}")
_LABEL = re.compile(r"([A-Za-z_]\w*)\s*:$", re.ASCII)
_LABELLED = re.compile(
    r"((?!default\b)(?:[a-z_]\w*|[A-Z][A-Z0-9_]+)):\s+"
    r"((?:return|goto|break|continue)\b|\w[\w>.-]*\s*[(=])?", re.ASCII)
_CALLED = re.compile(r"[A-Za-z_]\w*\s*\(", re.ASCII)
_DIRECTIVE = re.compile(r"#\s*(if|ifdef|ifndef|el\w+|endif|define|undef|pragma|include)\b")
_TARGETING = (LineKind.CALL, LineKind.INDIRECT, LineKind.FUNCTION, LineKind.CONDITION)


def parse_document(name: str, data: bytes) -> Document:
    """The document `name` of these bytes, UTF-8 in any language.

    Raises DocumentError where it is no text, or has more than MOST_LINES. Takes time linear in its
    size.
    """
    if b"\0" in data:
        line = data.count(b"\n", 0, data.index(b"\0")) + 1
        raise DocumentError(f"{name}:{line}: this is no text (a zero byte)",
                            "give a Markdown or text file")
    if data.count(b"\n") > MAX_LINES:
        raise DocumentError(f"{name}:{MAX_LINES + 1}: it goes on, and {MAX_LINES:,} lines are all"
                            " that is read", "divide it into several")
    return Document(name, link_frames(_DocumentParser().lines(data)))


@dataclass
class _DocumentParser:
    """The state of reading: the chain's open lines, the table or record, fence and heading."""

    stack: OpenLines = field(default_factory=OpenLines)
    within: LineKind | None = None
    owner: int = 0
    braces: int = 0
    fenced: bool = False
    traced: bool = False
    heading: str = ""
    block: int = 0
    in_block: bool = False
    label: str = ""  # that stands on a line of its own, until a claim follows
    following: str = ""  # the next line

    def lines(self, data: bytes) -> Iterator[DocumentLine]:
        """The records of all lines."""
        raws = list(iter_raw_lines(data))
        place = 0
        while place < len(raws):
            fenced = self.fenced or self.stack.in_brace
            count = count_joined_lines(raws, place, fenced=fenced, within=self.within is not None)
            self.following = raws[place + count].text if place + count < len(raws) else ""
            yield from self._line(data, raws[place:place + count])
            place += count
            last = raws[place - 1].text
            more = raws[place - 1:place + MAX_COMMENT_LINES] if "/*" in last else []
            silent = count_comment_lines([each.text for each in more])
            if fenced and _DIRECTIVE.match(last.lstrip()):
                while place + silent < len(raws) and raws[place + silent - 1].text.endswith("\\"):
                    silent += 1
            for raw in raws[place:place + silent]:
                yield DocumentLine(raw.number, raw.text, LineKind.PROSE, heading=self.heading,
                                   start=raw.start, end=raw.end)
                place += 1

    def _line(self, data: bytes, raws: list[RawLine]) -> Iterator[DocumentLine]:
        first, last = raws[0], raws[-1]
        citation, text = take_citation(data, first, last)
        body, comment = split_comment(_visible(text))
        label, drawn = self._labelled(body, cited=citation is not None)
        if len(first.text) > MAX_LINE_LENGTH:
            read = PROSE
        else:
            read = self._read(_visible(first.text), drawn, cited=citation is not None)
        comment = " ".join(part for part in (comment, read.remark) if part)
        label = label or (self.label if read.kind in BODY_KINDS else "")
        claim = replace(_with_target(read, comment), label=label)
        if read.kind in (*BODY_KINDS, LineKind.CLOSING):
            self.label = ""
        parent, depth = self._place(first.number, drawn, read)
        if not parent and claim.branch in ("case", "else"):
            read, claim = PROSE, Claim()
        self._count_block(read.kind, first.text)
        yield DocumentLine(
            first.number, first.text, read.kind, claim, depth, parent,
            self.block if self.in_block else 0, self.heading, comment, citation, first.start,
            first.end,
        )
        for raw in raws[1:]:
            yield DocumentLine(
                raw.number, raw.text, LineKind.CONTINUATION, parent=first.number, depth=depth,
                block=self.block, heading=self.heading, start=raw.start, end=raw.end,
            )
        if read.kind is LineKind.HEADING or (read.kind is LineKind.PROSE and drawn.text):
            self.heading = first.text.strip()

    def _labelled(self, body: str, *, cited: bool) -> tuple[str, UndrawnLine]:
        """(the label before a statement, the rest of the line where it stands); "" where there is
        none. Between braces what follows stands where it would without.
        """
        drawn = strip_drawing(body)
        plain = self.stack.in_brace or drawn.drawn
        found = _LABELLED.match(drawn.text) if self.within is None and (
            plain or self._under(drawn)) else None
        if found is None or not (plain or found[2]):
            return "", drawn
        rest = drawn.text[found.end(1) + 1:].lstrip()
        if parse_claim(rest, drawn=drawn.drawn, cited=cited).kind not in BODY_KINDS:
            return "", drawn
        if not self.stack.in_brace or drawn.drawn:
            return found[1], drawn._replace(text=rest)
        self.stack.pass_label()
        before = body[:len(body) - len(rest)]
        return found[1], strip_drawing(re.sub(r"[^\t]", " ", before) + rest)

    def _under(self, drawn: UndrawnLine) -> bool:
        """Whether a line of a fence may hang, by its column alone, under another one."""
        return self.fenced and drawn.column > 0 and self.stack.depth > 0

    def _leads(self, drawn: UndrawnLine) -> bool:
        """Whether, in a fence, the next line is drawn or stands further to the right."""
        following = (
            strip_drawing(self.following) if self.fenced else UndrawnLine("", 0, drawn=False)
        )
        return bool(following.text) and (following.drawn or following.column > drawn.column) and (
            parse_frame(self.following, traced=self.traced) is None)

    def _read(self, text: str, drawn: UndrawnLine, *, cited: bool) -> ParsedClaim:
        """What a line is."""
        body = drawn.text
        traced, self.traced = self.traced, is_in_backtrace(text, before=self.traced)
        if FENCE.match(text):
            self.fenced = not self.fenced
            self._leave()
            return PROSE
        if not self.fenced and _HEADING.match(text):
            self._leave()
            return ParsedClaim(LineKind.HEADING)
        if not body:
            return PROSE
        frame = parse_frame(text, traced=traced) if self.within is None else None
        if frame is not None:
            self.stack.clear()
            return frame
        if _OMISSION.match(body):
            return ParsedClaim(LineKind.OMISSION)
        if _BRACES.match(body):
            return ParsedClaim(LineKind.CLOSING)
        if self.within is LineKind.TABLE:
            return parse_table_line(body) or ParsedClaim(LineKind.UNREAD)
        if self.within is not None:
            members = parse_nested_record(body) if "{" in body else None
            return members or parse_record_line(body) or ParsedClaim(LineKind.UNREAD)
        lone = body.isidentifier() and (
            self._under(drawn) or (not drawn.column and self._leads(drawn)))
        read = self._read_outside(body, drawn=drawn.drawn or lone, cited=cited)
        if read.kind is LineKind.PROSE and _CALLED.match(body) and self._leads(drawn):
            return ParsedClaim(LineKind.UNREAD)  # what hangs under it would be taken for roots
        return read

    def _read_outside(self, body: str, *, drawn: bool, cited: bool) -> ParsedClaim:
        """What a line is that stands in no table and no record."""
        head = parse_table_head(body) or parse_record_head(body)
        if head is not None:
            return head
        if self.fenced and _COMMAND.match(body) and not cited:
            return ParsedClaim(LineKind.COMMAND)
        closed = "{" in body and body.rstrip("; ").endswith("}")
        if body.endswith("}") and count_braces(body.lstrip("}"))[0]:
            body = body.rstrip("} \t")  # it ends what stands above
        block = parse_one_line_block(body, drawn=drawn, cited=cited) if closed else None
        return block or parse_claim(body, drawn=drawn, cited=cited)

    def _leave(self) -> None:
        self.stack.clear()
        self.label = ""
        self.within = None

    def _place(self, number: int, drawn: UndrawnLine, read: ParsedClaim) -> tuple[int, int]:
        """(the line that this one stands under, how deep it stands)."""
        kind = read.kind
        if self.within is not None:
            return self._place_within(drawn, kind)
        if kind is LineKind.CLOSING:
            self._braces(drawn)
            return 0, 0
        if kind in (LineKind.TABLE, LineKind.RECORD):
            self.within, self.owner, self.braces = kind, number, 0
            self._count_braces(drawn.text)
            inside = drawn.column > 0 or self.stack.in_brace
            return self.stack.find_parent(drawn.column) if inside else (0, 0)
        leading = _LEADING.match(drawn.text)
        self.stack.close_braces(leading[0].count("}") if leading else 0, drawn.column)
        closed, opened = count_braces(drawn.text[leading.end() if leading else 0:])
        parent, depth = 0, 0
        # What closes what it opened and could not be read has nothing below standing in it.
        unread = kind is LineKind.UNREAD and not drawn.column
        if kind in (LineKind.PROSE, LineKind.HEADING, LineKind.COMMAND) or (
                unread and drawn.text.rstrip("; ").endswith("}")):
            opened = opened if self._pass(drawn) else 0
        else:
            parent, depth = self.stack.find_parent(drawn.column)
            if kind is not LineKind.OMISSION and not read.claim.within:
                ended = drawn.text.endswith(";")
                self.stack.add(number, drawn.column, brace=opened > 0, ended=ended)
                opened -= 1
        if closed and self.stack.in_brace:
            self.stack.close_braces(closed, drawn.column)
        for _ in range(opened):
            self.stack.open_brace(drawn.column, alone=False)
        return parent, depth

    def _pass(self, drawn: UndrawnLine) -> bool:
        """A line that claims nothing: what stands below it may stand under something else. Whether
        a brace that it opens counts.
        """
        directive = _DIRECTIVE.match(drawn.text) if self.stack.in_brace else None
        if directive is not None:
            self.stack.pass_directive(directive[1])
        if directive is not None or not drawn.text:
            return False
        label = _LABEL.match(drawn.text) if self.stack.in_brace else None
        if label is not None:
            self.label = label[1]
            self.stack.pass_label()
        elif not drawn.column and not (self.fenced and self.stack.in_brace):
            self.stack.clear()
            return False
        else:
            self.stack.find_parent(drawn.column)
        return True

    def _braces(self, drawn: UndrawnLine) -> None:
        """A line of nothing but braces."""
        for brace in drawn.text:
            if brace == "{":
                self.stack.open_brace(drawn.column, alone=True)
            elif brace == "}":
                self.stack.close_braces(1, drawn.column)

    def _place_within(self, drawn: UndrawnLine, kind: LineKind) -> tuple[int, int]:
        owner = self.owner
        if kind is not LineKind.UNREAD:
            self._count_braces(drawn.text)
        return owner, 1

    def _count_braces(self, text: str) -> None:
        """The braces of a table's or record's line; the last one closed ends it."""
        self.braces += text.count("{") - text.count("}")
        if self.braces <= 0 and "}" in text:
            self.within = None

    def _count_block(self, kind: LineKind, text: str) -> None:
        outside = kind in (LineKind.PROSE, LineKind.HEADING) or not text.strip()
        if not outside and not self.in_block:
            self.block += 1
        self.in_block = not outside


def _visible(text: str) -> str:
    """A line without the mark that some editors put before a document."""
    return text.removeprefix("\ufeff")


def _with_target(read: ParsedClaim, comment: str) -> Claim:
    if read.kind not in _TARGETING or not comment:
        return read.claim
    return replace(read.claim, target=find_claimed_target(comment))
