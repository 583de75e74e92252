"""Normal forms of conditions: two ways to write one condition have equal forms.

Parentheses, the order of operands, the place of a negation, comparisons with NULL, 0 and false,
and macros that only hint to the compiler make no difference.
"""

from kgraph.check.source.tokens import CLOSE, OPEN, find_ends

# A test `a`, or a comparison, and whether it holds; ("and" or "or", what it joins).
ConditionForm = tuple[str, object]
_ZERO = frozenset({"NULL", "0", "false", "0L", "0UL", "0U"})
_TRUE = frozenset({"true"})
_HINTS = frozenset({"likely", "unlikely"})  # macros whose value is that of their argument
_DEEPEST = 60  # deeper conditions in conditions are compared as they are written


def normalise_condition(words: list[str], *, holds: bool = True) -> ConditionForm:
    """The form of a condition, given as its tokens, or of its negation."""
    form = _form(words)
    return form if holds else negate(form)


def negate(form: ConditionForm) -> ConditionForm:
    """The negation of a form."""
    kind, inner = form
    if kind == "is":
        assert isinstance(inner, tuple)
        return "is", (inner[0], not inner[1])
    assert isinstance(inner, frozenset)
    return ("or" if kind == "and" else "and"), frozenset(map(negate, inner))


def split_conjuncts(form: ConditionForm) -> frozenset[ConditionForm]:
    """What must hold, each, for a form to hold."""
    kind, inner = form
    if kind == "and":
        assert isinstance(inner, frozenset)
        return frozenset().union(*map(split_conjuncts, inner))
    return frozenset({form})


def _form(words: list[str], depth: int = 0) -> ConditionForm:
    words, holds = _bare(words), True
    while words[:1] == ["!"] and not _joined(words):
        words, holds = _bare(words[1:]), not holds
    if depth < _DEEPEST:
        found = _joined(words)
        if found is not None:
            kind, split = found
            form: ConditionForm = kind, frozenset(_form(each, depth + 1) for each in split)
            return form if holds else negate(form)
    for mark in ("==", "!=", "<", ">", "<=", ">="):
        split = _split(words, mark)
        if len(split) == 2:
            compared = _comparison(mark, *split, depth=depth)
            return compared if holds else negate(compared)
    return "is", (" ".join(words), holds)


def _joined(words: list[str]) -> tuple[str, list[list[str]]] | None:
    """What `||`, or else `&&`, joins."""
    for mark, kind in (("||", "or"), ("&&", "and")):
        split = _split(words, mark) if mark in words else []
        if len(split) > 1:
            return kind, split
    return None


def _comparison(mark: str, left: list[str], right: list[str], *, depth: int) -> ConditionForm:
    left, right = _bare(left), _bare(right)
    if mark in ("==", "!="):
        for one, other in ((left, right), (right, left)):
            if len(other) == 1 and other[0] in _ZERO | _TRUE and depth < _DEEPEST:
                form = _form(one, depth + 1)
                return form if (other[0] in _TRUE) == (mark == "==") else negate(form)
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
        ends = ends or find_ends(words)
        if ends.get(start) != last:
            break
        first, last = start + 1, last - 1
    return words[first:last + 1]


def _split(words: list[str], mark: str) -> list[list[str]]:
    depth, found = 0, [[]]  # type: tuple[int, list[list[str]]]
    for word in words:
        depth += (word in OPEN) - (word in CLOSE)
        if word == mark and depth == 0:
            found.append([])
        else:
            found[-1].append(word)
    return found if all(found) else [words]


def are_implied(wanted: frozenset[ConditionForm], holds: frozenset[ConditionForm]) -> bool:
    """Whether what holds asks for each of these, or for what does as soon as one of them does."""
    return all(
        form in holds or any(is_alternative(other, form) for other in holds) for form in wanted
    )


def is_alternative(form: ConditionForm, claimed: ConditionForm) -> bool:
    """Whether a form holds as soon as the claimed one does, as `A || B` where A does."""
    kind, inner = form
    if kind != "or" or form == claimed:
        return False
    assert isinstance(inner, frozenset)
    return claimed in inner or (claimed[0] == "or" and claimed[1] <= inner)  # type: ignore[operator]
