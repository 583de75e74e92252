"""Interning: small integers for everything that facts name.

Functions, objects, holders, values, locations and reasons get a number when they are first seen,
so that half a million flows are a few arrays instead of a few million objects. Knows nothing of
linkage or of what a value means. Numbers depend on the order of reading, so no result may depend
on one, but for those of locations: once all are known, these are in order.
"""

from array import array
from typing import Any, TypeVar

from msgspec import Struct

from kgraph.model.ids import FunctionId, ObjectId
from kgraph.model.location import Location
from kgraph.model.values import (
    Address,
    CallResult,
    Constant,
    Holder,
    Load,
    ObjectField,
    Opaque,
    Parameter,
    Place,
    ReturnValue,
    Slot,
    Value,
    Variable,
)

Items = TypeVar("Items", bound=tuple[Any, ...])
NONE = -1
CONSTANT = 0


class SlotKey(Struct, frozen=True, order=True, gc=False):
    """A field of a record type."""

    record: str
    field: str
    scope: str


class ObjectKey(Struct, frozen=True, gc=False):
    """A variable with static storage, by its number."""

    object: int


class VariableKey(Struct, frozen=True, gc=False):
    """A local variable of a function."""

    function: int
    name: str


class ParameterKey(Struct, frozen=True, gc=False):
    """The index-th parameter of a function."""

    function: int
    index: int


class ReturnKey(Struct, frozen=True, gc=False):
    """What a function returns."""

    function: int


class ResultKey(Struct, frozen=True, gc=False):
    """What the index-th indirect call of a function returns."""

    function: int
    index: int


HolderKey = SlotKey | ObjectKey | VariableKey | ParameterKey | ReturnKey | ResultKey


class LoadRow(Struct, frozen=True, gc=False):
    """What a holder holds; `base` is the value that its record was reached through, or NONE."""

    holder: int
    base: int


class AddressRow(Struct, frozen=True, gc=False):
    """The address of a holder, reached in the same way."""

    holder: int
    base: int


class FunctionRow(Struct, frozen=True, gc=False):
    """A function."""

    function: int


class OpaqueRow(Struct, frozen=True, gc=False):
    """A value that could not be followed."""

    reason: int


class ConstantRow(Struct, frozen=True, gc=False):
    """Any constant: all constants are the value CONSTANT."""


ValueRow = LoadRow | AddressRow | FunctionRow | OpaqueRow | ConstantRow


class Interner:
    """Numbers for functions, objects, holders, values, locations and reasons.

    Each kind has a list that is indexed by the number, and a dict that gives the number.
    """

    def __init__(self) -> None:
        self.function_numbers: dict[tuple[str, str, str], int] = {}
        self.function_ids: list[FunctionId] = []
        self.object_numbers: dict[tuple[str, str, str], int] = {}
        self.object_ids: list[ObjectId] = []
        self.holder_numbers: dict[HolderKey, int] = {}
        self.holder_keys: list[HolderKey] = []
        self.value_numbers: dict[ValueRow, int] = {}
        self.value_rows: list[ValueRow] = [ConstantRow()]
        self._tuples: dict[tuple[Any, ...], tuple[Any, ...]] = {}
        self._location_numbers: dict[int, int] = {}
        self._path_numbers: dict[str, int] = {}
        self._paths: list[str] = []
        self._places: array[int] = array("Q")  # of each location, without its path
        self._path_of: array[int] = array("I")
        self.reason_numbers: dict[str, int] = {}
        self.reason_list: list[str] = []

    def intern_function(self, function: FunctionId) -> int:
        """The number of a function."""
        key = (function.name, function.scope, function.image)
        number = self.function_numbers.get(key)
        if number is None:
            number = self.function_numbers[key] = len(self.function_ids)
            self.function_ids.append(function)
        return number

    def intern_object(self, object_id: ObjectId) -> int:
        """The number of an object."""
        key = (object_id.name, object_id.scope, object_id.image)
        number = self.object_numbers.get(key)
        if number is None:
            number = self.object_numbers[key] = len(self.object_ids)
            self.object_ids.append(object_id)
        return number

    def intern_holder(self, holder: Holder) -> int:
        """The number of a holder. An ObjectField has the number of its slot."""
        key: HolderKey
        if isinstance(holder, Slot):
            key = SlotKey(holder.record, holder.field, holder.scope)
        elif isinstance(holder, Variable):
            key = VariableKey(self.intern_function(holder.function), holder.name)
        elif isinstance(holder, Parameter):
            key = ParameterKey(self.intern_function(holder.function), holder.index)
        elif isinstance(holder, ObjectId):
            key = ObjectKey(self.intern_object(holder))
        elif isinstance(holder, ReturnValue):
            key = ReturnKey(self.intern_function(holder.function))
        elif isinstance(holder, CallResult):
            key = ResultKey(self.intern_function(holder.function), holder.index)
        elif isinstance(holder, ObjectField):
            return self.intern_holder(holder.slot)
        else:
            raise TypeError(f"{type(holder).__name__} must be a holder")
        number = self.holder_numbers.get(key)
        if number is None:
            number = self.holder_numbers[key] = len(self.holder_keys)
            self.holder_keys.append(key)
        return number

    def intern_place(self, place: Place) -> tuple[int, int]:
        """The numbers of a place's holder and of the value that it is reached through, or NONE.

        An ObjectField is the slot, reached through the object's address.
        """
        holder = place.holder
        if isinstance(holder, ObjectField):
            base = self._intern_row(AddressRow(self.intern_holder(holder.object), NONE))
            return self.intern_holder(holder.slot), base
        if place.base is None:
            return self.intern_holder(holder), NONE
        return self.intern_holder(holder), self.intern_value(place.base)

    def intern_value(self, value: Value) -> int:
        """The number of a value; CONSTANT for every constant."""
        if isinstance(value, Load):
            holder, base = self.intern_place(value.place)
            return self._intern_row(LoadRow(holder, base))
        if isinstance(value, Address):
            holder, base = self.intern_place(value.place)
            return self._intern_row(AddressRow(holder, base))
        if isinstance(value, Constant):
            return CONSTANT
        if isinstance(value, FunctionId):
            return self._intern_row(FunctionRow(self.intern_function(value)))
        if isinstance(value, Opaque):
            return self._intern_row(OpaqueRow(self.intern_reason(value.reason)))
        raise TypeError(f"{type(value).__name__} must be a value")

    def _intern_row(self, row: ValueRow) -> int:
        number = self.value_numbers.get(row)
        if number is None:
            number = self.value_numbers[row] = len(self.value_rows)
            self.value_rows.append(row)
        return number

    def share_tuple(self, items: Items) -> Items:
        """An equal tuple that is kept once, while facts are read."""
        return self._tuples.setdefault(items, items)  # type: ignore[return-value]

    def intern_location(self, location: Location) -> int:
        """The number of a location, which holds until `sort_locations`."""
        path = self._path_numbers.setdefault(location.path, len(self._path_numbers))
        key = path << 64 | location.line << 32 | location.column
        return self._location_numbers.setdefault(key, len(self._location_numbers))

    def sort_locations(self) -> "array[int]":
        """Number the locations in their order: for each its new number. All facts are read then."""
        self._paths = sorted(self._path_numbers)
        ranks = [0] * len(self._paths)
        for rank, path in enumerate(self._paths):
            ranks[self._path_numbers[path]] = rank
        rest = (1 << 64) - 1
        keys = [ranks[key >> 64] << 64 | key & rest for key in self._location_numbers]
        order = sorted(range(len(keys)), key=keys.__getitem__)
        self._path_of = array("I", [keys[number] >> 64 for number in order])
        self._places = array("Q", [keys[number] & rest for number in order])
        numbers = array("I", bytes(4 * len(keys)))
        for new, old in enumerate(order):
            numbers[old] = new
        self._location_numbers.clear()
        self._path_numbers.clear()
        self._tuples.clear()
        return numbers

    def location(self, number: int) -> Location:
        """The location of a number, once they are sorted."""
        place = self._places[number]
        return Location(self._paths[self._path_of[number]], place >> 32, place & 0xFFFFFFFF)

    def intern_reason(self, reason: str) -> int:
        """The number of a reason why a value could not be followed."""
        number = self.reason_numbers.get(reason)
        if number is None:
            number = self.reason_numbers[reason] = len(self.reason_list)
            self.reason_list.append(reason)
        return number
