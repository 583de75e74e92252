"""Normal forms of conditions: two ways to write one condition have equal forms.

Parentheses, the order of operands, the place of a negation, comparisons with NULL, 0 and false,
and macros that only hint to the compiler make no difference.
"""

from collections.abc import Iterable
from typing import Literal, NamedTuple

from kgraph.check.source.tokens import CLOSE, OPEN, find_ends

_ZERO = frozenset({"NULL", "0", "false", "0L", "0UL", "0U"})
_TRUE = frozenset({"true"})
_HINTS = frozenset({"likely", "unlikely"})  # macros whose value is that of their argument
_MAX_DEPTH = 60  # deeper conditions are compared as they are written

_Operator = Literal["and", "or"]


class Test(NamedTuple):
    """A test `a`, or a comparison, and whether it holds."""

    text: str
    holds: bool


class Junction(NamedTuple):
    """Conditions that `&&` or `||` joins, in any order."""

    operator: _Operator
    parts: "frozenset[ConditionForm]"


ConditionForm = Test | Junction


def normalise_condition(words: list[str], *, holds: bool = True) -> ConditionForm:
    """The form of a condition, given as its tokens, or of its negation."""
    form = _normalise(words)
    return form if holds else negate(form)


def negate(form: ConditionForm) -> ConditionForm:
    """The negation of a form."""
    if isinstance(form, Test):
        return Test(form.text, not form.holds)
    return Junction("or" if form.operator == "and" else "and", frozenset(map(negate, form.parts)))


def split_conjuncts(form: ConditionForm) -> frozenset[ConditionForm]:
    """What must hold, each, for a form to hold."""
    if isinstance(form, Junction) and form.operator == "and":
        return frozenset().union(*map(split_conjuncts, form.parts))
    return frozenset({form})


def join_alternatives(forms: Iterable[ConditionForm]) -> ConditionForm:
    """The form that holds as soon as one of some forms does."""
    parts = list(forms)
    return parts[0] if len(parts) == 1 else Junction("or", frozenset(parts))


def are_implied(wanted: frozenset[ConditionForm], holds: frozenset[ConditionForm]) -> bool:
    """Whether what holds asks for each wanted form, or for alternatives with it."""
    return all(
        form in holds or any(is_alternative(other, form) for other in holds) for form in wanted
    )


def is_alternative(form: ConditionForm, claimed: ConditionForm) -> bool:
    """Whether a form holds as soon as the claimed one does, as `A || B` does with A."""
    if not isinstance(form, Junction) or form.operator != "or" or form == claimed:
        return False
    return claimed in form.parts or (
        isinstance(claimed, Junction) and claimed.operator == "or"
        and claimed.parts <= form.parts)


def _normalise(words: list[str], depth: int = 0) -> ConditionForm:
    words, holds = _strip_parentheses(words), True
    while words[:1] == ["!"] and not _split_junction(words):
        words, holds = _strip_parentheses(words[1:]), not holds
    if depth < _MAX_DEPTH:
        junction = _split_junction(words)
        if junction is not None:
            operator, split = junction
            form = Junction(operator, frozenset(_normalise(each, depth + 1) for each in split))
            return form if holds else negate(form)
    for mark in ("==", "!=", "<", ">", "<=", ">="):
        split = _split(words, mark)
        if len(split) == 2:
            compared = _normalise_comparison(mark, *split, depth=depth)
            return compared if holds else negate(compared)
    return Test(" ".join(words), holds)


def _split_junction(words: list[str]) -> tuple[_Operator, list[list[str]]] | None:
    """What `||`, or else `&&`, joins."""
    operators: tuple[tuple[str, _Operator], ...] = (("||", "or"), ("&&", "and"))
    for mark, operator in operators:
        split = _split(words, mark) if mark in words else []
        if len(split) > 1:
            return operator, split
    return None


def _normalise_comparison(
    mark: str, left: list[str], right: list[str], *, depth: int
) -> ConditionForm:
    left, right = _strip_parentheses(left), _strip_parentheses(right)
    if mark in ("==", "!="):
        for one, other in ((left, right), (right, left)):
            if len(other) == 1 and other[0] in _ZERO | _TRUE and depth < _MAX_DEPTH:
                form = _normalise(one, depth + 1)
                return form if (other[0] in _TRUE) == (mark == "==") else negate(form)
        first, last = sorted((" ".join(left), " ".join(right)))
        return Test(f"{first} == {last}", mark == "==")
    if mark in (">", "<="):
        left, right = right, left
    return Test(f"{' '.join(left)} < {' '.join(right)}", mark in ("<", ">"))


def _strip_parentheses(words: list[str]) -> list[str]:
    """Words without parentheses, or a hint, around the whole of them."""
    first, last, ends = 0, len(words) - 1, dict[int, int]()
    while first < last:
        is_hint = words[first] in _HINTS and words[first + 1] == "("
        start = first + is_hint
        if words[start] != "(" or words[last] != ")":
            break
        ends = ends or find_ends(words)
        if ends.get(start) != last:
            break
        first, last = start + 1, last - 1
    return words[first:last + 1]


def _split(words: list[str], mark: str) -> list[list[str]]:
    """The words between marks that stand in no brackets; all words if one part is empty."""
    depth, found = 0, [list[str]()]
    for word in words:
        depth += (word in OPEN) - (word in CLOSE)
        if word == mark and depth == 0:
            found.append([])
        else:
            found[-1].append(word)
    return found if all(found) else [words]
