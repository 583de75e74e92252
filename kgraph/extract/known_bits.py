"""Reads what a call hands on as a number, bit by bit: constants, and bits that a parameter keeps.

`flags | C` has known ones, `flags & ~C` known zeros; their other bits are those of `flags`. As with
conditions, only parameters count that are never written, and locals with one value are read as it.
"""

from typing import NamedTuple

from kgraph.extract.clang import kinds
from kgraph.extract.clang.api import C
from kgraph.extract.clang.tree import SyntaxNode, get_operands
from kgraph.extract.conditions import (
    WORD,
    WRAPPERS,
    evaluate_number,
    find_only_value,
    find_unchanged_parameter,
    find_wrapped,
    read_parameter,
    sign,
)
from kgraph.extract.definition_context import DefinitionContext
from kgraph.extract.types import TypeInfo
from kgraph.model.facts import HandedKind

_Handed = tuple[tuple[HandedKind, int], ...]  # kinds with their values


class _Word(NamedTuple):
    """The bits of an integer: known `ones` and `zeros`, and those `kept` as `parameter` has them.
    The rest may be anything.
    """

    width: int
    ones: int = 0
    zeros: int = 0
    kept: int = 0
    parameter: int = -1

    @property
    def full(self) -> int:
        """The mask of all bits."""
        return (1 << self.width) - 1

    def convert(self, type_: TypeInfo, was: TypeInfo, width: int) -> "_Word":
        """This word of the type `was` as one of another type, of `width` bits."""
        full = (1 << width) - 1
        if type_.is_boolean:
            if self.ones:
                return _Word(width, 1, full & ~1)
            return _Word(width, 0, full if self.zeros == self.full else 0)
        above = full & ~self.full
        ones, zeros = self.ones & full, self.zeros & full
        sign_bit = 1 << self.width - 1
        if not was.is_signed or self.zeros & sign_bit:
            zeros |= above
        elif self.ones & sign_bit and was.kind != kinds.T_ENUM:  # an enumeration may be unsigned
            ones |= above
        return self._replace(width=width, ones=ones, zeros=zeros, kept=self.kept & full)

    def combine(self, other: "_Word", *, is_or: bool) -> "_Word":
        """`self | other`, or `self & other`."""
        if is_or:
            ones, zeros = self.ones | other.ones, self.zeros & other.zeros
            mine, others = self.kept & other.zeros, other.kept & self.zeros
        else:
            ones, zeros = self.ones & other.ones, self.zeros | other.zeros
            mine, others = self.kept & other.ones, other.kept & self.ones
        if self.parameter == other.parameter:
            mine |= self.kept & other.kept
        elif mine and others:
            mine = others = 0
        parameter = self.parameter if mine else other.parameter
        return _Word(self.width, ones, zeros, mine | others, parameter)

    def list_known(self, *, is_signed: bool) -> _Handed:
        """What is handed on. No test of a parameter looks at bits above its width, so these count
        as zeros beside bits of a wider one.
        """
        known = self.ones | self.zeros
        if known == self.full:
            is_negative = is_signed and self.ones >> self.width - 1
            return ((HandedKind.NUMBER, sign(self.ones - (is_negative << self.width))),)
        found: list[tuple[HandedKind, int]] = []
        zeros = self.zeros
        if self.kept | known == self.full:
            found.append((HandedKind.PARAMETER, self.parameter))
            zeros |= (1 << WORD) - 1 & ~self.full
        if self.ones:
            found.append((HandedKind.ONES, sign(self.ones)))
        if zeros:
            found.append((HandedKind.ZEROS, sign(zeros)))
        return tuple(found)


def read_handed(context: DefinitionContext, node: SyntaxNode) -> _Handed:
    """What is known of an argument as a number."""
    number = evaluate_number(context, node)
    if number is not None:
        return ((HandedKind.NUMBER, number),)
    parameter = find_unchanged_parameter(context, node)
    if parameter is not None:
        return ((HandedKind.PARAMETER, parameter),)
    word = _read_word(context, node)
    return () if word is None else word.list_known(
        is_signed=context.unit.types.of(node.cursor).is_signed)


def _read_word(context: DefinitionContext, node: SyntaxNode) -> _Word | None:
    """The bits of an expression; None if it is no integer of at most 64 bits."""
    types = context.unit.types
    type_ = types.of(node.cursor)
    width = types.measure(type_) if type_.is_number else 0
    if not 0 < width <= WORD:
        return None
    if node.kind in WRAPPERS:
        inner = find_wrapped(node)
        word = None if inner is None else _read_word(context, inner)
        return _Word(width) if inner is None or word is None else word.convert(
            type_, types.of(inner.cursor), width)
    if node.kind == kinds.DECL_REF:
        word = _read_variable(context, node)
    elif node.kind == kinds.BINARY:
        word = _read_binary(context, node)
    else:
        word = None
    if word is None:
        number = evaluate_number(context, node)
        full = (1 << width) - 1
        return _Word(width) if number is None else _Word(width, number & full, ~number & full)
    return word if word.width == width else _Word(width)


def _read_variable(context: DefinitionContext, node: SyntaxNode) -> _Word | None:
    """The bits of a parameter, or of a local with one value."""
    value = find_only_value(context, node)
    if value is not None:
        return _read_word(context, value)
    own = read_parameter(context, node)
    return None if own is None or own.is_boolean else _Word(
        own.width, kept=own.full, parameter=own.parameter)


def _read_binary(context: DefinitionContext, node: SyntaxNode) -> _Word | None:
    """The bits of `left | right` or `left & right`."""
    operands = get_operands(node)
    operator = C.clang_getCursorBinaryOperatorKind(node.cursor)
    if len(operands) != 2 or operator not in (kinds.AND, kinds.OR):
        return None
    left, right = (_read_word(context, operand) for operand in operands)
    if left is None or right is None or left.width != right.width:
        return None
    return left.combine(right, is_or=operator == kinds.OR)
