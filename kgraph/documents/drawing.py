"""How documents draw a tree: `|-`, `|--`, `+-`, box characters, list markers, indentation, the
columns of a function tracer.

Owns taking the drawing off a line. What it stands under follows from the column that is left.
"""

import re
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


class Drawn(NamedTuple):
    """A line without its drawing: what is left, the column that it starts in (tabs end at every
    eighth), and whether something was drawn besides white space.
    """

    text: str
    column: int
    drawn: bool


def undraw(line: str) -> Drawn:
    """Take the drawing off a line."""
    tracer = _TRACER.match(line)
    start = tracer.end() if tracer else 0
    found = _DRAWN.match(line, start) if tracer is None else None
    if found is None:
        indent = _INDENT.match(line, start)
        end = indent.end() if indent else start
        return Drawn(line[end:].rstrip(), _width(line[start:end]), tracer is not None)
    end = found.end()
    # Of a list it is the markers that stand below each other: `9. f` and `10. g`.
    column = _width(line[:end]) if found[1] is None else _width(line[:found.start(1)]) + 1
    return Drawn(line[end:].rstrip(), column, drawn=True)


def _width(text: str) -> int:
    return len(text.replace("\r", " ").expandtabs(_TAB))
