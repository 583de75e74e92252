"""Stacks that a kernel printed, ` [<ffffffff81234567>] foo+0x1a/0x30 [mod]`, with the places that
decode_stacktrace.sh puts in, `foo (net/x.c:12)`, or a debugger, `#1  0xffffffff81234567 in foo
(a=1) at net/x.c:12`: innermost call first. Without its offset a frame is one behind `Call Trace:`.

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
    r"([A-Za-z_]\w*)(?:\.[\w.]+)?\+0x[0-9a-f]+/0x[0-9a-f]+(?:\s+\[\w+\])?"
    r"(?:\s+\([^()]*(?:\([^()]*\)[^()]*)*\))?(?:\s+\w+)?\s*$", re.ASCII,
)
# As decode_stacktrace.sh writes it: the offset gone, the place in its stead, the module behind it.
_DECODED = re.compile(
    r"\s*(?:\[\s*\d+\.\d+\]\s*)?(?:\[\s*[CT]\d+\]\s*)?(<\w+>\s*)?(\?\s+)?([A-Za-z_]\w*)"
    r"(?:\.[\w.]+)?\s+\((?=[^()\s]+:\d)[^()]*(?:\([^()]*\)[^()]*)*\)(?:\s+\w+)?\s*$", re.ASCII,
)
_HEAD = re.compile(r".*\b(?:Call Trace|Call trace|Backtrace|Stack trace)\s*:\s*$", re.ASCII)
_CONTEXT = re.compile(r"[\s\d.\[\]CT]*</?[A-Z]{3,5}>\s*$", re.ASCII)
_NUMBERED = re.compile(
    r"\s*#(\d{1,4})\s+(?:0x[0-9a-f]+\s+in\s+)?([A-Za-z_]\w*)(?:\.[\w.]+)?\s*\(", re.ASCII
)
_PLACE = re.compile(r"\)\s+(?:at|from)\s+\S", re.ASCII)


def in_trace(text: str, *, before: bool) -> bool:
    """Whether frames without their offsets may follow a line: `before` says so of the line above
    it.
    """
    if _HEAD.match(text):
        return True
    return before and bool(_CONTEXT.match(text) or _DECODED.match(text) or _FRAME.match(text))


def read_frame(text: str, *, traced: bool) -> Read | None:
    """A line that is a frame of a stack; `traced`: it stands behind the head of one."""
    found = _FRAME.match(text) or (_DECODED.match(text) if traced else None)
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
    decoded = _decoded(read)
    under, depth, number = 0, 0, -1
    for place in reversed(range(len(read))):
        line = read[place]
        if line.kind is LineKind.CONTINUATION:
            continue
        found = _FRAME.match(line.text) if line.kind is LineKind.FUNCTION else None
        found = found or decoded.get(line.number)
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


def _decoded(lines: Iterable[DocumentLine]) -> dict[int, re.Match[str]]:
    """The frames without offsets, by the numbers of their lines."""
    found: dict[int, re.Match[str]] = {}
    traced = False
    for line in lines:
        frame = _DECODED.match(line.text) if traced else None
        if frame is not None and line.kind is LineKind.FUNCTION:
            found[line.number] = frame
        traced = in_trace(line.text, before=traced)
    return found
