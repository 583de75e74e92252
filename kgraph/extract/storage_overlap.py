"""Finds fields that share storage: in a union, or where one record type is taken for another.

A pointer that is written as one field and read as the other flows between two slots that nothing
else connects. Overlaps are computed once for each pair of types of a unit; alias_uses finds the
code that relies on them.

Two fields overlap here only if a pointer to a function can pass from one to the other: both point
to functions of one type, or to one type of table (a record with function pointers), or one of them
can carry any pointer (void *; for functions also unsigned long). A function that is read as the
number of its union stays a number until it is cast to a pointer again. Pointers to other data are
left out: there are a hundred times as many, and they lead to no function.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

from kgraph.extract.clang import kinds
from kgraph.extract.clang.api import C, get_key, get_spelling, list_fields
from kgraph.extract.clang.ctypes_api import Cursor, Type
from kgraph.extract.identities import Identities
from kgraph.extract.types import TypeCache, TypeInfo, is_unnamed, spell_bare_type
from kgraph.model.values import Slot, TransferKind

_MAX_FIELDS = 250  # looked at in one record; the largest hold tens of thousands


class Overlap(NamedTuple):
    """Two fields that share storage: what is written as `written` may be read as `read`.

    `how` is OVERLAY if both point to the same type, CARRIER if one can carry any pointer, RECORD if
    both are records of the same type.
    """

    read: Slot
    written: Slot
    how: TransferKind


class _PointeeKind(IntEnum):
    """What a field can point to. The order matters, see _PointerField.can_hold_same."""

    FUNCTION = 0
    TABLE = 1  # a record with function pointers
    ANYTHING = 2  # void *
    NUMBER = 3  # no pointer, but an integer that can hold one
    RECORD = 4  # it is a record with such fields itself


_TYPED = (_PointeeKind.FUNCTION, _PointeeKind.TABLE, _PointeeKind.RECORD)


@dataclass(frozen=True, slots=True)
class _PointerField:
    """A field that can hold a pointer, or is a record with such fields.

    `offset` counts the bits from the start of the outermost record. `pointee` is clang's identity
    of what a FUNCTION or TABLE pointer points to, and of a RECORD's type. `size` is that of the
    field in bits; in an array of records, that of the array.
    """

    offset: int
    slot: Slot
    target: _PointeeKind
    pointee: int
    size: int

    def can_be_read_from(self, other: "_PointerField") -> bool:
        """Whether a pointer that is written as `other` can be read as this field."""
        return self.target != _PointeeKind.NUMBER and self.can_hold_same(other)

    def can_hold_same(self, other: "_PointerField") -> bool:
        """Whether both fields share storage and can hold the same pointer."""
        if self.offset != other.offset or self.slot == other.slot:
            return False
        if self.target == other.target:
            return self.target in _TYPED and self.pointee == other.pointee
        typed, carrier = sorted((self.target, other.target))
        if carrier == _PointeeKind.RECORD:
            return False
        if typed == _PointeeKind.TABLE:
            return carrier == _PointeeKind.ANYTHING
        return typed == _PointeeKind.FUNCTION and carrier != _PointeeKind.TABLE

    def overlap_with(self, other: "_PointerField") -> Overlap:
        """The overlap by which `other` is read as this field."""
        how = TransferKind.OVERLAY if self.target == other.target else TransferKind.CARRIER
        if self.target == _PointeeKind.RECORD:
            how = TransferKind.RECORD
        return Overlap(self.slot, other.slot, how)


class StorageOverlaps:
    """The overlaps between the types of one translation unit."""

    def __init__(self, identities: Identities, types: TypeCache) -> None:
        self._identities = identities
        self._types = types
        self._fields: dict[int, tuple[_PointerField, ...]] = {}
        self._copies: dict[tuple[int, int], tuple[Overlap, ...]] = {}
        self._members: dict[int, tuple[Overlap, ...]] = {}
        self._tables: dict[int, bool] = {}

    def find_member_overlaps(self, member: Cursor) -> tuple[Overlap, ...]:
        """The overlaps of a field, and of the fields in it, in the union around it if any."""
        key = get_key(member)
        known = self._members.get(key)
        if known is None:
            union = _find_union_around(member)
            known = self._members[key] = (
                () if union is None else self._find_in_union(member, union))
        return known

    def find_cast_overlaps(self, one: Type, other: Type) -> tuple[Overlap, ...]:
        """The overlaps where a record of one type is taken for one of the other type.

        Fields that are numbers count as read, too: they may be cast to a pointer.
        """
        return self.find_copy_overlaps(one, other) + self.find_copy_overlaps(other, one)

    def find_copy_overlaps(self, to: Type, source: Type) -> tuple[Overlap, ...]:
        """The overlaps where a record is copied from one of another type."""
        key = (to.d0, source.d0)
        known = self._copies.get(key)
        if known is None:
            written = self._list_pointer_fields(source)
            known = self._copies[key] = tuple(
                one.overlap_with(other) for one in self._list_pointer_fields(to)
                for other in written if one.can_hold_same(other))
        return known

    def find_number_overlaps(self, member: Cursor) -> tuple[Overlap, ...]:
        """The functions that share storage with a number in a union."""
        union = _find_union_around(member)
        if union is None:
            return ()
        slots = {own.slot for own in self._list_member_fields(member)
                 if own.target == _PointeeKind.NUMBER}
        fields = self._list_pointer_fields(C.clang_getCursorType(union))
        return tuple(one.overlap_with(other) for one in fields if one.slot in slots
                     for other in fields if one.can_hold_same(other))

    def list_function_slots(self, record: Type) -> tuple[Slot, ...]:
        """The function pointers of a record."""
        return tuple(each.slot for each in self._list_pointer_fields(record)
                     if each.target == _PointeeKind.FUNCTION)

    def find_function_slots(self, record: Type, start: int, size: int) -> tuple[Slot, ...]:
        """The function pointers of a record that lie within `size` bytes from byte `start` on."""
        return tuple(each.slot for each in self._list_pointer_fields(record)
                     if each.target == _PointeeKind.FUNCTION
                     and each.offset < 8 * (start + size) and 8 * start < each.offset + each.size)

    def find_records_at(self, record: Type, offset: int) -> tuple[Slot, ...]:
        """The fields of a record, those of inner records included, that hold a record in which this
        byte lies."""
        return tuple(each.slot for each in self._list_pointer_fields(record)
                     if each.target == _PointeeKind.RECORD
                     and each.offset <= 8 * offset < each.offset + each.size)

    def _find_in_union(self, member: Cursor, union: Cursor) -> tuple[Overlap, ...]:
        slots = {own.slot for own in self._list_member_fields(member)}
        fields = self._list_pointer_fields(C.clang_getCursorType(union))
        return _pair_fields([each for each in fields if each.slot in slots], fields)

    def _list_pointer_fields(self, record: Type) -> tuple[_PointerField, ...]:
        """The fields of a record that can hold a pointer, those of inner records included."""
        known = self._fields.get(record.d0)
        if known is None:
            found: list[_PointerField] = []
            self._collect_record(record, 0, found)
            known = self._fields[record.d0] = tuple(found)
        return known

    def _list_member_fields(self, member: Cursor) -> list[_PointerField]:
        found: list[_PointerField] = []
        self._collect_field(member, 0, found)
        return found

    def _collect_record(
        self, record: Type, start: int, found: list[_PointerField], size: int = 0
    ) -> None:
        """Collect the fields of a record; `size` is that of the array of records around it."""
        for member in list_fields(record):
            if len(found) >= _MAX_FIELDS:
                return
            offset = start + C.clang_Cursor_getOffsetOfField(member)
            self._collect_field(member, offset, found, size)

    def _collect_field(
        self, member: Cursor, offset: int, found: list[_PointerField], size: int = 0
    ) -> None:
        type_ = self._types.of(member)
        if not size and (type_.is_array or not type_.is_record):
            size = 8 * C.clang_Type_getSizeOf(type_.type)
        type_ = type_.innermost
        if type_.is_record:
            self._collect_inner(member, offset, found)
            self._collect_record(type_.type, offset, found, size)
            return
        target, pointee = self._find_target(type_)
        slot = self._identities.identify_slot(member) if target is not None else None
        if target is not None and slot is not None and not C.clang_Cursor_isBitField(member):
            found.append(_PointerField(offset, slot, target, pointee, size))

    def _collect_inner(self, member: Cursor, offset: int, found: list[_PointerField]) -> None:
        """Collect a field that is a record itself, or an array of these, if it has a name and can
        hold pointers of interest."""
        if is_unnamed(get_spelling(member)):
            return
        record = self._types.of(member).innermost.type
        slot = self._identities.identify_slot(member)
        if slot is not None and self.has_pointers(record):
            key = get_key(C.clang_getTypeDeclaration(record))
            size = 8 * C.clang_Type_getSizeOf(C.clang_getCursorType(member))
            found.append(_PointerField(offset, slot, _PointeeKind.RECORD, key, size))

    def has_pointers(self, record: Type) -> bool:
        """Whether a record has fields that can hold a pointer of interest."""
        return bool(self._list_pointer_fields(record))

    def _find_target(self, type_: TypeInfo) -> tuple[_PointeeKind | None, int]:
        """What a field of a type can point to; None if it can hold no pointer of interest."""
        element = type_.element
        if type_.is_pointer and element is not None:
            if element.is_function:
                return _PointeeKind.FUNCTION, element.type.d0
            if element.is_record:
                if not self._is_table(element.type):
                    return None, 0
                return _PointeeKind.TABLE, get_key(C.clang_getTypeDeclaration(element.type))
            return (_PointeeKind.ANYTHING, 0) if element.kind == kinds.T_VOID else (None, 0)
        return (_PointeeKind.NUMBER, 0) if type_.kind in kinds.T_WORD else (None, 0)

    def _is_table(self, record: Type) -> bool:
        """Whether a record has function pointers among its own fields."""
        known = self._tables.get(record.d0)
        if known is None:
            known = self._tables[record.d0] = any(map(_is_function_pointer, list_fields(record)))
        return known


def _is_function_pointer(member: Cursor) -> bool:
    """Asks clang, not the TypeCache, which would describe the types of all fields."""
    type_ = C.clang_getCanonicalType(C.clang_getCursorType(member))
    if type_.kind != kinds.T_POINTER:
        return False
    return C.clang_getCanonicalType(C.clang_getPointeeType(type_)).kind in kinds.T_FUNCTION


def _pair_fields(
    some: Sequence[_PointerField], others: Iterable[_PointerField]
) -> tuple[Overlap, ...]:
    found = [one.overlap_with(other)
             for one in some for other in others if one.can_be_read_from(other)]
    found += [other.overlap_with(one)
              for one in some for other in others if other.can_be_read_from(one)]
    return tuple(found)


def _find_union_around(member: Cursor) -> Cursor | None:
    """The outermost union that a field lies in without a name between them."""
    found: Cursor | None = None
    record = C.clang_getCursorSemanticParent(member)
    while record.kind in (kinds.STRUCT, kinds.UNION):
        if record.kind == kinds.UNION:
            found = record
        if not is_unnamed(spell_bare_type(C.clang_getCursorType(record))):
            break
        record = C.clang_getCursorSemanticParent(record)
    return found
