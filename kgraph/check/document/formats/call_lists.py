"""Traces and stacks with a whole chain, or both ends of a call, on each line: the function tracer,
and folded stacks (flame graphs).
"""

import re
from collections.abc import Sequence

from kgraph.check.document.formats.region import LIKELY, SURE, ReadCall, Region

_NAME = r"[A-Za-z_]\w*(?:\.[\w.]+)?"
_TRACED = re.compile(
    rf"\s*(?:.*\d+\.\d+:\s+(?:function:\s+)?)?(?P<callee>{_NAME})(?:\s\[[\w-]+\])?\s+"
    rf"(?:<-+\s?|<--\s)(?P<caller>{_NAME})(?:\s\[[\w-]+\])?\s*$", re.ASCII)
_TIMED = re.compile(r"\s*\S.*-\d+\s+(?:\(\s*[\d-]+\)\s+)?\[\d+\]\s.*\d+\.\d+:\s", re.ASCII)
_FOLDED = re.compile(r"(?P<stack>[^;\s][^;]*(?:;[^;\s][^;]*)+)\s+\d+\s*$", re.ASCII)
_KERNEL_MARK = "_[k]"


class FunctionTraceReader:
    """Reads the trace of the function tracer, `f <-g`, with or without its columns."""

    name = "function trace"

    def sniff(self, texts: Sequence[str], place: int) -> int:
        """A task, a processor and a time before a call; or two calls one below the other."""
        text = texts[place]
        if "<-" not in text or not _TRACED.match(text):
            return 0
        if _TIMED.match(text):
            return SURE
        return LIKELY if place + 1 < len(texts) and _TRACED.match(texts[place + 1]) else 0

    def read(self, texts: Sequence[str], place: int) -> Region:
        """The calls up to the first other line."""
        calls: dict[int, ReadCall] = {}
        while place < len(texts) and (found := _TRACED.match(texts[place])) is not None:
            calls[place] = ReadCall(_strip(found["caller"]), (_strip(found["callee"]),))
            place += 1
        return Region(place, calls)


class FoldedStackReader:
    """Reads folded stacks, `task;f;g;h 12`, outermost call first. With the mark that perf puts
    behind functions of the kernel, `f_[k]`, only these are claims.
    """

    name = "folded stack"

    def sniff(self, texts: Sequence[str], place: int) -> int:
        """Functions with semicolons between them, and a count."""
        text = texts[place]
        is_folded = ";" in text and text.rstrip()[-1:].isdigit() and _FOLDED.match(text)
        return SURE if is_folded and self._split(text) else 0

    def read(self, texts: Sequence[str], place: int) -> Region:
        """The stacks up to the first other line."""
        calls: dict[int, ReadCall] = {}
        while place < len(texts) and (names := self._split(texts[place])):
            calls[place] = ReadCall(names[0], names[1:], is_frame=True)
            place += 1
        return Region(place, calls)

    def _split(self, text: str) -> tuple[str, ...]:
        """The functions of a line without the task before them, () for other lines."""
        found = _FOLDED.match(text)
        names = found["stack"].split(";")[1:] if found else []
        marked = [name for name in names if name.endswith(_KERNEL_MARK)]
        kernel = [_strip(name.removesuffix(_KERNEL_MARK)) for name in marked or names]
        return tuple(kernel) if all(name.isidentifier() for name in kernel) else ()


def _strip(name: str) -> str:
    """The name without what the compiler added."""
    return name.partition(".")[0]
