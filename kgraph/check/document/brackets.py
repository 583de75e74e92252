"""Finds where parentheses close and splits argument lists, in one line of C or of text that looks
like C.
"""

import re
from collections.abc import Iterator

_MARK = re.compile(r"[\"'()\[\]{},;]")
_STRING_END = {quote: re.compile(rf"(?<!\\)(?:\\\\)*{quote}") for quote in "\"'"}
_DEPTH = {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}


def _iter_marks(text: str, start: int = 0) -> Iterator[tuple[int, str]]:
    """(place, character) of the brackets, commas and semicolons outside strings, in linear time. A
    quote without a partner is an apostrophe, and so is every quote of that kind after it.
    """
    place, apostrophes = start, set[str]()
    while (found := _MARK.search(text, place)) is not None:
        place, character = found.end(), found[0]
        if character not in _STRING_END:
            yield found.start(), character
        elif character not in apostrophes:
            end = _STRING_END[character].search(text, place)
            if end is None:
                apostrophes.add(character)
            else:
                place = end.end()


def find_closing(text: str, start: int) -> int:
    """The place of the bracket that closes the one at `start`; -1 if none does."""
    depth = 0
    for place, character in _iter_marks(text, start):
        depth += _DEPTH.get(character, 0)
        if depth == 0 and character in ")]}":
            return place
    return -1


def iter_statements(text: str) -> Iterator[tuple[str, str | None]]:
    """(head, body) of each statement of a text: what stands before its braces, and what between
    them, None if it has none. Semicolons are left out.
    """
    depth, start, opened = 0, 0, -1
    for place, character in _iter_marks(text):
        if depth == 0 and character == "{":
            opened = place
        depth += _DEPTH.get(character, 0)
        if depth == 0 and character == "}" and opened >= 0:
            yield text[start:opened].strip(), text[opened + 1:place]
            start, opened = place + 1, -1
        elif depth == 0 and character == ";":
            yield text[start:place].strip(), None
            start = place + 1
    yield text[start:].strip(), None


def count_unclosed(text: str) -> int:
    """How many parentheses and square brackets are open at the end of a line."""
    depth = sum(_DEPTH[character] for _, character in _iter_marks(text) if character in "()[]")
    return max(0, depth)


def count_braces(text: str) -> tuple[int, int]:
    """(how many braces from before a line it closes, how many of its own it leaves open)."""
    depth = lowest = 0
    for _, character in _iter_marks(text):
        depth += {"{": 1, "}": -1}.get(character, 0)
        lowest = min(lowest, depth)
    return -lowest, depth - lowest


def split_outside_brackets(text: str, mark: str) -> list[str]:
    """The parts of a text between the commas or semicolons (`mark`) that stand in no brackets,
    without the blanks around each.
    """
    found, depth, start = [], 0, 0
    for place, character in _iter_marks(text):
        depth += _DEPTH.get(character, 0)
        if character == mark and depth == 0:
            found.append(text[start:place].strip())
            start = place + 1
    return [*found, text[start:].strip()]


def split_argument_list(text: str) -> tuple[str, ...]:
    """The arguments between the parentheses of a call, without the blanks around each."""
    *found, last = split_outside_brackets(text, ",")
    return (*found, last) if found or last else ()


def parse_arguments(text: str) -> tuple[str, ...] | None:
    """The arguments in a text that begins with the parenthesis before them; None if that is not
    closed.
    """
    end = find_closing(text, 0) if text.startswith("(") else -1
    return split_argument_list(text[1:end]) if end >= 0 else None


def find_call_arguments(text: str) -> tuple[str, ...] | None:
    """The arguments of a call, whatever is called: those between the last parentheses that stand in
    no others. None if the text has none.
    """
    found, start = None, text.find("(")
    while start >= 0:
        end = find_closing(text, start)
        if end < 0:
            break
        found = split_argument_list(text[start + 1:end])
        start = text.find("(", end)
    return found
