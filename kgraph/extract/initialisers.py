"""Reads initialisers: which value a declaration puts into which place.

Follows the rules of C: designators (`.f =`, `[i] =`, `.a.b =`), positions, the field after a
designator, inner braces left out. All elements of an array are one place.

Numbers lead to no function and are dropped, except in a record that also holds a function
pointer: there they may say what the function is called for (the family and number of a hook).
"""

from typing import TYPE_CHECKING

from kgraph.extract.alias_uses import convert_to_number
from kgraph.extract.clang import kinds
from kgraph.extract.clang.api import C, record_fields, spelling
from kgraph.extract.clang.ctypes_api import Cursor
from kgraph.extract.clang.tree import SyntaxNode, expressions, plain
from kgraph.extract.definition_context import Values
from kgraph.extract.lvalues import Places, load_places, make_unnamed_field
from kgraph.extract.types import TypeInfo, is_unnamed
from kgraph.model.facts import Flow
from kgraph.model.ids import ObjectId
from kgraph.model.values import Constant, Place, TransferKind, limit_pointer_depth, take_address

if TYPE_CHECKING:
    from kgraph.extract.expressions import Reader


def read_initialiser(reader: "Reader", place: Place, type_: TypeInfo, node: SyntaxNode,
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
                read_initialiser(reader, place, type_, kid, table)
        return
    if target.kind == kinds.COMPOUND_LITERAL and type_.is_record and (inner := expressions(target)):
        # `struct s x = (struct s){ ... }` makes no object but x.
        read_initialiser(reader, place, type_, inner[-1], table)
        return
    values = reader.values(node)
    kept = values if type_.can_lead_to_function else convert_to_number(reader.context, node, values)
    if kept:
        location = reader.context.unit.sources.locate_cursor(target.cursor)
        reader.context.assign(place, kept, location, TransferKind.INITIALISER, table)
    elif beside and type_.is_number:
        for number in values:
            if isinstance(number, Constant):
                location = reader.context.unit.sources.locate_cursor(target.cursor)
                reader.context.flows.append(Flow(number, place, location, TransferKind.INITIALISER))


def _designated(kid: SyntaxNode) -> bool:
    """Whether libclang's unnamed node is a designated initialiser: its designators, then it."""
    return kid.kind == kinds.UNEXPOSED_EXPR and len(kid.kids) > 1


def _array(reader: "Reader", place: Place, element: TypeInfo, kids: list[SyntaxNode],
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
            read_initialiser(reader, place, element, kid, table)
            position += 1


def _designators(reader: "Reader", place: Place, type_: TypeInfo, kid: SyntaxNode,
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
        place = make_field_place(reader, place, field)
        beside = _has_functions(reader, type_)
        type_ = reader.context.unit.types.of(field)
    read_initialiser(reader, place, type_, value, table, beside=beside)
    return first


def make_field_place(reader: "Reader", place: Place, field: Cursor) -> Place:
    """The place of a record's field; the record's own where the field has no name."""
    if is_unnamed(spelling(field)):
        return place
    slot = reader.context.unit.identities.identify_slot(field)
    if slot is None:
        return make_unnamed_field(reader.context, place, field)
    return Place(slot, limit_pointer_depth(take_address(place)))


def list_initialised_fields(type_: TypeInfo) -> list[Cursor]:
    """The fields of a record that take an initialiser, in order; a union has one."""
    found = [field for field in record_fields(type_.type)
             if not (C.clang_Cursor_isBitField(field) and is_unnamed(spelling(field)))]
    is_union = C.clang_getTypeDeclaration(type_.type).kind == kinds.UNION
    return found[:1] if is_union else found


def _record(reader: "Reader", place: Place, type_: TypeInfo, kids: list[SyntaxNode],
            table: ObjectId | None) -> None:
    members = list_initialised_fields(type_)
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
        inner = make_field_place(reader, place, member)
        field += 1
        if _elided(reader, inner_type, kid):
            position += _flat(reader, inner, inner_type, kids[position:], table)
        else:
            read_initialiser(reader, inner, inner_type, kid, table,
                       beside=_has_functions(reader, type_))
            position += 1


def _has_functions(reader: "Reader", type_: TypeInfo) -> bool:
    """Whether a record has a pointer to a function, or an array of such, among its own fields."""
    types = reader.context.unit.types
    known = types.records_with_functions.get(type_.type.d0)
    if known is None:
        known = types.records_with_functions[type_.type.d0] = type_.is_record and any(
            _leads_to_function(types.of(field)) for field in record_fields(type_.type))
    return known


def _leads_to_function(type_: TypeInfo) -> bool:
    while type_.is_array and type_.element is not None:
        type_ = type_.element
    return type_.is_pointer and type_.element is not None and type_.element.is_function


def _elided(reader: "Reader", type_: TypeInfo, kid: SyntaxNode) -> bool:
    """Whether the braces around an inner aggregate were left out: its initialiser is neither a
    list nor a value of a record type (nor a string for an array)."""
    if not (type_.is_record or type_.is_array):
        return False
    target = plain(kid)
    if target.kind in (kinds.INIT_LIST, kinds.COMPOUND_LITERAL):
        return False
    given = reader.context.unit.types.of(target.cursor)
    return not (given.is_record or given.is_array)


def _flat(reader: "Reader", place: Place, type_: TypeInfo, kids: list[SyntaxNode],
          table: ObjectId | None) -> int:
    """Initialise an aggregate from a list without braces; how many initialisers it took."""
    if type_.is_array and type_.element is not None:
        count = max(1, C.clang_getArraySize(type_.type))
        members = [(place, type_.element)] * min(count, len(kids))
    elif type_.is_record:
        types = reader.context.unit.types
        members = [
            (make_field_place(reader, place, m), types.of(m))
            for m in list_initialised_fields(type_)
        ]
    else:
        read_initialiser(reader, place, type_, kids[0], table)
        return 1
    beside = _has_functions(reader, type_)
    taken = 0
    for inner, inner_type in members:
        if taken >= len(kids) or _designated(kids[taken]):
            break
        if _elided(reader, inner_type, kids[taken]):
            taken += _flat(reader, inner, inner_type, kids[taken:], table)
        else:
            read_initialiser(reader, inner, inner_type, kids[taken], table, beside=beside)
            taken += 1
    return max(taken, 1)


def read_literal_place(reader: "Reader", node: SyntaxNode) -> Places:
    """A compound literal is an object of its own: a temporary, or a static one at file scope."""
    context = reader.context
    inner = expressions(node)
    if not inner:
        return ()
    table: ObjectId | None = None
    if context.local is not None:
        place = Place(context.local.make_temporary("(literal)"))
    else:
        at = context.unit.sources.locate_cursor(node.cursor)
        scope, image = context.unit.identities.find_scope(at.path)
        table = ObjectId(context.name_literal(at), scope, image)
        place = Place(table)
    read_initialiser(reader, place, context.unit.types.of(node.cursor), inner[-1], table)
    return (place,)


def read_compound_literal(reader: "Reader", node: SyntaxNode) -> Values:
    """The value of a compound literal; an array's is its address."""
    return load_places(reader, node, read_literal_place(reader, node))
