"""Reads lvalues: which place an expression names, and through which value it was reached.

All elements of an array are one place: `tbl[i]` is the place of `tbl`. An unnamed union without
a named record around it (the one inside READ_ONCE) is the same place as the variable that holds
it.
"""

from typing import TYPE_CHECKING

from kgraph.extract.alias_uses import note_member_use
from kgraph.extract.clang import kinds
from kgraph.extract.clang.api import C, spelling
from kgraph.extract.clang.ctypes_api import Cursor
from kgraph.extract.clang.tree import SyntaxNode, expressions
from kgraph.extract.definition_context import DefinitionContext, Values
from kgraph.extract.types import TypeInfo, is_unnamed
from kgraph.model.ids import FunctionId, ObjectId
from kgraph.model.values import (
    POINTEE,
    Address,
    Load,
    Opaque,
    Parameter,
    Place,
    Slot,
    Value,
    Variable,
    limit_pointer_depth,
    take_address,
)

if TYPE_CHECKING:
    from kgraph.extract.expressions import Reader

Places = tuple[Place, ...]


def find_declared_place(context: DefinitionContext, node: SyntaxNode) -> Place | None:
    """The place of a variable or parameter that a DECL_REF names, None for anything else."""
    referenced = C.clang_getCursorReferenced(node.cursor)
    if referenced.kind == kinds.PARM:
        return Place(context.local.identify_holder(referenced)) if context.local else None
    if referenced.kind != kinds.VAR:
        return None
    parent = C.clang_getCursorSemanticParent(referenced)
    if parent.kind == kinds.FUNCTION and context.local and C.clang_Cursor_getStorageClass(
            referenced) not in (kinds.STORAGE_EXTERN, kinds.STORAGE_STATIC):
        return Place(context.local.identify_holder(referenced))
    return Place(context.unit.identities.identify_object(referenced))


def find_pointees(context: DefinitionContext, values: Values, pointee: TypeInfo) -> Places:
    """The places that pointer values point to."""
    found: list[Place] = []
    for value in values:
        if isinstance(value, Address):
            found.append(value.place)
        elif isinstance(value, Load | Opaque):
            found.append(Place(make_pointee_slot(context, pointee), limit_pointer_depth(value)))
    return tuple(found)


def find_va_list_elements(context: DefinitionContext, values: Values) -> Places:
    """The places that a va_list points to: its elements are one, of any type."""
    return find_pointees(context, values, context.unit.types.untyped)


def make_pointee_slot(context: DefinitionContext, pointee: TypeInfo) -> Slot:
    """What stands for a whole pointee of a type: `struct sock` behind some pointer."""
    if pointee.is_record:
        record, scope = context.unit.identities.identify_record(
            C.clang_getTypeDeclaration(pointee.type)
        )
        return Slot(record, POINTEE, scope)
    return Slot("", POINTEE)


def read_member(reader: "Reader", node: SyntaxNode) -> Places:
    """`x.f` and `p->f`."""
    context = reader.context
    inner = expressions(node)
    if not inner:
        return ()
    referenced = C.clang_getCursorReferenced(node.cursor)
    slot = context.unit.identities.identify_slot(referenced)
    if slot is not None:
        note_member_use(context, referenced, node)
    base = inner[0]
    type_ = context.unit.types.of(base.cursor)
    if type_.is_pointer or type_.is_array:
        values = reader.values(base)
        if slot is None:
            return find_pointees(context, values, type_.element or type_)
    else:
        places = reader.places(base)
        if slot is None:
            return tuple(make_unnamed_field(context, place, referenced) for place in places)
        values = tuple(take_address(place) for place in places)
    return tuple(Place(slot, limit_pointer_depth(value)) for value in select_bases(values))


def make_unnamed_field(context: DefinitionContext, place: Place, field: Cursor) -> Place:
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
    scope = owner.scope or context.unit.sources.locate_cursor(record).path
    if isinstance(holder, Variable):
        scope = f"{scope}:{owner.name}"
    return Place(Slot(holder.name, name, scope), limit_pointer_depth(Address(place)))


def load_places(reader: "Reader", node: SyntaxNode, places: Places) -> Values:
    """The value of an lvalue expression that names `places`; an array evaluates to its address,
    but a parameter that is written as an array is a pointer."""
    if not places:
        return ()
    is_array = reader.context.unit.types.of(node.cursor).is_array
    return tuple(
        take_address(place) if is_array and not isinstance(place.holder, Parameter) else Load(place)
        for place in places)


def select_bases(values: Values) -> tuple[Value | None, ...]:
    """The values that a record can be reached through; (None,) where there is none."""
    found = tuple(v for v in values if not isinstance(v, FunctionId))
    return found or (None,)


def read_subscript(reader: "Reader", node: SyntaxNode) -> Places:
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
    return find_pointees(reader.context, values, type_.element or type_)


def read_dereference(reader: "Reader", node: SyntaxNode) -> Places:
    """`*p`."""
    inner = expressions(node)
    if not inner:
        return ()
    type_ = reader.context.unit.types.of(inner[0].cursor)
    values = reader.values(inner[0])
    return find_pointees(reader.context, values, type_.element or type_)
