"""Keys: what a deferred call is registered and asked for under.

A key is the field or object that holds or points to a work item, a timer ..., or a number. Owns
evaluating a value to keys within one definition; what is a parameter there is left to the callers.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from kgraph.model.facts import Definition, Function
from kgraph.model.holders import (
    Address,
    Constant,
    Load,
    Parameter,
    Place,
    Slot,
    Value,
    Variable,
)
from kgraph.model.names import FunctionId, ObjectId
from kgraph.resolve.deferral_rows import Field


@dataclass(frozen=True, slots=True)
class Own:
    """The index-th parameter of the function that is looked at."""

    index: int


Key = Slot | ObjectId | Variable | int
Meaning = Key | Own | FunctionId


class Keys:
    """Evaluates the values of one definition. `link` gives the definition a function stands for."""

    def __init__(
        self,
        definition: Definition,
        carriers: frozenset[Field],
        link: Callable[[FunctionId], FunctionId],
    ) -> None:
        self._carriers = carriers
        self._link = link
        subject = definition.subject
        self._function = subject.id if isinstance(subject, Function) else None
        self._written: dict[Variable, list[Value]] = {}
        for binding in definition.bindings:
            self._write(binding.place, binding.value)
        for flow in definition.flows:
            self._write(flow.target, flow.source)

    def _write(self, place: Place, value: Value) -> None:
        if isinstance(place.holder, Variable) and place.base is None:
            self._written.setdefault(place.holder, []).append(value)

    def of(self, value: Value, seen: frozenset[Variable] = frozenset()) -> set[Meaning]:
        """What a value may mean; nothing where it cannot be told."""
        if isinstance(value, FunctionId):
            return {self._link(value)}
        if isinstance(value, Constant):
            return {value.value}
        if isinstance(value, Address):
            return self._place(value.place, seen)
        if not isinstance(value, Load):
            return set()
        holder = value.place.holder
        if isinstance(holder, Parameter):
            return {Own(holder.index)} if holder.function == self._function else set()
        if isinstance(holder, Variable) and value.place.base is None:
            if holder in seen:
                return set()
            inner = seen | {holder}
            return {key for written in self._written.get(holder, ())
                    for key in self.of(written, inner)}
        return self._place(value.place, seen)

    def around(self, place: Place, table: ObjectId | None) -> set[Meaning]:
        """What the record that the field `place` lies in is known under."""
        if place.base is not None:
            return self.of(place.base)
        return set() if table is None else {replace(table, image="")}

    def _place(self, place: Place, seen: frozenset[Variable]) -> set[Meaning]:
        holder = place.holder
        if isinstance(holder, Slot):
            if (holder.record, holder.field) in self._carriers and place.base is not None:
                return self.of(place.base, seen)
            return {holder} if holder.field != "*" else set()
        if isinstance(holder, ObjectId):
            return {replace(holder, image="")}  # a module and what it links with name one object
        return {holder} if isinstance(holder, Variable) else set()
