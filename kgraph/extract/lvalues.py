"""Reads lvalues: which place an expression names, and through which value it was reached.

All elements of an array are one place: `tbl[i]` is the place of `tbl`. An unnamed union without a
named record around it (the one inside READ_ONCE) is the same place as the variable that holds it.
A register that a variable at file scope names is no place: every function uses it.
"""

from collections.abc import Sequence

from kgraph.extract.alias_uses import note_member_use
from kgraph.extract.clang import kinds
from kgraph.extract.clang.api import C, get_spelling
from kgraph.extract.clang.ctypes_api import Cursor
from kgraph.extract.clang.tree import SyntaxNode, get_operands, unwrap
from kgraph.extract.definition_context import DefinitionContext, Places, Values
from kgraph.extract.reader import Reader, place_rule, value_rule
from kgraph.extract.types import TypeInfo, is_unnamed
from kgraph.model.ids import FunctionId, ObjectId
from kgraph.model.values import (
    POINTEE,
    Address,
    CallResult,
    Load,
    Opaque,
    Parameter,
    Place,
    ReturnValue,
    Slot,
    TransferKind,
    Value,
    Variable,
    limit_pointer_depth,
    take_address,
)


@value_rule(kinds.MEMBER_REF_EXPR, kinds.SUBSCRIPT)
def read_lvalue(reader: Reader, node: SyntaxNode) -> Values:
    """The values of an expression that names a place."""
    return load_places(reader, node, reader.read_places(node))


def load_places(reader: Reader, node: SyntaxNode, places: Places) -> Values:
    """The values of an lvalue expression that names `places`.

    An array evaluates to its address; a parameter that is written as an array is a pointer.
    """
    if not places:
        return ()
    type_ = reader.types.of(node.cursor)
    if type_.is_record:
        return tuple(load_record(reader.context, place, type_) for place in places)
    is_array = type_.is_array
    return tuple(
        take_address(place) if is_array and not isinstance(place.holder, Parameter) else Load(place)
        for place in places)


@place_rule(kinds.DECL_REF)
def _read_name(reader: Reader, node: SyntaxNode) -> Places:
    """The place of a variable or parameter; none for a global register variable."""
    context = reader.context
    referenced = C.clang_getCursorReferenced(node.cursor)
    if referenced.kind == kinds.PARM:
        return (Place(context.local.identify_holder(referenced)),) if context.local else ()
    if referenced.kind != kinds.VAR:
        return ()
    parent = C.clang_getCursorSemanticParent(referenced)
    if parent.kind == kinds.FUNCTION and context.local and C.clang_Cursor_getStorageClass(
            referenced) not in (kinds.STORAGE_EXTERN, kinds.STORAGE_STATIC):
        return (Place(context.local.identify_holder(referenced)),)
    if is_global_register(referenced):
        return ()
    return (Place(context.unit.identities.identify_object(referenced)),)


def is_global_register(declaration: Cursor) -> bool:
    """Whether a declaration is `register T name asm("r")` at file scope."""
    storage: int = C.clang_Cursor_getStorageClass(declaration)
    parent: int = C.clang_getCursorSemanticParent(declaration).kind
    return storage == kinds.STORAGE_REGISTER and parent != kinds.FUNCTION


@place_rule(kinds.MEMBER_REF_EXPR)
def _read_member(reader: Reader, node: SyntaxNode) -> Places:
    """`x.f` and `p->f`."""
    context = reader.context
    inner = get_operands(node)
    if not inner:
        return ()
    referenced = C.clang_getCursorReferenced(node.cursor)
    slot = context.unit.identities.identify_slot(referenced)
    if slot is not None:
        note_member_use(context, referenced, node)
    base = inner[0]
    type_ = reader.types.of(base.cursor)
    if type_.is_pointer or type_.is_array:
        values = reader.read_values(base)
        if slot is None:
            return find_pointees(context, values, type_.element or type_)
        if _is_cast_record(reader, base):
            values = tuple(map(_leave_records, values))
    else:
        places = reader.read_places(base)
        if slot is None:
            return tuple(make_unnamed_field(context, place, referenced) for place in places)
        values = tuple(take_address(place) for place in places)
    return tuple(Place(slot, limit_pointer_depth(value)) for value in _select_bases(values))


def _is_cast_record(reader: Reader, pointer: SyntaxNode) -> bool:
    """Whether a pointer to a record is one to a record of another type, cast."""
    types, node = reader.types, unwrap(pointer)
    to = types.of(node.cursor).element
    while node.kind == kinds.C_CAST and (inner := get_operands(node)):
        node = unwrap(inner[-1])
    source = types.of(node.cursor).element
    return to is not None and source is not None and source.is_record and (
        to.type.d0 != source.type.d0)


def _leave_records(value: Value) -> Value:
    """A pointer into the object in which a field lies, for the address of the field.

    What is taken for another record does not lie in this field as one of its type.
    """
    while isinstance(value, Address) and isinstance(value.place.holder, Slot) and (
            value.place.base is not None):
        value = value.place.base
    return value


def _select_bases(values: Values) -> tuple[Value | None, ...]:
    """The values that a record can be reached through; (None,) if there are none."""
    found = tuple(value for value in values if not isinstance(value, FunctionId))
    return found or (None,)


@place_rule(kinds.SUBSCRIPT)
def _read_subscript(reader: Reader, node: SyntaxNode) -> Places:
    """`a[i]`: the array's place, or what a pointer points to."""
    inner = get_operands(node)
    if len(inner) != 2:
        return ()
    array, index = inner
    type_ = reader.types.of(array.cursor)
    if not (type_.is_pointer or type_.is_array):  # i[a]
        array, index = index, array
        type_ = reader.types.of(array.cursor)
    values = reader.read_values(array)
    reader.read_values(index)
    return find_pointees(reader.context, values, type_.element or type_)


@place_rule(kinds.UNARY)
def _read_unary(reader: Reader, node: SyntaxNode) -> Places:
    """`*p`, and operators that keep the place (`__extension__ x`)."""
    inner = get_operands(node)
    if not inner:
        return ()
    if C.clang_getCursorUnaryOperatorKind(node.cursor) != kinds.DEREFERENCE:
        return reader.read_places(inner[0])
    type_ = reader.types.of(inner[0].cursor)
    values = reader.read_values(inner[0])
    return find_pointees(reader.context, values, type_.element or type_)


@place_rule(kinds.UNEXPOSED_EXPR, kinds.PAREN)
def _read_wrapped(reader: Reader, node: SyntaxNode) -> Places:
    inner = get_operands(node)
    if len(inner) == 1:
        return reader.read_places(inner[0])
    return tuple(value.place for value in reader.read_values(node) if isinstance(value, Load))


def find_pointees(context: DefinitionContext, values: Values, pointee: TypeInfo) -> Places:
    """The places that pointer values point to."""
    found: list[Place] = []
    for value in values:
        if isinstance(value, Address):
            found.append(value.place)
        elif isinstance(value, Load | Opaque):
            found.append(Place(_make_pointee_slot(context, pointee), limit_pointer_depth(value)))
    return tuple(found)


def load_record(context: DefinitionContext, place: Place, type_: TypeInfo) -> Load:
    """The value of a record.

    What is passed or returned by value is what its address points to, so that it is known to be a
    record and no pointer.
    """
    if not type_.is_record or not isinstance(
            place.holder, Parameter | ReturnValue | CallResult):
        return Load(place)
    return Load(Place(_make_pointee_slot(context, type_), Address(place)))


def move_records(
    reader: Reader, operands: Sequence[SyntaxNode], values: Sequence[Values], node: SyntaxNode
) -> None:
    """Record that the bytes of a record are copied: to what the first operand points to, from what
    the second points to."""
    context = reader.context
    to, source = (_find_record(reader.types.of(unwrap(each).cursor)) for each in operands)
    if to is None or source is None or not all(
            map(context.unit.overlaps.has_pointers, (to.type, source.type))):
        return
    places, sources = (find_pointees(context, found, record)
                       for found, record in zip(values, (to, source), strict=True))
    if to.type.d0 != source.type.d0:  # the one may begin with the other
        places = sources = tuple(
            Place(_make_pointee_slot(context, record)) for record in (to, source))
    for place in places:
        context.assign(place, tuple(map(Load, sources)), context.locate(node), TransferKind.RECORD)


def _find_record(pointer: TypeInfo) -> TypeInfo | None:
    """The record that a pointer or array leads to."""
    found = None if pointer.element is None else pointer.element.innermost
    return found if found is not None and found.is_record else None


def find_untyped_pointees(values: Values) -> Places:
    """What pointer values point to, as memory of any type."""
    return tuple(Place(Slot("", POINTEE), limit_pointer_depth(value)) for value in values
                 if isinstance(value, Load | Address))


def find_va_list_elements(context: DefinitionContext, values: Values) -> Places:
    """The places that a va_list points to: all its elements are one place, of any type."""
    return find_pointees(context, values, context.unit.types.untyped)


def _make_pointee_slot(context: DefinitionContext, pointee: TypeInfo) -> Slot:
    """The slot that stands for a whole pointee: a `struct sock` behind some pointer."""
    if pointee.is_record:
        declaration = C.clang_getTypeDeclaration(pointee.type)
        record, scope = context.unit.identities.identify_record(declaration)
        return Slot(record, POINTEE, scope)
    return Slot("", POINTEE)


def make_field_place(context: DefinitionContext, place: Place, field: Cursor) -> Place:
    """The place of a record's field; the record's own place if the field has no name."""
    if is_unnamed(get_spelling(field)):
        return place
    slot = context.unit.identities.identify_slot(field)
    if slot is None:
        return make_unnamed_field(context, place, field)
    return Place(slot, limit_pointer_depth(take_address(place)))


def make_unnamed_field(context: DefinitionContext, place: Place, field: Cursor) -> Place:
    """The place of a field in a variable whose record type has no name.

    The variable's name stands for a struct. A union is the same place as its variable.
    """
    holder = place.holder
    record = C.clang_getCursorSemanticParent(field)
    if record.kind != kinds.STRUCT or not isinstance(holder, ObjectId | Variable):
        return place
    name = get_spelling(field)
    if is_unnamed(name):
        return place
    owner = holder.function if isinstance(holder, Variable) else holder
    scope = owner.scope or context.unit.sources.find_path(record)
    if isinstance(holder, Variable):
        scope = f"{scope}:{owner.name}"
    return Place(Slot(holder.name, name, scope), limit_pointer_depth(Address(place)))
