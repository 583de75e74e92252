"""The effects of a function's facts on the resolution of other functions.

Effects are everything that the facts say, without their positions, without facts that are
inert, and without those that repeat an earlier one. A fact is inert if the solver, the search
for deferred calls and every other stage provably make nothing of it, given the footprint of the
previous resolution:

- a direct call of a defined function that no model declares and that forwards nothing, whose
  values are only read, or
  are addresses, and go to parameters that were not solved; a direct call of an undefined
  function with constants only;
- a copy of such a value into a local that was not solved, whose address is not taken, and from
  which nothing
  flows into a fact that is not inert;
- a constant put into a field.

Whatever this module does not know (another kind of value, a new field of a fact) is not inert,
and neither is anything that the models or the user's rules name.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from msgspec import Struct

from kgraph.model.facts import Binding, CallSite, Definition, Flow, Function, Object
from kgraph.model.ids import FunctionId, ObjectId
from kgraph.model.incremental import MarkKey
from kgraph.model.location import Extent, Location
from kgraph.model.values import (
    POINTEE,
    Address,
    Constant,
    Load,
    Opaque,
    Parameter,
    Place,
    ReturnValue,
    Slot,
    Value,
    Variable,
)
from kgraph.resolve.incremental.dependencies import (
    DUTY,
    FORWARDS,
    RECORD,
    needed_parameter_key,
    needed_variable_key,
)

_POSITION_FIELDS = {
    "location",
    "extent",
    "ordinal",
    "guards",
}  # where a call stands, not what it does


def strip_positions(part: object) -> object:
    """A fact, or a part of one, without its places: equal for facts that say the same."""
    if isinstance(part, Location):
        return part.path
    if isinstance(part, Extent):
        return part.start.path
    if isinstance(part, CallSite):
        return tuple(
            strip_positions(getattr(part, name))
            for name in part.__struct_fields__
            if name not in _POSITION_FIELDS
        )
    if isinstance(part, tuple):
        return tuple(map(strip_positions, part))
    if isinstance(part, Binding | Flow | Function | Object):
        return tuple(strip_positions(getattr(part, name)) for name in part.__struct_fields__)
    return part


def iter_parts(part: object) -> Iterator[object]:
    """All records that a fact is made of."""
    if isinstance(part, tuple):
        for item in part:
            yield from iter_parts(item)
    elif isinstance(part, Struct):
        yield part
        for name in part.__struct_fields__:
            yield from iter_parts(getattr(part, name))


Fact = CallSite | Binding | Flow
Local = Variable | Parameter
_KNOWN_FIELDS = {
    CallSite: {"caller", "location", "extent", "ordinal", "target", "expression", "macro",
               "arguments", "guards", "signature", "index"},
    Flow: {"source", "target", "location", "how"},
    Binding: {"place", "value", "location", "how", "table"},
    Definition: {"key", "subject", "calls", "bindings", "flows"},
}
"""The fields that this module knows: with others, nothing of a kind of fact is inert."""


class PreviousResolution(Protocol):
    """What is asked of the former index and of what is declared."""

    def find_weight(self, key: MarkKey) -> int:
        """The weight of a mark of its footprint, 0 where there is none."""

    def link(self, function: FunctionId) -> tuple[FunctionId, bool]:
        """The function that a name means now, and whether that is defined."""

    def is_table(self, identity: ObjectId) -> bool:
        """Whether something is bound in an object of this name."""

    def is_pointer(self, identity: ObjectId) -> bool:
        """Whether an object of this name is known to be a pointer."""

    def is_declared(self, *names: str) -> bool:
        """Whether the declared tables name all of these."""


@dataclass(frozen=True, slots=True)
class Effects:
    """A function's facts, told apart. `kept` is the contribution: the first of the calls, bindings
    and flows that say each thing, by place; `inert` what is not; `same` maps the position of a call
    that says again what an earlier one says to that one's. `locals` are those that the contribution
    names, `taken` the addresses in locals that are passed or written."""

    effective: tuple[Fact, ...]
    inert: tuple[Fact, ...]
    repeated: tuple[Fact, ...]
    first_positions: dict[int, int]
    locals: frozenset[Local]
    taken_addresses: frozenset[tuple[object, Local]]


def separate_effects(definition: Definition, former: PreviousResolution) -> Effects:
    """Tell the facts of a function apart."""
    return _EffectSeparator(definition, former).told()


class _EffectSeparator:
    """Tells the facts of one function apart."""

    def __init__(self, definition: Definition, former: PreviousResolution) -> None:
        self._definition = definition
        self._former = former
        self._own = definition.subject.id
        self._known = {kind: set(kind.__struct_fields__) == names
                       for kind, names in _KNOWN_FIELDS.items()}
        self._facts: list[Fact] = [
            *definition.calls, *definition.bindings, *definition.flows]
        self._addressed = {
            part.place.holder for fact in self._facts for part in iter_parts(fact)
            if isinstance(part, Address) and isinstance(part.place.holder, Variable | Parameter)}

    def told(self) -> Effects:
        """Facts that are inert by themselves, but for those that lead into what is not."""
        inert = {number for number, fact in enumerate(self._facts) if self._is_inert(fact)}
        locals_: frozenset[Local] = frozenset()
        while True:
            kept = [fact for number, fact in enumerate(self._facts) if number not in inert]
            locals_ = frozenset(part for fact in kept for part in iter_parts(fact)
                                if isinstance(part, Variable | Parameter))
            leading = {number for number in inert if self._leads(self._facts[number], locals_)}
            if not leading:
                break
            inert -= leading
        return self._first_of_each(inert, locals_)

    def _leads(self, fact: Fact, kept: frozenset[Local]) -> bool:
        """Whether a copy goes into a local of the contribution, or may copy a table from one."""
        if not isinstance(fact, Flow):
            return False
        source = fact.source.place.holder if isinstance(fact.source, Load) else None
        return fact.target.holder in kept or (source in kept and source in self._addressed)

    def _first_of_each(self, inert: set[int], locals_: frozenset[Local]) -> Effects:
        order = sorted((number for number in range(len(self._facts)) if number not in inert),
                       key=lambda number: (self._facts[number].location, number))
        first: dict[object, int] = {}
        kept, repeated, same = [], [], {}
        for number in order:
            fact = self._facts[number]
            key = (type(fact), strip_positions(fact))
            if key in first and self._may_repeat(fact):
                repeated.append(fact)
                same[number] = first[key]
            else:
                first.setdefault(key, number)
                kept.append(fact)
        calls = len(self._definition.calls)
        return Effects(
            tuple(kept), tuple(self._facts[number] for number in sorted(inert)), tuple(repeated),
            {number: known for number, known in same.items() if number < calls},
            locals_, self._taken())

    def _may_repeat(self, fact: Fact) -> bool:
        """Whether saying a thing twice is saying it once: not where each place counts."""
        if isinstance(fact, Binding) or not self._known[type(fact)] or self._names_declared(fact):
            return False
        if isinstance(fact, Flow):
            return True
        return isinstance(fact.target, FunctionId) and not self._duty(fact.target) and not any(
            isinstance(value, FunctionId) or self._of_table(value)
            for choice in fact.arguments for value in choice)

    def _names_declared(self, fact: Fact) -> bool:
        return any(self._is_declared(part) for part in iter_parts(fact))

    def _is_declared(self, part: object) -> bool:
        if isinstance(part, FunctionId | ObjectId):
            return self._former.is_declared(part.name)
        return isinstance(part, Slot) and self._former.is_declared(part.record, part.field)

    def _duty(self, function: FunctionId) -> bool:
        return bool(
            self._former.find_weight((DUTY, *_function_key(self._former.link(function)[0])))
        )

    def _is_inert(self, fact: Fact) -> bool:
        if not self._known[type(fact)] or not self._known[Definition]:
            return False
        if isinstance(fact, CallSite):
            return self._is_inert_call(fact)
        return isinstance(fact, Flow) and self._is_inert_flow(fact)

    def _is_inert_call(self, call: CallSite) -> bool:
        if not isinstance(call.target, FunctionId) or self._former.is_declared(call.target.name):
            return False
        callee, defined = self._former.link(call.target)
        weight = self._former.find_weight
        if weight((DUTY, *_function_key(callee))) or weight((FORWARDS, *_function_key(callee))):
            return False
        if not defined:
            return all(isinstance(v, Constant) for choice in call.arguments for v in choice)
        return all(
            (all(isinstance(value, Constant) for value in choice) and bool(choice))
            or (not self._is_needed(callee, index) and all(map(self._is_read, choice)))
            for index, choice in enumerate(call.arguments))

    def _is_needed(self, function: FunctionId, index: int) -> bool:
        """Whether an argument goes to a parameter that was solved: its own, or, where it stands
        behind the dots, the one that takes all of these and has the number of the first."""
        return any(self._former.find_weight(needed_parameter_key(function, number))
                   for number in range(index + 1))

    def _is_inert_flow(self, flow: Flow) -> bool:
        holder = flow.target.holder
        if isinstance(flow.source, Constant) and isinstance(holder, Slot):
            return self._is_place(flow.target) and not any(
                isinstance(part, Address) for part in iter_parts(flow.target))
        if not isinstance(holder, Variable | Parameter) or flow.target.base is not None:
            return False
        if holder.function != self._own or holder in self._addressed:
            return False
        key = (needed_variable_key(holder.function, holder.name) if isinstance(holder, Variable)
               else needed_parameter_key(holder.function, holder.index))
        return not self._former.find_weight(key) and self._is_read(flow.source) and not (
            self._is_record(flow.source))

    def _is_record(self, value: Value) -> bool:
        """Whether a value may be a record as a whole, which is copied with what it holds."""
        if not isinstance(value, Load):
            return False
        holder = value.place.holder
        if isinstance(holder, Slot):
            return bool(self._former.find_weight((RECORD, *_slot_key(holder))))
        return isinstance(holder, ObjectId) and not self._former.is_pointer(holder)

    def _is_read(self, value: Value) -> bool:
        """Whether a value only reads what there is, or is an address that leads to no function."""
        if isinstance(value, Constant | Opaque):
            return True
        if not isinstance(value, Load | Address) or self._of_table(value):
            return False
        return self._is_place(value.place)

    def _is_place(self, place: Place) -> bool:
        holder, base = place.holder, place.base
        if self._is_declared(holder):
            return False
        if isinstance(holder, Slot):
            return holder.field != POINTEE and (base is None or (
                isinstance(base, Load | Address) and self._is_read(base)))
        if base is not None:
            return False
        if isinstance(holder, Variable | Parameter):
            return holder.function == self._own
        if isinstance(holder, ReturnValue):
            return self._is_plain_return(holder.function)
        return isinstance(holder, ObjectId)

    def _is_plain_return(self, function: FunctionId) -> bool:
        callee, defined = self._former.link(function)
        return (defined and not self._former.is_declared(function.name)
                and not self._former.find_weight((DUTY, *_function_key(callee))))

    def _of_table(self, value: Value) -> bool:
        """Whether a value is an address in an object in which something is bound."""
        return isinstance(value, Address) and any(
            isinstance(part, ObjectId) and self._former.is_table(part) for part in iter_parts(value)
        )

    def _taken(self) -> frozenset[tuple[object, Local]]:
        """The addresses in locals that are passed or written: of what, in which."""
        values = [value for call in self._definition.calls for choice in call.arguments
                  for value in choice]
        values += [flow.source for flow in self._definition.flows]
        values += [binding.value for binding in self._definition.bindings]
        return frozenset((value.place.holder, root) for value in values
                         if isinstance(value, Address)
                         and (root := _find_local_root(value)) is not None)


def _find_local_root(value: Value | None) -> Local | None:
    while isinstance(value, Address):
        if isinstance(value.place.holder, Variable | Parameter):
            return value.place.holder
        value = value.place.base
    return None


def _function_key(function: FunctionId) -> tuple[str, str, str]:
    return function.name, function.scope, function.image


def _slot_key(slot: Slot) -> tuple[str, str, str]:
    return slot.record, slot.field, slot.scope
