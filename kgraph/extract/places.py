"""Lvalues: which holder an expression names, and through what it was reached.

Elements of an array are one: `tbl[i]` is the place of `tbl`. A union that has no name and no
named record around it (the one inside READ_ONCE) is one with the variable that holds it.
"""

from typing import TYPE_CHECKING

from kgraph.extract import kinds
from kgraph.extract.context import Context, Values
from kgraph.extract.libclang import C, spelling
from kgraph.extract.nodes import Node, expressions
from kgraph.extract.prototypes import Cursor
from kgraph.extract.retyped import member_used
from kgraph.extract.types import TypeInfo, is_unnamed
from kgraph.model.holders import (
    POINTEE,
    Address,
    Load,
    Opaque,
    Parameter,
    Place,
    Slot,
    Value,
    Variable,
    address_of,
    reached,
)
from kgraph.model.names import FunctionId, ObjectId

if TYPE_CHECKING:
    from kgraph.extract.expressions import Reader

Places = tuple[Place, ...]


def declared(context: Context, node: Node) -> Place | None:
    """The place of a variable or parameter that a DECL_REF names, None for anything else."""
    referenced = C.clang_getCursorReferenced(node.cursor)
    if referenced.kind == kinds.PARM:
        return Place(context.local.holder(referenced)) if context.local else None
    if referenced.kind != kinds.VAR:
        return None
    parent = C.clang_getCursorSemanticParent(referenced)
    if parent.kind == kinds.FUNCTION and context.local and C.clang_Cursor_getStorageClass(
            referenced) not in (kinds.STORAGE_EXTERN, kinds.STORAGE_STATIC):
        return Place(context.local.holder(referenced))
    return Place(context.unit.names.object(referenced))


def pointees(context: Context, values: Values, pointee: TypeInfo) -> Places:
    """The places that pointer values point to."""
    found: list[Place] = []
    for value in values:
        if isinstance(value, Address):
            found.append(value.place)
        elif isinstance(value, Load | Opaque):
            found.append(Place(pointee_slot(context, pointee), reached(value)))
    return tuple(found)


def pointed_to(context: Context, values: Values) -> Places:
    """The places that a va_list points to: its elements are one, of any type."""
    return pointees(context, values, context.unit.types.untyped)


def pointee_slot(context: Context, pointee: TypeInfo) -> Slot:
    """What stands for a whole pointee of a type: `struct sock` behind some pointer."""
    if pointee.is_record:
        record, scope = context.unit.names.record(C.clang_getTypeDeclaration(pointee.type))
        return Slot(record, POINTEE, scope)
    return Slot("", POINTEE)


def member(reader: "Reader", node: Node) -> Places:
    """`x.f` and `p->f`."""
    context = reader.context
    inner = expressions(node)
    if not inner:
        return ()
    referenced = C.clang_getCursorReferenced(node.cursor)
    slot = context.unit.names.slot(referenced)
    if slot is not None:
        member_used(context, referenced, node)
    base = inner[0]
    type_ = context.unit.types.of(base.cursor)
    if type_.is_pointer or type_.is_array:
        values = reader.values(base)
        if slot is None:
            return pointees(context, values, type_.element or type_)
    else:
        places = reader.places(base)
        if slot is None:
            return tuple(unnamed_field(context, place, referenced) for place in places)
        values = tuple(address_of(place) for place in places)
    return tuple(Place(slot, reached(value)) for value in bases(values))


def unnamed_field(context: Context, place: Place, field: Cursor) -> Place:
    """The field of a variable whose struct has no name: the variable's name stands for it. A
    union without a name is one with its variable."""
    holder = place.holder
    record = C.clang_getCursorSemanticParent(field)
    if record.kind != kinds.STRUCT or not isinstance(holder, ObjectId | Variable):
        return place
    name = spelling(field)
    if is_unnamed(name):
        return place
    owner = holder.function if isinstance(holder, Variable) else holder
    scope = owner.scope or context.unit.sources.location(record).path
    if isinstance(holder, Variable):
        scope = f"{scope}:{owner.name}"
    return Place(Slot(holder.name, name, scope), reached(Address(place)))


def loads(reader: "Reader", node: Node, places: Places) -> Values:
    """The value of an lvalue expression that names `places`; an array evaluates to its address,
    but a parameter that is written as an array is a pointer."""
    if not places:
        return ()
    is_array = reader.context.unit.types.of(node.cursor).is_array
    return tuple(
        address_of(place) if is_array and not isinstance(place.holder, Parameter) else Load(place)
        for place in places)


def bases(values: Values) -> tuple[Value | None, ...]:
    """The values that a record can be reached through; (None,) where there is none."""
    found = tuple(v for v in values if not isinstance(v, FunctionId))
    return found or (None,)


def subscript(reader: "Reader", node: Node) -> Places:
    """`a[i]`: the array's place, or what a pointer points to."""
    inner = expressions(node)
    if len(inner) != 2:
        return ()
    array, index = inner
    type_ = reader.context.unit.types.of(array.cursor)
    if not (type_.is_pointer or type_.is_array):  # i[a]
        array, index = index, array
        type_ = reader.context.unit.types.of(array.cursor)
    values = reader.values(array)
    reader.values(index)
    return pointees(reader.context, values, type_.element or type_)


def dereference(reader: "Reader", node: Node) -> Places:
    """`*p`."""
    inner = expressions(node)
    if not inner:
        return ()
    type_ = reader.context.unit.types.of(inner[0].cursor)
    values = reader.values(inner[0])
    return pointees(reader.context, values, type_.element or type_)
