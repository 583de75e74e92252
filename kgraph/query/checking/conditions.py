"""Conditions in a form in which two ways to write one are equal, and where those of a function are.

Parentheses, the order of operands, where the negation stands, comparisons with NULL, 0 and false,
and macros that only hint to the compiler make no difference.
"""

from dataclasses import dataclass
from itertools import pairwise

from kgraph.query.checking.tokens import CLOSE, OPEN, end_of

# A test `a`, or a comparison, and whether it holds; ("and" or "or", what it joins).
Form = tuple[str, object]

_ZERO = frozenset({"NULL", "0", "false", "0L", "0UL", "0U"})
_TRUE = frozenset({"true"})
_HINTS = frozenset({"likely", "unlikely"})  # macros whose value is that of their argument
_DEEPEST = 60  # deeper conditions in conditions are compared as they are written
_LEAVING = ("return", "goto", "break", "continue")


def normal(words: list[str], *, holds: bool = True) -> Form:
    """The form of a condition, given as its tokens, or of its negation."""
    form = _form(words)
    return form if holds else opposite(form)


def opposite(form: Form) -> Form:
    """The negation of a form."""
    kind, inner = form
    if kind == "is":
        assert isinstance(inner, tuple)
        return "is", (inner[0], not inner[1])
    assert isinstance(inner, frozenset)
    return ("or" if kind == "and" else "and"), frozenset(map(opposite, inner))


def conjuncts(form: Form) -> frozenset[Form]:
    """What must hold, each, for a form to hold."""
    kind, inner = form
    if kind == "and":
        assert isinstance(inner, frozenset)
        return frozenset().union(*map(conjuncts, inner))
    return frozenset({form})


def _form(words: list[str], depth: int = 0) -> Form:
    words, holds = _bare(words), True
    while words[:1] == ["!"] and not _joined(words):
        words, holds = _bare(words[1:]), not holds
    if depth < _DEEPEST:
        found = _joined(words)
        if found is not None:
            kind, split = found
            form: Form = kind, frozenset(_form(each, depth + 1) for each in split)
            return form if holds else opposite(form)
    for mark in ("==", "!=", "<", ">", "<=", ">="):
        split = _split(words, mark)
        if len(split) == 2:
            compared = _comparison(mark, *split, depth=depth)
            return compared if holds else opposite(compared)
    return "is", (" ".join(words), holds)


def _joined(words: list[str]) -> tuple[str, list[list[str]]] | None:
    """What `||`, or else `&&`, joins."""
    for mark, kind in (("||", "or"), ("&&", "and")):
        split = _split(words, mark) if mark in words else []
        if len(split) > 1:
            return kind, split
    return None


def _comparison(mark: str, left: list[str], right: list[str], *, depth: int) -> Form:
    left, right = _bare(left), _bare(right)
    if mark in ("==", "!="):
        for one, other in ((left, right), (right, left)):
            if len(other) == 1 and other[0] in _ZERO | _TRUE and depth < _DEEPEST:
                form = _form(one, depth + 1)
                return form if (other[0] in _TRUE) == (mark == "==") else opposite(form)
        first, last = sorted((" ".join(left), " ".join(right)))
        return "is", (f"{first} == {last}", mark == "==")
    if mark in (">", "<="):
        left, right = right, left
    return "is", (f"{' '.join(left)} < {' '.join(right)}", mark in ("<", ">"))


def _bare(words: list[str]) -> list[str]:
    """Words without parentheses, or a hint, around the whole of them."""
    first, last, ends = 0, len(words) - 1, dict[int, int]()
    while first < last:
        hint = words[first] in _HINTS and words[first + 1] == "("
        start = first + hint
        if words[start] != "(" or words[last] != ")":
            break
        ends = ends or _ends(words)
        if ends.get(start) != last:
            break
        first, last = start + 1, last - 1
    return words[first:last + 1]


def _ends(words: list[str]) -> dict[int, int]:
    """For each parenthesis or brace that is closed, where."""
    opened: list[int] = []
    found = {}
    for place, word in enumerate(words):
        if word in OPEN:
            opened.append(place)
        elif word in CLOSE and opened:
            found[opened.pop()] = place
    return found


def _split(words: list[str], mark: str) -> list[list[str]]:
    depth, found = 0, [[]]  # type: tuple[int, list[list[str]]]
    for word in words:
        depth += (word in OPEN) - (word in CLOSE)
        if word == mark and depth == 0:
            found.append([])
        else:
            found[-1].append(word)
    return found if all(found) else [words]


@dataclass(frozen=True, slots=True)
class Branch:
    """A condition in a body: its form, the token that it starts at, the tokens that run where it
    holds and where it does not.
    """

    form: Form
    place: int
    then: range
    other: range

    def says(self, place: int) -> frozenset[Form]:
        """What holds at a token because of this condition."""
        if place in self.then:
            return conjuncts(self.form)
        return conjuncts(opposite(self.form)) if place in self.other else frozenset()


def branches(words: list[str]) -> list[Branch]:
    """The `if` and `while` conditions of a body."""
    found = []
    for place, (word, following) in enumerate(pairwise(words)):
        if word not in ("if", "while") or following != "(":
            continue
        end = end_of(words, place + 1)
        then = _ruled(words, end + 1)
        after = then.stop
        other = range(after, after)
        if words[after:after + 1] == ["else"]:
            other = _ruled(words, after + 1)
        elif word == "if" and _leaves(words[then.start:then.stop]):
            other = range(after, _block_end(words, after))
        form = _form(words[place + 2:end])
        found.append(Branch(form, place, then, other))
    return found


def labels(words: list[str]) -> list[tuple[str, range]]:
    """The `case` and `default` labels of a body, each with the tokens that run from it on, to where
    they leave the switch.
    """
    found = []
    for place, word in enumerate(words):
        if word not in ("case", "default"):
            continue
        colon = next((at for at in range(place, len(words)) if words[at] in ":;{"), len(words))
        if words[colon:colon + 1] == [":"]:
            then = range(colon + 1, _left(words, colon + 1))
            found.append((" ".join(words[place:colon]), then))
    return found


def jumped(words: list[str], start: range) -> list[range]:
    """The tokens that run from these on, those behind the labels that they jump to among them."""
    found, names = [start], set[str]()
    for part in found:
        for place in part:
            if words[place] != "goto" or words[place + 1] in names:
                continue
            names.add(words[place + 1])
            found += [range(at, len(words)) for at, pair in enumerate(pairwise(words))
                      if pair == (words[place + 1], ":") and words[at - 1] in (";", "{", "}", ":")]
    return found


def _left(words: list[str], start: int) -> int:
    """Behind the first statement from `start` on that leaves the block around it."""
    place, last = start, _block_end(words, start)
    while place < last:
        stop = max(place + 1, _ruled(words, place).stop)
        if _leaves(words[place:stop]):
            return stop
        place = stop
    return last


def _ruled(words: list[str], start: int) -> range:
    """The tokens of the statement that starts at `start`, with its `else`."""
    place = start
    while words[place:place + 1] and words[place] in ("if", "while", "for", "switch"):
        heads = words[place] == "if"
        place = end_of(words, place + 1) + 1
        if not heads:
            continue
        inner = _ruled(words, place).stop if words[place:place + 1] != ["if"] else place
        if words[inner:inner + 1] == ["else"]:
            place = inner + 1
        elif inner > place:
            return range(start, inner)
    return range(start, _simple_end(words, place))


def _simple_end(words: list[str], start: int) -> int:
    """Behind the block that starts at `start`, or the next semicolon."""
    depth = 0
    for place in range(start, len(words)):
        if depth == 0 and words[place] == "{":
            return end_of(words, place) + 1
        depth += (words[place] in OPEN) - (words[place] in CLOSE)
        if depth < 0:
            return place
        if depth == 0 and words[place] == ";":
            return place + 1
    return len(words)


def _leaves(words: list[str]) -> bool:
    """Whether a statement ends by leaving the block around it."""
    if words[:1] != ["{"]:
        return bool(words) and words[0] in _LEAVING
    place, first = 1, ""
    while place < len(words) - 1:
        first = words[place]
        place = max(place + 1, _ruled(words, place).stop)
    return first in _LEAVING


def _block_end(words: list[str], start: int) -> int:
    depth = 0
    for place in range(start, len(words)):
        depth += (words[place] in OPEN) - (words[place] in CLOSE)
        if depth < 0:
            return place
    return len(words)
