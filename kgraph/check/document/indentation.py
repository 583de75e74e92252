"""How documents draw a tree, and which line another one stands under.

Trees are drawn with `|-`, `|--`, `+-`, box characters, list markers, indentation, or the
columns of a function tracer. The drawing is taken off a line; its column then says what it
stands under. Open braces count as well.
"""

import re
from dataclasses import dataclass, field, replace
from typing import NamedTuple

_TAB = 8
_TRACER = re.compile(
    r"\s*(?:[\w.<>-]+\s+)?(?:\d+\)|\[\d+\])\s*(?:[!+#*@$]?\s*\d+(?:\.\d+)?\s*us)?\s*\|"
)
_RAILS = r"[ \t|│┃┆┊║]*"
_CONNECTOR = (
    r"(?:[|+`\\└├┗┣╰╚╠┌╭][-─━═]+[>▶]?|[|\\]_+(?=\s)|[└├┗┣╰╚╠┌╭]|[-=]+>|[─━]+[>▶]?"
    r"|((?<![|`\\+])(?:[•◦]|[-*+](?=\s))|\d{1,3}[.)](?=\s)))"
)
_DRAWN = re.compile(_RAILS + _CONNECTOR + r"[ \t]*(?=\S)")
_INDENT = re.compile(_RAILS)


class UndrawnLine(NamedTuple):
    """A line without its drawing: what is left, the column that it starts in (tabs end at every
    eighth), and whether something was drawn besides white space.
    """

    text: str
    column: int
    drawn: bool


def strip_drawing(line: str) -> UndrawnLine:
    """Take the drawing off a line."""
    tracer = _TRACER.match(line)
    start = tracer.end() if tracer else 0
    found = _DRAWN.match(line, start) if tracer is None else None
    if found is None:
        indent = _INDENT.match(line, start)
        end = indent.end() if indent else start
        return UndrawnLine(line[end:].rstrip(), _width(line[start:end]), tracer is not None)
    end = found.end()
    # Of a list it is the markers that stand below each other: `9. f` and `10. g`.
    column = _width(line[:end]) if found[1] is None else _width(line[:found.start(1)]) + 1
    return UndrawnLine(line[end:].rstrip(), column, drawn=True)


def _width(text: str) -> int:
    return len(text.replace("\r", " ").expandtabs(_TAB))


_MOST_PASSED = 200  # open lines that one closing brace may end
_MOST_KEPT = 40  # `#if` within each other


@dataclass(frozen=True, slots=True)
class _Open:
    """A line, its column and how deep it stands; whether it opened a brace, and whether it is
    `ended` by a semicolon.
    """

    number: int
    column: int
    depth: int
    brace: bool = False
    ended: bool = False


@dataclass
class OpenLines:
    """The open lines, the innermost last. A brace that no claim opened (`do {`) stands there for
    the line that is around it.
    """

    _open: list[_Open] = field(default_factory=list)
    _braces: int = 0
    _kept: list[tuple[list[_Open], int] | None] = field(default_factory=list)

    def clear(self) -> None:
        """Nothing below stands under what is above."""
        self._open.clear()
        self._kept.clear()
        self._braces = 0

    @property
    def in_brace(self) -> bool:
        """Whether any brace is open."""
        return self._braces > 0

    @property
    def depth(self) -> int:
        """How many lines are open."""
        return len(self._open)

    def find_parent(self, column: int) -> tuple[int, int]:
        """(the line that one at this column stands under, how deep it stands there)."""
        while self._open and self._open[-1].column >= column and not self._open[-1].brace:
            self._open.pop()
        top = self._top()
        return top.number, top.depth + 1

    def add(self, number: int, column: int, *, brace: bool, ended: bool) -> None:
        """A line that others may stand under, where under() was asked for its column before."""
        self._braces += brace
        self._open.append(_Open(number, column, self._top().depth + 1, brace, ended))

    def pass_label(self) -> None:
        """Behind a label stands what does between the braces around it."""
        while self._open and not self._open[-1].brace:
            self._open.pop()

    def open_brace(self, column: int, *, alone: bool) -> None:
        """A brace that opens at this column: that of the line above where it stands `alone` on its
        line, else one of no claim.
        """
        while self._open and self._open[-1].column > column and not self._open[-1].brace:
            self._open.pop()
        top = self._top()
        self._braces += 1
        if alone and self._open and not top.brace and not top.ended:
            self._open[-1] = replace(top, brace=True)
        else:
            self._open.append(_Open(top.number, column, top.depth, brace=True))

    def pass_directive(self, word: str) -> None:
        """A line of the preprocessor: what stands behind `#else` stands where `#if` does, so that
        only one of them may open a brace that the lines behind `#endif` close.
        """
        if word.startswith("if"):
            few = len(self._open) <= _MOST_PASSED and len(self._kept) < _MOST_KEPT
            self._kept.append(([*self._open], self._braces) if few else None)
        elif word.startswith("el") and self._kept and self._kept[-1] is not None:
            kept, self._braces = self._kept[-1]
            self._open = [*kept]
        elif word == "endif" and self._kept:
            self._kept.pop()

    def close_braces(self, count: int, column: int) -> None:
        """Closing braces at this column: each ends the innermost that opened no further to the
        right; where none did, the innermost. What nothing opened ends what is not left of it.
        """
        for _ in range(count):
            if not self._braces:
                self.find_parent(column)
                return
            self.pass_label()
            inner = len(self._open) - 1
            last = next((place for place in range(inner, max(-1, inner - _MOST_PASSED), -1)
                         if self._open[place].brace and self._open[place].column <= column), inner)
            self._braces -= sum(each.brace for each in self._open[last:])
            del self._open[last:]

    def _top(self) -> _Open:
        return self._open[-1] if self._open else _Open(0, -1, -1)
