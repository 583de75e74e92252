"""Reads initialisers: which value a declaration puts into which place.

Follows the rules of C: designators (`.f =`, `[i] =`, `.a.b =`), positions, the field after a
designator, inner braces left out. All elements of an array are one place.

Numbers lead to no function and are dropped, except in a record that also holds a function pointer:
there they may say what the function is called for (the family and number of a hook).
"""

from typing import NamedTuple

from kgraph.extract.alias_uses import convert_to_number
from kgraph.extract.clang import kinds
from kgraph.extract.clang.api import C, get_spelling, list_fields
from kgraph.extract.clang.ctypes_api import Cursor
from kgraph.extract.clang.tree import SyntaxNode, get_operands, unwrap
from kgraph.extract.definition_context import Places, Values
from kgraph.extract.lvalues import load_places, make_field_place
from kgraph.extract.reader import Reader, place_rule, value_rule
from kgraph.extract.types import TypeInfo, is_unnamed
from kgraph.model.facts import Flow
from kgraph.model.ids import ObjectId
from kgraph.model.values import Constant, Place, TransferKind, Variable


def read_initialiser(
    reader: Reader, place: Place, type_: TypeInfo, node: SyntaxNode, table: ObjectId | None
) -> None:
    """Record what an initialiser puts into a place.

    `type_` is the type of the place, `table` the object with static storage that the initialiser
    belongs to, if any.
    """
    _InitialiserReader(reader, table).read(_Target(place, type_), node)


@place_rule(kinds.COMPOUND_LITERAL)
def _read_literal_place(reader: Reader, node: SyntaxNode) -> Places:
    """A compound literal is an object of its own: a temporary, or a static one at file scope."""
    context = reader.context
    inner = get_operands(node)
    if not inner:
        return ()
    table: ObjectId | None = None
    if context.local is not None:
        place = Place(context.local.make_temporary("(literal)"))
    else:
        location = context.locate(node)
        scope, image = context.unit.identities.find_scope(location.path)
        table = ObjectId(context.name_literal(location), scope, image)
        place = Place(table)
    read_initialiser(reader, place, reader.types.of(node.cursor), inner[-1], table)
    return (place,)


@value_rule(kinds.COMPOUND_LITERAL)
def _read_literal(reader: Reader, node: SyntaxNode) -> Values:
    """The value of a compound literal; that of an array is its address."""
    return load_places(reader, node, _read_literal_place(reader, node))


class _Target(NamedTuple):
    """A place to initialise, and its type."""

    place: Place
    type: TypeInfo


class _InitialiserReader:
    """Reads the initialiser of one object; `table` is its identity if it has static storage."""

    def __init__(self, reader: Reader, table: ObjectId | None) -> None:
        self._reader = reader
        self._types = reader.types
        self._table = table

    def read(self, target: _Target, node: SyntaxNode, *, keep_numbers: bool = False) -> None:
        """Record what an initialiser puts into a target; numbers only if they are to be kept."""
        place, type_ = target
        value = unwrap(node)
        if value.kind == kinds.INIT_LIST:
            self._read_list(target, value.children)
        elif value.kind == kinds.COMPOUND_LITERAL and type_.is_record and (
                inner := get_operands(value)):
            # `struct s x = (struct s){ ... }` makes no object besides x.
            self.read(target, inner[-1])
        else:
            self._read_value(place, type_, node, keep_numbers=keep_numbers)

    def _read_value(
        self, place: Place, type_: TypeInfo, node: SyntaxNode, *, keep_numbers: bool
    ) -> None:
        context = self._reader.context
        values = self._reader.read_values(node)
        kept = values
        if not type_.can_lead_to_function and not self._carries_pointer(place, type_, node):
            kept = convert_to_number(context, node, values)
        if kept:
            location = context.locate(unwrap(node))
            context.assign(place, kept, location, TransferKind.INITIALISER, self._table)
        elif keep_numbers and type_.is_number:
            location = context.locate(unwrap(node))
            context.flows.extend(Flow(value, place, location, TransferKind.INITIALISER)
                                 for value in values if isinstance(value, Constant))

    def _carries_pointer(self, place: Place, type_: TypeInfo, node: SyntaxNode) -> bool:
        """Whether a local number is made of a pointer to a function or a record, to be cast back:
        so does rcu_assign_pointer, since 4.9, with what it writes."""
        value = unwrap(node)
        if value.kind != kinds.C_CAST or type_.kind not in kinds.T_WORD or (
                not isinstance(place.holder, Variable)):
            return False
        pointer = self._types.of(get_operands(value)[-1].cursor)
        return pointer.is_pointer and pointer.can_lead_to_function and (
            pointer.element is not None and pointer.element.kind != kinds.T_VOID)

    def _read_list(self, target: _Target, children: list[SyntaxNode]) -> None:
        """A list in braces."""
        type_ = target.type
        if type_.is_array and type_.element is not None:
            self._read_array(_Target(target.place, type_.element), children)
        elif type_.is_record:
            self._read_record(target, children)
        else:
            for child in children[:1]:
                self.read(target, child)

    def _read_array(self, element: _Target, children: list[SyntaxNode]) -> None:
        position = 0
        while position < len(children):
            child = children[position]
            if _is_designated(child):
                self._read_designated(element, child, is_element=True)
                position += 1
            elif self._lacks_braces(element.type, child):
                position += self._read_flat(element, children[position:])
            else:
                self.read(element, child)
                position += 1

    def _read_record(self, target: _Target, children: list[SyntaxNode]) -> None:
        members = _list_initialised_fields(target.type)
        keys = [member.d0 for member in members]
        keep_numbers = self._types.has_function_fields(target.type)
        next_field = 0
        position = 0
        while position < len(children):
            child = children[position]
            if _is_designated(child):
                named = self._read_designated(target, child)
                if named is not None and named.d0 in keys:
                    next_field = keys.index(named.d0) + 1
                position += 1
                continue
            if next_field >= len(members):
                return
            inner = self._target_field(target.place, members[next_field])
            next_field += 1
            if self._lacks_braces(inner.type, child):
                position += self._read_flat(inner, children[position:])
            else:
                self.read(inner, child, keep_numbers=keep_numbers)
                position += 1

    def _read_flat(self, target: _Target, children: list[SyntaxNode]) -> int:
        """Initialise an aggregate from a list without braces; how many children it took."""
        place, type_ = target
        if type_.is_array and type_.element is not None:
            count = max(1, C.clang_getArraySize(type_.type))
            members = [_Target(place, type_.element)] * min(count, len(children))
        elif type_.is_record:
            members = [self._target_field(place, member)
                       for member in _list_initialised_fields(type_)]
        else:
            self.read(target, children[0])
            return 1
        keep_numbers = self._types.has_function_fields(type_)
        taken = 0
        for inner in members:
            if taken >= len(children) or _is_designated(children[taken]):
                break
            if self._lacks_braces(inner.type, children[taken]):
                taken += self._read_flat(inner, children[taken:])
            else:
                self.read(inner, children[taken], keep_numbers=keep_numbers)
                taken += 1
        return max(taken, 1)

    def _read_designated(
        self, target: _Target, child: SyntaxNode, *, is_element: bool = False
    ) -> Cursor | None:
        """Read a designated initialiser; the field that its first designator names, if any.

        `is_element` says that `target` is already an element of the array that the first
        designator may index.
        """
        *designators, value = child.children
        place, type_ = target
        first: Cursor | None = None
        keep_numbers = False
        for designator in designators:
            if designator.kind != kinds.MEMBER_REF:
                if type_.is_array and type_.element is not None and not is_element:
                    type_ = type_.element
                is_element = False
                continue
            is_element = False
            field = C.clang_getCursorReferenced(designator.cursor)
            first = first or field
            keep_numbers = self._types.has_function_fields(type_.innermost)
            place, type_ = self._target_field(place, field)
        self.read(_Target(place, type_), value, keep_numbers=keep_numbers)
        return first

    def _target_field(self, place: Place, field: Cursor) -> _Target:
        return _Target(make_field_place(self._reader.context, place, field), self._types.of(field))

    def _lacks_braces(self, type_: TypeInfo, child: SyntaxNode) -> bool:
        """Whether the braces around an inner aggregate were left out.

        Then its initialiser is neither a list, a value of a record type nor an array's string.
        """
        if not (type_.is_record or type_.is_array):
            return False
        value = unwrap(child)
        if value.kind in (kinds.INIT_LIST, kinds.COMPOUND_LITERAL):
            return False
        given = self._types.of(value.cursor)
        return not (given.is_record or given.is_array)


def _is_designated(child: SyntaxNode) -> bool:
    """Whether a node of unknown kind is a designated initialiser: its designators, then it."""
    return child.kind == kinds.UNEXPOSED_EXPR and len(child.children) > 1


def _list_initialised_fields(type_: TypeInfo) -> list[Cursor]:
    """The fields of a record that take an initialiser, in order; a union has one."""
    found = [field for field in list_fields(type_.type)
             if not (C.clang_Cursor_isBitField(field) and is_unnamed(get_spelling(field)))]
    is_union = C.clang_getTypeDeclaration(type_.type).kind == kinds.UNION
    return found[:1] if is_union else found
