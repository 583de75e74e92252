"""Finds code that reads storage as another type: union members, casts, copies of memory.

Each use records the overlapping fields, once for each definition. A record that is written as an
array of pointers or bytes, or filled from outside the kernel, may hold anything in its function
pointers. A void * that becomes a pointer to a record is assumed to point to one, unless it comes
straight from a function that fills memory from outside. storage_overlap says which fields overlap.
"""

from collections.abc import Iterable

from kgraph.extract.clang import kinds
from kgraph.extract.clang.api import C, evaluate_integer, get_spelling
from kgraph.extract.clang.ctypes_api import Cursor
from kgraph.extract.clang.tree import SyntaxNode, get_operands, unwrap
from kgraph.extract.definition_context import DefinitionContext, RawWrite, Values
from kgraph.extract.storage_overlap import Overlap
from kgraph.extract.types import TypeInfo
from kgraph.model.ids import FunctionId
from kgraph.model.values import Address, Constant, Load, Opaque, Place, TransferKind

# why a value is Opaque
_WRITTEN_AS_POINTERS = "its record is written through a pointer of another type"
_COPIED_FROM_BYTES = "its record is copied from memory of another type"
_FILLED_FROM_OUTSIDE = "its record is filled from memory outside the kernel"
_NUMBER_AS_FUNCTION = "a number is taken for the address of a function"
_NUMBER_AS_ADDRESS = "a number is taken for an address"
_FUNCTION_AS_NUMBER = "the address of a function is read as a number"

COPY_BUILTINS = {
    "__builtin_memcpy": 0, "__builtin_memmove": 0, "__builtin_mempcpy": 0, "__builtin_bcopy": 1,
    "__builtin___memcpy_chk": 0, "__builtin___memmove_chk": 0, "__builtin___mempcpy_chk": 0,
    "__builtin_memcpy_inline": 0}
COPY_FUNCTIONS = {
    "memcpy": 0, "__memcpy": 0, "__inline_memcpy": 0, "memmove": 0, "__memmove": 0} | COPY_BUILTINS
"""What copies memory, and which of its first two arguments is the destination."""
_FILL_FUNCTIONS = frozenset({
    "copy_from_user", "_copy_from_user", "__copy_from_user", "__copy_from_user_nocheck",
    "__copy_from_user_inatomic", "raw_copy_from_user", "copy_from_iter", "memcpy_fromio",
    "__memcpy_fromio"})
_DUPLICATE_FUNCTIONS = frozenset({"memdup_user", "vmemdup_user"})  # return filled memory
_ADDRESS_OPERATORS = frozenset({kinds.AND, kinds.OR, kinds.ADD, kinds.SUB})


def note_member_use(context: DefinitionContext, member: Cursor, node: SyntaxNode) -> None:
    """Record what shares storage with a field that is used."""
    overlaps = context.unit.overlaps.find_member_overlaps(member)
    if overlaps:
        _add_overlaps(context, overlaps, node)


def note_cast(context: DefinitionContext, node: SyntaxNode, operand: SyntaxNode) -> None:
    """Record what shares storage where a pointer is cast to a pointer to another type."""
    types, overlaps = context.unit.types, context.unit.overlaps
    to, source = types.of(node.cursor).element, types.of(operand.cursor).element
    if to is None:
        return
    if source is None:
        _add_overlaps(context, _find_number_overlaps(context, operand), node)
    if operand.kind == kinds.CALL:
        note_filled_memory(context, node, operand)
    if source is None or not source.is_record:
        return
    if to.is_record:
        if to.type.d0 != source.type.d0:
            _add_overlaps(context, overlaps.find_cast_overlaps(source.type, to.type), node)
    elif to.is_pointer:
        _open_record(context, source, _WRITTEN_AS_POINTERS, node)


def note_memory_copy(
    context: DefinitionContext, name: str, operands: list[SyntaxNode], node: SyntaxNode
) -> None:
    """Record what a record may hold after a call of a function that copies memory to it."""
    is_fill = name in _FILL_FUNCTIONS
    if not (is_fill or name in COPY_FUNCTIONS) or len(operands) < 2:
        return
    unit = context.unit
    to, source = (_find_pointee(unit.types.of(unwrap(each).cursor)) for each in operands[:2])
    destination = COPY_FUNCTIONS.get(name, 0)
    if destination:
        to, source = source, to
    if to is None or not to.is_record:
        size = operands[2] if len(operands) > 2 else None
        context.raw_writes.append(RawWrite(operands[destination], size=size))
        return
    if is_fill:
        _open_record(context, to, _FILLED_FROM_OUTSIDE, node)
    elif source is None:
        return
    elif source.is_record:
        if to.type.d0 != source.type.d0:
            _add_overlaps(context, unit.overlaps.find_copy_overlaps(to.type, source.type), node)
    elif source.kind != kinds.T_VOID:
        _open_record(context, to, _COPIED_FROM_BYTES, node)


def note_filled_memory(context: DefinitionContext, node: SyntaxNode, call: SyntaxNode) -> None:
    """Record that a record may hold anything, if a call returned it filled from outside."""
    record = context.unit.types.of(node.cursor).element
    if record is None or not record.is_record:
        return
    if get_spelling(C.clang_getCursorReferenced(call.cursor)) in _DUPLICATE_FUNCTIONS:
        _open_record(context, record, _FILLED_FROM_OUTSIDE, node)


def convert_to_pointer(
    context: DefinitionContext, node: SyntaxNode, operand: SyntaxNode, values: Values
) -> Values:
    """The values of a cast, from those of its operand.

    A number that is cast to a function pointer may be more than the addresses that were seen to
    become it. One that is cast to void * where no address was seen may be any address.
    """
    types = context.unit.types
    to = types.of(node.cursor).element
    if to is None or types.of(operand.cursor).kind not in kinds.T_INTEGER:
        return values
    if to.is_function:
        kept = (value for value in values if not isinstance(value, Constant))
        return (*kept, Opaque(_NUMBER_AS_FUNCTION))
    if to.kind == kinds.T_VOID and not values and evaluate_integer(operand.cursor) is None:
        return (Opaque(_NUMBER_AS_ADDRESS),)
    return values


def convert_to_number(
    context: DefinitionContext, operand: SyntaxNode, values: Values
) -> Values:
    """What is kept of values that become a number: addresses.

    If the number is a union member that shares storage with a function pointer, it may be cast to
    a pointer later.
    """
    kept = tuple(value for value in values if isinstance(value, FunctionId | Address))
    if not kept and _find_number_overlaps(context, operand):
        return (Opaque(_FUNCTION_AS_NUMBER),)
    return kept


def _find_pointee(type_: TypeInfo) -> TypeInfo | None:
    """What a pointer or array leads to; behind arrays of arrays, what they are made of."""
    return None if type_.element is None else type_.element.innermost


def _find_number_overlaps(
    context: DefinitionContext, operand: SyntaxNode
) -> tuple[Overlap, ...]:
    """The functions that share storage with the union member that a number is computed from."""
    node = unwrap(operand)
    while True:
        inner = get_operands(node)
        if node.kind == kinds.SUBSCRIPT or (
                node.kind == kinds.BINARY
                and C.clang_getCursorBinaryOperatorKind(node.cursor) in _ADDRESS_OPERATORS):
            node = unwrap(inner[0])
        elif node.kind == kinds.C_CAST:
            node = unwrap(inner[-1])
        else:
            break
    if node.kind != kinds.MEMBER_REF_EXPR:
        return ()
    return context.unit.overlaps.find_number_overlaps(C.clang_getCursorReferenced(node.cursor))


def _add_overlaps(
    context: DefinitionContext, overlaps: Iterable[Overlap], node: SyntaxNode
) -> None:
    for overlap in overlaps:
        if context.note_overlap(overlap.read, overlap.written):
            context.assign(Place(overlap.read), (Load(Place(overlap.written)),),
                           context.locate(node), overlap.how)


def _open_record(
    context: DefinitionContext, record: TypeInfo, reason: str, node: SyntaxNode
) -> None:
    """Record that the function pointers of a record may hold anything."""
    for slot in context.unit.overlaps.list_function_slots(record.type):
        if context.note_overlap(slot, slot):
            context.assign(Place(slot), (Opaque(reason),), context.locate(node),
                           TransferKind.OVERLAY)
