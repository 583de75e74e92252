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
        self.functions: dict[tuple[str, str, str], int] = {}
        self.function_ids: list[FunctionId] = []
        self.objects: dict[tuple[str, str, str], int] = {}
        self.object_ids: list[ObjectId] = []
        self.holders: dict[HolderKey, int] = {}
        self.holder_keys: list[HolderKey] = []
        self.values: dict[ValueRow, int] = {}
        self.value_rows: list[ValueRow] = [(OPAQUE, NONE, NONE)]
        self.locations: dict[tuple[str, int, int], int] = {}
        self.location_list: list[Location] = []
        self.reasons: dict[str, int] = {}
        self.reason_list: list[str] = []

    def function(self, function: FunctionId) -> int:
        """The number of a function."""
        key = (function.name, function.scope, function.image)
        number = self.functions.get(key)
        if number is None:
            number = self.functions[key] = len(self.function_ids)
            self.function_ids.append(function)
        return number

    def object(self, object_id: ObjectId) -> int:
        """The number of an object."""
        key = (object_id.name, object_id.scope, object_id.image)
        number = self.objects.get(key)
        if number is None:
            number = self.objects[key] = len(self.object_ids)
            self.object_ids.append(object_id)
        return number

    def holder(self, holder: Holder) -> int:
        """The number of a holder (of the slot, for an ObjectField)."""
        kind = type(holder)
        key: HolderKey
        if isinstance(holder, Slot):
            key = (SLOT, holder.record, holder.field, holder.scope)
        elif isinstance(holder, Variable):
            key = (VARIABLE, self.function(holder.function), holder.name)
        elif isinstance(holder, Parameter):
            key = (PARAMETER, self.function(holder.function), holder.index)
        elif isinstance(holder, ObjectId):
            key = (OBJECT, self.object(holder))
        elif isinstance(holder, ReturnValue):
            key = (RETURN, self.function(holder.function))
        elif isinstance(holder, CallResult):
            key = (RESULT, self.function(holder.function), holder.index)
        elif isinstance(holder, ObjectField):
            return self.holder(holder.slot)
        else:
            raise TypeError(f"{kind.__name__} is no holder")
        return self.number_of(key)

    def number_of(self, key: HolderKey) -> int:
        """The number of the holder with this key."""
        number = self.holders.get(key)
        if number is None:
            number = self.holders[key] = len(self.holder_keys)
            self.holder_keys.append(key)
        return number

    def place(self, place: Place) -> tuple[int, int]:
        """The numbers of a place's holder and of the value it is reached through."""
        holder = place.holder
        if isinstance(holder, ObjectField):
            base = self._row((ADDRESS, self.holder(holder.object), NONE))
            return self.holder(holder.slot), base
        if place.base is None:
            return self.holder(holder), NONE
        return self.holder(holder), self.value(place.base)

    def value(self, value: Value) -> int:
        """The number of a value; CONSTANT for every constant."""
        if isinstance(value, Load):
            holder, base = self.place(value.place)
            return self._row((LOAD, holder, base))
        if isinstance(value, Address):
            holder, base = self.place(value.place)
            return self._row((ADDRESS, holder, base))
        if isinstance(value, Constant):
            return CONSTANT
        if isinstance(value, FunctionId):
            return self._row((FUNCTION, self.function(value), NONE))
        if isinstance(value, Opaque):
            return self._row((OPAQUE, self.reason(value.reason), NONE))
        raise TypeError(f"{type(value).__name__} is no value")

    def _row(self, row: ValueRow) -> int:
        number = self.values.get(row)
        if number is None:
            number = self.values[row] = len(self.value_rows)
            self.value_rows.append(row)
        return number

    def location(self, location: Location) -> int:
        """The number of a location."""
        key = (location.path, location.line, location.column)
        number = self.locations.get(key)
        if number is None:
            number = self.locations[key] = len(self.location_list)
            self.location_list.append(location)
        return number

    def reason(self, reason: str) -> int:
        """The number of a reason why a value could not be followed."""
        number = self.reasons.get(reason)
        if number is None:
            number = self.reasons[reason] = len(self.reason_list)
            self.reason_list.append(reason)
        return number
