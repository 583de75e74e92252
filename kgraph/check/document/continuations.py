"""The lines of a document as they stand in its bytes, and over how many of them a call, a
statement, the head of a record or a comment is broken.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from kgraph.check.document.brackets import count_unclosed
from kgraph.check.document.comments import split_comment
from kgraph.check.document.formats.log_prefixes import QUOTE
from kgraph.check.document.indentation import strip_drawing

MAX_LINE_LENGTH = 4000
MAX_COMMENT_LINES = 60  # of one comment
FENCE = re.compile(r"\s*(```|~~~)")

_MAX_JOINED = 12
_RECORD_HEAD = re.compile(r"[ \t]{0,40}(?:typedef\s+)?(?:struct|union)\s+\w+\s*$", re.ASCII)
_MAY_CONTINUE = re.compile(r"[(=]|return")
_OPERATOR_LAST = re.compile(r"(?:(?:^|[^=!<>])=|&&|\|\||\w\s+[?+&|])$")
_OPERATOR_FIRST = re.compile(r"\s+[*+-]\s")
# An assignment without its end, and a line that begins with an operator and ends with a semicolon.
_OPEN_ASSIGNMENT = re.compile(
    r"\s*(?:[\w>.*\[\]-]+\s*[-+*/%&|^]?=(?!=)|return\b).*[\w)\]]$", re.ASCII)
_REST_OF_EXPRESSION = re.compile(r"\s+(?:&&|\|\||[?:*/+%|&^-]|==|<<|>>)\s.*;\s*$", re.ASCII)
_COMMENT_OPENING = re.compile(r"\s*/\*+\s*$")
_COMMENT_LINE = re.compile(r"\s*\*(?!/)")
_CALL_LINE = re.compile(r"\s*\*[\s|`+\\-]*([A-Za-z_]\w*)\s*\([^()]*\)\s*;?\s*$", re.ASCII)
_COMMENT_START = re.compile(r"(?:^|\s)/\*(?=[\s*!]|$)")


@dataclass
class RawLine:
    """A line by its number and its bytes, without the line end. `text` is the line behind the mark
    of a mail's quotation (`> `) or of a comment (` * `), which takes `mark` bytes.
    """

    number: int
    start: int
    end: int
    text: str
    printed: str
    mark: int = 0

    def strip_mark(self, length: int) -> None:
        """Take these first characters of the text for a mark; they are ASCII."""
        self.text = self.text[length:]
        self.mark += length


def iter_raw_lines(data: bytes) -> Iterator[RawLine]:
    """The lines of a document, without the marks of quotations."""
    start = 0
    for number, line in enumerate(data.split(b"\n"), 1):
        end = start + len(line) - line.endswith(b"\r")
        if number == 1 or start < len(data) or line:
            printed = data[start:end].decode("utf-8", "replace")
            raw = RawLine(number, start, end, printed, printed)
            quote = QUOTE.match(printed) if printed.startswith(">") else None
            raw.strip_mark(quote.end() if quote else 0)
            yield raw
        start += len(line) + 1


def unmark_comment_trees(raws: Sequence[RawLine]) -> None:
    """Take the marks off the lines of comments that hold a tree of calls, so that it is read."""
    for place, raw in enumerate(raws):
        if _COMMENT_OPENING.match(raw.text) is None:
            continue
        lines = []
        for inner in raws[place + 1:place + MAX_COMMENT_LINES]:
            if not _COMMENT_LINE.match(inner.text):
                break
            lines.append(inner)
        columns = [found.start(1) for line in lines if (found := _CALL_LINE.match(line.text))]
        if any(first < second for first, second in pairwise(columns)):
            raw.strip_mark(len(raw.text))
            for line in lines:
                line.strip_mark(line.text.index("*") + 1)


def count_joined_lines(
    raws: Sequence[RawLine], place: int, *, in_fence: bool, in_block: bool
) -> int:
    """Over how many lines the text at `place` is broken, 1 if it is not. `in_block`: it stands in a
    table or record.
    """
    first = raws[place].text
    if not in_block and _is_record_head(raws, place):
        return 2
    if not _MAY_CONTINUE.search(first) or len(first) > MAX_LINE_LENGTH:
        return 1
    text = split_comment(first)[0]
    is_drawn = strip_drawing(text).is_drawn
    if not (is_drawn or in_fence):
        return 1
    for count, raw in enumerate(raws[place + 1:place + _MAX_JOINED], 1):
        following = split_comment(raw.text)[0]
        is_rest = _OPEN_ASSIGNMENT.match(text) is not None and (
            _REST_OF_EXPRESSION.match(following) is not None)
        if not is_rest and not _is_open(text):
            return count
        is_rest = is_rest or (not is_drawn and bool(_OPERATOR_FIRST.match(following)))
        if not following.strip() or FENCE.match(following) or (
                strip_drawing(following).is_drawn and not is_rest):
            return 1
        text += " " + following.strip()
    return 1 if _is_open(text) else min(_MAX_JOINED, len(raws) - place)


def _is_record_head(raws: Sequence[RawLine], place: int) -> bool:
    """Whether `struct T` stands here, and the next line opens its brace."""
    if place + 1 == len(raws) or not _RECORD_HEAD.match(raws[place].text):
        return False
    return raws[place + 1].text.strip() == "{"


def _is_open(text: str) -> bool:
    """Whether a call or a statement goes on behind a text."""
    return count_unclosed(text) > 0 or _OPERATOR_LAST.search(text) is not None


def count_comment_lines(texts: Sequence[str]) -> int:
    """How many more lines a comment takes that the first line begins and does not end; 0 if it
    begins none, or if text follows the comment's end.
    """
    closed = texts[0].rfind("*/") + 2 if texts and "*/" in texts[0] else 0
    opening = _COMMENT_START.search(texts[0], closed) if texts else None
    if opening is None:
        return 0
    for count, text in enumerate(texts[1:], 1):
        if FENCE.match(text) or "/*" in text:
            break
        if "*/" in text:
            return count if text.rstrip().endswith("*/") else 0
    return 0
