"""Parses a document, line by line, into what each line claims and what it stands under.

A line stands under the nearest line above it that starts further to the left, or that opened
the brace around it, until prose at the left margin ends the chain. Each line of the document
becomes one record. A call that is broken over several lines is parsed as one, at the first of
them.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

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
from kgraph.check.document.claim_parser import (
    PROSE,
    ParsedClaim,
    parse_claim,
    parse_with_aside,
)
from kgraph.check.document.comments import find_claimed_target, split_comment
from kgraph.check.document.continuations import (
    FENCE,
    MAX_COMMENT_LINES,
    MAX_LINE_LENGTH,
    RawLine,
    count_comment_lines,
    count_joined_lines,
    iter_raw_lines,
    unmark_comment_trees,
)
from kgraph.check.document.formats.region import FormatReader, Region
from kgraph.check.document.formats.registry import find_reader
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
# Between two lines, and at the end of one: the next claim is called by the last one.
_DOWNWARD = re.compile(r"(?:[vV↓▼⇓⬇]|(?:->|=>|→|⇒))$")
_LEADS_ON = re.compile(r"(?<=[\w)`;])\s*(?:-{1,2}>|=>|→|⇒|↓)$")
_LEADING = re.compile(r"[}\s;,]*\}")
_LABEL = re.compile(r"([A-Za-z_]\w*)\s*:$", re.ASCII)
_LABELLED = re.compile(
    r"((?!default\b)(?:[a-z_]\w*|[A-Z][A-Z0-9_]+)):\s+"
    r"((?:return|goto|break|continue)\b|\w[\w>.-]*\s*[(=])?", re.ASCII)
_CALLED = re.compile(r"[A-Za-z_]\w*\s*\(", re.ASCII)
_DIRECTIVE = re.compile(r"#\s*(if|ifdef|ifndef|el\w+|endif|define|undef|pragma|include)\b")
_KINDS_WITH_TARGET = (LineKind.CALL, LineKind.INDIRECT, LineKind.FUNCTION, LineKind.CONDITION)


def parse_document(name: str, data: bytes) -> Document:
    """The document `name` of these bytes, UTF-8 in any language, in time linear in its size.

    Raises DocumentError if it is not text, or has more than MAX_LINES.
    """
    if b"\0" in data:
        line = data.count(b"\n", 0, data.index(b"\0")) + 1
        raise DocumentError(f"{name}:{line}: not a text file (it has a zero byte)",
                            "give a Markdown or text file")
    if data.count(b"\n") > MAX_LINES:
        raise DocumentError(f"{name}:{MAX_LINES + 1}: too long: kgraph reads {MAX_LINES:,} lines",
                            "divide it into several documents")
    return Document(name, tuple(_DocumentParser().iter_lines(data)))


@dataclass
class _DocumentParser:
    """The state of parsing: the chain's open lines; the table or record (`block`) that is open,
    with its line, its column and its braces; fence and heading; the number of the paragraph.
    """

    open_lines: OpenLines = field(default_factory=OpenLines)
    block: LineKind | None = None
    block_line: int = 0
    block_braces: int = 0
    block_column: int = 0
    in_fence: bool = False
    heading: str = ""
    paragraph: int = 0
    in_paragraph: bool = False
    label: str = ""  # on a line of its own, until a claim follows
    arrow: int | None = None  # the column of one that leads to the next claim
    prototype: UndrawnLine | None = None  # the line above, if it only declares a function
    prototype_names: set[int] = field(default_factory=set)  # the columns of its name
    following: str = ""  # the next line
    following_reader: FormatReader | None = None  # of the format that begins there

    def iter_lines(self, data: bytes) -> Iterator[DocumentLine]:
        """The records of all lines."""
        raws = list(iter_raw_lines(data))
        unmark_comment_trees(raws)
        texts = [raw.text for raw in raws]
        place = 0
        self.following_reader = find_reader(texts, 0)
        while place < len(raws):
            if self.following_reader is not None and self.block is None:
                region = self.following_reader.read(texts, place)
                yield from self._iter_region(data, raws[place:region.end], place, region)
                place = region.end
                self.following_reader = find_reader(texts, place)
                continue
            in_code = self.in_fence or self.open_lines.in_brace
            count = count_joined_lines(
                raws, place, in_fence=in_code, in_block=self.block is not None)
            self.following = texts[place + count] if place + count < len(raws) else ""
            self.following_reader = find_reader(texts, place + count)
            yield from self._iter_joined(data, raws[place:place + count])
            place += count
            silent = self._count_silent(raws, place, in_code=in_code)
            for raw in raws[place:place + silent]:
                yield DocumentLine(raw.number, raw.printed, LineKind.PROSE, heading=self.heading,
                                   start=raw.start, end=raw.end)
            if silent:
                place += silent
                self.following_reader = find_reader(texts, place)

    def _iter_region(
        self, data: bytes, raws: list[RawLine], first: int, region: Region
    ) -> Iterator[DocumentLine]:
        """The records of the lines of a format, which begin at the place `first`."""
        self._end_chain()
        depths = _count_depths(region)
        for place, raw in enumerate(raws, first):
            call = region.calls.get(place)
            parent = number = 0
            kind, claim, citation = LineKind.PROSE, Claim(), None
            if call is not None:
                kind, claim = LineKind.FUNCTION, Claim(name=call.name, onward=call.onward)
                last = place
                while last + 1 in region.continued:
                    last += 1
                citation = take_citation(data, raw, raws[last - first])[0]
                if call.caller is not None:
                    parent = raws[call.caller - first].number
                number = raw.number
            elif place in region.continued:
                kind, parent = LineKind.CONTINUATION, number
            elif place in region.unread:
                kind = LineKind.UNREAD
            self._count_paragraph(kind, raw.text)
            yield DocumentLine(
                raw.number, raw.printed, kind, claim, depths.get(place, 0), parent,
                self.paragraph if self.in_paragraph else 0, self.heading, "", citation,
                raw.start, raw.end, is_frame=call is not None and call.is_frame,
                unread=region.unread.get(place, ""),
            )
            if kind is LineKind.PROSE and raw.text.strip():
                self.heading = raw.text.strip()

    def _count_silent(self, raws: list[RawLine], place: int, *, in_code: bool) -> int:
        """How many lines from `place` on belong to a comment or a directive of the line above."""
        last = raws[place - 1].text
        comment = raws[place - 1:place + MAX_COMMENT_LINES] if "/*" in last else []
        count = count_comment_lines([each.text for each in comment])
        if in_code and _DIRECTIVE.match(last.lstrip()):
            while place + count < len(raws) and raws[place + count - 1].text.endswith("\\"):
                count += 1
        return count

    def _iter_joined(self, data: bytes, raws: list[RawLine]) -> Iterator[DocumentLine]:
        """The records of lines that are parsed as one."""
        first, last = raws[0], raws[-1]
        citation, text = take_citation(data, first, last)
        body, comment = split_comment(_strip_byte_order_mark(text))
        leads_on = _LEADS_ON.search(body) if self.block is None else None
        body = body[:leads_on.start()] if leads_on else body
        label, undrawn = self._split_label(body, cited=citation is not None)
        if len(first.text) > MAX_LINE_LENGTH:
            parsed = PROSE
        else:
            visible = _strip_byte_order_mark(first.text)
            parsed = self._parse(visible, undrawn, cited=citation is not None)
        comment = " ".join(part for part in (comment, parsed.remark) if part)
        label = label or (self.label if parsed.kind in BODY_KINDS else "")
        claim = replace(_add_target(parsed, comment), label=label)
        if parsed.kind in (*BODY_KINDS, LineKind.CLOSING):
            self.label = ""
        undrawn = self._align_prototype(undrawn, parsed)
        parent, depth = self._place(first.number, undrawn, parsed)
        if not parent and claim.branch in ("case", "else"):
            parsed, claim = PROSE, Claim()
        if leads_on is not None and parsed.kind in BODY_KINDS:
            self.arrow = undrawn.column
        self._count_paragraph(parsed.kind, first.text)
        yield DocumentLine(
            first.number, first.printed, parsed.kind, claim, depth, parent,
            self.paragraph if self.in_paragraph else 0, self.heading, comment, citation,
            first.start, first.end,
        )
        for raw in raws[1:]:
            yield DocumentLine(
                raw.number, raw.printed, LineKind.CONTINUATION, parent=first.number, depth=depth,
                block=self.paragraph, heading=self.heading, start=raw.start, end=raw.end,
            )
        if parsed.kind is LineKind.HEADING or (parsed.kind is LineKind.PROSE and undrawn.text):
            self.heading = first.text.strip()

    def _align_prototype(self, undrawn: UndrawnLine, parsed: ParsedClaim) -> UndrawnLine:
        """A line; one that declares a function below another such line, with the two names below
        each other, in the column of that one: its type is shorter, and it stands beside it.
        """
        above, self.prototype = self.prototype, None
        if not parsed.claim.declared or undrawn.is_drawn or not parsed.claim.name:
            return undrawn
        start = undrawn.text.find(parsed.claim.name + "(")
        stars = len(undrawn.text[:start]) - len(undrawn.text[:start].rstrip("*"))
        ends = {undrawn.column + start, undrawn.column + start - stars} if start > 0 else set()
        self.prototype = undrawn
        names, self.prototype_names = self.prototype_names, ends
        if above is None or ends.isdisjoint(names):
            return undrawn
        self.prototype = undrawn._replace(column=above.column)
        return self.prototype

    def _split_label(self, body: str, *, cited: bool) -> tuple[str, UndrawnLine]:
        """(the label before a statement, "" for none; the rest of the line). Between braces the
        rest stands where it would without the label.
        """
        undrawn = strip_drawing(body)
        is_plain = self.open_lines.in_brace or undrawn.is_drawn
        found = _LABELLED.match(undrawn.text) if self.block is None and (
            is_plain or self._can_stand_under(undrawn)) else None
        if found is None or not (is_plain or found[2]):
            return "", undrawn
        rest = undrawn.text[found.end(1) + 1:].lstrip()
        if parse_claim(rest, drawn=undrawn.is_drawn, cited=cited).kind not in BODY_KINDS:
            return "", undrawn
        if not self.open_lines.in_brace or undrawn.is_drawn:
            return found[1], undrawn._replace(text=rest)
        self.open_lines.pass_label()
        before = body[:len(body) - len(rest)]
        return found[1], strip_drawing(re.sub(r"[^\t]", " ", before) + rest)

    def _can_stand_under(self, undrawn: UndrawnLine) -> bool:
        """Whether a line of a fence may stand under another one merely by its column."""
        return self.in_fence and undrawn.column > 0 and self.open_lines.depth > 0

    def _leads_on(self, undrawn: UndrawnLine) -> bool:
        """Whether, in a fence, the next line is drawn or stands further to the right."""
        if not self.in_fence:
            return False
        following = strip_drawing(self.following)
        is_under = following.is_drawn or following.column > undrawn.column
        return bool(following.text) and is_under and self.following_reader is None

    def _parse(self, text: str, undrawn: UndrawnLine, *, cited: bool) -> ParsedClaim:
        """What a line is."""
        body = undrawn.text
        if FENCE.match(text):
            self.in_fence = not self.in_fence
            self._end_chain()
            return PROSE
        if not self.in_fence and _HEADING.match(text):
            self._end_chain()
            return ParsedClaim(LineKind.HEADING)
        if not body or self._is_arrow(undrawn):
            return PROSE
        if _OMISSION.match(body):
            return ParsedClaim(LineKind.OMISSION)
        if _BRACES.match(body):
            return ParsedClaim(LineKind.CLOSING)
        inside = self._parse_in_block(undrawn)
        if inside is not None:
            return inside
        is_under = self._can_stand_under(undrawn) or self.arrow is not None
        is_alone = body.isidentifier() and (
            is_under or (not undrawn.column and self._leads_on(undrawn)))
        drawn = undrawn.is_drawn or is_alone
        parsed = self._parse_outside(body, drawn=drawn, cited=cited)
        if parsed.kind in (LineKind.PROSE, LineKind.UNREAD):
            is_indented = undrawn.column > 0 and self.open_lines.depth > 0
            in_tree = drawn or is_under or is_indented or self.in_fence
            parsed = parse_with_aside(body, drawn=drawn, cited=cited, in_tree=in_tree) or parsed
        if parsed.kind is LineKind.PROSE and _CALLED.match(body) and self._leads_on(undrawn):
            return ParsedClaim(LineKind.UNREAD)  # else what stands under it would become roots
        return parsed

    def _is_arrow(self, undrawn: UndrawnLine) -> bool:
        """Whether a line is an arrow from the claim above to the next one."""
        return self.open_lines.depth > 0 and not self.open_lines.in_brace and (
            _DOWNWARD.match(undrawn.text) is not None)

    def _parse_in_block(self, undrawn: UndrawnLine) -> ParsedClaim | None:
        """What a line of a table or a record is; None outside of them. What stands no further to
        the right than the head, and is no part, ends it.
        """
        body, found = undrawn.text, None
        if self.block is LineKind.TABLE:
            found = parse_table_line(body)
        elif self.block is not None:
            members = parse_nested_record(body) if "{" in body else None
            found = members or parse_record_line(body)
        if self.block is None or found is not None:
            return found
        if undrawn.column > self.block_column:
            return ParsedClaim(LineKind.UNREAD)
        self.block = None
        return ParsedClaim(LineKind.CLOSING) if body.startswith("}") else None

    def _parse_outside(self, body: str, *, drawn: bool, cited: bool) -> ParsedClaim:
        """What a line is that stands in no table and no record."""
        head = parse_table_head(body) or parse_record_head(body)
        if head is not None:
            return head
        if self.in_fence and _COMMAND.match(body) and not cited:
            return ParsedClaim(LineKind.COMMAND)
        has_block = "{" in body and body.rstrip("; ").endswith("}")
        if body.endswith("}") and count_braces(body.lstrip("}"))[0]:
            body = body.rstrip("} \t")  # it ends what stands above
        block = parse_one_line_block(body, drawn=drawn, cited=cited) if has_block else None
        return block or parse_claim(body, drawn=drawn, cited=cited)

    def _end_chain(self) -> None:
        self.open_lines.clear()
        self.arrow = None
        self.label = ""
        self.block = None

    def _place(self, number: int, undrawn: UndrawnLine, parsed: ParsedClaim) -> tuple[int, int]:
        """(the line that this one stands under, how deep it stands)."""
        kind, text, column = parsed.kind, undrawn.text, undrawn.column
        if self.block is not None:
            owner = self.block_line
            if kind is not LineKind.UNREAD:
                self._count_block_braces(text)
            return owner, 1
        if kind is LineKind.CLOSING:
            self._pass_braces(undrawn)
            return 0, 0
        if kind in (LineKind.TABLE, LineKind.RECORD):
            self.block, self.block_line, self.block_braces = kind, number, 0
            self.block_column = column
            self._count_block_braces(text)
            is_inside = column > 0 or self.open_lines.in_brace
            return self.open_lines.find_parent(column) if is_inside else (0, 0)
        leading = _LEADING.match(text)
        self.open_lines.close_braces(leading[0].count("}") if leading else 0, column)
        closed, opened = count_braces(text[leading.end() if leading else 0:])
        parent, depth = 0, 0
        # A block on one line that could not be read has nothing below standing in it.
        is_unread_block = (
            kind is LineKind.UNREAD and not column and text.rstrip("; ").endswith("}"))
        if is_unread_block or kind in (LineKind.PROSE, LineKind.HEADING, LineKind.COMMAND):
            opened = opened if self._pass_prose(undrawn) else 0
        else:
            if self.arrow is None:
                parent, depth = self.open_lines.find_parent(column)
            else:
                parent, depth = self.open_lines.find_above(self.arrow)
                self.arrow = None
            if kind is not LineKind.OMISSION and not parsed.claim.within:
                self.open_lines.add(
                    number, column, has_brace=opened > 0, has_end=text.endswith(";"))
                opened -= 1
        if closed and self.open_lines.in_brace:
            self.open_lines.close_braces(closed, column)
        for _ in range(opened):
            self.open_lines.open_brace(column, alone=False)
        return parent, depth

    def _pass_prose(self, undrawn: UndrawnLine) -> bool:
        """Pass a line that claims nothing: what stands below may stand under something else. Return
        whether a brace that it opens counts.
        """
        text, in_brace = undrawn.text, self.open_lines.in_brace
        if self._is_arrow(undrawn):
            self.arrow = undrawn.column
            return False
        directive = _DIRECTIVE.match(text) if in_brace else None
        if directive is not None:
            self.open_lines.pass_directive(directive[1])
        if directive is not None or not text:
            return False
        label = _LABEL.match(text) if in_brace else None
        if label is not None:
            self.label = label[1]
            self.open_lines.pass_label()
        elif not undrawn.column and not (self.in_fence and in_brace):
            self.open_lines.clear()
            self.arrow = None
            return False
        else:
            self.open_lines.find_parent(undrawn.column)
        return True

    def _pass_braces(self, undrawn: UndrawnLine) -> None:
        """Pass a line of nothing but braces."""
        for brace in undrawn.text:
            if brace == "{":
                self.open_lines.open_brace(undrawn.column, alone=True)
            elif brace == "}":
                self.open_lines.close_braces(1, undrawn.column)

    def _count_block_braces(self, text: str) -> None:
        """Count the braces of a table's or record's line; the last one closed ends it."""
        self.block_braces += text.count("{") - text.count("}")
        if self.block_braces <= 0 and "}" in text:
            self.block = None

    def _count_paragraph(self, kind: LineKind, text: str) -> None:
        is_outside = kind in (LineKind.PROSE, LineKind.HEADING) or not text.strip()
        if not is_outside and not self.in_paragraph:
            self.paragraph += 1
        self.in_paragraph = not is_outside


def _count_depths(region: Region) -> dict[int, int]:
    """How many callers stand above each call of a format, by the places of the lines."""
    depths: dict[int, int] = {}
    for place in region.calls:
        chain = []
        at: int | None = place
        while at is not None and at not in depths:
            chain.append(at)
            at = region.calls[at].caller
        depth = -1 if at is None else depths[at]
        for each in reversed(chain):
            depth += 1
            depths[each] = depth
    return depths


def _strip_byte_order_mark(text: str) -> str:
    return text.removeprefix("\ufeff")


def _add_target(parsed: ParsedClaim, comment: str) -> Claim:
    """The claim with the target that a comment names."""
    if parsed.kind not in _KINDS_WITH_TARGET or not comment:
        return parsed.claim
    target = find_claimed_target(comment)
    return replace(parsed.claim, target=target.name,
                   is_remark=bool(target.name) and not target.is_sure)
