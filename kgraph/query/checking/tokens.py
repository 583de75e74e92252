"""C source as tokens: what is compared where white space and comments make no difference."""

import re

_TOKEN = re.compile(
    r"//[^\n]*|/\*.*?\*/|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'|\w+|->|<<=?|>>=?|[-+*/%&|^=!<>]="
    r"|&&|\|\||\+\+|--|\n|\S",
    re.DOTALL,
)

OPEN, CLOSE = "([{", ")]}"
# Words that tell sparse or the compiler something and change no type that anyone compares.
ATTRIBUTES = frozenset({
    "__user", "__kernel", "__force", "__iomem", "__percpu", "__rcu", "__nocast", "__safe",
    "__bitwise", "__maybe_unused", "__always_unused", "__unused", "__must_check", "__restrict",
    "__cold", "__init", "__exit", "__initdata", "__read_mostly", "__aligned", "__packed",
    "__deprecated", "__pure", "__always_inline", "__extension__", "__attribute__",
})


def tokens(text: str) -> list[tuple[str, int]]:
    """(token, line from 0) of C source; comments and white space left out."""
    found, line = [], 0
    for match in _TOKEN.finditer(text):
        word = match[0]
        if word != "\n" and not word.startswith(("//", "/*")):
            found.append((word, line))
        line += word.count("\n")
    return found


def end_of(words: list[str], start: int) -> int:
    """The place of what closes the parenthesis or brace at `start`; the last where nothing does."""
    depth = 0
    for place in range(start, len(words)):
        depth += (words[place] in OPEN) - (words[place] in CLOSE)
        if depth == 0:
            return place
    return len(words) - 1


def ends_of(words: list[str]) -> dict[int, int]:
    """For each parenthesis or brace that is closed, where."""
    opened: list[int] = []
    found = {}
    for place, word in enumerate(words):
        if word in OPEN:
            opened.append(place)
        elif word in CLOSE and opened:
            found[opened.pop()] = place
    return found
