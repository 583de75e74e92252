"""Readers of printed stacks, innermost call first.

Each frame is called by the one under it; the last is the root. A frame behind `?` was merely found
on the stack: it is a function, and part of no chain. A line that is no frame ends the stack, and
`<EOI>` before a frame, or a gap in the numbers of frames, separates what is above from what is
below.
"""

import re
from collections.abc import Sequence

from kgraph.check.document.brackets import count_unclosed
from kgraph.check.document.formats.log_prefixes import strip_log_prefix
from kgraph.check.document.formats.region import LIKELY, SURE, ReadCall, Region
from kgraph.check.document.formats.stack_frames import (
    CONTEXT,
    HEAD,
    NAME,
    Frame,
    is_debugger_frame,
    parse_kernel_frame,
    parse_numbered_frame,
    parse_perf_frame,
)

_MAX_FRAME_LINES = 12
_PLACE = re.compile(r"\)\s+(?:at|from)\s+\S", re.ASCII)
# Behind a frame of crash: registers and memory (`bt -f`, `bt -l`), before the next one.
_CRASH_DETAIL = re.compile(r"\s{4,}(?:[0-9a-f]{8,16}:\s|/\S+:\s*\d+\s*$)", re.ASCII)
_PRINTED = re.compile(
    rf"(?P<indent>\s*)=>\s+{NAME}(?:\+0x[0-9a-f]+(?:/0x[0-9a-f]+)?)?(?:\s+[<(][0-9a-f]+[>)])?\s*$",
    re.ASCII)
_TRACE_HEAD = re.compile(r".*<(?:user )?stack trace>\s*$", re.ASCII)
_MAP_HEAD = re.compile(r"\s*@\w*(?:\[[^\[\]]*)?\[?\s*$", re.ASCII)
_MAP_END = re.compile(r"\s*(?:,\s*)?[\w.-]*\s*\]:\s*\S+\s*$", re.ASCII)
_MAP_FRAME = re.compile(rf"\s+{NAME}(?:\+(?:0x[0-9a-f]+|\d+))?\s*$", re.ASCII)
_FROM = re.compile(
    r"\s*(?:\[<[0-9a-f]+>\]\s*\()?(?P<callee>[A-Za-z_]\w*)(?:\.[\w.]+)?\)?\s+from\s+"
    rf"(?:\[<[0-9a-f]+>\]\s*\()?{NAME}\+0x[0-9a-f]+/0x[0-9a-f]+\)?(?:\s+\[[\w-]+\])?\s*$", re.ASCII)


def link_frames(frames: dict[int, Frame]) -> dict[int, ReadCall]:
    """The claims of frames, by the places of their lines, each called by the one below it."""
    calls: dict[int, ReadCall] = {}
    caller: int | None = None
    number = -1
    for place, frame in reversed(frames.items()):
        if frame.number >= 0 and number not in (-1, frame.number + 1):
            caller = None
        number = frame.number
        above = None if frame.is_guessed else caller
        calls[place] = ReadCall(frame.name, caller=above, is_frame=True)
        if not frame.is_guessed:
            caller = place
        if frame.ends_context:
            caller = None
    return dict(reversed(calls.items()))


class KernelStackReader:
    """Stacks in a kernel's log (x86, arm64, powerpc, s390), also with the places in the source, and
    those of SystemTap. A line of a context alone, `<IRQ>`, separates frames.
    """

    name = "stack of a kernel"

    def sniff(self, texts: Sequence[str], place: int) -> int:
        """A frame with its offset, or the head of a stack above any frame."""
        text = texts[place]
        if parse_kernel_frame(text, among_frames=False) is not None:
            return SURE
        return LIKELY if ":" in text and HEAD.match(text) else 0

    def read(self, texts: Sequence[str], place: int) -> Region:
        """The frames up to the first other line."""
        calls: dict[int, ReadCall] = {}
        frames: dict[int, Frame] = {}
        end = place
        while end < len(texts):
            frame = parse_kernel_frame(texts[end], among_frames=True)
            if frame is not None:
                frames[end] = frame
            elif end == place or CONTEXT.match(strip_log_prefix(texts[end])):
                calls.update(link_frames(frames))
                frames = {}
            else:
                break
            end += 1
        calls.update(link_frames(frames))
        return Region(end, calls)


class ArmStackReader:
    """Stacks of 32-bit Arm, `f from g+0x1/0x2`: each line has both ends of a call."""

    name = "stack of an Arm kernel"

    def sniff(self, texts: Sequence[str], place: int) -> int:
        """Two functions with `from` between them."""
        return SURE if " from " in texts[place] and self._match(texts[place]) else 0

    def read(self, texts: Sequence[str], place: int) -> Region:
        """The lines up to the first other one."""
        calls: dict[int, ReadCall] = {}
        while place < len(texts) and (found := self._match(texts[place])) is not None:
            calls[place] = ReadCall(found["name"], (found["callee"],), is_frame=True)
            place += 1
        return Region(place, calls)

    def _match(self, text: str) -> re.Match[str] | None:
        return _FROM.match(strip_log_prefix(text))


class DebuggerStackReader:
    """Stacks of gdb and crash: frames with a number. gdb breaks long frames over lines."""

    name = "stack of a debugger"

    def sniff(self, texts: Sequence[str], place: int) -> int:
        """A frame with a number."""
        return SURE if "#" in texts[place] and parse_numbered_frame(texts[place]) else 0

    def read(self, texts: Sequence[str], place: int) -> Region:
        """The frames up to the first other line."""
        frames: dict[int, Frame] = {}
        continued: set[int] = set()
        while place < len(texts):
            frame = parse_numbered_frame(texts[place])
            if frame is None:
                if not _CRASH_DETAIL.match(texts[place]):
                    break
                place += 1
                continue
            frames[place] = frame
            count = count_frame_lines(texts[place:place + _MAX_FRAME_LINES])
            continued.update(range(place + 1, place + count))
            place += count
        return Region(place, link_frames(frames), continued)


def count_frame_lines(texts: Sequence[str]) -> int:
    """Over how many lines the frame of gdb is broken that the first one begins."""
    whole = texts[0]
    if not is_debugger_frame(whole):
        return 1
    for count, following in enumerate(texts[1:], 1):
        if _PLACE.search(whole) or not following[:1].isspace() or not following.strip():
            return count
        if not count_unclosed(whole) and not following.lstrip().startswith(("at ", "from ")):
            return count
        whole += " " + following.strip()
    return len(texts) if _PLACE.search(whole) else 1


class PerfStackReader:
    """Stacks of `perf script`. Frames of user space claim nothing of the kernel."""

    name = "stack of perf script"

    def sniff(self, texts: Sequence[str], place: int) -> int:
        """An address, a function and the object that has it."""
        return SURE if ")" in texts[place] and parse_perf_frame(texts[place]) else 0

    def read(self, texts: Sequence[str], place: int) -> Region:
        """The frames up to the first other line."""
        frames: dict[int, Frame] = {}
        while place < len(texts) and (frame := parse_perf_frame(texts[place])) is not None:
            if isinstance(frame, Frame):
                frames[place] = frame
            place += 1
        return Region(place, link_frames(frames))


class PrintedStackReader:
    """Stacks that ftrace printed: ` => f`."""

    name = "stack of ftrace"

    def sniff(self, texts: Sequence[str], place: int) -> int:
        """Two such lines one below the other, or the head of a stack; an arrow below a name at its
        left is a drawn tree.
        """
        text = texts[place]
        if "<stack trace>" in text and place + 1 < len(texts) and _PRINTED.match(texts[place + 1]):
            return SURE
        found = _PRINTED.match(text) if "=>" in text else None
        following = texts[place + 1] if place + 1 < len(texts) else ""
        if found is None or not _PRINTED.match(following):
            return 0
        before = texts[place - 1].strip() if place else ""
        is_tree = before.rstrip("(){; ").isidentifier() and before.isascii()
        return 0 if is_tree else SURE

    def read(self, texts: Sequence[str], place: int) -> Region:
        """The frames up to the first other line."""
        frames: dict[int, Frame] = {}
        place += bool(_TRACE_HEAD.match(texts[place]))
        while place < len(texts) and (found := _PRINTED.match(texts[place])) is not None:
            frames[place] = Frame(found["name"])
            place += 1
        return Region(place, link_frames(frames))


class MapStackReader:
    """Stacks in a map of bpftrace: `@[`, the frames, `]: 12`. An empty line or a comma separates
    the stack of the kernel from that of the user.
    """

    name = "stack of bpftrace"

    def sniff(self, texts: Sequence[str], place: int) -> int:
        """The head of a map, with a frame under it."""
        is_head = "@" in texts[place] and _MAP_HEAD.match(texts[place]) is not None
        if not is_head or place + 1 == len(texts):
            return 0
        return SURE if _MAP_FRAME.match(texts[place + 1]) else 0

    def read(self, texts: Sequence[str], place: int) -> Region:
        """The frames up to the end of the map; without one, up to the first other line."""
        calls: dict[int, ReadCall] = {}
        frames: dict[int, Frame] = {}
        place += 1
        while place < len(texts):
            found = _MAP_FRAME.match(texts[place])
            if found is not None:
                frames[place] = Frame(found["name"])
            elif texts[place].strip() in ("", ","):
                calls.update(link_frames(frames))
                frames = {}
            else:
                place += bool(_MAP_END.match(texts[place]))
                break
            place += 1
        calls.update(link_frames(frames))
        return Region(place, calls)
