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

_TIME = r"(?:\[\s*\d+\.\d+\]\s*)?(?:\[\s*[CT]\d+\]\s*)?"
_MARKS = r"(?P<context><\w+>\s*)?{address}(?P<guessed>\?\s+)?"  # `<EOI>`; `?`
_NAME = r"(?P<name>[A-Za-z_]\w*)(?:\.[\w.]+)?"
_PARENTHESES = r"[^()]*(?:\([^()]*\)[^()]*)*\)"  # from behind the first one
_FRAME = re.compile(
    r"\s*(?:<\d>)?" + _TIME + _MARKS.format(address=r"(?:\[<[0-9a-f]+>\]\s*)?") + _NAME
    + r"\+0x[0-9a-f]+/0x[0-9a-f]+(?:\s+\[\w+\])?(?:\s+\(" + _PARENTHESES
    + r")?(?:\s+\w+)?\s*$", re.ASCII,
)
# As decode_stacktrace.sh writes it: the offset gone, the place in its stead, the module behind it.
_DECODED = re.compile(
    r"\s*" + _TIME + _MARKS.format(address="") + _NAME
    + r"\s+\((?=[^()\s]+:\d)" + _PARENTHESES + r"(?:\s+\w+)?\s*$", re.ASCII,
)
_HEAD = re.compile(r".*\b(?:Call Trace|Call trace|Backtrace|Stack trace)\s*:\s*$", re.ASCII)
_CONTEXT = re.compile(r"[\s\d.\[\]CT]*</?[A-Z]{3,5}>\s*$", re.ASCII)
_NUMBERED = re.compile(
    r"\s*#(?P<number>\d{1,4})\s+(?:0x[0-9a-f]+\s+in\s+)?" + _NAME + r"\s*\(", re.ASCII
)
_PLACE = re.compile(r"\)\s+(?:at|from)\s+\S", re.ASCII)


def is_in_backtrace(text: str, *, before: bool) -> bool:
    """Whether frames without their offsets may follow a line. `before`: whether they may follow the
    line above it.
    """
    if _HEAD.match(text):
        return True
    return before and bool(_CONTEXT.match(text) or _DECODED.match(text) or _FRAME.match(text))


def parse_frame(text: str, *, in_backtrace: bool) -> ParsedClaim | None:
    """The frame of a line, None if it is not a frame. `in_backtrace`: see is_in_backtrace()."""
    found = _FRAME.match(text) or (_DECODED.match(text) if in_backtrace else None)
    found = found or _NUMBERED.match(text)
    return ParsedClaim(LineKind.FUNCTION, Claim(name=found["name"])) if found else None


def is_debugger_frame(text: str) -> bool:
    """Whether a line begins a debugger's frame."""
    return "#" in text and _NUMBERED.match(text) is not None


def count_frame_lines(texts: Sequence[str]) -> int:
    """Over how many lines the debugger's frame is broken that the first one begins."""
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
    linked = list(lines)
    decoded = _find_decoded(linked)
    caller, depth, number = 0, 0, -1
    for place in reversed(range(len(linked))):
        line = linked[place]
        if line.kind is LineKind.CONTINUATION:
            continue
        is_function = line.kind is LineKind.FUNCTION
        frame = _FRAME.match(line.text) if is_function else None
        frame = frame or decoded.get(line.number)
        numbered = _NUMBERED.match(line.text) if is_function else None
        if numbered is not None and number not in (-1, int(numbered["number"]) + 1):
            caller, depth = 0, 0
        number = int(numbered["number"]) if numbered is not None else -1
        if frame is None and numbered is None:
            caller, depth = 0, 0
            continue
        if frame is None or not frame["guessed"]:
            linked[place] = replace(line, parent=caller, depth=depth)
            caller, depth = line.number, depth + 1
        if frame is not None and frame["context"]:
            caller, depth = 0, 0
    return tuple(linked)


def _find_decoded(lines: Iterable[DocumentLine]) -> dict[int, re.Match[str]]:
    """The frames without offsets, by the numbers of their lines."""
    found: dict[int, re.Match[str]] = {}
    in_backtrace = False
    for line in lines:
        frame = _DECODED.match(line.text) if in_backtrace else None
        if frame is not None and line.kind is LineKind.FUNCTION:
            found[line.number] = frame
        in_backtrace = is_in_backtrace(line.text, before=in_backtrace)
    return found
