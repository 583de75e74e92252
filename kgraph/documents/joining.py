"""Over how many lines a call, a statement or the head of a record is broken."""

import re
from collections.abc import Sequence

from kgraph.documents.comments import split_comment
from kgraph.documents.drawing import undraw
from kgraph.documents.lines import FENCE, MOST_LENGTH, RawLine
from kgraph.documents.scanning import unclosed
from kgraph.documents.stacks import begins_frame, frame_lines

_RECORD = re.compile(r"[ \t]{0,40}(?:typedef\s+)?(?:struct|union)\s+\w+\s*$", re.ASCII)
_MAY_GO_ON = re.compile(r"[(=]|return")
_OPERATOR = re.compile(r"(?:(?:^|[^=!<>])=|&&|\|\||\w\s+[?+&|])$")
# An assignment without its end, and a line that begins with an operator and ends.
_UNENDED = re.compile(r"\s*(?:[\w>.*\[\]-]+\s*[-+*/%&|^]?=(?!=)|return\b).*[\w)\]]$", re.ASCII)
_OPERATES = re.compile(r"\s+(?:&&|\|\||[?:*/+%|&^-]|==|<<|>>)\s.*;\s*$", re.ASCII)
_OPERATOR_FIRST = re.compile(r"\s+[*+-]\s")
_MOST_JOINED = 12


def joined(raws: Sequence[RawLine], place: int, *, fenced: bool, within: bool) -> int:
    """How many lines what starts at a place is broken over: 1 where it is not. `fenced`: it stands
    in a fence; `within`: in a table or record.
    """
    first = raws[place].text
    if not within and _heads_record(raws, place):
        return 2
    if not _MAY_GO_ON.search(first) or len(first) > MOST_LENGTH:
        return 1
    if begins_frame(first):
        return frame_lines([raw.text for raw in raws[place:place + _MOST_JOINED]])
    text = split_comment(first)[0]
    plain = fenced and not undraw(text).drawn
    if not (plain or undraw(text).drawn):
        return 1
    for count, raw in enumerate(raws[place + 1:place + _MOST_JOINED], 1):
        following = split_comment(raw.text)[0]
        operates = _UNENDED.match(text) is not None and _OPERATES.match(following) is not None
        if not operates and not _goes_on(text):
            return count
        operates = operates or (plain and bool(_OPERATOR_FIRST.match(following)))
        if not following.strip() or FENCE.match(following) or (
                undraw(following).drawn and not operates):
            return 1
        text += " " + following.strip()
    return 1 if _goes_on(text) else min(_MOST_JOINED, len(raws) - place)


def _heads_record(raws: Sequence[RawLine], place: int) -> bool:
    """Whether `struct T` starts here, and the next line opens its brace."""
    if place + 1 == len(raws) or not _RECORD.match(raws[place].text):
        return False
    return raws[place + 1].text.strip() == "{"


def _goes_on(text: str) -> bool:
    """Whether a call or a statement goes on behind a line."""
    return unclosed(text) > 0 or _OPERATOR.search(text) is not None
