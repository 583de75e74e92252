"""Where code goes by an overlay: uses of a union's members, casts, copies of memory.

Each place notes what lies on one another there, once for a definition. A record that is written as
an array of pointers or bytes, or filled from outside the kernel, may hold anything in its pointers
to functions. A void * that becomes a pointer to a record is taken to point to one, but where it is
fresh from a function that fills memory from outside. Must not know which fields lie on one another.
"""

from typing import TYPE_CHECKING

from kgraph.extract import kinds
from kgraph.extract.libclang import C, evaluate_integer, spelling
from kgraph.extract.nodes import Node, expressions, plain
from kgraph.extract.overlays import Pairs
from kgraph.extract.prototypes import Cursor
from kgraph.extract.types import TypeInfo
from kgraph.model.holders import Address, Constant, How, Load, Opaque, Place, Slot
from kgraph.model.names import FunctionId

if TYPE_CHECKING:
    from kgraph.extract.context import Context, Values

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


def member_used(context: "Context", member: Cursor, node: Node) -> None:
    """Note what overlays a field where it is used."""
    pairs = context.unit.overlays.of_member(context.unit, member)
    if pairs:
        _join(context, pairs, node)


def cast(context: "Context", node: Node, operand: Node) -> None:
    """Note what a cast between pointers makes of the record that is pointed to."""
    unit = context.unit
    to, of = unit.types.of(node.cursor).element, unit.types.of(operand.cursor).element
    if to is not None and of is None:
        _join(context, _on_number(context, operand), node)
    if to is not None and operand.kind == kinds.CALL:
        made(context, node, operand)
    if to is None or of is None or not of.is_record:
        return
    if to.is_record:
        if to.type.d0 != of.type.d0:
            _join(context, unit.overlays.of_types(unit, of.type, to.type), node)
    elif to.is_pointer:
        _open(context, unit.overlays.functions(unit, of.type), WORDS, node)


def as_pointer(context: "Context", node: Node, operand: Node, values: "Values") -> "Values":
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


def of_number(context: "Context", operand: Node, values: "Values") -> "Values":
    """What is kept of the values that become a number: addresses. The number of a union that a
    function lies on may be cast to a pointer later."""
    kept = tuple(v for v in values if isinstance(v, FunctionId | Address))
    return (Opaque(AS_NUMBER),) if not kept and _on_number(context, operand) else kept


def copied(context: "Context", name: str, operands: list[Node], node: Node) -> None:
    """Note what a call that copies memory makes of the record that is copied to."""
    if name not in _COPIES | _FROM_OUTSIDE or len(operands) < 2:
        return
    unit = context.unit
    to, of = (_pointed_to(unit.types.of(plain(operand).cursor)) for operand in operands[:2])
    if to is None or not to.is_record:
        return
    if name in _FROM_OUTSIDE:
        _open(context, unit.overlays.functions(unit, to.type), OUTSIDE, node)
    elif of is None:
        return
    elif of.is_record:
        if to.type.d0 != of.type.d0:
            _join(context, unit.overlays.of_copy(unit, to.type, of.type), node)
    elif of.kind != kinds.T_VOID:
        _open(context, unit.overlays.functions(unit, to.type), BYTES, node)


def made(context: "Context", node: Node, call: Node) -> None:
    """Note what a record may hold that is memory which a call filled from outside."""
    unit = context.unit
    record = unit.types.of(node.cursor).element
    if record is None or not record.is_record:
        return
    if spelling(C.clang_getCursorReferenced(call.cursor)) in _MADE_OUTSIDE:
        _open(context, unit.overlays.functions(unit, record.type), OUTSIDE, node)


def _pointed_to(type_: TypeInfo) -> TypeInfo | None:
    """What a pointer or array leads to; of arrays of arrays, and of pointers to these, what they
    are made of."""
    found = type_.element
    while found is not None and found.is_array:
        found = found.element
    return found


def _on_number(context: "Context", operand: Node) -> Pairs:
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
    return context.unit.overlays.of_number(
        context.unit, C.clang_getCursorReferenced(node.cursor))


def _join(context: "Context", pairs: Pairs, node: Node) -> None:
    for one, other, how in pairs:
        if context.overlaid(one, other):
            location = context.unit.sources.location(node.cursor)
            context.put(Place(one), (Load(Place(other)),), location, how)


def _open(context: "Context", slots: tuple[Slot, ...], reason: str, node: Node) -> None:
    for slot in slots:
        if context.overlaid(slot, slot):
            location = context.unit.sources.location(node.cursor)
            context.put(Place(slot), (Opaque(reason),), location, How.OVERLAY)
