"""Lines for a terminal: coloured, linked, and wrapped to its width.

Import this module only where a stream is a terminal: a question in a pipe does without rich.
"""

import itertools
import os
import re
import shutil
from collections.abc import Callable, Iterator
from functools import cache
from typing import NamedTuple

from rich.cells import cell_len
from rich.color import ColorSystem
from rich.style import Style

LinkMaker = Callable[[str, int], str]

_GOOD, _BAD, _OPEN = "green", "bold red", "yellow"
_VERDICTS = {
    "holds": _GOOD, "stands": _GOOD, "exact": _GOOD, "statement": _GOOD,
    "refuted": _BAD, "contradicts": _BAD, "outside": _BAD, "missing": _BAD,
    "undecided": _OPEN, "unread": _OPEN, "gap": _OPEN, "deferred": _OPEN, "one-of": _OPEN,
    "near": _OPEN, "inside": _OPEN, "definition": _OPEN, "unresolved": _OPEN, "empty": _OPEN,
}
_WORDS = "|".join(_VERDICTS)
_COUNTED_AS = {**_VERDICTS, "hold": _GOOD, "stand": _GOOD, "contradict": _BAD}
_NOTE, _NAME, _PLACE, _NO_PATH = "dim", "bold", "cyan", "bold yellow"

# A verdict stands in its column, behind the line of a document, after a count, or ends a head.
_VERDICT = re.compile(
    rf"^ *\d+  ({_WORDS})(?= )|:\d+: ({_WORDS})(?=:)|(?<=, )({_WORDS})(?=: )")
_COUNTED = re.compile(rf"(?<=\d )({'|'.join(_COUNTED_AS)})\b")
_TOTALS = re.compile(r"^(?:\d+ claims?|citations): ")
_PLACE_OR_NAME = re.compile(
    r"(?<![\w./-])(?P<path>(?:[\w+,@=~.-]+/)*[\w+,@=~-][\w+,@=~.-]*\.[A-Za-z]\w{0,7})"
    r":(?P<line>\d+)(?::\d+)?|(?<![>.\w])(?P<name>[A-Za-z_]\w*)(?=\(\))"
    r"|(?<=// i\.e\. )(?P<callee>\w+)")
_NO_ANSWER = re.compile(r"^no path\b")
_NOTE_START = re.compile(r"  // ")
_GAP = re.compile(r"\S(?: {2,})(?=\S)")
_LAST_COLUMN = 24  # a gap in the text further right is not one of a table
_HANG = 4
_NARROWEST = 20


class Span(NamedTuple):
    """A part of a line with a style, and the address that it leads to, "" for none."""

    start: int
    end: int
    style: str
    link: str = ""


class Terminal:
    """Writes lines as a terminal of this width should show them. Without a `width` (a pipe that
    wants colours) nothing is wrapped. `make_link` gives the address of a place.
    """

    def __init__(
        self, *, width: int | None, colour: bool, make_link: LinkMaker | None = None
    ) -> None:
        self._width = None if width is None else max(width, _NARROWEST)
        self._colour = colour
        self._make_link = make_link

    def format_line(self, line: str) -> Iterator[str]:
        """The lines that show a line."""
        line = self._squeeze_indent(line)
        spans = list(self._find_spans(line))
        for indent, start, end in self._break_line(line):
            yield " " * indent + self._paint(line, spans, start, end)

    def _squeeze_indent(self, line: str) -> str:
        """The deeper a tree is, the less it is indented: there must be room for its text."""
        if self._width is None:
            return line
        blanks = len(line) - len(line.lstrip(" "))
        free, most = self._width // 4, self._width // 2
        if blanks <= free:
            return line
        return " " * min(free + (blanks - free) // 2, most) + line[blanks:]

    def _break_line(self, line: str) -> Iterator[tuple[int, int, int]]:
        """(indentation, start, end) of each part of a line. It is broken at blanks only: a word
        that is wider than the terminal stays whole.
        """
        width = self._width
        if width is None or cell_len(line) <= width:
            yield 0, 0, len(line)
            return
        blanks = len(line) - len(line.lstrip(" "))
        note = _NOTE_START.search(line)
        head_end = note.start() if note else len(line)
        hang = _find_hang(line, blanks, width)
        yield from _wrap(line, _Part(0, head_end, 0, hang), width)
        if note is not None:
            start = note.start() + 2
            under = min(blanks + _HANG, width // 2)
            yield from _wrap(line, _Part(start, len(line), under, under + 3), width)

    def _find_spans(self, line: str) -> Iterator[Span]:
        """The styled parts of a line, in order, apart from one another."""
        found = [Span(*match.span(group), _VERDICTS[match[group]])
                 for match in _VERDICT.finditer(line)
                 for group in (1, 2, 3) if match[group]]
        if _TOTALS.match(line):
            found += [Span(*match.span(1), _COUNTED_AS[match[1]])
                      for match in _COUNTED.finditer(line)]
        found += [Span(*match.span(), _NO_PATH) for match in _NO_ANSWER.finditer(line)]
        for match in _PLACE_OR_NAME.finditer(line):
            if match["path"]:
                link = self._make_link(match["path"], int(match["line"])) if self._make_link else ""
                found.append(Span(*match.span(), _PLACE, link))
            else:
                found.append(Span(*match.span("name" if match["name"] else "callee"), _NAME))
        at = 0
        for span in sorted(found):
            if span.start >= at:
                yield span
                at = span.end

    def _paint(self, line: str, spans: list[Span], start: int, end: int) -> str:
        """A part of a line with its styles."""
        note = _NOTE_START.search(line)
        notes_from = note.start() + 2 if note else len(line)
        cuts = sorted({start, end, *(place for span in spans for place in span[:2]
                                     if start < place < end),
                       *([notes_from] if start < notes_from < end else [])})
        pieces = []
        for first, last in itertools.pairwise(cuts):
            style = " ".join([_NOTE] * (first >= notes_from))
            link = ""
            for span in spans:
                if span.start <= first < span.end:
                    style, link = span.style, span.link
            pieces.append(self._dress(line[first:last], style, link))
        return "".join(pieces)

    def _dress(self, text: str, style: str, link: str) -> str:
        if self._colour and style:
            text = _parse_style(style).render(text, color_system=ColorSystem.STANDARD)
        return f"\033]8;;{link}\033\\{text}\033]8;;\033\\" if link else text


class _Part(NamedTuple):
    """A part of a line to wrap; its first line is indented by `first`, the others by `rest`."""

    start: int
    end: int
    first: int
    rest: int


def _find_hang(line: str, blanks: int, width: int) -> int:
    """How far what does not fit on a line is indented below it: to the last column of a table,
    else somewhat more than the line.
    """
    column = 0
    for gap in _GAP.finditer(line):
        if gap.end() > _LAST_COLUMN:
            break
        column = gap.end()
    if column:
        rest = line[column:]
        column += len(rest) - len(rest.lstrip(" |-"))
    return min(column or blanks + _HANG, width // 2)


def _wrap(line: str, part: _Part, width: int) -> Iterator[tuple[int, int, int]]:
    indent, start, at = part.first, part.start, part.start
    words = [match.span() for match in re.finditer(r"\S+", line[:part.end])
             if match.start() >= part.start]
    for first, last in words:
        if at > start and indent + cell_len(line[start:last]) > width:
            yield indent, start, at
            indent, start = part.rest, first
        at = last
    if words:
        yield indent, start, at


@cache
def _parse_style(text: str) -> Style:
    return Style.parse(text)


def wants_colour(*, is_terminal: bool) -> bool:
    """Whether to colour a stream: NO_COLOR forbids it, FORCE_COLOR asks for it, else a terminal
    that can do more than print has it.
    """
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return os.environ["FORCE_COLOR"] != "0"
    return is_terminal and os.environ.get("TERM") != "dumb"


def get_width() -> int:
    """The width of the terminal, which COLUMNS overrides."""
    return shutil.get_terminal_size().columns
