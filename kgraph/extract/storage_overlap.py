"""Finds fields that share storage: in a union, or where one record type is taken for another.

A pointer that is written as one field and read as the other flows between two slots that
nothing else connects. Overlaps are computed once for each pair of types of a unit; alias_uses
finds the code that relies on them.

Two fields overlap here only if a pointer to a function can pass from one to the other: both
point to functions of one type, or to one type of table (a record with function pointers), or
one of them can carry any pointer (void *; for functions also unsigned long). A function that is
read as the number of its union stays a number until it is cast to a pointer again. Pointers to
other data are left out: there are a hundred times as many, and they lead to no function.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kgraph.extract.clang import kinds
from kgraph.extract.clang.api import C, key_of, record_fields
from kgraph.extract.clang.ctypes_api import Cursor, Type
from kgraph.extract.types import TypeInfo, is_unnamed, spell_bare_type
from kgraph.model.values import Slot, TransferKind

if TYPE_CHECKING:
    from kgraph.extract.definition_context import UnitContext

_MOST = 200  # fields of one record that are looked at; the largest hold tens of thousands
_FUNCTION, _TABLE, _ANY, _NUMBER = range(4)
# What is read, what is written at its place, and whether both point to the same (OVERLAY).
OverlapPairs = tuple[tuple[Slot, Slot, TransferKind], ...]


@dataclass(frozen=True, slots=True)
class _PointerField:
    """A field that can hold a pointer: its bit from the start, and what it can point to."""

    offset: int
    slot: Slot
    kind: int
    pointee: int = 0

    def takes(self, other: "_PointerField") -> bool:
        """Whether a pointer that is written as another field can be read as this one."""
        return self.kind != _NUMBER and self.joins(other)

    def joins(self, other: "_PointerField") -> bool:
        """Whether two fields at one place can hold the same pointer."""
        if self.offset != other.offset or self.slot == other.slot:
            return False
        if self.kind == other.kind:
            return self.kind in (_FUNCTION, _TABLE) and self.pointee == other.pointee
        typed, carrier = sorted((self.kind, other.kind))
        return carrier == _ANY if typed == _TABLE else typed == _FUNCTION and carrier != _TABLE

    def how(self, other: "_PointerField") -> TransferKind:
        """Whether two fields that join point to the same, or one carries any pointer."""
        return TransferKind.OVERLAY if self.kind == other.kind else TransferKind.CARRIER


@dataclass(slots=True)
class StorageOverlaps:
    """What is known of one unit's types."""

    _leaves: dict[int, tuple[_PointerField, ...]] = field(default_factory=dict)
    _casts: dict[tuple[int, int], OverlapPairs] = field(default_factory=dict)
    _members: dict[int, OverlapPairs] = field(default_factory=dict)
    _tables: dict[int, bool] = field(default_factory=dict)

    def find_member_overlaps(self, unit: "UnitContext", member: Cursor) -> OverlapPairs:
        """What lies on a field, or in it, in the union around it, if there is one."""
        key = key_of(member)
        known = self._members.get(key)
        if known is None:
            union = _union_around(member)
            known = self._members[key] = () if union is None else self._on(unit, member, union)
        return known

    def is_table(self, record: Type) -> bool:
        """Whether a record has pointers to functions of its own."""
        known = self._tables.get(record.d0)
        if known is None:
            known = self._tables[record.d0] = any(map(_holds_function, record_fields(record)))
        return known

    def find_cast_overlaps(self, unit: "UnitContext", one: Type, other: Type) -> OverlapPairs:
        """What lies on one another where a record of one type is taken for one of the other. A
        number in one of them may be cast to a pointer wherever it is read."""
        return self.find_copy_overlaps(unit, one, other) + self.find_copy_overlaps(unit, other, one)

    def find_copy_overlaps(self, unit: "UnitContext", to: Type, of: Type) -> OverlapPairs:
        """What is read as the fields of a record that is copied from one of another type."""
        key = (to.d0, of.d0)
        known = self._casts.get(key)
        if known is None:
            known = self._casts[key] = tuple(
                (one.slot, other.slot, one.how(other)) for one in self.list_pointer_fields(unit, to)
                for other in self.list_pointer_fields(unit, of) if one.joins(other))
        return known

    def find_number_overlaps(self, unit: "UnitContext", member: Cursor) -> OverlapPairs:
        """The functions that lie on a number in a union."""
        union = _union_around(member)
        if union is None:
            return ()
        own: list[_PointerField] = []
        _field(unit, member, 0, own)
        slots = {leaf.slot for leaf in own if leaf.kind == _NUMBER}
        leaves = self.list_pointer_fields(unit, C.clang_getCursorType(union))
        return tuple((one.slot, other.slot, one.how(other)) for one in leaves if one.slot in slots
                     for other in leaves if one.joins(other))

    def list_function_slots(self, unit: "UnitContext", record: Type) -> tuple[Slot, ...]:
        """The pointers to functions of a record."""
        return tuple(
            leaf.slot for leaf in self.list_pointer_fields(unit, record) if leaf.kind == _FUNCTION
        )

    def list_pointer_fields(self, unit: "UnitContext", record: Type) -> tuple[_PointerField, ...]:
        """The fields of a record that can hold a pointer, those of the records in it as well."""
        known = self._leaves.get(record.d0)
        if known is None:
            found: list[_PointerField] = []
            _collect(unit, record, 0, found)
            known = self._leaves[record.d0] = tuple(found)
        return known

    def _on(self, unit: "UnitContext", member: Cursor, union: Cursor) -> OverlapPairs:
        own: list[_PointerField] = []
        _field(unit, member, 0, own)
        slots = {leaf.slot for leaf in own}
        leaves = self.list_pointer_fields(unit, C.clang_getCursorType(union))
        return _pairs([leaf for leaf in leaves if leaf.slot in slots], leaves)


def _holds_function(member: Cursor) -> bool:
    type_ = C.clang_getCanonicalType(C.clang_getCursorType(member))
    if type_.kind != kinds.T_POINTER:
        return False
    return C.clang_getCanonicalType(C.clang_getPointeeType(type_)).kind in kinds.T_FUNCTION


def _pairs(
    some: "tuple[_PointerField, ...] | list[_PointerField]",
    others: "tuple[_PointerField, ...] | list[_PointerField]",
) -> OverlapPairs:
    found = [(one.slot, other.slot, one.how(other))
             for one in some for other in others if one.takes(other)]
    found += [(other.slot, one.slot, one.how(other))
              for one in some for other in others if other.takes(one)]
    return tuple(found)


def _union_around(member: Cursor) -> Cursor | None:
    """The outermost union that a field lies in without any name between them."""
    found: Cursor | None = None
    record = C.clang_getCursorSemanticParent(member)
    while record.kind in (kinds.STRUCT, kinds.UNION):
        if record.kind == kinds.UNION:
            found = record
        if not is_unnamed(spell_bare_type(C.clang_getCursorType(record))):
            break
        record = C.clang_getCursorSemanticParent(record)
    return found


def _collect(unit: "UnitContext", record: Type, start: int, found: list[_PointerField]) -> None:
    for member in record_fields(record):
        if len(found) >= _MOST:
            return
        _field(unit, member, start + C.clang_Cursor_getOffsetOfField(member), found)


def _field(unit: "UnitContext", member: Cursor, offset: int, found: list[_PointerField]) -> None:
    type_ = unit.types.of(member)
    while type_.is_array and type_.element is not None:
        type_ = type_.element
    if type_.is_record:
        _collect(unit, type_.type, offset, found)
        return
    kind, pointee = _target(unit, type_)
    slot = unit.identities.identify_slot(member) if kind is not None else None
    if kind is not None and slot is not None and not C.clang_Cursor_isBitField(member):
        found.append(_PointerField(offset, slot, kind, pointee))


def _target(unit: "UnitContext", type_: TypeInfo) -> tuple[int | None, int]:
    """What a value of a type can point to; None where it can hold no pointer of interest."""
    element = type_.element
    if type_.is_pointer and element is not None:
        if element.is_function:
            return _FUNCTION, element.type.d0
        if element.is_record:
            if not unit.overlaps.is_table(element.type):
                return None, 0
            return _TABLE, key_of(C.clang_getTypeDeclaration(element.type))
        return (_ANY, 0) if element.kind == kinds.T_VOID else (None, 0)
    return (_NUMBER, 0) if type_.kind in kinds.T_WORD else (None, 0)
