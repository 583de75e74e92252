"""Stacks that a kernel printed: ` [<ffffffff81234567>] foo+0x1a/0x30 [mod]`, innermost call first.

A frame is called by the one under it, so the last is the root. A frame behind `?` was only found on
the stack: it is a function, and part of no chain. Whatever stands between two frames parts them,
and so does `<EOI>` before one: what is above it interrupted it.
"""

import re
from collections.abc import Iterable
from dataclasses import replace

from kgraph.documents.claims import Read
from kgraph.model.documents import Claim, DocumentLine, LineKind

_FRAME = re.compile(
    r"\s*(?:<\d>)?(?:\[\s*\d+\.\d+\]\s*)?(?:\[\s*[CT]\d+\]\s*)?(<\w+>\s*)?(?:\[<[0-9a-f]+>\]\s*)?(\?\s+)?"
    r"([A-Za-z_]\w*)(?:\.[\w.]+)?\+0x[0-9a-f]+/0x[0-9a-f]+(?:\s+\[\w+\])?\s*$", re.ASCII,
)


def read_frame(text: str) -> Read | None:
    """A line that is a frame of a stack."""
    found = _FRAME.match(text)
    return Read(LineKind.FUNCTION, Claim(name=found[3])) if found else None


def with_stacks(lines: Iterable[DocumentLine]) -> tuple[DocumentLine, ...]:
    """The lines of a document, each frame under the frame that called it, which is a later line."""
    read = list(lines)
    under, depth = 0, 0
    for place in reversed(range(len(read))):
        line = read[place]
        found = _FRAME.match(line.text) if line.kind is LineKind.FUNCTION else None
        if found is None:
            under, depth = 0, 0
            continue
        if not found[2]:
            read[place] = replace(line, parent=under, depth=depth)
            under, depth = line.number, depth + 1
        if found[1]:
            under, depth = 0, 0
    return tuple(read)
