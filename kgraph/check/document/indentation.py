"""How documents draw a tree, and which line another one stands under.

Trees are drawn with `|-`, `|--`, `+-`, box characters, list markers, or indentation. The drawing
is taken off a line; its column then says what it stands under. Open braces count as well.
"""

import re
from dataclasses import dataclass, field, replace
from typing import NamedTuple

_TAB = 8
_MAX_SEARCHED = 200  # open lines that one closing brace may end
_MAX_SAVED = 40  # `#if` within each other
_RAILS = r"[ \t|│┃┆┊║]*"
_CONNECTOR = (
    r"(?:[|+`\\└├┗┣╰╚╠┌╭][-─━═]+[>▶]?|[|\\]_+(?=\s)|[└├┗┣╰╚╠┌╭]|[-=]+>|[─━]+[>▶]?"
    r"|((?<![|`\\+])(?:[•◦]|[-+](?=\s)|\*{1,8}(?=\s))|\d{1,3}[.)](?=\s)))"
)
_DRAWN = re.compile(_RAILS + _CONNECTOR + r"[ \t]*(?=\S)")
_INDENT = re.compile(_RAILS)


class UndrawnLine(NamedTuple):
    """A line without its drawing: the text that is left, the column in which it starts (with tab
    stops every eight), and whether anything but white space was drawn.
    """

    text: str
    column: int
    is_drawn: bool


def strip_drawing(line: str) -> UndrawnLine:
    """Take the drawing off a line."""
    found = _DRAWN.match(line)
    if found is None:
        indent = _INDENT.match(line)
        end = indent.end() if indent else 0
        return UndrawnLine(line[end:].rstrip(), _width(line[:end]), is_drawn=False)
    end = found.end()
    # In a list the markers stand below each other: `9. f` and `10. g`; Org counts its stars.
    marker = found[1]
    if marker is None:
        column = _width(line[:end])
    else:
        column = _width(line[:found.start(1)]) + (len(marker) if marker.startswith("*") else 1)
    return UndrawnLine(line[end:].rstrip(), column, is_drawn=True)


def _width(text: str) -> int:
    return len(text.replace("\r", " ").expandtabs(_TAB))


@dataclass(frozen=True, slots=True)
class _OpenLine:
    """A line, its column and how deep it stands; whether it opened a brace, and whether it ends
    with a semicolon.
    """

    number: int
    column: int
    depth: int
    has_brace: bool = False
    has_end: bool = False


@dataclass
class OpenLines:
    """The open lines, the innermost last: those that others may stand under. A brace that no claim
    opened (`do {`) stands for the line around it.
    """

    _lines: list[_OpenLine] = field(default_factory=list)
    _braces: int = 0
    _saved: list[tuple[list[_OpenLine], int] | None] = field(default_factory=list)

    def clear(self) -> None:
        """Nothing below stands under what is above."""
        self._lines.clear()
        self._saved.clear()
        self._braces = 0

    @property
    def in_brace(self) -> bool:
        """Whether any brace is open."""
        return self._braces > 0

    @property
    def depth(self) -> int:
        """How many lines are open."""
        return len(self._lines)

    def find_parent(self, column: int) -> tuple[int, int]:
        """(the line that one at this column stands under, how deep it stands there). Closes the
        lines that it does not stand under.
        """
        while self._lines and self._lines[-1].column >= column and not self._lines[-1].has_brace:
            self._lines.pop()
        parent = self._innermost()
        return parent.number, parent.depth + 1

    def find_above(self, column: int) -> tuple[int, int]:
        """(the line that an arrow in this column leads from, how deep one under it stands). Closes
        the lines to the right of the arrow.
        """
        while self._lines and self._lines[-1].column > column and not self._lines[-1].has_brace:
            self._lines.pop()
        above = self._innermost()
        return above.number, above.depth + 1

    def add(self, number: int, column: int, *, has_brace: bool, has_end: bool) -> None:
        """Open a line. find_parent() must have been asked for its column before."""
        self._braces += has_brace
        depth = self._innermost().depth + 1
        self._lines.append(_OpenLine(number, column, depth, has_brace, has_end))

    def pass_label(self) -> None:
        """Close the lines of the innermost brace: what follows a label stands between the braces
        around it.
        """
        while self._lines and not self._lines[-1].has_brace:
            self._lines.pop()

    def open_brace(self, column: int, *, alone: bool) -> None:
        """Open a brace at this column: that of the line above if it stands `alone` on its line,
        else one of no claim.
        """
        while self._lines and self._lines[-1].column > column and not self._lines[-1].has_brace:
            self._lines.pop()
        line = self._innermost()
        self._braces += 1
        if alone and self._lines and not line.has_brace and not line.has_end:
            self._lines[-1] = replace(line, has_brace=True)
        else:
            self._lines.append(_OpenLine(line.number, column, line.depth, has_brace=True))

    def pass_directive(self, word: str) -> None:
        """Pass a line of the preprocessor. What follows `#else` stands where what follows `#if`
        does, so that a brace which both open is closed once behind `#endif`.
        """
        if word.startswith("if"):
            can_save = len(self._lines) <= _MAX_SEARCHED and len(self._saved) < _MAX_SAVED
            self._saved.append(([*self._lines], self._braces) if can_save else None)
        elif word.startswith("el") and self._saved and self._saved[-1] is not None:
            lines, self._braces = self._saved[-1]
            self._lines = [*lines]
        elif word == "endif" and self._saved:
            self._saved.pop()

    def close_braces(self, count: int, column: int) -> None:
        """Close braces at this column. Each ends the innermost brace that opened no further to the
        right, else the innermost. If none is open, it ends the lines that are not left of it.
        """
        for _ in range(count):
            if not self._braces:
                self.find_parent(column)
                return
            self.pass_label()
            inner = len(self._lines) - 1
            outer = max(-1, inner - _MAX_SEARCHED)
            last = next((place for place in range(inner, outer, -1)
                         if self._lines[place].has_brace and self._lines[place].column <= column),
                        inner)
            self._braces -= sum(each.has_brace for each in self._lines[last:])
            del self._lines[last:]

    def _innermost(self) -> _OpenLine:
        return self._lines[-1] if self._lines else _OpenLine(0, -1, -1)
