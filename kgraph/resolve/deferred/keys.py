"""Keys: what a deferred call is registered and requested under.

A key is the field or object that holds or points to a work item, a timer ..., or a number.
Evaluates a value to keys within one definition. A parameter stays open for the callers, and
what a call returns is asked for outside.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from msgspec.structs import replace

from kgraph.model.facts import Definition, Function
from kgraph.model.ids import FunctionId, ObjectId
from kgraph.model.values import (
    Address,
    Constant,
    Load,
    Parameter,
    Place,
    ReturnValue,
    Slot,
    Value,
    Variable,
    take_address,
)
from kgraph.resolve.models.declared import Field


@dataclass(frozen=True, slots=True)
class OwnParameter:
    """The index-th parameter of the function whose definition is evaluated."""

    index: int


@dataclass(frozen=True, slots=True)
class HeapPointee:
    """What a local points to, if nothing else is known of it: memory from the heap."""

    variable: Variable

    def __str__(self) -> str:
        return f"*{self.variable}"


Atom = Slot | ObjectId | Variable | HeapPointee | int
DeferralKey = tuple[Atom, ...]
Meaning = Atom | OwnParameter | FunctionId


class KeyEvaluator:
    """Evaluates the values of one definition.

    `link` gives the defined function that a name means, `evaluate_return` what a function returns,
    `pointees` what the slots that are pointers point to.
    """

    def __init__(
        self,
        definition: Definition,
        carriers: frozenset[Field],
        link: Callable[[FunctionId], FunctionId],
        evaluate_return: Callable[[FunctionId], frozenset[Meaning]],
        pointees: Mapping[Slot, set[Slot | ObjectId]],
    ) -> None:
        self.definition = definition
        self._carriers = carriers
        self._link = link
        self._evaluate_return_of = evaluate_return
        self._pointees = pointees
        subject = definition.subject
        self._function = subject.id if isinstance(subject, Function) else None
        self._written: dict[Variable | ReturnValue, list[Value]] = {}
        self._copied: dict[Variable, list[Place]] = {}
        for binding in definition.bindings:
            self._note_write(binding.place, binding.value)
        for flow in definition.flows:
            self._note_write(flow.target, flow.source)

    def _note_write(self, place: Place, value: Value) -> None:
        if isinstance(place.holder, Variable | ReturnValue) and place.base is None:
            self._written.setdefault(place.holder, []).append(value)
        if isinstance(value, Load) and isinstance(value.place.holder, Variable) and (
                value.place.base is None):
            self._copied.setdefault(value.place.holder, []).append(place)

    def evaluate_return(self) -> set[Meaning]:
        """What the function returns."""
        if self._function is None:
            return set()
        values = self._written.get(ReturnValue(self._function), ())
        return {meaning for value in values for meaning in self.evaluate(value)}

    def evaluate(self, value: Value, seen: frozenset[Variable] = frozenset()) -> set[Meaning]:
        """What a value may mean; empty if that is not known."""
        if isinstance(value, FunctionId):
            return {self._link(value)}
        if isinstance(value, Constant):
            return {value.value}
        if isinstance(value, Address):
            return self._evaluate_place(value.place, seen)
        if not isinstance(value, Load):
            return set()
        holder = value.place.holder
        if isinstance(holder, Parameter):
            return {OwnParameter(holder.index)} if holder.function == self._function else set()
        if isinstance(holder, ReturnValue):
            return set(self._evaluate_return_of(self._link(holder.function)))
        if isinstance(holder, Variable) and value.place.base is None:
            return self._evaluate_local(holder, seen)
        found = self._evaluate_place(value.place, seen)
        return found | self._pointees.get(holder, set()) if isinstance(holder, Slot) else found

    def _evaluate_local(self, holder: Variable, seen: frozenset[Variable]) -> set[Meaning]:
        if holder in seen:
            return set()
        inner = seen | {holder}
        found = {key for written in self._written.get(holder, ())
                 for key in self.evaluate(written, inner)}
        return found or {HeapPointee(holder)}

    def evaluate_record(self, place: Place, table: ObjectId | None) -> set[Meaning]:
        """The keys of the record that the field `place` lies in.

        A local record has also those of what it is copied to as a whole.
        """
        if place.base is None:
            return set() if table is None else {without_image(table)}
        found = self.evaluate(place.base)
        waiting = [each for each in found if isinstance(each, Variable)]
        while waiting:
            for target in self._copied.get(waiting.pop(), ()):
                new = self.evaluate(take_address(target)) - found
                waiting += [each for each in new if isinstance(each, Variable)]
                found |= new
        return found

    def _evaluate_place(self, place: Place, seen: frozenset[Variable]) -> set[Meaning]:
        holder = place.holder
        if isinstance(holder, Slot):
            if (holder.record, holder.field) in self._carriers and place.base is not None:
                return self.evaluate(place.base, seen)
            return {holder} if holder.field != "*" else set()
        if isinstance(holder, ObjectId):
            return {without_image(holder)}
        return {holder} if isinstance(holder, Variable) else set()


def find_address_target(value: Value, carriers: frozenset[Field]) -> Slot | ObjectId | None:
    """The field or object that a value is the address of, wherever it stands."""
    if not isinstance(value, Address):
        return None
    holder, base = value.place.holder, value.place.base
    if isinstance(holder, ObjectId):
        return without_image(holder)
    if not isinstance(holder, Slot) or holder.field == "*":
        return None
    if (holder.record, holder.field) in carriers and base is not None:
        return find_address_target(base, carriers)
    return holder


def without_image(identity: ObjectId) -> ObjectId:
    """An object without its image: a module and what it links with name one object."""
    return replace(identity, image="")
