"""The rows of a table as its definition writes them: designators and values, and in an array the
element that each stands in.
"""

from dataclasses import dataclass

from kgraph.model.answers import KnownObject
from kgraph.model.location import Location
from kgraph.query.checking.ground import Ground
from kgraph.query.checking.tokens import tokens

_MOST_LINES = 4000
Words = list[tuple[str, int]]


@dataclass(frozen=True, slots=True)
class Row:
    """`.field = value` in a definition; `element` counts the elements of an array from 0, and is
    -1 where the table is none.
    """

    field: str
    value: str
    location: Location
    element: int


def initialiser(ground: Ground, table: KnownObject) -> list[Row]:
    """The rows with designators of a table's definition; [] where its source cannot be read."""
    if table.location is None:
        return []
    path, first = table.location.path, table.location.line
    lines = ground.sources.lines(path)[first - 1:first - 1 + _MOST_LINES]
    found: list[Row] = []
    words = tokens("\n".join(lines))
    depth, elements = 0, -1
    for place, (word, line) in enumerate(words[:-2]):
        depth += {"{": 1, "}": -1}.get(word, 0)
        if word == "{" and depth == 2 and words[place - 1][0] in ("{", ",", "="):
            # `.field = {` at the top opens a record within a table that is no array.
            elements += not _after_field(words, place)
        if depth <= 0 and word in ("}", ";"):
            break
        if word == "." and depth > 0 and words[place - 1][0] in ("{", ",", ")"):
            field, value = _designated(words, place)
            if field:
                found.append(Row(field, value, Location(path, first + line), elements))
    return found


def _after_field(words: Words, place: int) -> bool:
    """Whether the brace at `place` is the value of a member."""
    return words[place - 1][0] == "=" and words[place - 2][0] != "]"


def _designated(words: Words, place: int) -> tuple[str, str]:
    """(last member, value) of the designator whose dot stands at `place`; ("", "") for none."""
    field = ""
    while place + 1 < len(words):
        word, following = words[place][0], words[place + 1][0]
        if word == "=":
            return field, _until_comma(words[place + 1:])
        if word == "." and following.isidentifier():
            field, place = following, place + 2
        elif word == "[":
            place += 3
        else:
            break
    return "", ""


def _until_comma(words: Words) -> str:
    depth, value = 0, []
    for word, _ in words:
        if depth == 0 and word in (",", "}", ";"):
            break
        depth += {"(": 1, "{": 1, "[": 1, ")": -1, "}": -1, "]": -1}.get(word, 0)
        value.append(word)
    return " ".join(value) if any(word.isidentifier() for word in value) else "".join(value)
