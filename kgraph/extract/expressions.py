"""Reads expressions: the values they may have, and the calls and assignments inside them.

Each expression is read exactly once, for its values and its side effects together.

Limits: arithmetic on a pointer keeps the pointer, except for the subtraction in container_of,
whose result is Opaque. Integers are followed only as constants, and where an address was cast
to one.
"""

from collections.abc import Callable

from kgraph.extract import alias_uses
from kgraph.extract.calls import read_call
from kgraph.extract.clang import kinds
from kgraph.extract.clang.api import C, evaluate_integer
from kgraph.extract.clang.tree import SyntaxNode, expressions, plain
from kgraph.extract.constants import (
    evaluate_condition,
    evaluate_logical,
    is_short_circuit,
    is_type_builtin,
)
from kgraph.extract.definition_context import DefinitionContext, Values
from kgraph.extract.initialisers import read_compound_literal, read_literal_place
from kgraph.extract.lvalues import (
    Places,
    find_declared_place,
    find_pointees,
    find_va_list_elements,
    load_places,
    read_dereference,
    read_member,
    read_subscript,
)
from kgraph.extract.statements import read_statement_expression
from kgraph.extract.types import TypeInfo
from kgraph.model.ids import FunctionId
from kgraph.model.location import Guard
from kgraph.model.values import (
    Address,
    Constant,
    Load,
    Opaque,
    Parameter,
    TransferKind,
    Variable,
    take_address,
)


class Reader:
    """Reads the expressions of one definition into its context."""

    def __init__(self, context: DefinitionContext) -> None:
        self.context = context

    def values(self, node: SyntaxNode) -> Values:
        """What an expression may evaluate to; () for what leads to no function."""
        rule = _VALUES.get(node.kind)
        if rule is not None:
            return rule(self, node)
        for kid in node.kids:
            self.values(kid)
        return ()

    def places(self, node: SyntaxNode) -> Places:
        """The places that an lvalue may name."""
        rule = _PLACES.get(node.kind)
        if rule is not None:
            return rule(self, node)
        return tuple(value.place for value in self.values(node) if isinstance(value, Load))

    def guarded(self, condition: SyntaxNode, node: SyntaxNode, *, holds: bool) -> Values:
        """The values of a node that is evaluated only under a condition."""
        extent = self.context.unit.sources.locate_extent(condition.cursor)
        self.context.guards.append(Guard(extent, holds))
        found = self.values(node)
        self.context.guards.pop()
        return found


def _loads(reader: Reader, node: SyntaxNode) -> Values:
    return load_places(reader, node, reader.places(node))


def _reference(reader: Reader, node: SyntaxNode) -> Values:
    referenced = C.clang_getCursorReferenced(node.cursor)
    if referenced.kind == kinds.FUNCTION:
        return (reader.context.unit.identities.identify_function(referenced),)
    if referenced.kind == kinds.ENUM_CONSTANT:
        return (Constant(C.clang_getEnumConstantDeclValue(referenced)),)
    return _loads(reader, node)


def _declared(reader: Reader, node: SyntaxNode) -> Places:
    place = find_declared_place(reader.context, node)
    return (place,) if place else ()


def _integer(_reader: Reader, node: SyntaxNode) -> Values:
    value = evaluate_integer(node.cursor)
    return () if value is None else (Constant(value),)


def _inner_values(reader: Reader, node: SyntaxNode) -> Values:
    """Parentheses and implicit conversions; the forms that libclang gives no kind of their own:
    `__builtin_choose_expr(c, a, b)` as three children, `a ?: b` as a, a, a, b."""
    inner = expressions(node)
    if is_type_builtin(node, inner):
        return ()
    if len(inner) == 1:
        if node.kind == kinds.UNEXPOSED_EXPR and _takes_argument(reader, node, inner[0]):
            return _taken_argument(reader, node, inner[0])
        if inner[0].kind == kinds.CALL:
            alias_uses.note_filled_memory(reader.context, node, inner[0])
        return reader.values(inner[0])
    if len(inner) == 4 and inner[0].key == inner[2].key:
        first = reader.values(inner[0])
        return first + reader.guarded(inner[0], inner[3], holds=False)
    if len(inner) == 3:
        chosen = evaluate_integer(plain(inner[0]).cursor)
        if chosen is not None:
            return reader.values(inner[1 if chosen else 2])
    if len(inner) > 1:
        return _exchange(reader, inner)
    return ()


def _exchange(reader: Reader, operands: list[SyntaxNode]) -> Values:
    """`__atomic_exchange_n(p, v, order)` and its like: *p may get each of the other operands,
    and its value is what *p held."""
    context = reader.context
    pointer = context.unit.types.of(operands[0].cursor)
    places = find_pointees(context, reader.values(operands[0]), pointer.element or pointer)
    for operand in operands[1:]:
        values = reader.values(operand)
        if context.unit.types.of(operand.cursor).can_lead_to_function:
            for place in places:
                context.assign(place, values, context.unit.sources.locate_cursor(operand.cursor),
                            TransferKind.ASSIGNMENT)
    return tuple(Load(place) for place in places)


def _taken_argument(reader: Reader, node: SyntaxNode, operand: SyntaxNode) -> Values:
    """What `va_arg(args, type)` may be. Only functions are followed: all that is ever printed is
    handed over behind dots, too."""
    values = reader.values(operand)
    type_ = reader.context.unit.types.of(node.cursor)
    if _is_called(type_):
        return tuple(Load(place) for place in find_va_list_elements(reader.context, values))
    return (Opaque("it is taken from behind the dots"),) if type_.can_lead_to_function else ()


def _takes_argument(reader: Reader, node: SyntaxNode, operand: SyntaxNode) -> bool:
    """Whether an unnamed node is `__builtin_va_arg(args, type)`: unlike a conversion, it starts
    before its operand, which is a va_list."""
    return reader.context.unit.types.is_va_list(operand.cursor) and bool(
        C.clang_getCursorExtent(node.cursor).begin
        != C.clang_getCursorExtent(operand.cursor).begin)


def _inner_places(reader: Reader, node: SyntaxNode) -> Places:
    inner = expressions(node)
    if len(inner) == 1:
        return reader.places(inner[0])
    return tuple(v.place for v in _inner_values(reader, node) if isinstance(v, Load))


def _unary(reader: Reader, node: SyntaxNode) -> Values:
    operator = C.clang_getCursorUnaryOperatorKind(node.cursor)
    inner = expressions(node)
    if not inner:
        return ()
    if operator == kinds.ADDRESS_OF:
        target = plain(inner[0])
        if reader.context.unit.types.of(target.cursor).is_function:
            return reader.values(target)
        return tuple(take_address(place) for place in reader.places(target))
    if operator == kinds.DEREFERENCE:
        if reader.context.unit.types.of(node.cursor).is_function:
            return reader.values(inner[0])
        return _loads(reader, node)
    found = reader.values(inner[0])
    if operator == kinds.NOT:
        return ()
    if operator == kinds.MINUS:
        return tuple(Constant(-v.value) for v in found if isinstance(v, Constant))
    return found


def _unary_places(reader: Reader, node: SyntaxNode) -> Places:
    if C.clang_getCursorUnaryOperatorKind(node.cursor) == kinds.DEREFERENCE:
        return read_dereference(reader, node)
    inner = expressions(node)
    return reader.places(inner[0]) if inner else ()


def _binary(reader: Reader, node: SyntaxNode) -> Values:
    operator = C.clang_getCursorBinaryOperatorKind(node.cursor)
    inner = expressions(node)
    if len(inner) != 2:
        return ()
    left, right = inner
    if operator == kinds.ASSIGN:
        return _assign(reader, node, left, right)
    if operator in (kinds.LOGICAL_AND, kinds.LOGICAL_OR):
        return _logical(reader, node, operator)
    first = reader.values(left)
    second = reader.values(right)
    if operator == kinds.COMMA:
        return second
    if operator in (kinds.ADD, kinds.SUB):
        return _pointer_arithmetic(reader, node, first + second)
    if operator in (kinds.SHL, kinds.AND, kinds.OR):
        value = evaluate_integer(node.cursor) if first and second else None
        return () if value is None else (Constant(value),)
    return ()


def _logical(reader: Reader, node: SyntaxNode, operator: int) -> Values:
    """`a && b && c`: each operand is evaluated only where those before it do not decide."""
    steps: list[tuple[SyntaxNode, SyntaxNode]] = []
    while node.kind == kinds.BINARY and len(inner := expressions(node)) == 2 and (
            C.clang_getCursorBinaryOperatorKind(node.cursor) == operator):
        steps.append((inner[0], inner[1]))
        node = inner[0]
    reader.values(node)
    so_far = evaluate_condition(node)
    for left, right in reversed(steps):
        if is_short_circuit(operator, so_far):
            break
        reader.guarded(left, right, holds=operator == kinds.LOGICAL_AND)
        so_far = evaluate_logical(operator, so_far, right)
    return ()


def _pointer_arithmetic(reader: Reader, node: SyntaxNode, operands: Values) -> Values:
    """A pointer plus or minus a number still points into the same array or object; a pointer to a
    function then points to another one."""
    type_ = reader.context.unit.types.of(node.cursor)
    if type_.is_pointer:
        if type_.element is not None and type_.element.is_function:
            return (Opaque("it is computed from the address of a function"),)
        return tuple(v for v in operands if not isinstance(v, Constant))
    if len(operands) == 2 and all(isinstance(v, Constant) for v in operands):
        value = evaluate_integer(node.cursor)
        return () if value is None else (Constant(value),)
    # an address that was cast to a number, moved by some offset: it is in a local variable by then
    return tuple(v for v in operands if isinstance(v, FunctionId | Address) or (
        isinstance(v, Load) and isinstance(v.place.holder, Variable | Parameter)))


def _assign(reader: Reader, node: SyntaxNode, left: SyntaxNode, right: SyntaxNode) -> Values:
    values = reader.values(right)
    places = reader.places(left)
    context = reader.context
    if places:
        carries = context.unit.types.of(left.cursor).can_lead_to_function
        kept = values if carries else alias_uses.convert_to_number(context, right, values)
        if kept:
            location = context.unit.sources.locate_cursor(node.cursor)
            for place in places:
                context.assign(place, kept, location, TransferKind.ASSIGNMENT)
    return values


def _assign_places(reader: Reader, node: SyntaxNode) -> Places:
    """`(a = b).f`: what b holds."""
    return tuple(v.place for v in _binary(reader, node) if isinstance(v, Load))


def _conditional(reader: Reader, node: SyntaxNode) -> Values:
    inner = expressions(node)
    if len(inner) != 3:
        return ()
    fixed = evaluate_condition(inner[0])
    if fixed is not None:
        return reader.values(inner[1 if fixed else 2])
    reader.values(inner[0])
    return (reader.guarded(inner[0], inner[1], holds=True)
            + reader.guarded(inner[0], inner[2], holds=False))


def _cast(reader: Reader, node: SyntaxNode) -> Values:
    """A cast keeps the value, but what container_of computes is another object's address."""
    inner = expressions(node)
    if not inner:
        return ()
    operand = inner[-1]
    values = reader.values(operand)
    target = plain(operand)
    if (target.kind == kinds.BINARY
            and C.clang_getCursorBinaryOperatorKind(target.cursor) == kinds.SUB
            and reader.context.unit.types.of(node.cursor).is_pointer):
        return (Opaque("container_of"),)
    alias_uses.note_cast(reader.context, node, target)
    return alias_uses.convert_to_pointer(reader.context, node, target, values)


def _is_called(type_: TypeInfo) -> bool:
    return type_.is_pointer and type_.element is not None and type_.element.is_function


def _generic(reader: Reader, node: SyntaxNode) -> Values:
    """_Generic: the association whose type is the selection's; the controlling expression and
    the others are not evaluated. libclang does not tell associations of one type apart: the
    first is taken."""
    wanted = reader.context.unit.types.of(node.cursor).type.d0
    for kid in expressions(node)[1:]:
        if reader.context.unit.types.of(kid.cursor).type.d0 == wanted:
            return reader.values(kid)
    return ()


def _nothing(_reader: Reader, _node: SyntaxNode) -> Values:
    return ()


_VALUES: dict[int, Callable[[Reader, SyntaxNode], Values]] = {
    kinds.UNEXPOSED_EXPR: _inner_values,
    kinds.PAREN: _inner_values,
    kinds.DECL_REF: _reference,
    kinds.MEMBER_REF_EXPR: _loads,
    kinds.SUBSCRIPT: _loads,
    kinds.CALL: read_call,
    kinds.INTEGER_LITERAL: _integer,
    kinds.UNARY: _unary,
    kinds.BINARY: _binary,
    kinds.CONDITIONAL: _conditional,
    kinds.C_CAST: _cast,
    kinds.COMPOUND_LITERAL: read_compound_literal,
    kinds.STATEMENT_EXPR: read_statement_expression,
    kinds.GENERIC_SELECTION: _generic,
    kinds.SIZEOF: _nothing,
}
_PLACES: dict[int, Callable[[Reader, SyntaxNode], Places]] = {
    kinds.UNEXPOSED_EXPR: _inner_places,
    kinds.PAREN: _inner_places,
    kinds.DECL_REF: _declared,
    kinds.MEMBER_REF_EXPR: read_member,
    kinds.SUBSCRIPT: read_subscript,
    kinds.UNARY: _unary_places,
    kinds.BINARY: _assign_places,
    kinds.COMPOUND_LITERAL: read_literal_place,
}
