"""Stacks that a kernel or a debugger printed, innermost call first.

A kernel prints ` [<ffffffff81234567>] foo+0x1a/0x30 [mod]`; decode_stacktrace.sh turns it into
`foo (net/x.c:12)`, which counts as a frame only behind `Call Trace:`. A debugger prints `#1
0xffffffff81234567 in foo (a=1) at net/x.c:12`, and breaks long frames over lines with the place
last.

Each frame is called by the one under it; the last is the root. A frame behind `?` was merely
found on the stack: it is a function, and part of no chain. Any other line between two frames
separates them, and so does `<EOI>` before a frame: what is above it interrupted it. A gap in a
debugger's frame numbers separates them, too.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from kgraph.check.document.brackets import count_unclosed
from kgraph.check.document.claim_parser import ParsedClaim
from kgraph.model.document import Claim, DocumentLine, LineKind

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


def is_in_backtrace(text: str, *, before: bool) -> bool:
    """Whether frames without their offsets may follow a line: `before` says so of the line above
    it.
    """
    if _HEAD.match(text):
        return True
    return before and bool(_CONTEXT.match(text) or _DECODED.match(text) or _FRAME.match(text))


def parse_frame(text: str, *, traced: bool) -> ParsedClaim | None:
    """A line that is a frame of a stack; `traced`: it stands behind the head of one."""
    found = _FRAME.match(text) or (_DECODED.match(text) if traced else None)
    numbered = None if found else _NUMBERED.match(text)
    if numbered:
        return ParsedClaim(LineKind.FUNCTION, Claim(name=numbered[2]))
    return ParsedClaim(LineKind.FUNCTION, Claim(name=found[3])) if found else None


def is_debugger_frame(text: str) -> bool:
    """Whether a line begins a debugger's frame."""
    return "#" in text and _NUMBERED.match(text) is not None


def count_frame_lines(texts: Sequence[str]) -> int:
    """Over how many lines the debugger's frame that the first one begins is broken."""
    whole = texts[0]
    for count, following in enumerate(texts[1:], 1):
        if _PLACE.search(whole) or not following[:1].isspace() or not following.strip():
            return count
        if not count_unclosed(whole) and not following.lstrip().startswith(("at ", "from ")):
            return count
        whole += " " + following.strip()
    return len(texts) if _PLACE.search(whole) else 1


def link_frames(lines: Iterable[DocumentLine]) -> tuple[DocumentLine, ...]:
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
        traced = is_in_backtrace(line.text, before=traced)
    return found
