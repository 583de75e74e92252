"""Traces of ftrace's function_graph tracer: what each function called, as nested blocks.

Calls of several processors, and of several tasks of one processor, may be interleaved. An interrupt
starts a chain of its own.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from kgraph.check.document.formats.region import SURE, ReadCall, Region

_TASK = r"(?P<task>\S(?:[^|\n]*?\S)?-\d+|<\.{3}>-\d+|<idle>-0)"
_DURATION = r"(?:[!+#*@$]?\s*\d+(?:\.\d+)?\s*us|(?P<arrow>=+>|<=+))?"
_LINE = re.compile(
    rf"\s*(?:\d+\.\d+\s*\|\s*)?(?P<cpu>\d{{1,4}})\)\s*(?:{_TASK}\s*(?:\|\s*[\w.#-]+\s*)?\|\s*)?"
    rf"{_DURATION}\s*\|(?P<body>.*)$", re.ASCII)
# As trace-cmd reports it.
_EVENT = re.compile(
    rf"\s*{_TASK}\s+\[(?P<cpu>\d+)\](?:\s+[\w.#-]+)?\s+\d+\.\d+:\s+funcgraph_(?:entry|exit):"
    rf"\s*{_DURATION}\s*\|(?P<body>.*)$", re.ASCII)
_CALL = re.compile(
    r"\s*(?P<name>[A-Za-z_]\w*)(?:\.[\w.]+)?(?:\s\[[\w-]+\])?\s?\([^{}]*\)\s*"
    r"(?:/\*.*?\*/\s*)?(?P<sign>[{;])(?:\s*/\*.*\*/)?\s*$", re.ASCII)
_END = re.compile(r"\s*\}(?:\s*/\*.*\*/)?\s*$")
_COMMENT = re.compile(r"\s*(?:/\*.*\*/)?\s*$")
_SWITCH = re.compile(
    r"\s*(?:-{6,}|(?:\d+\.\d+\s*\|\s*)?\d{1,4}\)\s*\S.*\s+=>\s+\S.*|\s*#.*"
    r"|CPU:\d+ \[LOST \d+ EVENTS\])\s*$", re.ASCII)


@dataclass(frozen=True, slots=True)
class _Traced:
    """A line of a trace: the processor and the task, "" for not told, and what is told of them.
    `arrow`: that of an interrupt that begins (`>`) or ends (`<`), else "".
    """

    cpu: str
    task: str
    body: str
    arrow: str


class FunctionGraphReader:
    """Reads the trace of function_graph."""

    name = "function_graph trace"

    def sniff(self, texts: Sequence[str], place: int) -> int:
        """A call of a processor, in its column."""
        traced = _parse_line(texts[place])
        return SURE if traced is not None and _CALL.match(traced.body) else 0

    def read(self, texts: Sequence[str], place: int) -> Region:
        """The trace up to the first line of something else, past switches of tasks and lost
        events.
        """
        region = Region(place)
        stacks: dict[tuple[str, str], list[int]] = {}
        while place < len(texts):
            traced = _parse_line(texts[place])
            if traced is not None:
                stack = stacks.setdefault((traced.cpu, traced.task), [])
                if traced.arrow:
                    _pass_interrupt(stack, begins=">" in traced.arrow)
                else:
                    _read_body(region, stack, place, traced.body)
                region.end = place + 1
            elif _SWITCH.match(texts[place]):
                _forget_calls(stacks, texts[place])
            elif texts[place].strip():
                break
            place += 1
        return region


def _parse_line(text: str) -> _Traced | None:
    if "|" not in text:
        return None
    found = _LINE.match(text) or _EVENT.match(text)
    if found is None:
        return None
    return _Traced(found["cpu"], found["task"] or "", found["body"], found["arrow"] or "")


def _read_body(region: Region, stack: list[int], place: int, body: str) -> None:
    """Read what is told on a line. `stack` has the places of the calls that are open."""
    found = _CALL.match(body)
    if found is not None:
        caller = stack[-1] if stack and stack[-1] >= 0 else None
        region.calls[place] = ReadCall(found["name"], caller=caller)
        if found["sign"] == "{":
            stack.append(place)
    elif _END.match(body):
        if stack:
            stack.pop()
    elif not _COMMENT.match(body):
        region.unread[place] = "looks like a call of a trace, and cannot be read"


_INTERRUPT = -1  # on a stack: what follows was not called by what is below


def _pass_interrupt(stack: list[int], *, begins: bool) -> None:
    if begins:
        stack.append(_INTERRUPT)
    elif _INTERRUPT in stack:
        del stack[len(stack) - 1 - stack[::-1].index(_INTERRUPT):]


def _forget_calls(stacks: dict[tuple[str, str], list[int]], text: str) -> None:
    """Forget the calls that were open where the trace has lost events, or, on the processor where
    another task goes on, if lines do not tell their tasks.
    """
    switched = re.match(r"\s*(?:\d+\.\d+\s*\|\s*)?(\d{1,4})\)", text)
    if switched is not None:
        stacks.pop((switched[1], ""), None)
    elif "LOST" in text:
        stacks.clear()
