"""The lines of a document as they stand in its bytes, and over how many of them a call, a
statement, the head of a record or a comment is broken.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from kgraph.check.document.backtraces import count_frame_lines, is_debugger_frame
from kgraph.check.document.brackets import count_unclosed
from kgraph.check.document.comments import split_comment
from kgraph.check.document.indentation import strip_drawing

MAX_LINE_LENGTH = 4000
FENCE = re.compile(r"\s*(```|~~~)")


@dataclass
class RawLine:
    """A line by its number and its bytes, without the line end."""

    number: int
    start: int
    end: int
    text: str


def iter_raw_lines(data: bytes) -> Iterator[RawLine]:
    """The lines of a document."""
    start = 0
    for number, line in enumerate(data.split(b"\n"), 1):
        end = start + len(line) - line.endswith(b"\r")
        if number == 1 or start < len(data) or line:
            yield RawLine(number, start, end, data[start:end].decode("utf-8", "replace"))
        start += len(line) + 1


_RECORD_HEAD = re.compile(r"[ \t]{0,40}(?:typedef\s+)?(?:struct|union)\s+\w+\s*$", re.ASCII)
_MAY_GO_ON = re.compile(r"[(=]|return")
_OPERATOR = re.compile(r"(?:(?:^|[^=!<>])=|&&|\|\||\w\s+[?+&|])$")
# An assignment without its end, and a line that begins with an operator and ends.
_UNENDED = re.compile(r"\s*(?:[\w>.*\[\]-]+\s*[-+*/%&|^]?=(?!=)|return\b).*[\w)\]]$", re.ASCII)
_OPERATES = re.compile(r"\s+(?:&&|\|\||[?:*/+%|&^-]|==|<<|>>)\s.*;\s*$", re.ASCII)
_OPERATOR_FIRST = re.compile(r"\s+[*+-]\s")
_MOST_JOINED = 12


def count_joined_lines(raws: Sequence[RawLine], place: int, *, fenced: bool, within: bool) -> int:
    """How many lines what starts at a place is broken over: 1 where it is not. `fenced`: it stands
    in a fence; `within`: in a table or record.
    """
    first = raws[place].text
    if not within and _heads_record(raws, place):
        return 2
    if not _MAY_GO_ON.search(first) or len(first) > MAX_LINE_LENGTH:
        return 1
    if is_debugger_frame(first):
        return count_frame_lines([raw.text for raw in raws[place:place + _MOST_JOINED]])
    text = split_comment(first)[0]
    plain = fenced and not strip_drawing(text).drawn
    if not (plain or strip_drawing(text).drawn):
        return 1
    for count, raw in enumerate(raws[place + 1:place + _MOST_JOINED], 1):
        following = split_comment(raw.text)[0]
        operates = _UNENDED.match(text) is not None and _OPERATES.match(following) is not None
        if not operates and not _goes_on(text):
            return count
        operates = operates or (plain and bool(_OPERATOR_FIRST.match(following)))
        if not following.strip() or FENCE.match(following) or (
                strip_drawing(following).drawn and not operates):
            return 1
        text += " " + following.strip()
    return 1 if _goes_on(text) else min(_MOST_JOINED, len(raws) - place)


def _heads_record(raws: Sequence[RawLine], place: int) -> bool:
    """Whether `struct T` starts here, and the next line opens its brace."""
    if place + 1 == len(raws) or not _RECORD_HEAD.match(raws[place].text):
        return False
    return raws[place + 1].text.strip() == "{"


def _goes_on(text: str) -> bool:
    """Whether a call or a statement goes on behind a line."""
    return count_unclosed(text) > 0 or _OPERATOR.search(text) is not None


_OPENING = re.compile(r"(?:^|\s)/\*(?=[\s*!]|$)")
MAX_COMMENT_LINES = 60  # of one comment


def count_comment_lines(texts: Sequence[str]) -> int:
    """How many more lines a comment takes that the first line begins and does not end; 0 where it
    begins none, or none that ends with a line.
    """
    closed = texts[0].rfind("*/") + 2 if texts and "*/" in texts[0] else 0
    opening = _OPENING.search(texts[0], closed) if texts else None
    if opening is None:
        return 0
    for count, text in enumerate(texts[1:], 1):
        if FENCE.match(text) or "/*" in text:
            break
        if "*/" in text:
            return count if text.rstrip().endswith("*/") else 0
    return 0
