"""Reads expressions: the values they may have, and the calls and assignments inside them.

Each expression is read exactly once, for its values and its side effects together.

Limits: arithmetic on a pointer keeps the pointer, except for the subtraction in container_of, whose
result is Opaque. Integers are followed only as constants, and where an address was cast to one.
"""

from kgraph.extract import alias_uses
from kgraph.extract.clang import kinds
from kgraph.extract.clang.api import C, evaluate_integer
from kgraph.extract.clang.tree import SyntaxNode, get_operands, unwrap
from kgraph.extract.constants import (
    evaluate_condition,
    evaluate_logical,
    is_short_circuit,
    is_type_builtin,
)
from kgraph.extract.definition_context import Values
from kgraph.extract.lvalues import (
    find_pointees,
    find_va_list_elements,
    is_global_register,
    read_lvalue,
)
from kgraph.extract.raw_writes import note_write
from kgraph.extract.reader import Reader, value_rule
from kgraph.model.ids import FunctionId
from kgraph.model.values import (
    CONTAINER,
    THROUGH,
    Address,
    Constant,
    Load,
    Opaque,
    Parameter,
    TransferKind,
    Variable,
    take_address,
)


@value_rule(kinds.DECL_REF)
def _read_name(reader: Reader, node: SyntaxNode) -> Values:
    referenced = C.clang_getCursorReferenced(node.cursor)
    if referenced.kind == kinds.FUNCTION:
        return (reader.context.unit.identities.identify_function(referenced),)
    if referenced.kind == kinds.ENUM_CONSTANT:
        return (Constant(C.clang_getEnumConstantDeclValue(referenced)),)
    if is_global_register(referenced) and reader.types.of(node.cursor).can_lead_to_function:
        return (Opaque("it is in a register"),)
    return read_lvalue(reader, node)


@value_rule(kinds.INTEGER_LITERAL)
def _read_integer(_reader: Reader, node: SyntaxNode) -> Values:
    value = evaluate_integer(node.cursor)
    return () if value is None else (Constant(value),)


@value_rule(kinds.SIZEOF)
def _read_sizeof(_reader: Reader, _node: SyntaxNode) -> Values:
    return ()


@value_rule(kinds.UNEXPOSED_EXPR, kinds.PAREN)
def _read_wrapped(reader: Reader, node: SyntaxNode) -> Values:
    """Parentheses, implicit conversions, and the forms for which libclang has no kind.

    `__builtin_choose_expr(c, a, b)` has three children, `a ?: b` has a, a, a, b.
    """
    inner = get_operands(node)
    if is_type_builtin(node, inner):
        return ()
    if len(inner) == 1:
        if node.kind == kinds.UNEXPOSED_EXPR and _is_va_arg(reader, node, inner[0]):
            return _read_va_arg(reader, node, inner[0])
        if inner[0].kind == kinds.CALL:
            alias_uses.note_filled_memory(reader.context, node, inner[0])
        return reader.read_values(inner[0])
    if len(inner) == 4 and inner[0].key == inner[2].key:
        first = reader.read_values(inner[0])
        return first + reader.read_guarded(inner[0], inner[3], holds=False)
    if len(inner) == 3:
        chosen = evaluate_integer(unwrap(inner[0]).cursor)
        if chosen is not None:
            return reader.read_values(inner[1 if chosen else 2])
    if len(inner) > 1:
        return _read_atomic(reader, inner)
    return ()


def _read_atomic(reader: Reader, operands: list[SyntaxNode]) -> Values:
    """`__atomic_exchange_n(p, v, order)` and the like.

    *p may get each of the other operands, and the expression has the value that *p had.
    """
    context = reader.context
    pointer = reader.types.of(operands[0].cursor)
    places = find_pointees(context, reader.read_values(operands[0]), pointer.element or pointer)
    for operand in operands[1:]:
        values = reader.read_values(operand)
        if reader.types.of(operand.cursor).can_lead_to_function:
            for place in places:
                context.assign(place, values, context.locate(operand), TransferKind.ASSIGNMENT)
    return tuple(Load(place) for place in places)


def _is_va_arg(reader: Reader, node: SyntaxNode, operand: SyntaxNode) -> bool:
    """Whether a node of unknown kind is `__builtin_va_arg(args, type)`.

    Unlike a conversion it starts before its operand, which is a va_list.
    """
    return reader.types.is_va_list(operand.cursor) and bool(
        C.clang_getCursorExtent(node.cursor).begin
        != C.clang_getCursorExtent(operand.cursor).begin)


def _read_va_arg(reader: Reader, node: SyntaxNode, operand: SyntaxNode) -> Values:
    """The values of `va_arg(args, type)`.

    Only functions are followed: everything that is ever printed is passed as variadic, too.
    """
    values = reader.read_values(operand)
    type_ = reader.types.of(node.cursor)
    if type_.is_function_pointer:
        return tuple(Load(place) for place in find_va_list_elements(reader.context, values))
    return (Opaque("it is taken from behind the dots"),) if type_.can_lead_to_function else ()


@value_rule(kinds.UNARY)
def _read_unary(reader: Reader, node: SyntaxNode) -> Values:
    operator = C.clang_getCursorUnaryOperatorKind(node.cursor)
    inner = get_operands(node)
    if not inner:
        return ()
    if operator == kinds.ADDRESS_OF:
        target = unwrap(inner[0])
        if reader.types.of(target.cursor).is_function:
            return reader.read_values(target)
        return tuple(take_address(place) for place in reader.read_places(target))
    if operator == kinds.DEREFERENCE:
        if reader.types.of(node.cursor).is_function:
            return reader.read_values(inner[0])
        return read_lvalue(reader, node)
    found = reader.read_values(inner[0])
    if operator == kinds.NOT:
        return ()
    if operator == kinds.MINUS:
        return tuple(Constant(-value.value) for value in found if isinstance(value, Constant))
    return found


@value_rule(kinds.BINARY)
def _read_binary(reader: Reader, node: SyntaxNode) -> Values:
    operator = C.clang_getCursorBinaryOperatorKind(node.cursor)
    inner = get_operands(node)
    if len(inner) != 2:
        return ()
    left, right = inner
    if operator == kinds.ASSIGN:
        return _read_assignment(reader, node, left, right)
    if operator in (kinds.LOGICAL_AND, kinds.LOGICAL_OR):
        return _read_logical(reader, node, operator)
    first = reader.read_values(left)
    second = reader.read_values(right)
    if operator == kinds.COMMA:
        return second
    if operator in (kinds.ADD, kinds.SUB):
        return _read_arithmetic(reader, node, first + second)
    if operator in (kinds.SHL, kinds.AND, kinds.OR):
        value = evaluate_integer(node.cursor) if first and second else None
        return () if value is None else (Constant(value),)
    return ()


def _read_logical(reader: Reader, node: SyntaxNode, operator: int) -> Values:
    """`a && b && c`: an operand is evaluated only if those before it do not decide."""
    steps: list[tuple[SyntaxNode, SyntaxNode]] = []
    while node.kind == kinds.BINARY and len(inner := get_operands(node)) == 2 and (
            C.clang_getCursorBinaryOperatorKind(node.cursor) == operator):
        steps.append((inner[0], inner[1]))
        node = inner[0]
    reader.read_values(node)
    so_far = evaluate_condition(node)
    for left, right in reversed(steps):
        if is_short_circuit(operator, so_far):
            break
        reader.read_guarded(left, right, holds=operator == kinds.LOGICAL_AND)
        so_far = evaluate_logical(operator, so_far, right)
    return ()


def _read_arithmetic(reader: Reader, node: SyntaxNode, operands: Values) -> Values:
    """The values of a sum or difference.

    A pointer plus a number still points into the same array or object. A pointer to a function
    then points to some other function.
    """
    type_ = reader.types.of(node.cursor)
    if type_.is_pointer:
        if type_.is_function_pointer:
            return (Opaque("it is computed from the address of a function"),)
        return tuple(value for value in operands if not isinstance(value, Constant))
    if len(operands) == 2 and all(isinstance(value, Constant) for value in operands):
        value = evaluate_integer(node.cursor)
        return () if value is None else (Constant(value),)
    # An address that was cast to a number and moved by an offset: by then a local variable has it.
    return tuple(value for value in operands if isinstance(value, FunctionId | Address) or (
        isinstance(value, Load) and isinstance(value.place.holder, Variable | Parameter)))


def _read_assignment(
    reader: Reader, node: SyntaxNode, left: SyntaxNode, right: SyntaxNode
) -> Values:
    context = reader.context
    values = reader.read_values(right)
    places = reader.read_places(left)
    note_write(context, left, right, values)
    if places:
        kept = values
        if not reader.types.of(left.cursor).can_lead_to_function:
            kept = alias_uses.convert_to_number(context, right, values)
        if kept:
            location = context.locate(node)
            for place in places:
                context.assign(place, kept, location, TransferKind.ASSIGNMENT)
    return values


@value_rule(kinds.CONDITIONAL)
def _read_conditional(reader: Reader, node: SyntaxNode) -> Values:
    inner = get_operands(node)
    if len(inner) != 3:
        return ()
    condition, then, otherwise = inner
    constant = evaluate_condition(condition)
    if constant is not None:
        return reader.read_values(then if constant else otherwise)
    reader.read_values(condition)
    return (reader.read_guarded(condition, then, holds=True)
            + reader.read_guarded(condition, otherwise, holds=False))


@value_rule(kinds.C_CAST)
def _read_cast(reader: Reader, node: SyntaxNode) -> Values:
    """A cast keeps the value, but container_of computes the address of another object."""
    inner = get_operands(node)
    if not inner:
        return ()
    operand = inner[-1]
    values = reader.read_values(operand)
    target = unwrap(operand)
    if (target.kind == kinds.BINARY
            and C.clang_getCursorBinaryOperatorKind(target.cursor) == kinds.SUB
            and reader.types.of(node.cursor).is_pointer):
        return (Opaque(_describe_container(reader, node, target)),)
    alias_uses.note_cast(reader.context, node, target)
    return alias_uses.convert_to_pointer(reader.context, node, target, values)


def _describe_container(reader: Reader, cast: SyntaxNode, difference: SyntaxNode) -> str:
    """container_of, with the records inside the container that the pointer points to or into."""
    record = reader.types.of(cast.cursor).element
    operands = get_operands(difference)
    offset = evaluate_integer(operands[-1].cursor)
    if record is None or not record.is_record or offset is None:
        return CONTAINER
    passed = reader.context.unit.overlaps.find_records_at(record.type, offset)
    return THROUGH.join((CONTAINER, *(slot.name for slot in passed)))


@value_rule(kinds.GENERIC_SELECTION)
def _read_generic(reader: Reader, node: SyntaxNode) -> Values:
    """_Generic: the association that has the type of the whole selection.

    Neither the controlling expression nor the other associations are evaluated. libclang does not
    tell associations of one type apart; the first one is read.
    """
    wanted = reader.types.of(node.cursor).type.d0
    for child in get_operands(node)[1:]:
        if reader.types.of(child.cursor).type.d0 == wanted:
            return reader.read_values(child)
    return ()
