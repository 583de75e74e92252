"""Initialisers: which value a declaration puts into which place.

Follows C's rules: designators (`.f =`, `[i] =`, `.a.b =`), positions, the field after a
designator, elided inner braces. An array's elements are one place.

Numbers lead nowhere and are left out, but where they stand in a record beside a function: there
they may say what it is called for (the family and the number of a hook).
"""

from typing import TYPE_CHECKING

from kgraph.extract import kinds
from kgraph.extract.context import Values
from kgraph.extract.libclang import C, record_fields, spelling
from kgraph.extract.nodes import Node, expressions, plain
from kgraph.extract.places import Places, loads, unnamed_field
from kgraph.extract.prototypes import Cursor
from kgraph.extract.retyped import of_number
from kgraph.extract.types import TypeInfo, is_unnamed
from kgraph.model.facts import Flow
from kgraph.model.holders import Constant, How, Place, address_of, reached
from kgraph.model.names import ObjectId

if TYPE_CHECKING:
    from kgraph.extract.expressions import Reader


def initialise(reader: "Reader", place: Place, type_: TypeInfo, node: Node,
               table: ObjectId | None, *, beside: bool = False) -> None:
    """Record what an initialiser puts into a place of a type; a number too, where it stands
    `beside` a function."""
    target = plain(node)
    if target.kind == kinds.INIT_LIST:
        if type_.is_array and type_.element is not None:
            _array(reader, place, type_.element, target.kids, table)
        elif type_.is_record:
            _record(reader, place, type_, target.kids, table)
        else:
            for kid in target.kids[:1]:
                initialise(reader, place, type_, kid, table)
        return
    if target.kind == kinds.COMPOUND_LITERAL and type_.is_record and (inner := expressions(target)):
        # `struct s x = (struct s){ ... }` makes no object but x.
        initialise(reader, place, type_, inner[-1], table)
        return
    values = reader.values(node)
    kept = values if type_.carries else of_number(reader.context, node, values)
    if kept:
        location = reader.context.unit.sources.location(target.cursor)
        reader.context.put(place, kept, location, How.INITIALISER, table)
    elif beside and type_.is_number:
        for number in values:
            if isinstance(number, Constant):
                location = reader.context.unit.sources.location(target.cursor)
                reader.context.flows.append(Flow(number, place, location, How.INITIALISER))


def _designated(kid: Node) -> bool:
    """Whether libclang's unnamed node is a designated initialiser: its designators, then it."""
    return kid.kind == kinds.UNEXPOSED_EXPR and len(kid.kids) > 1


def _array(reader: "Reader", place: Place, element: TypeInfo, kids: list[Node],
           table: ObjectId | None) -> None:
    position = 0
    while position < len(kids):
        kid = kids[position]
        if _designated(kid):
            _designators(reader, place, element, kid, table, in_array=True)
            position += 1
        elif _elided(reader, element, kid):
            position += _flat(reader, place, element, kids[position:], table)
        else:
            initialise(reader, place, element, kid, table)
            position += 1


def _designators(reader: "Reader", place: Place, type_: TypeInfo, kid: Node,
                 table: ObjectId | None, *, in_array: bool) -> Cursor | None:
    """One designated initialiser; the field that its first designator names."""
    *designators, value = kid.kids
    first: Cursor | None = None
    beside = False
    for designator in designators:
        if designator.kind != kinds.MEMBER_REF:
            if type_.is_array and type_.element is not None and not in_array:
                type_ = type_.element
            in_array = False
            continue
        in_array = False
        while type_.is_array and type_.element is not None:
            type_ = type_.element
        field = C.clang_getCursorReferenced(designator.cursor)
        if first is None:
            first = field
        place = field_place(reader, place, field)
        beside = _has_functions(reader, type_)
        type_ = reader.context.unit.types.of(field)
    initialise(reader, place, type_, value, table, beside=beside)
    return first


def field_place(reader: "Reader", place: Place, field: Cursor) -> Place:
    """The place of a record's field; the record's own where the field has no name."""
    if is_unnamed(spelling(field)):
        return place
    slot = reader.context.unit.names.slot(field)
    if slot is None:
        return unnamed_field(reader.context, place, field)
    return Place(slot, reached(address_of(place)))


def fields(type_: TypeInfo) -> list[Cursor]:
    """The fields of a record that take an initialiser, in order; a union has one."""
    found = [field for field in record_fields(type_.type)
             if not (C.clang_Cursor_isBitField(field) and is_unnamed(spelling(field)))]
    is_union = C.clang_getTypeDeclaration(type_.type).kind == kinds.UNION
    return found[:1] if is_union else found


def _record(reader: "Reader", place: Place, type_: TypeInfo, kids: list[Node],
            table: ObjectId | None) -> None:
    members = fields(type_)
    names = [member.d0 for member in members]
    field = 0
    position = 0
    while position < len(kids):
        kid = kids[position]
        if _designated(kid):
            named = _designators(reader, place, type_, kid, table, in_array=False)
            if named is not None and named.d0 in names:
                field = names.index(named.d0) + 1
            position += 1
            continue
        if field >= len(members):
            return
        member = members[field]
        inner_type = reader.context.unit.types.of(member)
        inner = field_place(reader, place, member)
        field += 1
        if _elided(reader, inner_type, kid):
            position += _flat(reader, inner, inner_type, kids[position:], table)
        else:
            initialise(reader, inner, inner_type, kid, table,
                       beside=_has_functions(reader, type_))
            position += 1


def _has_functions(reader: "Reader", type_: TypeInfo) -> bool:
    """Whether a record has a pointer to a function, or an array of such, among its own fields."""
    types = reader.context.unit.types
    known = types.with_functions.get(type_.type.d0)
    if known is None:
        known = types.with_functions[type_.type.d0] = type_.is_record and any(
            _leads_to_function(types.of(field)) for field in record_fields(type_.type))
    return known


def _leads_to_function(type_: TypeInfo) -> bool:
    while type_.is_array and type_.element is not None:
        type_ = type_.element
    return type_.is_pointer and type_.element is not None and type_.element.is_function


def _elided(reader: "Reader", type_: TypeInfo, kid: Node) -> bool:
    """Whether the braces around an inner aggregate were left out: its initialiser is neither a
    list nor a value of a record type (nor a string for an array)."""
    if not (type_.is_record or type_.is_array):
        return False
    target = plain(kid)
    if target.kind in (kinds.INIT_LIST, kinds.COMPOUND_LITERAL):
        return False
    given = reader.context.unit.types.of(target.cursor)
    return not (given.is_record or given.is_array)


def _flat(reader: "Reader", place: Place, type_: TypeInfo, kids: list[Node],
          table: ObjectId | None) -> int:
    """Initialise an aggregate from a list without braces; how many initialisers it took."""
    if type_.is_array and type_.element is not None:
        count = max(1, C.clang_getArraySize(type_.type))
        members = [(place, type_.element)] * min(count, len(kids))
    elif type_.is_record:
        types = reader.context.unit.types
        members = [(field_place(reader, place, m), types.of(m)) for m in fields(type_)]
    else:
        initialise(reader, place, type_, kids[0], table)
        return 1
    beside = _has_functions(reader, type_)
    taken = 0
    for inner, inner_type in members:
        if taken >= len(kids) or _designated(kids[taken]):
            break
        if _elided(reader, inner_type, kids[taken]):
            taken += _flat(reader, inner, inner_type, kids[taken:], table)
        else:
            initialise(reader, inner, inner_type, kids[taken], table, beside=beside)
            taken += 1
    return max(taken, 1)


def literal_place(reader: "Reader", node: Node) -> Places:
    """A compound literal is an object of its own: a temporary, or a static one at file scope."""
    context = reader.context
    inner = expressions(node)
    if not inner:
        return ()
    table: ObjectId | None = None
    if context.local is not None:
        place = Place(context.local.temporary("(literal)"))
    else:
        at = context.unit.sources.location(node.cursor)
        scope, image = context.unit.names.scope(at.path)
        table = ObjectId(context.literal(at), scope, image)
        place = Place(table)
    initialise(reader, place, context.unit.types.of(node.cursor), inner[-1], table)
    return (place,)


def compound_literal(reader: "Reader", node: Node) -> Values:
    """The value of a compound literal; an array's is its address."""
    return loads(reader, node, literal_place(reader, node))
