"""Lists that hang on one object: who walks a list calls what was added to its object, nothing else.

A tracepoint's probes lie in an array from the heap. Read by slots, every tracepoint would call the
probes of all. For the functions that models/per_object_lists.toml declares, this pass gives each
object a list of its own before the facts are solved: the object's list field becomes a variable
that points to an object that stands for the list, and a call that adds a function to the list puts
it into that object's element.

Where object and function are fields of one row (`call->tp` beside `call->class->probe`), the two of
one row of a table are combined, and no others.
"""

from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from kgraph.model.facts import Binding, CallSite, Definition, Flow
from kgraph.model.ids import FunctionId, ObjectId
from kgraph.model.values import Address, Holder, Load, Place, Slot, TransferKind, Value
from kgraph.resolve.models.declared import ListRegistration, is_public, load_list_registrations
from kgraph.resolve.models.rewriting import replace_places
from kgraph.resolve.models.static_calls import is_call_key, make_call_places


class TableFields:
    """What initialisers put into the fields of objects. `owners` are the objects.

    Most of it is never asked for. So the address of an object is kept as that object, and what
    stands in a slot as one list, each value after its owner.
    """

    def __init__(self) -> None:
        self.owners: set[ObjectId] = set()
        self._fields: dict[Slot, list[ObjectId | Value]] = {}
        self._by_owner: dict[Slot, dict[ObjectId, list[Value]]] = {}

    def collect(self, definition: Definition) -> None:
        """Note the bindings of a definition."""
        for binding in definition.bindings:
            slot = binding.place.holder
            if binding.table is not None and isinstance(slot, Slot):
                owner, value = _find_owner(binding.place) or binding.table, binding.value
                self.owners.add(owner)
                self._fields.setdefault(slot, []).extend(
                    (owner, _find_addressed_object(value) or value))

    def find_values(self, owner: ObjectId, slot: Slot) -> list[Value]:
        """What is put into a field of an object, once all definitions are collected."""
        known = self._by_owner.get(slot)
        if known is None:
            known = self._by_owner[slot] = {}
            items = self._fields.get(slot, [])
            for each, value in zip(items[::2], items[1::2], strict=True):
                assert isinstance(each, ObjectId)
                known.setdefault(each, []).append(
                    Address(Place(value)) if isinstance(value, ObjectId) else value)
        return known.get(owner, [])


def separate_object_lists(definitions: Iterable[Definition]) -> Iterator[Definition]:
    """The same definitions, with the lists of declared objects kept apart."""
    declared = load_list_registrations()
    lists = {registry.list for registry in declared.values()}
    rows = TableFields()
    waiting: list[Definition] = []
    for definition in definitions:
        rows.collect(definition)
        if any(_find_registration(call, declared) for call in definition.calls):
            waiting.append(definition)
        else:
            yield _separate_lists(definition, lists)
    for definition in waiting:
        yield _separate_lists(_add_registered(definition, declared, rows), lists)


def _find_registration(
    call: CallSite, declared: dict[str, ListRegistration]
) -> ListRegistration | None:
    """The row of the called function, if it has one."""
    target = call.target
    if not isinstance(target, FunctionId):
        return None
    row = declared.get(target.name)
    return row if row is not None and is_public(target) else None


def _find_owner(place: Place) -> ObjectId | None:
    """The object that a field lies in."""
    if isinstance(place.base, Address) and isinstance(place.base.place.holder, ObjectId):
        return place.base.place.holder
    return None


def _find_addressed_object(value: Value) -> ObjectId | None:
    """The object that a value is the address of, as a whole."""
    if isinstance(value, Address) and value.place.base is None and isinstance(
            value.place.holder, ObjectId):
        return value.place.holder
    return None


def list_object(owner: ObjectId, field: str) -> ObjectId:
    """The object that stands for the list that hangs on an object."""
    return ObjectId(f"{owner.name}.{field}[]", owner.scope, owner.image)


def _list_variable(owner: ObjectId, field: str) -> ObjectId:
    """The variable that an object's list field becomes."""
    return ObjectId(f"{owner.name}.{field}", owner.scope, owner.image)


def is_list_object(identity: ObjectId) -> bool:
    """Whether an object stands for a list (no C name ends like this), or is the key of a static
    call: it holds only what is put into it by its name.
    """
    return identity.name.endswith("[]") or is_call_key(identity)


def _add_registered(
    definition: Definition, declared: dict[str, ListRegistration], rows: TableFields
) -> Definition:
    """A definition with what its calls of declared functions add to lists."""
    bindings: list[Binding] = list(definition.bindings)
    flows: list[Flow] = list(definition.flows)
    for call in definition.calls:
        registry = _find_registration(call, declared)
        if registry is None or len(call.arguments) <= max(registry.object, registry.value):
            continue
        for owner, value in _iter_registered(call, registry, rows):
            places = [Place(Slot(*registry.element),
                            Address(Place(list_object(owner, registry.list[1]))))]
            places += _find_call_keys(owner, registry, rows)
            for place in places:
                if isinstance(value, FunctionId):
                    bindings.append(Binding(place, value, call.location, TransferKind.ARGUMENT))
                else:
                    flows.append(Flow(value, place, call.location, TransferKind.ARGUMENT))
    return replace(definition, bindings=tuple(bindings), flows=tuple(flows))


def _find_call_keys(
    owner: ObjectId, registry: ListRegistration, rows: TableFields
) -> list[Place]:
    """Where the static calls of an object keep what they call."""
    if registry.call_key is None:
        return []
    keys = rows.find_values(owner, Slot(*registry.call_key))
    return [place for key in keys
            if isinstance(key, Address) and isinstance(key.place.holder, ObjectId)
            for place in make_call_places(key.place.holder)]


def _iter_registered(
    call: CallSite, registry: ListRegistration, rows: TableFields
) -> Iterator[tuple[ObjectId, Value]]:
    """The objects to whose lists a call adds something, each with what it adds."""
    for owner in call.arguments[registry.object]:
        for value in call.arguments[registry.value]:
            if isinstance(owner, Address) and isinstance(owner.place.holder, ObjectId):
                yield owner.place.holder, value
            elif isinstance(owner, Load) and isinstance(value, Load):
                yield from _iter_pairs_of_rows(owner, value, rows)


def _iter_pairs_of_rows(
    owner: Load, value: Load, rows: TableFields
) -> Iterator[tuple[ObjectId, Value]]:
    """Pairs of the rows in which both loads start: `call->tp`, `call->class->probe`."""
    first, second = _load_path(owner), _load_path(value)
    if not first or not second or first[0] != second[0]:
        return
    for row in sorted(rows.owners):
        owners = _follow_path(row, first[1:], rows)
        if owners:
            for found in owners:
                if isinstance(found, Address) and isinstance(found.place.holder, ObjectId):
                    for function in _follow_path(row, second[1:], rows):
                        yield found.place.holder, function


def _load_path(load: Load) -> list[Holder]:
    """The holders that a load goes through, the innermost first."""
    steps: list[Holder] = []
    value: Value | None = load
    while isinstance(value, Load | Address):
        steps.append(value.place.holder)
        value = value.place.base
    return steps[::-1]


def _follow_path(row: ObjectId, steps: list[Holder], rows: TableFields) -> list[Value]:
    """What the fields lead to, from one row of a table."""
    values: list[Value] = [Address(Place(row))]
    for step in steps:
        if not isinstance(step, Slot):
            return []
        values = [
            inner for value in values
            if isinstance(value, Address) and isinstance(value.place.holder, ObjectId)
            for inner in rows.find_values(value.place.holder, step)
        ]
    return values


def _separate_lists(definition: Definition, lists: set[tuple[str, str]]) -> Definition:
    """A definition in which the list fields of objects known by name are lists of their own."""
    if not _mentions_any(definition, lists):
        return definition
    owners: set[tuple[ObjectId, str]] = set()

    def find_new(old: Place) -> Place | None:
        holder = old.holder
        if not isinstance(holder, Slot) or (holder.record, holder.field) not in lists:
            return None
        owner = _find_owner(old)
        if owner is None:
            return None
        owners.add((owner, holder.field))
        return Place(_list_variable(owner, holder.field))

    rewritten = replace_places(definition, find_new)
    if not owners:
        return definition
    made = tuple(
        Binding(Place(_list_variable(owner, field)), Address(Place(list_object(owner, field))),
                definition.subject.location, TransferKind.ASSIGNMENT)
        for owner, field in sorted(owners))
    return replace(rewritten, bindings=definition.bindings + made)


def _mentions_any(definition: Definition, fields: set[tuple[str, str]]) -> bool:
    """Whether a flow or a call of a definition goes through one of some fields."""
    for flow in definition.flows:
        if _goes_through(flow.source, fields) or _goes_through(Load(flow.target), fields):
            return True
    for call in definition.calls:
        if _goes_through(call.target, fields):
            return True
        for choice in call.arguments:
            for value in choice:
                if _goes_through(value, fields):
                    return True
    return False


def _goes_through(value: Value | None, fields: set[tuple[str, str]]) -> bool:
    while isinstance(value, Load | Address):
        holder = value.place.holder
        if isinstance(holder, Slot) and (holder.record, holder.field) in fields:
            return True
        value = value.place.base
    return False
