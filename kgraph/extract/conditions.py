"""Reads what a condition asks of the parameters of its function, and what the source expects of it.

Only parameters count that are never written and whose address is never taken: they keep what the
caller passed. Locals that get their only value where they are declared are read as that value.

What is read must be true. So a conversion that changes a number is followed only as a mask, and
what has another form than those below says nothing.
"""

from typing import NamedTuple

from kgraph.extract.clang import kinds
from kgraph.extract.clang.api import (
    C,
    evaluate_integer,
    get_key,
    get_spelling,
    print_declaration,
)
from kgraph.extract.clang.ctypes_api import Cursor
from kgraph.extract.clang.tree import SyntaxNode, get_operands, unwrap
from kgraph.extract.constants import evaluate_condition, is_constant
from kgraph.extract.definition_context import DefinitionContext
from kgraph.model.location import ParameterTest
from kgraph.model.values import Parameter

WORD = 64
_POINTER = 64  # a pointer is only tested as a whole, so it may be narrower
WRAPPERS = frozenset((kinds.PAREN, kinds.UNEXPOSED_EXPR, kinds.C_CAST))
_COMPARISONS = (kinds.EQ, kinds.NE)
_OPPOSITE = {True: False, False: True, None: None}
_EXPECT = "__builtin_expect"


class Condition(NamedTuple):
    """What is true of parameters if a condition holds, and if it fails.

    `expected` is the truth that the source calls likely, `constant` the only one it has: because
    of a local with one constant value.
    """

    if_true: tuple[ParameterTest, ...] = ()
    if_false: tuple[ParameterTest, ...] = ()
    expected: bool | None = None
    constant: bool | None = None

    def negate(self) -> "Condition":
        """What `!condition` says."""
        return Condition(self.if_false, self.if_true, _OPPOSITE[self.expected],
                         _OPPOSITE[self.constant])


_NOTHING = Condition()


class _Bits(NamedTuple):
    """Some bits of a parameter, as a number: `p`, `p & mask`."""

    parameter: int
    width: int
    mask: int
    is_boolean: bool
    is_signed: bool

    @property
    def full(self) -> int:
        """The mask of all bits."""
        return (1 << self.width) - 1

    def compare(self, value: int, *, is_equal: bool) -> tuple[ParameterTest, ...]:
        """The test that these bits are a number, or are not."""
        if self.is_boolean:
            if value not in (0, 1):
                return ()
            # True is any number that is not 0: as such it comes from callers.
            return (self._make_test(sign(-1), 0, is_equal=is_equal == (value == 0)),)
        if self.mask == self.full:
            low = -(1 << self.width - 1) if self.is_signed else 0
            high = 1 << (self.width - 1 if self.is_signed else self.width)
            if not low <= value < high:
                return ()
        elif not 0 <= value <= self.full or value & ~self.mask:
            return ()
        return (self._make_test(self.mask, value & self.full, is_equal=is_equal),)

    def _make_test(self, mask: int, value: int, *, is_equal: bool) -> ParameterTest:
        return ParameterTest(self.parameter, sign(mask), sign(value), is_equal)


def sign(number: int) -> int:
    """A number of 64 bits, signed."""
    number &= (1 << WORD) - 1
    return number - (1 << WORD) if number >> (WORD - 1) else number


def read_condition(context: DefinitionContext, node: SyntaxNode) -> Condition:
    """What a condition says."""
    inner = _strip(context, node)
    if inner is None:
        bits = _read_bits(context, node)
        return _NOTHING if bits is None else _is_nonzero(bits)
    operands = get_operands(inner)
    if inner.kind == kinds.UNARY:
        if C.clang_getCursorUnaryOperatorKind(inner.cursor) == kinds.LOGICAL_NOT:
            return read_condition(context, operands[0]).negate()
        return _NOTHING
    if inner.kind == kinds.BINARY:
        return _read_binary(context, inner, operands)
    if inner.kind == kinds.CALL:
        return _read_expectation(context, operands)
    if inner.kind == kinds.STATEMENT_EXPR:
        return _read_last_statement(context, inner)
    initialiser = find_only_value(context, inner)
    if initialiser is not None:
        number = evaluate_number(context, initialiser)
        if number is not None:
            return Condition(constant=bool(number))
        return read_condition(context, initialiser)
    bits = _read_bits(context, node)
    return _NOTHING if bits is None else _is_nonzero(bits)


def _is_nonzero(bits: _Bits) -> Condition:
    return Condition(bits.compare(0, is_equal=False), bits.compare(0, is_equal=True))


def _read_binary(
    context: DefinitionContext, node: SyntaxNode, operands: list[SyntaxNode]
) -> Condition:
    operator = C.clang_getCursorBinaryOperatorKind(node.cursor)
    if len(operands) != 2:
        return _NOTHING
    if operator in (kinds.LOGICAL_AND, kinds.LOGICAL_OR):
        left, right = (read_condition(context, operand) for operand in operands)
        decisive = operator == kinds.LOGICAL_OR
        expected = _join_truths((left.expected, right.expected), decisive=decisive)
        constant = _join_truths((left.constant, right.constant), decisive=decisive)
        if decisive:
            return Condition((), left.if_false + right.if_false, expected, constant)
        return Condition(left.if_true + right.if_true, (), expected, constant)
    if operator in _COMPARISONS:
        found = read_equality(context, *operands)
        return found if operator == kinds.EQ else found.negate()
    if operator == kinds.AND:
        bits = _read_bits(context, node)
        return _NOTHING if bits is None else _is_nonzero(bits)
    return _NOTHING


def _join_truths(sides: tuple[bool | None, bool | None], *, decisive: bool) -> bool | None:
    """The truth of `left && right` (`||`, if true is decisive)."""
    if decisive in sides:
        return decisive
    return None if None in sides else not decisive


def read_equality(context: DefinitionContext, left: SyntaxNode, right: SyntaxNode) -> Condition:
    """What `left == right` says."""
    for one, other in ((left, right), (right, left)):
        bits = _read_bits(context, one)
        if bits is not None:
            value = evaluate_number(context, other)
            return _NOTHING if value is None else Condition(
                bits.compare(value, is_equal=True), bits.compare(value, is_equal=False))
    return _NOTHING


def _read_expectation(context: DefinitionContext, operands: list[SyntaxNode]) -> Condition:
    """`__builtin_expect(condition, constant)`."""
    if len(operands) != 3 or get_spelling(operands[0].cursor) != _EXPECT:
        return _NOTHING
    expected = evaluate_condition(operands[2])
    found = read_condition(context, operands[1])
    return found if expected is None else found._replace(expected=bool(expected))


def _read_last_statement(context: DefinitionContext, node: SyntaxNode) -> Condition:
    """`({ ...; condition; })`. What was read of its declarations before still counts."""
    for block in node.children:
        if block.children and block.children[-1].kind in kinds.EXPRESSIONS:
            return read_condition(context, block.children[-1])
    return _NOTHING


def find_wrapped(node: SyntaxNode) -> SyntaxNode | None:
    """What parentheses or a conversion are around. None if a node of unknown kind is neither: an
    implicit conversion starts where its operand does, a builtin (offsetof, va_arg) before.
    """
    inner = get_operands(node)
    if len(inner) != 1:
        return None
    if node.kind == kinds.UNEXPOSED_EXPR and (C.clang_getCursorExtent(node.cursor).begin
                                              != C.clang_getCursorExtent(inner[0].cursor).begin):
        return None
    return inner[0]


def _strip(context: DefinitionContext, node: SyntaxNode) -> SyntaxNode | None:
    """The node inside parentheses and conversions; None if one of these may change its truth."""
    narrowest = WORD
    while node.kind in WRAPPERS:
        inner = find_wrapped(node)
        if inner is None:
            return None
        if node.kind != kinds.PAREN:
            narrowest = min(narrowest, _measure_truth(context, node.cursor))
        node = inner
    if narrowest < WORD and not _is_truth(node) and (
            _measure_truth(context, node.cursor) > narrowest):
        return None
    return node


def _measure_truth(context: DefinitionContext, cursor: Cursor) -> int:
    """How many bits of a number a conversion to the type of an expression looks at."""
    type_ = context.unit.types.of(cursor)
    return context.unit.types.measure(type_) if type_.is_integer else WORD


def _is_truth(node: SyntaxNode) -> bool:
    """Whether an expression is 0 or 1."""
    if node.kind == kinds.UNARY:
        return bool(C.clang_getCursorUnaryOperatorKind(node.cursor) == kinds.LOGICAL_NOT)
    return node.kind == kinds.BINARY and bool(C.clang_getCursorBinaryOperatorKind(
        node.cursor) in kinds.TRUTH_OPERATORS)


def find_only_value(context: DefinitionContext, node: SyntaxNode) -> SyntaxNode | None:
    """The initialiser of a local that gets no other value."""
    if node.kind != kinds.DECL_REF:
        return None
    referenced = C.clang_getCursorReferenced(node.cursor)
    if referenced.kind != kinds.VAR:
        return None
    value = context.initialisers.get(get_key(referenced))
    if value is None or get_spelling(referenced) in context.written_names:
        return None
    if _may_change_unseen(referenced):
        return None
    inner = unwrap(value)  # `int x = x;` keeps a compiler quiet
    return None if inner.kind == kinds.DECL_REF and (
        get_key(C.clang_getCursorReferenced(inner.cursor)) == get_key(referenced)) else value


def _may_change_unseen(variable: Cursor) -> bool:
    """Whether a variable is volatile, or a register that assembler writes."""
    printed = print_declaration(variable)
    return "volatile" in printed or "asm(" in printed


def _read_bits(context: DefinitionContext, node: SyntaxNode) -> _Bits | None:
    """The bits of a parameter that an expression is."""
    if node.kind in WRAPPERS:
        inner = find_wrapped(node)
        bits = None if inner is None else _read_bits(context, inner)
        return bits if bits is None or node.kind == kinds.PAREN else _convert(context, bits, node)
    if node.kind == kinds.BINARY:
        return _read_masked(context, node)
    value = find_only_value(context, node)
    if value is not None:
        return _read_bits(context, value)
    return read_parameter(context, node)


def _convert(context: DefinitionContext, bits: _Bits, node: SyntaxNode) -> _Bits | None:
    """Bits that are converted to the type of an expression."""
    type_ = context.unit.types.of(node.cursor)
    if not (type_.is_number or type_.is_pointer):
        return None
    if type_.is_boolean:
        return bits if bits.is_boolean else None
    width = context.unit.types.measure(type_)
    if width >= bits.width or bits.is_boolean:
        return bits
    if type_.is_signed:
        return None
    return bits._replace(mask=bits.mask & ((1 << width) - 1), is_signed=False)


def _read_masked(context: DefinitionContext, node: SyntaxNode) -> _Bits | None:
    """`p & constant`."""
    operands = get_operands(node)
    if len(operands) != 2 or C.clang_getCursorBinaryOperatorKind(node.cursor) != kinds.AND:
        return None
    for one, other in (operands, operands[::-1]):
        bits = _read_bits(context, one)
        if bits is not None:
            value = evaluate_number(context, other)
            if value is None or bits.is_boolean or not -bits.full // 2 - 1 <= value <= bits.full:
                return None
            return bits._replace(mask=bits.mask & value, is_signed=False)
    return None


def read_parameter(context: DefinitionContext, node: SyntaxNode) -> _Bits | None:
    """The bits of a parameter that keeps what the caller passed."""
    if node.kind != kinds.DECL_REF or context.local is None:
        return None
    referenced = C.clang_getCursorReferenced(node.cursor)
    if referenced.kind != kinds.PARM or get_spelling(referenced) in context.written_names:
        return None
    if _may_change_unseen(referenced):
        return None
    holder = context.local.identify_holder(referenced)
    types = context.unit.types
    type_ = types.of(referenced)
    if not isinstance(holder, Parameter) or not (
            type_.is_number or type_.is_pointer or type_.is_array or type_.is_function):
        return None
    width = types.measure(type_) if type_.is_number else _POINTER
    if not width or width > WORD:
        return None
    return _Bits(holder.index, width, (1 << width) - 1, type_.is_boolean, type_.is_signed)


def evaluate_number(context: DefinitionContext, node: SyntaxNode) -> int | None:
    """The value of a constant number or pointer, of 64 bits, signed."""
    type_ = context.unit.types.of(node.cursor)
    if type_.is_pointer:
        while node.kind in WRAPPERS and len(inner := get_operands(node)) == 1:
            node = inner[0]
        return evaluate_integer(node.cursor) if node.kind == kinds.INTEGER_LITERAL else None
    return evaluate_integer(node.cursor) if type_.is_number and is_constant(node) else None


def find_unchanged_parameter(context: DefinitionContext, node: SyntaxNode) -> int | None:
    """The caller's own parameter that an expression is, with all its bits and no others."""
    widths = []
    types = context.unit.types
    while node.kind in WRAPPERS:
        inner = find_wrapped(node)
        if inner is None:
            return None
        widths.append(types.of(node.cursor))
        node = inner
    bits = read_parameter(context, node)
    if bits is None or bits.is_boolean:
        return None if bits is None else bits.parameter
    fits = all(not type_.is_boolean and (
        types.measure(type_) == bits.width if type_.is_number else type_.is_pointer)
        for type_ in widths)
    return bits.parameter if fits else None
