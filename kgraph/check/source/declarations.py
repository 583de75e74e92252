"""Members of a record as its definition declares them, and whether two declarations agree.

`struct sk_buff *next, *prev;` declares two members. A record without a name declares those that
it holds. The names of a function pointer's parameters are no part of its type.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile

from kgraph.check.source.tokens import ATTRIBUTES, CLOSE, OPEN, find_end, tokenise
from kgraph.model.verdicts import Verdict

Words = tuple[str, ...]
_RECORDS = ("struct", "union", "enum")
_TAGGED = [[word] for word in _RECORDS]
_QUALIFIERS = ("const", "volatile")
_TYPES = frozenset({"int", "long", "short", "char", "void", "bool", "unsigned", "signed", "float",
                    "double"})
# From what bears a line out to what does not.
WORSENING = (Verdict.HOLDS, Verdict.UNDECIDED, Verdict.REFUTED)


@dataclass(frozen=True, slots=True)
class Member:
    """A declaration: `type` is all but the name (`*`, array and width included), without
    attributes; `parameters` those of a pointer to a function, else None. `line` counts from 0.
    """

    name: str
    type: Words
    parameters: tuple[Words, ...] | None = None
    line: int = 0


def iter_members(text: str) -> Iterator[Member]:
    """The members in a record's definition, those of records within it among them."""
    for words in _declarations(text):
        yield from _declared(words)


def iter_macro_members(text: str) -> Iterator[tuple[int, str]]:
    """What macros declare in a record's definition, `DECLARE_BITMAP(name, 64)`: the line, counted
    from 0, and the text.
    """
    for words in _declarations(text):
        given = [word for word, _ in words]
        if given[1:2] == ["("] and find_end(given, 1) == len(given) - 1 and given[2:3] != ["*"]:
            spelled = " ".join(given[2:-1]).replace(" ,", ",")
            yield words[0][1], f"{given[0]}({spelled})"


def _declarations(text: str) -> Iterator[list[tuple[str, int]]]:
    """The words of each declaration in a record's definition, with their lines from 0."""
    lines = ["" if line.lstrip().startswith("#") else line for line in text.split("\n")]
    words: list[tuple[str, int]] = []
    for word, line in tokenise("\n".join(lines)):
        if word in ("{", "}"):
            words = []  # the head of a record within it; its members follow
        elif word == ";":
            yield words
            words = []
        else:
            words.append((word, line))


def parse_members(text: str) -> list[Member]:
    """The members that a line declares; none where one of them cannot be read."""
    words = [(word, line) for word, line in tokenise(text) if word != ";"]
    found = list(_declared(words))
    return found if len(found) == len(_parts(_without_attributes(words))) else []


def _declared(words: Sequence[tuple[str, int]]) -> Iterator[Member]:
    line = words[0][1] if words else 0
    base: list[str] = []
    for number, part in enumerate(_parts(_without_attributes(words))):
        member = _declarator(base + part)
        if number == 0:
            if member is None:
                return
            base = list(takewhile(lambda word: word not in "*[:", member.type))
        if member is not None:
            yield replace(member, line=line)


def _without_attributes(words: Sequence[tuple[str, int]]) -> list[str]:
    """The words without attributes, and without what stands in parentheses behind one."""
    given = [word for word, _ in words]
    found, place = [], 0
    while place < len(given):
        word = given[place]
        # `void __user (*f)(int)` has no argument behind its attribute
        applied = given[place + 1:place + 2] == ["("] and given[place + 2:place + 3] != ["*"]
        named = applied and word.startswith("__") and not word.startswith("__typeof")
        if word not in ATTRIBUTES and not named:
            found.append(word)
        elif applied:
            place = find_end(given, place + 1)
        place += 1
    return found


def _declarator(words: list[str]) -> Member | None:
    """`unsigned int x[4]`, `u8 x:1`, `int (*f)(int a)`."""
    for place in range(len(words) - 2):
        if words[place] == "(" and words[place + 1] == "*":
            end = find_end(words, place)
            name = [word for word in words[place:end] if word.isidentifier()][-1:]
            if not name or words[end + 1:end + 2] != ["("]:
                return None
            given = _parts(words[end + 2:find_end(words, end + 1)])
            return Member(name[0], tuple(words[:place]), tuple(map(tuple, given)))
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
    """Whether the last of the words is a name behind a type, and no part of the type."""
    if not words or not words[-1].isidentifier():
        return False
    *before, last = words
    return last not in (*_TYPES, *_RECORDS, *_QUALIFIERS) and before[-1:] not in _TAGGED and any(
        word not in _QUALIFIERS for word in before
    )


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


def compare_members(
    claimed: Member, there: Member, meanings: Callable[[Words], frozenset[Words]]
) -> tuple[Verdict, str]:
    """Whether a claimed declaration is the one `there` but for names, `const`, `volatile`, types
    that stand for others, and whether the size of an array is given by its name; with what to say
    of these. `meanings` are the types that one may stand for.
    """
    verdict = _same(claimed.type, there.type, meanings)
    notes = [] if claimed.type == there.type else [f"its type is `{' '.join(there.type)}`"]
    if claimed.parameters is None or there.parameters is None:
        same = claimed.parameters == there.parameters
        return (verdict, "; ".join(notes)) if same else (Verdict.REFUTED, "")
    if len(claimed.parameters) != len(there.parameters):
        return Verdict.REFUTED, ""
    for number, pair in enumerate(zip(claimed.parameters, there.parameters, strict=True), 1):
        (said_type, said), (type_there, name) = map(_parameter, pair)
        alike = _same(said_type, type_there, meanings)
        verdict = max(verdict, alike, key=WORSENING.index)
        if _bare(said_type) != _bare(type_there):
            notes.append(f"the type of parameter {number} is `{' '.join(type_there)}`")
        if said and name and said != name:
            notes.append(f"parameter {number} is `{name}`, not `{said}`")
    return verdict, "; ".join(notes)


def _same(
    claimed: Words, there: Words, meanings: Callable[[Words], frozenset[Words]]
) -> Verdict:
    """Whether two types are one; nobody can tell where a name stands for several."""
    said, real = _bare(claimed), _bare(there)
    if _alike(said, real):
        return Verdict.HOLDS
    mine, its = meanings(said), meanings(real)
    if mine and its and not any(_alike(one, other) for one in mine for other in its):
        return Verdict.REFUTED
    return Verdict.HOLDS if len(mine) == len(its) == 1 else Verdict.UNDECIDED


def _alike(claimed: Words, there: Words) -> bool:
    return len(claimed) == len(there) and all(
        said == word or (said.isdigit() and word.isidentifier())
        or (said.isidentifier() and word.isdigit())
        for said, word in zip(claimed, there, strict=True)
    )


def _bare(words: Words) -> Words:
    return tuple(word for word in words if word not in _QUALIFIERS)


def _parameter(words: Words) -> tuple[Words, str]:
    """(type, name) of a parameter, which need not have a name."""
    before = words[-2:-1]
    named = (
        before and words[-1].isidentifier() and words[-1] not in _TYPES
        and before[0] not in (*_RECORDS, *_QUALIFIERS)
    )
    return (words[:-1], words[-1]) if named else (words, "")
