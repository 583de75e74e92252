"""What the value of a call goes to: `x = f(a)` held against the text before the call.

A difference is told beside the verdict; it does not change it.
"""

from collections.abc import Iterable

from kgraph.model.documents import DocumentLine
from kgraph.model.location import Extent
from kgraph.query.checking.ground import Ground
from kgraph.query.checking.texts import words_of

_MOST_LINES = 3  # of a statement before its call
_ENDS = (";", "{", "}")


def result_note(ground: Ground, line: DocumentLine, places: Iterable[Extent]) -> str:
    """That the value of none of the calls at `places` goes to what the line says; "" where that of
    one does, or where the line says nothing of it.
    """
    result = line.claim.result
    if not result:
        return ""
    there: list[list[str]] = []
    for place in places:
        if place.start.column:
            before = _before(ground, place)
            path = place.start.path
            wanted = ground.spelling.text(
                result if result == "return" else f"{result} =", path)
            found = ground.spelling.text(" ".join(before), path)
            if found[-len(wanted):] == wanted:
                return ""
            there.append(before)
    if not there:
        return ""
    said = "is not returned there" if result == "return" else f"does not go to {result} there"
    return f"its value {said}, which has `{' '.join(there[0]) or 'nothing'}` before the call"


def _before(ground: Ground, place: Extent) -> list[str]:
    """The words of a statement before the call, casts left out."""
    number = place.start.line
    lines = ground.sources.lines(place.start.path)[max(0, number - 1 - _MOST_LINES):number]
    if not lines:
        return []
    *above, last = lines
    text = "\n".join([*above, last.encode()[:place.start.column - 1].decode("utf-8", "replace")])
    for mark in _ENDS:
        text = text.rpartition(mark)[2]
    words = words_of(text)
    while words[-1:] == [")"] and "(" in words and "=" not in words[_opening(words):]:
        start = _opening(words)
        if words[start - 1:start] not in (["="], ["return"]):
            break
        words = words[:start]
    return words


def _opening(words: list[str]) -> int:
    return len(words) - 1 - words[::-1].index("(")
