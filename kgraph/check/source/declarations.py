"""Members of a record as its definition declares them.

`struct sk_buff *next, *prev;` declares two members. The members of a record without a name are
members of the record around it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile

from kgraph.check.source.tokens import ATTRIBUTES, CLOSE, OPEN, find_end, tokenise

Words = tuple[str, ...]
_RECORDS = ("struct", "union", "enum")
_TAGGED = [[word] for word in _RECORDS]
_QUALIFIERS = ("const", "volatile")
_TYPES = frozenset({"int", "long", "short", "char", "void", "bool", "unsigned", "signed", "float",
                    "double"})


@dataclass(frozen=True, slots=True)
class Member:
    """A declaration. `type` has all its words but the name and attributes, also `*`, arrays and
    widths; `parameters` are those of a pointer to a function, else None. `line` counts from 0.
    """

    name: str
    type: Words
    parameters: tuple[Words, ...] | None = None
    line: int = 0


def iter_members(text: str) -> Iterator[Member]:
    """The members in a record's definition, also those of records within it."""
    for words in _iter_declarations(text):
        yield from _iter_declared(words)


def iter_macro_members(text: str) -> Iterator[tuple[int, str]]:
    """(line from 0, text) of each member in a record's definition that a macro declares:
    `DECLARE_BITMAP(name, 64)`.
    """
    for words in _iter_declarations(text):
        plain = [word for word, _ in words]
        if plain[1:2] == ["("] and find_end(plain, 1) == len(plain) - 1 and plain[2:3] != ["*"]:
            arguments = " ".join(plain[2:-1]).replace(" ,", ",")
            yield words[0][1], f"{plain[0]}({arguments})"


def _iter_declarations(text: str) -> Iterator[list[tuple[str, int]]]:
    """The words of each declaration in a record's definition, with their lines from 0."""
    lines = ["" if line.lstrip().startswith("#") else line for line in text.split("\n")]
    words: list[tuple[str, int]] = []
    for word, line in tokenise("\n".join(lines)):
        if word in ("{", "}"):
            words = []  # the head of a record within it; its members follow
        elif word == ";":
            yield _skip_macros(words)
            words = []
        else:
            words.append((word, line))


def _skip_macros(words: list[tuple[str, int]]) -> list[tuple[str, int]]:
    """A declaration without the macros before it that have no semicolon, `PADDING(x) int a`."""
    plain = [word for word, _ in words]
    start = 0
    while plain[start:start + 1] and plain[start].isupper() and plain[start + 1:start + 2] == ["("]:
        end = find_end(plain, start + 1)
        if not plain[end + 1:end + 2] or not plain[end + 1].isidentifier():
            break
        start = end + 1
    return words[start:]


def parse_members(text: str) -> list[Member]:
    """The members that a line declares; none if one of them cannot be read."""
    words = [(word, line) for word, line in tokenise(text) if word != ";"]
    found = list(_iter_declared(words))
    return found if len(found) == len(_split_at_commas(_strip_attributes(words))) else []


def _iter_declared(words: Sequence[tuple[str, int]]) -> Iterator[Member]:
    line = words[0][1] if words else 0
    base: list[str] = []
    for number, part in enumerate(_split_at_commas(_strip_attributes(words))):
        member = _parse_declarator(base + part)
        if number == 0:
            if member is None:
                return
            base = list(takewhile(lambda word: word not in "*[:", member.type))
        if member is not None:
            yield replace(member, line=line)


def _strip_attributes(words: Sequence[tuple[str, int]]) -> list[str]:
    """The words without attributes and their arguments."""
    plain = [word for word, _ in words]
    found, place = [], 0
    while place < len(plain):
        word = plain[place]
        # The attribute of `void __user (*f)(int)` has no arguments.
        has_arguments = plain[place + 1:place + 2] == ["("] and plain[place + 2:place + 3] != ["*"]
        is_attribute = word in ATTRIBUTES or (
            has_arguments and word.startswith("__") and not word.startswith("__typeof"))
        if not is_attribute:
            found.append(word)
        elif has_arguments:
            place = find_end(plain, place + 1)
        place += 1
    return found


def _parse_declarator(words: list[str]) -> Member | None:
    """`unsigned int x[4]`, `u8 x:1`, `int (*f)(int a)`."""
    for place in range(len(words) - 2):
        if words[place] == "(" and words[place + 1] == "*":
            end = find_end(words, place)
            name = [word for word in words[place:end] if word.isidentifier()][-1:]
            if not name or words[end + 1:end + 2] != ["("]:
                return None
            parameters = _split_at_commas(words[end + 2:find_end(words, end + 1)])
            return Member(name[0], tuple(words[:place]), tuple(map(tuple, parameters)))
    end = next((place for place, word in enumerate(words) if word in ("[", ":")), len(words))
    behind = words[end:]
    while len(behind) > 1 and behind[-1].startswith("__") and behind[-2] not in ("[", ":"):
        behind.pop()
    while words[end - 1:end] and words[end - 1].startswith("__") and _is_name(words[:end - 1]):
        end -= 1  # `spinlock_t lock ____cacheline_aligned`
    if end < 2 or not words[end - 1].isidentifier():
        return None
    return Member(words[end - 1], tuple(words[:end - 1] + behind))


def _is_name(words: Sequence[str]) -> bool:
    """Whether the last word is a name behind a type, and no part of the type."""
    if not words or not words[-1].isidentifier():
        return False
    *before, last = words
    return last not in (*_TYPES, *_RECORDS, *_QUALIFIERS) and before[-1:] not in _TAGGED and any(
        word not in _QUALIFIERS for word in before
    )


def _split_at_commas(words: list[str]) -> list[list[str]]:
    """The words between commas that stand in no brackets."""
    found, depth = [[]], 0  # type: tuple[list[list[str]], int]
    for word in words:
        depth += (word in OPEN) - (word in CLOSE)
        if word == "," and depth == 0:
            found.append([])
        else:
            found[-1].append(word)
    return found if found[-1] or len(found) > 1 else []


def strip_qualifiers(type_: Words) -> Words:
    """A type without `const` and `volatile`."""
    return tuple(word for word in type_ if word not in _QUALIFIERS)


def split_sizes(type_: Words) -> tuple[Words, list[Words]]:
    """(the type without the sizes of arrays, these sizes): of `int [ 2 ] [ N ]`, int with 2, N."""
    plain: list[str] = []
    sizes: list[Words] = []
    place = 0
    while place < len(type_):
        if type_[place] != "[":
            plain.append(type_[place])
        else:
            end = find_end(list(type_), place)
            sizes.append(type_[place + 1:end])
            place = end
        place += 1
    return tuple(plain), sizes


def split_parameter(words: Words) -> tuple[Words, str]:
    """(type, name) of a parameter; the name is "" if it has none."""
    before = words[-2:-1]
    has_name = (
        before and words[-1].isidentifier() and words[-1] not in _TYPES
        and before[0] not in (*_RECORDS, *_QUALIFIERS)
    )
    return (words[:-1], words[-1]) if has_name else (words, "")
