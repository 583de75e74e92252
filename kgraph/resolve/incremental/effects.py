"""The effects of a function's facts on the resolution of other functions.

Effects are everything that the facts say, without their positions, without facts that are
inert, and without those that repeat an earlier one. A fact is inert if the solver, the search
for deferred calls and every other stage provably make nothing of it, given the footprint of the
previous resolution:

- a direct call of a defined function that no model declares and that forwards nothing, if its
  arguments are constants, or are only read and go to parameters that were not solved;
- a direct call of an undefined function with constants only;
- a copy of such a value into a local that was not solved, whose address is not taken, and from
  which nothing flows into a fact that is not inert;
- a constant that is put into a field.

Whatever this module does not know (another kind of value, a new field of a fact) is not inert,
and neither is anything that the models or the user's rules name.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
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
    identity_key,
    needed_parameter_key,
    needed_variable_key,
)

Fact = CallSite | Binding | Flow
Local = Variable | Parameter

_POSITION_FIELDS = {"location", "extent", "ordinal", "guards", "handed"}
"""The fields of a call site that say where it stands and what numbers it hands on, not what it does
to pointers."""

_KNOWN_FIELDS = {
    CallSite: {"caller", "location", "extent", "ordinal", "target", "expression", "macro",
               "arguments", "guards", "signature", "index", "handed"},
    Flow: {"source", "target", "location", "how"},
    Binding: {"place", "value", "location", "how", "table"},
    Definition: {"key", "subject", "calls", "bindings", "flows"},
}
"""The fields that this module knows. If a kind of fact has others, none of that kind is inert."""


def strip_positions(part: object) -> object:
    """A fact, or a part of one, without its positions: equal for facts that say the same."""
    if isinstance(part, Location):
        return part.path
    if isinstance(part, Extent):
        return part.start.path
    if isinstance(part, CallSite):
        return tuple(strip_positions(getattr(part, name)) for name in part.__struct_fields__
                     if name not in _POSITION_FIELDS)
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


class PreviousResolution(Protocol):
    """What the analysis asks about the previous index, and about models and rules."""

    def find_weight(self, key: MarkKey) -> int:
        """The weight of a mark of the footprint, 0 if it has none."""

    def link(self, function: FunctionId) -> tuple[FunctionId, bool]:
        """The function that a name means now, and whether it is defined."""

    def is_table(self, identity: ObjectId) -> bool:
        """Whether something is bound in an object of this name."""

    def is_pointer(self, identity: ObjectId) -> bool:
        """Whether an object of this name is known to be a pointer."""

    def is_declared(self, *names: str) -> bool:
        """Whether models or rules name all of these."""


@dataclass(frozen=True, slots=True)
class Effects:
    """The facts of a function, sorted out.

    `effective` are the first calls, bindings and flows of each effect, by position; `repeated`
    those that repeat one of them; `inert` those without effect. `first_positions` maps the position
    of a repeated call to that of the first. `locals` are those that effective facts name,
    `taken_addresses` the addresses in locals that are passed or written: of what, in which local.
    """

    effective: tuple[Fact, ...] = ()
    inert: tuple[Fact, ...] = ()
    repeated: tuple[Fact, ...] = ()
    first_positions: Mapping[int, int] = field(default_factory=dict)
    locals: frozenset[Local] = frozenset()
    taken_addresses: frozenset[tuple[object, Local]] = frozenset()


NO_EFFECTS = Effects()


def separate_effects(definition: Definition, previous: PreviousResolution) -> Effects:
    """Sort the facts of a function out."""
    return _EffectSeparator(definition, previous).separate()


class _EffectSeparator:
    """Sorts the facts of one function out."""

    def __init__(self, definition: Definition, previous: PreviousResolution) -> None:
        self._definition = definition
        self._previous = previous
        self._own = definition.subject.id
        self._is_known = {kind: set(kind.__struct_fields__) == names
                          for kind, names in _KNOWN_FIELDS.items()}
        self._facts: list[Fact] = [*definition.calls, *definition.bindings, *definition.flows]
        self._addressed = {
            part.place.holder for fact in self._facts for part in iter_parts(fact)
            if isinstance(part, Address) and isinstance(part.place.holder, Variable | Parameter)}

    def separate(self) -> Effects:
        """Start with all facts that are inert in themselves, and take out those that lead into an
        effective one."""
        inert = {number for number, fact in enumerate(self._facts) if self._is_inert(fact)}
        while True:
            named = frozenset(
                part for number, fact in enumerate(self._facts) if number not in inert
                for part in iter_parts(fact) if isinstance(part, Variable | Parameter))
            leading = {number for number in inert if self._leads(self._facts[number], named)}
            if not leading:
                return self._make_effects(inert, named)
            inert -= leading

    def _leads(self, fact: Fact, named: frozenset[Local]) -> bool:
        """Whether a copy goes into a local that is named, or may copy a table from one."""
        if not isinstance(fact, Flow):
            return False
        source = fact.source.place.holder if isinstance(fact.source, Load) else None
        return fact.target.holder in named or (source in named and source in self._addressed)

    def _make_effects(self, inert: set[int], named: frozenset[Local]) -> Effects:
        order = sorted((number for number in range(len(self._facts)) if number not in inert),
                       key=lambda number: (self._facts[number].location, number))
        first: dict[object, int] = {}
        effective, repeated, first_positions = [], [], {}
        for number in order:
            fact = self._facts[number]
            effect = (type(fact), strip_positions(fact))
            if effect in first and self._may_repeat(fact):
                repeated.append(fact)
                if number < len(self._definition.calls):
                    first_positions[number] = first[effect]
            else:
                first.setdefault(effect, number)
                effective.append(fact)
        return Effects(
            tuple(effective), tuple(self._facts[number] for number in sorted(inert)),
            tuple(repeated), first_positions, named, self._find_taken_addresses())

    def _may_repeat(self, fact: Fact) -> bool:
        """Whether a repeated fact has the effect of one: flows do; calls only if no rule reads
        their positions.
        """
        if isinstance(fact, Binding) or not self._is_known[type(fact)] or any(
                map(self._is_declared, iter_parts(fact))):
            return False
        if isinstance(fact, Flow):
            return True
        return isinstance(fact.target, FunctionId) and not self._has_duty(
            self._previous.link(fact.target)[0]) and not any(
            isinstance(value, FunctionId) or self._is_in_table(value)
            for choice in fact.arguments for value in choice)

    def _is_declared(self, part: object) -> bool:
        if isinstance(part, FunctionId | ObjectId):
            return self._previous.is_declared(part.name)
        return isinstance(part, Slot) and self._previous.is_declared(part.record, part.field)

    def _has_duty(self, callee: FunctionId) -> bool:
        """Whether calls of a linked function register or run something."""
        return bool(self._previous.find_weight(identity_key(DUTY, callee)))

    def _is_inert(self, fact: Fact) -> bool:
        if not self._is_known[type(fact)] or not self._is_known[Definition]:
            return False
        if isinstance(fact, CallSite):
            return self._is_inert_call(fact)
        return isinstance(fact, Flow) and self._is_inert_flow(fact)

    def _is_inert_call(self, call: CallSite) -> bool:
        if not isinstance(call.target, FunctionId) or self._is_declared(call.target):
            return False
        callee, is_defined = self._previous.link(call.target)
        if self._has_duty(callee) or self._previous.find_weight(identity_key(FORWARDS, callee)):
            return False
        if not is_defined:
            return all(isinstance(v, Constant) for choice in call.arguments for v in choice)
        return all(
            (all(isinstance(value, Constant) for value in choice) and bool(choice))
            or (not self._is_needed(callee, index) and all(map(self._is_only_read, choice)))
            for index, choice in enumerate(call.arguments))

    def _is_needed(self, function: FunctionId, index: int) -> bool:
        """Whether an argument goes to a parameter that was solved.

        A variadic argument goes to the parameter that has the number of the first of these.
        """
        return any(self._previous.find_weight(needed_parameter_key(function, number))
                   for number in range(index + 1))

    def _is_inert_flow(self, flow: Flow) -> bool:
        holder = flow.target.holder
        if isinstance(flow.source, Constant) and isinstance(holder, Slot):
            return self._is_plain_place(flow.target) and not any(
                isinstance(part, Address) for part in iter_parts(flow.target))
        if not isinstance(holder, Variable | Parameter) or flow.target.base is not None:
            return False
        if holder.function != self._own or holder in self._addressed:
            return False
        key = (needed_variable_key(holder.function, holder.name) if isinstance(holder, Variable)
               else needed_parameter_key(holder.function, holder.index))
        return not self._previous.find_weight(key) and self._is_only_read(flow.source) and not (
            self._may_be_record(flow.source))

    def _may_be_record(self, value: Value) -> bool:
        """Whether a value may be a record as a whole, which is copied with what it holds."""
        if not isinstance(value, Load):
            return False
        holder = value.place.holder
        if isinstance(holder, Slot):
            return bool(self._previous.find_weight(
                (RECORD, holder.record, holder.field, holder.scope)))
        return isinstance(holder, ObjectId) and not self._previous.is_pointer(holder)

    def _is_only_read(self, value: Value) -> bool:
        """Whether a value only reads what there is, or is an address that leads to no function."""
        if isinstance(value, Constant | Opaque):
            return True
        if not isinstance(value, Load | Address) or self._is_in_table(value):
            return False
        return self._is_plain_place(value.place)

    def _is_plain_place(self, place: Place) -> bool:
        """Whether no model names a place, and it is neither a pointee nor in another function."""
        holder, base = place.holder, place.base
        if self._is_declared(holder):
            return False
        if isinstance(holder, Slot):
            return holder.field != POINTEE and (base is None or (
                isinstance(base, Load | Address) and self._is_only_read(base)))
        if base is not None:
            return False
        if isinstance(holder, Variable | Parameter):
            return holder.function == self._own
        if isinstance(holder, ReturnValue):
            return self._is_plain_return(holder.function)
        return isinstance(holder, ObjectId)

    def _is_plain_return(self, function: FunctionId) -> bool:
        callee, is_defined = self._previous.link(function)
        return is_defined and not self._is_declared(function) and not self._has_duty(callee)

    def _is_in_table(self, value: Value) -> bool:
        """Whether a value is an address in an object in which something is bound."""
        return isinstance(value, Address) and any(
            isinstance(part, ObjectId) and self._previous.is_table(part)
            for part in iter_parts(value))

    def _find_taken_addresses(self) -> frozenset[tuple[object, Local]]:
        values = [value for call in self._definition.calls for choice in call.arguments
                  for value in choice]
        values += [flow.source for flow in self._definition.flows]
        values += [binding.value for binding in self._definition.bindings]
        return frozenset((value.place.holder, root) for value in values
                         if isinstance(value, Address)
                         and (root := _find_local_root(value)) is not None)


def _find_local_root(value: Value | None) -> Local | None:
    """The local that an address lies in."""
    while isinstance(value, Address):
        if isinstance(value.place.holder, Variable | Parameter):
            return value.place.holder
        value = value.place.base
    return None
