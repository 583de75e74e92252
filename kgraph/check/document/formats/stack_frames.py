"""The frames of printed stacks, a line each: how a kernel, its scripts, crash, perf, bpftrace,
SystemTap, ftrace and gdb write one.
"""

import re
from dataclasses import dataclass

from kgraph.check.document.formats.log_prefixes import strip_log_prefix

NAME = r"(?P<name>[A-Za-z_]\w*)(?:\.[\w.]+)?"  # compilers add .isra.0, .constprop.1, .part.2, .cold
_OFFSET = r"\+(?:0x[0-9a-f]+/0x[0-9a-f]+)"
_PARENTHESES = r"\([^()]*(?:\([^()]*\)[^()]*)*\)"
_SOURCE = r"[\w.+/-]+\.[chS]:\d+(?:\s\(discriminator \d+\))?"
_MODULE = r"(?:\s+\[[\w-]+(?:\s+[0-9a-f]{6,40})?\])?"
_FLAGS = r"(?:\s+\((?:P|L|F|C|U|unreliable)+\))?"
_BEHIND = (rf"(?:\s+{_SOURCE})?{_MODULE}{_FLAGS}(?:\s+{_PARENTHESES})?(?:\s+[\w-]+)?"
           r"(?:\s+\[inline\])?\s*$")
_MARKS = r"(?P<context>(?:<\w+>\s*)?)"
_GUESS = r"(?P<guessed>\?\s+)?"
_ADDRESS = r"(?:\[<\s*(?:0x)?[0-9a-f]+>\]\s*|\[<\s*inline\s*>\]\s*|\[[0-9a-f]{16}\]\s*){0,2}"

_KERNEL = re.compile(
    rf"\s*{_MARKS}\(?{_ADDRESS}{_GUESS}{NAME}{_OFFSET}\)?{_BEHIND}", re.ASCII)
# With its place in the source, which decode_stacktrace.sh and syzbot put in for the offset. It is
# a frame only among frames.
_DECODED = re.compile(
    rf"\s*{_MARKS}{_ADDRESS}{_GUESS}{NAME}(?:\s+\((?=[^()\s]+:\d)[^()]*(?:\([^()]*\)[^()]*)*\)"
    rf"|\s+{_SOURCE})(?:\s+[\w-]+)?(?:\s+\[inline\])?{_MODULE}\s*$", re.ASCII)
_INLINE = re.compile(
    rf"\s*(?P<context>){_ADDRESS}(?P<guessed>){NAME}\s+{_SOURCE}\s+\[inline\]\s*$", re.ASCII)
_SYSTEMTAP = re.compile(
    rf"\s*(?P<context>)(?P<guessed>)0x[0-9a-f]+\s*:\s*{NAME}{_OFFSET}\s*(?:\[\w+\])?"
    r"(?:\s+\(inexact\))?\s*$", re.ASCII)
_NUMBERED = re.compile(
    rf"\s*#(?P<number>\d{{1,4}})\s+(?:0x[0-9a-f]+\s+in\s+)?{NAME}\s*\(", re.ASCII)
_CRASH = re.compile(
    rf"\s*#(?P<number>\d{{1,4}})\s+\[[0-9a-f]+\]\s+{NAME}(?:\+\w+)?\s+at\s+[0-9a-f]+", re.ASCII)
_PERF = re.compile(
    rf"\s+[0-9a-f]{{6,16}}\s+{NAME}(?:\+0x[0-9a-f]+)?\s+\((?P<object>[^()]*(?:\([^()]*\))?)\)\s*$",
    re.ASCII)
_KERNEL_OBJECT = re.compile(r"\[[\w.-]+\]|.*vmlinux.*|.*\.ko(?:\.\w+)?|inlined", re.ASCII)
_SIGNS = ("+0x", "[inline]")  # one of them is in each frame that needs no others around it

HEAD = re.compile(r".*\b(?:Call Trace|Call trace|Backtrace|Stack trace)\s*:\s*$", re.ASCII)
CONTEXT = re.compile(r"\s*</?[A-Z]{3,5}>\s*$", re.ASCII)


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame of a stack. `is_guessed`: it was merely found on the stack. `ends_context`: what is
    printed above it interrupted it. `number` is the one that it is printed with, -1 for none.
    """

    name: str
    is_guessed: bool = False
    ends_context: bool = False
    number: int = -1


def parse_kernel_frame(text: str, *, among_frames: bool) -> Frame | None:
    """The frame of a line of a kernel's log, None for other lines."""
    if not among_frames and not any(mark in text for mark in _SIGNS):
        return None  # as most lines of a document
    body = strip_log_prefix(text)
    found = _KERNEL.match(body) or _INLINE.match(body) or _SYSTEMTAP.match(body)
    if found is None and among_frames:
        found = _DECODED.match(body)
    if found is None:
        return None
    return Frame(found["name"], bool(found["guessed"]), bool(found["context"]))


def parse_numbered_frame(text: str) -> Frame | None:
    """The frame of a line of gdb or crash."""
    body = strip_log_prefix(text)
    found = _CRASH.match(body) or _NUMBERED.match(body)
    return Frame(found["name"], number=int(found["number"])) if found else None


def is_debugger_frame(text: str) -> bool:
    """Whether a line begins a frame of gdb, which may be broken over several lines."""
    return "#" in text and _NUMBERED.match(text) is not None


def parse_perf_frame(text: str) -> Frame | str | None:
    """The frame of a line of `perf script`; the name of its object for one of user space; None for
    other lines.
    """
    found = _PERF.match(text)
    if found is None:
        return None
    is_kernel = _KERNEL_OBJECT.fullmatch(found["object"]) is not None
    return Frame(found["name"]) if is_kernel else found["object"]
