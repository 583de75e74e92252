"""Finds code that reads storage as another type: union members, casts, copies of memory.

Each use records the overlapping fields, once for each definition. A record that is written as
an array of pointers or bytes, or filled from outside the kernel, may hold anything in its
function pointers. A void * that becomes a pointer to a record is assumed to point to one,
unless it comes straight from a function that fills memory from outside. storage_overlap says
which fields overlap.
"""

from typing import TYPE_CHECKING

from kgraph.extract.clang import kinds
from kgraph.extract.clang.api import C, evaluate_integer, spelling
from kgraph.extract.clang.ctypes_api import Cursor
from kgraph.extract.clang.tree import SyntaxNode, expressions, plain
from kgraph.extract.storage_overlap import OverlapPairs
from kgraph.extract.types import TypeInfo
from kgraph.model.ids import FunctionId
from kgraph.model.values import Address, Constant, Load, Opaque, Place, Slot, TransferKind

if TYPE_CHECKING:
    from kgraph.extract.definition_context import DefinitionContext, Values

WORDS = "its record is written through a pointer of another type"
BYTES = "its record is copied from memory of another type"
OUTSIDE = "its record is filled from memory outside the kernel"
AS_FUNCTION = "a number is taken for the address of a function"
AS_ADDRESS = "a number is taken for an address"
AS_NUMBER = "the address of a function is read as a number"
_COPIES = frozenset({"memcpy", "__memcpy", "__builtin_memcpy", "__inline_memcpy",
                     "memmove", "__memmove", "__builtin_memmove"})
_FROM_OUTSIDE = frozenset({
    "copy_from_user", "_copy_from_user", "__copy_from_user", "__copy_from_user_nocheck",
    "__copy_from_user_inatomic", "raw_copy_from_user", "copy_from_iter", "memcpy_fromio",
    "__memcpy_fromio"})
_MADE_OUTSIDE = frozenset({"memdup_user", "vmemdup_user"})
_KEEPS = frozenset({kinds.AND, kinds.OR, kinds.ADD, kinds.SUB})


def note_member_use(context: "DefinitionContext", member: Cursor, node: SyntaxNode) -> None:
    """Note what overlays a field where it is used."""
    pairs = context.unit.overlaps.find_member_overlaps(context.unit, member)
    if pairs:
        _join(context, pairs, node)


def note_cast(context: "DefinitionContext", node: SyntaxNode, operand: SyntaxNode) -> None:
    """Note what a cast between pointers makes of the record that is pointed to."""
    unit = context.unit
    to, of = unit.types.of(node.cursor).element, unit.types.of(operand.cursor).element
    if to is not None and of is None:
        _join(context, _on_number(context, operand), node)
    if to is not None and operand.kind == kinds.CALL:
        note_filled_memory(context, node, operand)
    if to is None or of is None or not of.is_record:
        return
    if to.is_record:
        if to.type.d0 != of.type.d0:
            _join(context, unit.overlaps.find_cast_overlaps(unit, of.type, to.type), node)
    elif to.is_pointer:
        _open(context, unit.overlaps.list_function_slots(unit, of.type), WORDS, node)


def convert_to_pointer(
    context: "DefinitionContext", node: SyntaxNode, operand: SyntaxNode, values: "Values"
) -> "Values":
    """The values of a cast's operand as those of the cast. A number that is taken for a function
    may be more than the addresses that were seen to become it, one that is taken for an address
    where none was seen may be any."""
    types = context.unit.types
    to = types.of(node.cursor).element
    if to is None or types.of(operand.cursor).kind not in kinds.T_INTEGER:
        return values
    if to.is_function:
        return (*(v for v in values if not isinstance(v, Constant)), Opaque(AS_FUNCTION))
    if to.kind == kinds.T_VOID and not values and evaluate_integer(operand.cursor) is None:
        return (Opaque(AS_ADDRESS),)
    return values


def convert_to_number(
    context: "DefinitionContext", operand: SyntaxNode, values: "Values"
) -> "Values":
    """What is kept of the values that become a number: addresses. The number of a union that a
    function lies on may be cast to a pointer later."""
    kept = tuple(v for v in values if isinstance(v, FunctionId | Address))
    return (Opaque(AS_NUMBER),) if not kept and _on_number(context, operand) else kept


def note_memory_copy(
    context: "DefinitionContext", name: str, operands: list[SyntaxNode], node: SyntaxNode
) -> None:
    """Note what a call that copies memory makes of the record that is copied to."""
    if name not in _COPIES | _FROM_OUTSIDE or len(operands) < 2:
        return
    unit = context.unit
    to, of = (_pointed_to(unit.types.of(plain(operand).cursor)) for operand in operands[:2])
    if to is None or not to.is_record:
        return
    if name in _FROM_OUTSIDE:
        _open(context, unit.overlaps.list_function_slots(unit, to.type), OUTSIDE, node)
    elif of is None:
        return
    elif of.is_record:
        if to.type.d0 != of.type.d0:
            _join(context, unit.overlaps.find_copy_overlaps(unit, to.type, of.type), node)
    elif of.kind != kinds.T_VOID:
        _open(context, unit.overlaps.list_function_slots(unit, to.type), BYTES, node)


def note_filled_memory(context: "DefinitionContext", node: SyntaxNode, call: SyntaxNode) -> None:
    """Note what a record may hold that is memory which a call filled from outside."""
    unit = context.unit
    record = unit.types.of(node.cursor).element
    if record is None or not record.is_record:
        return
    if spelling(C.clang_getCursorReferenced(call.cursor)) in _MADE_OUTSIDE:
        _open(context, unit.overlaps.list_function_slots(unit, record.type), OUTSIDE, node)


def _pointed_to(type_: TypeInfo) -> TypeInfo | None:
    """What a pointer or array leads to; of arrays of arrays, and of pointers to these, what they
    are made of."""
    found = type_.element
    while found is not None and found.is_array:
        found = found.element
    return found


def _on_number(context: "DefinitionContext", operand: SyntaxNode) -> OverlapPairs:
    """The functions that lie on a number of a union, which an expression is made of."""
    node = plain(operand)
    while True:
        inner = expressions(node)
        if node.kind == kinds.SUBSCRIPT or (
                node.kind == kinds.BINARY
                and C.clang_getCursorBinaryOperatorKind(node.cursor) in _KEEPS):
            node = plain(inner[0])
        elif node.kind == kinds.C_CAST:
            node = plain(inner[-1])
        else:
            break
    if node.kind != kinds.MEMBER_REF_EXPR:
        return ()
    return context.unit.overlaps.find_number_overlaps(
        context.unit, C.clang_getCursorReferenced(node.cursor))


def _join(context: "DefinitionContext", pairs: OverlapPairs, node: SyntaxNode) -> None:
    for one, other, how in pairs:
        if context.note_overlap(one, other):
            location = context.unit.sources.locate_cursor(node.cursor)
            context.assign(Place(one), (Load(Place(other)),), location, how)


def _open(
    context: "DefinitionContext", slots: tuple[Slot, ...], reason: str, node: SyntaxNode
) -> None:
    for slot in slots:
        if context.note_overlap(slot, slot):
            location = context.unit.sources.locate_cursor(node.cursor)
            context.assign(Place(slot), (Opaque(reason),), location, TransferKind.OVERLAY)
