"""The members of a record as its definition declares them, and whether two declarations are one.

`struct sk_buff *next, *prev;` declares two members, and so does a record without a name for those
that it holds. What a parameter of a function pointer is called makes no difference to its type.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from kgraph.query.checking.tokens import ATTRIBUTES, CLOSE, OPEN, end_of, tokens

Words = tuple[str, ...]

_RECORDS = ("struct", "union", "enum")
_TYPES = frozenset({"int", "long", "short", "char", "void", "bool", "unsigned", "signed", "float",
                    "double"})


@dataclass(frozen=True, slots=True)
class Member:
    """A declaration: `type` is all but the name (`*`, array and width included), without
    attributes; `parameters` those of a pointer to a function, else None. `line` counts from 0.
    """

    name: str
    type: Words
    parameters: tuple[Words, ...] | None = None
    line: int = 0


def members(text: str) -> Iterator[Member]:
    """The members in a record's definition, those of records within it among them."""
    lines = ["" if line.lstrip().startswith("#") else line for line in text.split("\n")]
    words: list[tuple[str, int]] = []
    for word, line in tokens("\n".join(lines)):
        if word in ("{", "}"):
            words.clear()  # the head of a record within it; its members follow
        elif word == ";":
            yield from _declared(words)
            words.clear()
        else:
            words.append((word, line))


def declared(text: str) -> Member | None:
    """The member that a line declares."""
    return next(iter(_declared([(word, line) for word, line in tokens(text) if word != ";"])), None)


def _declared(words: Sequence[tuple[str, int]]) -> Iterator[Member]:
    line = words[0][1] if words else 0
    kept = [word for word, _ in words if word not in ATTRIBUTES]
    base: list[str] = []
    for number, part in enumerate(_parts(kept)):
        member = _declarator(base + part)
        if member is None:
            return
        if number == 0:
            base = [word for word in member.type if word != "*"]
            base = base[:base.index("[")] if "[" in base else base
        yield replace(member, line=line)


def _declarator(words: list[str]) -> Member | None:
    """`unsigned int x[4]`, `u8 x:1`, `int (*f)(int a)`."""
    for place in range(len(words) - 2):
        if words[place] == "(" and words[place + 1] == "*":
            end = end_of(words, place)
            name = [word for word in words[place:end] if word.isidentifier()][-1:]
            if not name or words[end + 1:end + 2] != ["("]:
                return None
            given = _parts(words[end + 2:end_of(words, end + 1)])
            return Member(name[0], tuple(words[:place]), tuple(map(tuple, given)))
    end = next((place for place, word in enumerate(words) if word in ("[", ":")), len(words))
    if end < 2 or not words[end - 1].isidentifier():
        return None
    return Member(words[end - 1], tuple(words[:end - 1] + words[end:]))


def _parts(words: list[str]) -> list[list[str]]:
    """The words between commas that stand in no parentheses."""
    found, depth = [[]], 0  # type: tuple[list[list[str]], int]
    for word in words:
        depth += (word in OPEN) - (word in CLOSE)
        if word == "," and depth == 0:
            found.append([])
        else:
            found[-1].append(word)
    return found if found[-1] or len(found) > 1 else []


def difference(claimed: Member, there: Member) -> str | None:
    """What to say of a claimed declaration that is the one `there` but for names, `const` and
    whether the size of an array is given by its name; "" where they are the same, None where they
    are not.
    """
    if not _same_type(_bare(claimed.type), _bare(there.type)):
        return None
    notes = [] if claimed.type == there.type else [f"its type is `{' '.join(there.type)}`"]
    if claimed.parameters is None or there.parameters is None:
        return None if claimed.parameters != there.parameters else "; ".join(notes)
    if len(claimed.parameters) != len(there.parameters):
        return None
    for number, pair in enumerate(zip(claimed.parameters, there.parameters, strict=True), 1):
        (said_type, said), (type_there, name) = map(_parameter, pair)
        if _bare(said_type) != _bare(type_there):
            return None
        if said and name and said != name:
            notes.append(f"parameter {number} is `{name}`, not `{said}`")
    return "; ".join(notes)


def _same_type(claimed: Words, there: Words) -> bool:
    return len(claimed) == len(there) and all(
        said == word or (said.isdigit() and word.isidentifier())
        or (said.isidentifier() and word.isdigit())
        for said, word in zip(claimed, there, strict=True)
    )


def _bare(words: Words) -> Words:
    return tuple(word for word in words if word != "const")


def _parameter(words: Words) -> tuple[Words, str]:
    """(type, name) of a parameter, which need not have a name."""
    before = words[-2:-1]
    named = (
        before and words[-1].isidentifier() and words[-1] not in _TYPES
        and before[0] not in (*_RECORDS, "const")
    )
    return (words[:-1], words[-1]) if named else (words, "")
