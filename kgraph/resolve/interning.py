"""Interning: small integers for everything that facts name.

Functions, objects, holders, values, locations and reasons get a number when they are first
seen, so that half a million flows are a few arrays instead of a few million objects. Knows
nothing of linkage or of what a value means. Numbers depend on the order of reading, so no
result may depend on one.
"""

from typing import Any

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

NONE = -1
SLOT, OBJECT, VARIABLE, PARAMETER, RETURN, RESULT = range(6)
LOAD, ADDRESS, FUNCTION, OPAQUE = range(4)
CONSTANT = 0
HolderKey = tuple[Any, ...]
ValueRow = tuple[int, int, int]


class Interner:
    """Numbers for functions, objects, holders, values, locations and reasons."""

    def __init__(self) -> None:
        self.function_numbers: dict[tuple[str, str, str], int] = {}
        self.function_ids: list[FunctionId] = []
        self.object_numbers: dict[tuple[str, str, str], int] = {}
        self.object_ids: list[ObjectId] = []
        self.holder_numbers: dict[HolderKey, int] = {}
        self.holder_keys: list[HolderKey] = []
        self.value_numbers: dict[ValueRow, int] = {}
        self.value_rows: list[ValueRow] = [(OPAQUE, NONE, NONE)]
        self.location_numbers: dict[tuple[str, int, int], int] = {}
        self.location_list: list[Location] = []
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
        """The number of a holder (of the slot, for an ObjectField)."""
        kind = type(holder)
        key: HolderKey
        if isinstance(holder, Slot):
            key = (SLOT, holder.record, holder.field, holder.scope)
        elif isinstance(holder, Variable):
            key = (VARIABLE, self.intern_function(holder.function), holder.name)
        elif isinstance(holder, Parameter):
            key = (PARAMETER, self.intern_function(holder.function), holder.index)
        elif isinstance(holder, ObjectId):
            key = (OBJECT, self.intern_object(holder))
        elif isinstance(holder, ReturnValue):
            key = (RETURN, self.intern_function(holder.function))
        elif isinstance(holder, CallResult):
            key = (RESULT, self.intern_function(holder.function), holder.index)
        elif isinstance(holder, ObjectField):
            return self.intern_holder(holder.slot)
        else:
            raise TypeError(f"{kind.__name__} is no holder")
        return self.intern_key(key)

    def intern_key(self, key: HolderKey) -> int:
        """The number of the holder with this key."""
        number = self.holder_numbers.get(key)
        if number is None:
            number = self.holder_numbers[key] = len(self.holder_keys)
            self.holder_keys.append(key)
        return number

    def intern_place(self, place: Place) -> tuple[int, int]:
        """The numbers of a place's holder and of the value it is reached through."""
        holder = place.holder
        if isinstance(holder, ObjectField):
            base = self._row((ADDRESS, self.intern_holder(holder.object), NONE))
            return self.intern_holder(holder.slot), base
        if place.base is None:
            return self.intern_holder(holder), NONE
        return self.intern_holder(holder), self.intern_value(place.base)

    def intern_value(self, value: Value) -> int:
        """The number of a value; CONSTANT for every constant."""
        if isinstance(value, Load):
            holder, base = self.intern_place(value.place)
            return self._row((LOAD, holder, base))
        if isinstance(value, Address):
            holder, base = self.intern_place(value.place)
            return self._row((ADDRESS, holder, base))
        if isinstance(value, Constant):
            return CONSTANT
        if isinstance(value, FunctionId):
            return self._row((FUNCTION, self.intern_function(value), NONE))
        if isinstance(value, Opaque):
            return self._row((OPAQUE, self.intern_reason(value.reason), NONE))
        raise TypeError(f"{type(value).__name__} is no value")

    def _row(self, row: ValueRow) -> int:
        number = self.value_numbers.get(row)
        if number is None:
            number = self.value_numbers[row] = len(self.value_rows)
            self.value_rows.append(row)
        return number

    def intern_location(self, location: Location) -> int:
        """The number of a location."""
        key = (location.path, location.line, location.column)
        number = self.location_numbers.get(key)
        if number is None:
            number = self.location_numbers[key] = len(self.location_list)
            self.location_list.append(location)
        return number

    def intern_reason(self, reason: str) -> int:
        """The number of a reason why a value could not be followed."""
        number = self.reason_numbers.get(reason)
        if number is None:
            number = self.reason_numbers[reason] = len(self.reason_list)
            self.reason_list.append(reason)
        return number
