"""Lists that hang on an object: a walker calls what was hung on its own object, nothing else.

A tracepoint's probes lie in an array from the heap; read by slots, every tracepoint would call the
probes of all. For the functions that data/registries.toml declares, this pass over the facts, made
before they are solved, gives each object a list of its own: the object's list field becomes a
variable that points to an object that stands for the list, and a call that hangs a function on the
object puts the function into that object's element.

Where the object and the function are fields of one row (`call->tp` beside `call->class->probe`),
what stands in one row of a table is joined, and only that.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from kgraph.model.facts import Binding, CallSite, Definition, Flow
from kgraph.model.holders import Address, Holder, How, Load, Place, Slot, Value
from kgraph.model.names import FunctionId, ObjectId
from kgraph.resolve.declared import Registry, is_public, registries

Rows = dict[ObjectId, dict[Slot, list[Value]]]


def joined(definitions: Iterable[Definition]) -> Iterator[Definition]:
    """The same definitions, with the lists of declared objects kept apart."""
    declared = registries()
    lists = {registry.list for registry in declared.values()}
    rows: Rows = defaultdict(dict)
    waiting: list[Definition] = []
    for definition in definitions:
        for binding in definition.bindings:
            if binding.table is not None and isinstance(binding.place.holder, Slot):
                fields = rows[_owner(binding.place) or binding.table]
                fields.setdefault(binding.place.holder, []).append(binding.value)
        if any(_registry(call, declared) is not None for call in definition.calls):
            waiting.append(definition)
        else:
            yield _apart(definition, lists)
    for definition in waiting:
        yield _apart(_hung(definition, declared, rows), lists)


def _registry(call: CallSite, declared: dict[str, Registry]) -> Registry | None:
    """The row of the function that is called, if it has one."""
    target = call.target
    return declared.get(target.name) if isinstance(target, FunctionId) and is_public(
        target) else None


def _owner(place: Place) -> ObjectId | None:
    if isinstance(place.base, Address) and isinstance(place.base.place.holder, ObjectId):
        return place.base.place.holder
    return None


def list_of(owner: ObjectId, field: str) -> ObjectId:
    """What stands for the list that hangs on an object."""
    return ObjectId(f"{owner.name}.{field}[]", owner.scope, owner.image)


def _pointer_to(owner: ObjectId, field: str) -> ObjectId:
    """The variable that an object's list field becomes."""
    return ObjectId(f"{owner.name}.{field}", owner.scope, owner.image)


def is_list(identity: ObjectId) -> bool:
    """Whether an object is one that stands for a list: no C name ends so."""
    return identity.name.endswith("[]")


def _hung(definition: Definition, declared: dict[str, Registry], rows: Rows) -> Definition:
    """A definition with what its calls of declared functions hang on objects."""
    bindings: list[Binding] = list(definition.bindings)
    flows: list[Flow] = list(definition.flows)
    for call in definition.calls:
        registry = _registry(call, declared)
        if registry is None or len(call.arguments) <= max(registry.object, registry.value):
            continue
        for owner, value in _pairs(call, registry, rows):
            place = Place(Slot(*registry.element),
                          Address(Place(list_of(owner, registry.list[1]))))
            if isinstance(value, FunctionId):
                bindings.append(Binding(place, value, call.location, How.ARGUMENT))
            else:
                flows.append(Flow(value, place, call.location, How.ARGUMENT))
    return replace(definition, bindings=tuple(bindings), flows=tuple(flows))


def _pairs(call: CallSite, registry: Registry, rows: Rows) -> Iterator[tuple[ObjectId, Value]]:
    """The objects that a call hangs something on, each with what it hangs."""
    for owner in call.arguments[registry.object]:
        for value in call.arguments[registry.value]:
            if isinstance(owner, Address) and isinstance(owner.place.holder, ObjectId):
                yield owner.place.holder, value
            elif isinstance(owner, Load) and isinstance(value, Load):
                yield from _of_one_row(owner, value, rows)


def _of_one_row(owner: Load, value: Load, rows: Rows) -> Iterator[tuple[ObjectId, Value]]:
    """Pairs from the rows in which both loads start: `call->tp`, `call->class->probe`."""
    first, second = _steps(owner), _steps(value)
    if not first or not second or first[0] != second[0]:
        return
    for row in sorted(rows):
        owners = _follow(row, first[1:], rows)
        if owners:
            for found in owners:
                if isinstance(found, Address) and isinstance(found.place.holder, ObjectId):
                    for function in _follow(row, second[1:], rows):
                        yield found.place.holder, function


def _steps(load: Load) -> list[Holder]:
    """The holders that a load goes through, from the innermost."""
    steps: list[Holder] = []
    value: Value | None = load
    while isinstance(value, Load | Address):
        steps.append(value.place.holder)
        value = value.place.base
    return steps[::-1]


def _follow(row: ObjectId, steps: list[Holder], rows: Rows) -> list[Value]:
    """What the fields lead to, from one row of a table."""
    values: list[Value] = [Address(Place(row))]
    for step in steps:
        if not isinstance(step, Slot):
            return []
        values = [
            inner for value in values
            if isinstance(value, Address) and isinstance(value.place.holder, ObjectId)
            for inner in rows.get(value.place.holder, {}).get(step, ())
        ]
    return values


def _apart(definition: Definition, lists: set[tuple[str, str]]) -> Definition:
    """A definition in which the list fields of objects known by name are lists of their own."""
    owners: set[tuple[ObjectId, str]] = set()

    def place(old: Place) -> Place:
        holder = old.holder
        if isinstance(holder, Slot) and (holder.record, holder.field) in lists:
            owner = _owner(old)
            if owner is not None:
                owners.add((owner, holder.field))
                return Place(_pointer_to(owner, holder.field))
        if old.base is None:
            return old
        base = value(old.base)
        return old if base is old.base else Place(holder, base)

    def value(old: Value) -> Value:
        if not isinstance(old, Load | Address):
            return old
        new = place(old.place)
        return old if new is old.place else type(old)(new)

    calls = tuple(_call(call, value) for call in definition.calls)
    flows = tuple(_flow(flow, value(flow.source), place(flow.target))
                  for flow in definition.flows)
    if not owners:
        return definition
    made = tuple(
        Binding(Place(_pointer_to(owner, field)), Address(Place(list_of(owner, field))),
                definition.subject.location, How.ASSIGNMENT)
        for owner, field in sorted(owners))
    return replace(definition, calls=calls, flows=flows, bindings=definition.bindings + made)


def _flow(flow: Flow, source: Value, target: Place) -> Flow:
    if source is flow.source and target is flow.target:
        return flow
    return replace(flow, source=source, target=target)


def _call(call: CallSite, value: Callable[[Value], Value]) -> CallSite:
    target = value(call.target)
    arguments = tuple(
        tuple(value(choice) for choice in choices) for choices in call.arguments)
    if target is call.target and all(
            new is old for row, rest in zip(arguments, call.arguments, strict=True)
            for new, old in zip(row, rest, strict=True)):
        return call
    return replace(call, target=target, arguments=arguments)
