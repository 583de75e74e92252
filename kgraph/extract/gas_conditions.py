"""The assembler's conditional assembly: `.if`, `.elseif`, `.else`, `.endif`.

What depends on numbers alone is decided, as an expanded macro's parameters are; what depends on a
symbol is not, and then every branch counts.
"""

import ast
import operator
import re
from collections.abc import Callable

_COMPARE: dict[type[ast.cmpop], Callable[[int, int], bool]] = {
    ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.Lt: operator.lt, ast.LtE: operator.le,
    ast.Gt: operator.gt, ast.GtE: operator.ge,
}
_BINARY: dict[type[ast.operator], Callable[[int, int], int]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul,
    ast.BitAnd: operator.and_, ast.BitOr: operator.or_, ast.BitXor: operator.xor,
}
_NOT = re.compile(r"!(?!=)")
# directives that compare their operand with zero
_WITH_ZERO: dict[str, Callable[[int, int], bool]] = {
    ".if": operator.ne, ".ifne": operator.ne, ".ifeq": operator.eq, ".elseif": operator.ne,
    ".ifge": operator.ge, ".ifgt": operator.gt, ".ifle": operator.le, ".iflt": operator.lt,
}


class Conditions:
    """Which statements count, while they are read one after another."""

    def __init__(self) -> None:
        # of each open .if: whether the present branch counts, whether a later one still may
        self._open: list[tuple[bool, bool]] = []
        self._left_out = 0  # how many of them have a present branch that does not count

    @property
    def counts(self) -> bool:
        """Whether what is read now counts."""
        return not self._left_out

    def takes(self, word: str, rest: str) -> bool:
        """Whether a statement is a condition; then it has its effect."""
        if word == ".endif":
            self._end()
        elif word == ".else":
            self._next(holds=True)
        elif word == ".elseif":
            self._next(holds=_holds(word, rest))
        elif word.startswith(".if"):
            holds = _holds(word, rest)
            self._begin(here=holds is not False, later=holds is not True)
        else:
            return False
        return True

    def _begin(self, *, here: bool, later: bool) -> None:
        self._open.append((here, later))
        self._left_out += not here

    def _end(self) -> bool:
        """Whether a later branch of what ends may have counted."""
        here, later = self._open.pop() if self._open else (True, False)
        self._left_out -= not here
        return later

    def _next(self, *, holds: bool | None) -> None:
        if self._open:
            later = self._end()
            self._begin(here=later and holds is not False, later=later and holds is not True)


def _holds(word: str, rest: str) -> bool | None:
    """Whether a condition holds, None where that cannot be told."""
    if word in (".ifb", ".ifnb"):
        return (not rest.strip().strip('"')) == (word == ".ifb")
    if word in (".ifc", ".ifnc"):
        one, comma, other = rest.partition(",")
        return (one.strip() == other.strip()) == (word == ".ifc") if comma else None
    compare = _WITH_ZERO.get(word)
    value = _value(rest)
    return None if compare is None or value is None else compare(value, 0)


def _value(text: str) -> int | None:
    """The value of an expression of numbers, None for any other."""
    python = _NOT.sub(" not ", text.replace("&&", " and ").replace("||", " or ")).strip()
    try:
        return _evaluate(ast.parse(python, mode="eval").body)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _evaluate(node: ast.expr) -> int:
    match node:
        case ast.Constant(value=int(value)):
            return value
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return int(not _evaluate(operand))
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_evaluate(operand)
        case ast.BoolOp(op=kind, values=values):
            found = [bool(_evaluate(value)) for value in values]
            return int(all(found) if isinstance(kind, ast.And) else any(found))
        case ast.Compare(left=left, ops=[kind], comparators=[right]) if type(kind) in _COMPARE:
            return int(_COMPARE[type(kind)](_evaluate(left), _evaluate(right)))
        case ast.BinOp(left=left, op=sign, right=right) if type(sign) in _BINARY:
            return _BINARY[type(sign)](_evaluate(left), _evaluate(right))
    raise ValueError("no number")
