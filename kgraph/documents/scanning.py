"""Finding where parentheses close and arguments part, in one line of C or of what looks like it."""

_PAIRS = {"(": ")", "[": "]", "{": "}"}


def closing(text: str, start: int) -> int:
    """The place of the parenthesis that closes the one at `start`; -1 where none does."""
    depth, place, size = 0, start, len(text)
    while place < size:
        character = text[place]
        if character in "\"'":
            place = _string_end(text, place)
        elif character in _PAIRS:
            depth += 1
        elif character in ")]}":
            depth -= 1
            if depth == 0:
                return place
        place += 1
    return -1


def _string_end(text: str, start: int) -> int:
    """The place of the quote that ends a string; `start` where there is none (an apostrophe)."""
    quote, place = text[start], start + 1
    while place < len(text):
        if text[place] == "\\":
            place += 1
        elif text[place] == quote:
            return place
        place += 1
    return start


def unclosed(text: str) -> int:
    """How many parentheses and brackets are still open at the end of a line."""
    depth, place = 0, 0
    while place < len(text):
        character = text[place]
        if character in "\"'":
            place = _string_end(text, place)
        depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(character, 0)
        place += 1
    return max(0, depth)


def arguments(text: str) -> tuple[str, ...]:
    """The arguments between the parentheses of a call, without the blanks around each."""
    found, depth, start, place = [], 0, 0, 0
    while place < len(text):
        character = text[place]
        if character in "\"'":
            place = _string_end(text, place)
        depth += {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}.get(character, 0)
        if character == "," and depth == 0:
            found.append(text[start:place].strip())
            start = place + 1
        place += 1
    last = text[start:].strip()
    return (*found, last) if found or last else ()


def split_arguments(text: str) -> tuple[str, ...] | None:
    """The arguments of a text that begins with the parenthesis before them; None where that is not
    closed.
    """
    end = closing(text, 0) if text.startswith("(") else -1
    return arguments(text[1:end]) if end >= 0 else None
