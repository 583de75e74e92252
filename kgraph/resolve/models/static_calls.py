"""Static calls: calls of trampolines whose jumps are rewritten while the kernel runs.

C code calls a trampoline by its name; assembler made it jump to one function, and an update makes
it jump to another. models/static_calls.toml says where the function stands that it jumps to. This
pass makes a call of a trampoline a call through that place, which the initialiser of the key and
each update fill. An update that names its key fills that one, any other all keys. Neither is
followed into the function that does it, where the functions of all keys would meet.
"""

from collections.abc import Iterable, Iterator
from functools import cache

from msgspec.structs import replace

from kgraph.model.facts import Binding, CallSite, Definition, Flow, Function, Object
from kgraph.model.ids import FunctionId, ObjectId
from kgraph.model.values import (
    Address,
    CallResult,
    Constant,
    Load,
    Place,
    ReturnValue,
    Slot,
    Symbol,
    TransferKind,
    Value,
)
from kgraph.resolve.models.declared import StaticCallUpdate, load_static_calls
from kgraph.resolve.models.rewriting import replace_places


def apply_static_calls(definitions: Iterable[Definition]) -> Iterator[Definition]:
    """The same definitions, with calls through the keys of static calls."""
    prefixes = tuple(row.function for row in load_static_calls().trampolines)
    updates = load_static_calls().updates

    @cache
    def is_rewritten(name: str) -> bool:
        return name.startswith(prefixes) or name in updates

    for definition in definitions:
        subject = definition.subject
        if isinstance(subject, Object):
            yield _fill_key(definition, subject)
        elif subject.id.name.startswith(prefixes):
            yield replace(definition, calls=())  # its jump is what its key holds
        elif any(is_rewritten(_find_callee(call).name) for call in definition.calls):
            yield _rewrite_calls(definition, subject)
        else:
            yield definition


def is_call_key(identity: ObjectId) -> bool:
    """Whether an object is the key of a static call."""
    return any(identity.name.startswith(row.object) for row in load_static_calls().trampolines)


def make_call_places(key: ObjectId) -> list[Place]:
    """Where the key of a static call keeps the function; nothing if the object is no such key."""
    return [Place(Slot(*row.slot), Address(Place(key)))
            for row in load_static_calls().trampolines if key.name.startswith(row.object)][:1]


_NOBODY = FunctionId("")


def _find_callee(call: CallSite) -> FunctionId:
    """The function that a call names; one without a name if it names none."""
    target = call.target
    if isinstance(target, Symbol):
        return target.function
    return target if isinstance(target, FunctionId) else _NOBODY


def _find_key(function: FunctionId) -> Load | None:
    """What a trampoline jumps to; None if a function is no trampoline."""
    for row in load_static_calls().trampolines:
        if function.name.startswith(row.function):
            name = row.object + function.name.removeprefix(row.function)
            key = ObjectId(name, function.scope, function.image)
            return Load(Place(Slot(*row.slot), Address(Place(key))))
    return None


def _fill_key(definition: Definition, subject: Object) -> Definition:
    """An object with what goes into it from elsewhere, if it is the key of a static call."""
    flows: list[Flow] = []
    for place in make_call_places(subject.id):
        for row in load_static_calls().filled:
            if match := row.object.fullmatch(subject.id.name):
                slot = Slot(row.slot[0], row.slot[1].format(*match.groups()))
                flows.append(_copy(Load(Place(slot)), place, subject))
        flows += [_copy(Load(source), place, subject) for source in make_call_places(_any_key())]
    return replace(definition, flows=definition.flows + tuple(flows)) if flows else definition


def _copy(source: Value, target: Place, subject: Object) -> Flow:
    return Flow(source, target, subject.location, TransferKind.COPY)


def _any_key() -> ObjectId:
    """The object that stands for whichever key an update does not name."""
    return ObjectId(load_static_calls().trampolines[0].object)


def _rewrite_calls(definition: Definition, subject: Function) -> Definition:
    """A function whose calls of trampolines go through keys, and whose updates fill these. What
    calls of one trampoline return is the same, whichever of them it is."""
    rows = load_static_calls()
    index = 1 + max(call.index for call in definition.calls)
    results: dict[FunctionId, Place] = {}
    calls: list[CallSite] = []
    bindings, flows = list(definition.bindings), list(definition.flows)
    for call in definition.calls:
        callee = _find_callee(call)
        target, update = _find_key(callee), rows.updates.get(callee.name)
        if target is not None:
            calls.append(replace(call, target=target, index=index))
            results.setdefault(callee, Place(CallResult(subject.id, index)))
            index += 1
        elif update is not None and len(call.arguments) > max(update.object, update.value):
            if (subject.id.name, subject.location.path) not in rows.declared:
                _fill_updated(call, update, bindings, flows)
            kept = tuple(
                (Constant(0),) if number in (update.object, update.value) else choice
                for number, choice in enumerate(call.arguments))
            calls.append(replace(call, arguments=kept))
        else:
            calls.append(call)
    new = replace(definition, calls=tuple(calls), bindings=tuple(bindings), flows=tuple(flows))
    return replace_places(
        new, lambda place: results.get(place.holder.function) if isinstance(
            place.holder, ReturnValue) else None)


def _fill_updated(
    call: CallSite, update: StaticCallUpdate, bindings: list[Binding], flows: list[Flow]
) -> None:
    """Add what an update puts into the keys that it may mean."""
    for key in call.arguments[update.object]:
        place = Place(Slot(*update.slot), key if _is_name(key) else Address(Place(_any_key())))
        for value in call.arguments[update.value]:
            if isinstance(value, FunctionId):
                bindings.append(Binding(place, value, call.location, TransferKind.ARGUMENT))
            else:
                flows.append(Flow(value, place, call.location, TransferKind.ARGUMENT))


def _is_name(key: Value) -> bool:
    return isinstance(key, Address) and isinstance(key.place.holder, ObjectId)
