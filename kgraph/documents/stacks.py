"""Stacks that a kernel printed, ` [<ffffffff81234567>] foo+0x1a/0x30 [mod]`, or a debugger,
`#1  0xffffffff81234567 in foo (a=1) at net/x.c:12`: innermost call first.

A frame is called by the one under it, so the last is the root. A frame behind `?` was only found on
the stack: it is a function, and part of no chain. Whatever stands between two frames parts them,
and so does `<EOI>` before one: what is above it interrupted it. A debugger's frames are parted
where their numbers do not go on. It breaks long ones over lines; the place comes last.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from kgraph.documents.claims import Read
from kgraph.documents.scanning import unclosed
from kgraph.model.documents import Claim, DocumentLine, LineKind

_FRAME = re.compile(
    r"\s*(?:<\d>)?(?:\[\s*\d+\.\d+\]\s*)?(?:\[\s*[CT]\d+\]\s*)?(<\w+>\s*)?(?:\[<[0-9a-f]+>\]\s*)?(\?\s+)?"
    r"([A-Za-z_]\w*)(?:\.[\w.]+)?\+0x[0-9a-f]+/0x[0-9a-f]+(?:\s+\[\w+\])?\s*$", re.ASCII,
)
_NUMBERED = re.compile(
    r"\s*#(\d{1,4})\s+(?:0x[0-9a-f]+\s+in\s+)?([A-Za-z_]\w*)(?:\.[\w.]+)?\s*\(", re.ASCII
)
_PLACE = re.compile(r"\)\s+(?:at|from)\s+\S", re.ASCII)


def read_frame(text: str) -> Read | None:
    """A line that is a frame of a stack."""
    found = _FRAME.match(text)
    numbered = None if found else _NUMBERED.match(text)
    if numbered:
        return Read(LineKind.FUNCTION, Claim(name=numbered[2]))
    return Read(LineKind.FUNCTION, Claim(name=found[3])) if found else None


def begins_frame(text: str) -> bool:
    """Whether a line begins a debugger's frame."""
    return "#" in text and _NUMBERED.match(text) is not None


def frame_lines(texts: Sequence[str]) -> int:
    """Over how many lines the debugger's frame that the first one begins is broken."""
    whole = texts[0]
    for count, following in enumerate(texts[1:], 1):
        if _PLACE.search(whole) or not following[:1].isspace() or not following.strip():
            return count
        if not unclosed(whole) and not following.lstrip().startswith(("at ", "from ")):
            return count
        whole += " " + following.strip()
    return len(texts) if _PLACE.search(whole) else 1


def with_stacks(lines: Iterable[DocumentLine]) -> tuple[DocumentLine, ...]:
    """The lines of a document, each frame under the frame that called it, which is a later line."""
    read = list(lines)
    under, depth, number = 0, 0, -1
    for place in reversed(range(len(read))):
        line = read[place]
        if line.kind is LineKind.CONTINUATION:
            continue
        found = _FRAME.match(line.text) if line.kind is LineKind.FUNCTION else None
        numbered = _NUMBERED.match(line.text) if line.kind is LineKind.FUNCTION else None
        if numbered is not None and number not in (-1, int(numbered[1]) + 1):
            under, depth = 0, 0
        number = int(numbered[1]) if numbered is not None else -1
        if found is None and numbered is None:
            under, depth = 0, 0
            continue
        if found is None or not found[2]:
            read[place] = replace(line, parent=under, depth=depth)
            under, depth = line.number, depth + 1
        if found is not None and found[1]:
            under, depth = 0, 0
    return tuple(read)
