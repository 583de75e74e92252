"""C source as tokens: the comparison ignores white space and comments."""

import re
from collections.abc import Iterable
from itertools import zip_longest

_TOKEN = re.compile(
    r"//[^\n]*|/\*.*?\*/|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'|\w+|->|<<=?|>>=?|[-+*/%&|^=!<>]="
    r"|&&|\|\||\+\+|--|\n|\S",
    re.DOTALL,
)
# Blanks between tokens that most people leave out.
_TIGHT = re.compile(
    r"(?<=[(\[!~]) | (?=[)\],;.]|->)|(?<=->) |(?<=\.) (?=\w)|(?<=\w) (?=\()", re.ASCII)

OPEN, CLOSE = "([{", ")]}"
# Words for sparse or the compiler, which change no type that anyone compares.
ATTRIBUTES = frozenset({
    "__user", "__kernel", "__force", "__iomem", "__percpu", "__rcu", "__nocast", "__safe",
    "__bitwise", "__maybe_unused", "__always_unused", "__unused", "__must_check", "__restrict",
    "__cold", "__init", "__exit", "__initdata", "__read_mostly", "__aligned", "__packed",
    "__deprecated", "__pure", "__always_inline", "__extension__", "__attribute__",
})


def tokenise(text: str) -> list[tuple[str, int]]:
    """(token, line from 0) of C source, without comments and white space."""
    found, line = [], 0
    for match in _TOKEN.finditer(text):
        word = match[0]
        if word != "\n" and not word.startswith(("//", "/*")):
            found.append((word, line))
        line += word.count("\n")
    return found


def strip_directives(body: list[tuple[str, int]]) -> tuple[list[tuple[str, int]], dict[int, int]]:
    """(tokens without directives, where each bracket among them closes). What follows `#else`
    stands where what follows `#if` does, and one bracket closes what both open.
    """
    kept: list[tuple[str, int]] = []
    ends: dict[int, int] = {}
    opened: list[list[int]] = []  # the places that one token closes
    around: list[tuple[list[list[int]], list[list[int]]]] = []  # open at `#if`; behind its parts
    line = ended = -1
    for place, (word, at) in enumerate(body):
        is_directive = word == "#" and at != line
        line = at
        if is_directive:
            name = body[place + 1][0] if place + 1 < len(body) else ""
            opened = _pass_directive(name, opened, around)
            ended = at
        if at == ended:
            ended += word == "\\"
            continue
        if word in OPEN:
            opened.append([len(kept)])
        elif word in CLOSE and opened:
            ends.update((start, len(kept)) for start in opened.pop())
        kept.append((word, at))
    return kept, ends


def _pass_directive(
    name: str, opened: list[list[int]], around: list[tuple[list[list[int]], list[list[int]]]]
) -> list[list[int]]:
    """What is open behind a directive. `around` are the `#if` around it."""
    if name.startswith("if"):
        around.append((opened, []))
        return [*opened]
    if not around or not (name.startswith("el") or name == "endif"):
        return opened
    before, others = around[-1]
    both = [[*one, *(each for each in other if each not in one)] if other else one
            for one, other in zip_longest(opened, others, fillvalue=list[int]())]
    if name == "endif":
        around.pop()
        return both
    around[-1] = before, both
    return [*before]


def find_end(words: list[str], start: int) -> int:
    """The place where the bracket at `start` closes; the last place if it does not."""
    depth = 0
    for place in range(start, len(words)):
        depth += (words[place] in OPEN) - (words[place] in CLOSE)
        if depth == 0:
            return place
    return len(words) - 1


def find_ends(words: list[str]) -> dict[int, int]:
    """Where each bracket that is closed closes, by its place."""
    opened: list[int] = []
    found = {}
    for place, word in enumerate(words):
        if word in OPEN:
            opened.append(place)
        elif word in CLOSE and opened:
            found[opened.pop()] = place
    return found


def list_tokens(text: str) -> list[str]:
    """The tokens of a text without semicolons."""
    return [word for word, _ in tokenise(text) if word != ";"]


def join_tokens(words: Iterable[str]) -> str:
    """Tokens with the blanks between them that most people write."""
    return _TIGHT.sub("", " ".join(words))
