"""Deferred calls: what is registered in one place, asked for in another, and run later by a third.

A row of data/deferred.toml says which argument of a function is the key and which the callback; a
slot row, that an assignment to the slot registers under the place of its record. A function that
hands its own parameter on as key or callback is such a function itself, through any number of
wrappers. The call where nothing is left open, and where something is asked for, gets an edge to
every callback that was registered under the same key and kind.

Limits: a key that comes from a call's result, a list or the heap is not known, so that the call
gets no deferred edge (the loop that runs all callbacks of the kind has its edges all the same). All
objects of a record type share the keys of its fields. A function that is given the name of a
declared one is taken for it, in whatever file.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from itertools import product
from typing import NamedTuple

from kgraph.model.edges import EdgeKind, Evidence, Role
from kgraph.model.facts import Binding, Definition, Flow, Function
from kgraph.model.holders import Slot, Value, Variable
from kgraph.model.location import Location
from kgraph.model.names import FunctionId, ObjectId
from kgraph.model.resolution import Candidate
from kgraph.resolve.deferral_rows import Does, Field, Rows
from kgraph.resolve.intake import Facts
from kgraph.resolve.keys import Key, Keys, Meaning, Own
from kgraph.resolve.linkage import FunctionLinker

Position = tuple[str, int]  # a definition's key, index in its calls


class Duty(NamedTuple):
    """What a call of a function does; an Own is the function's parameter, open until called."""

    kind: str
    does: Does
    key: Meaning | None
    callback: Meaning | None
    field: Field | None


Entry = tuple[Location, FunctionId]


class Deferred:
    """Watches definitions pass, then finds their deferred calls."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._watched = dict(rows.slots)
        fields = {row.field for row in rows.functions if row.field is not None}
        self._watched |= {field: _of_field(field) for field in fields}
        self._calls: dict[FunctionId, list[tuple[Definition, int]]] = defaultdict(list)
        self._writes: list[tuple[Definition, Binding | Flow]] = []
        self._keys: dict[str, Keys] = {}
        self._duties: dict[FunctionId, set[Duty]] = defaultdict(set)
        self._work: list[tuple[FunctionId, Duty]] = []
        self._registered: dict[tuple[str, Key], set[Entry]] = defaultdict(set)
        self._through: list[tuple[Duty, Location]] = []
        self._runs: set[tuple[Position, str, Key]] = set()
        self._edges: dict[Position, dict[FunctionId, tuple[Location, str]]] = defaultdict(dict)

    def watch(self, definitions: Iterable[Definition]) -> Iterator[Definition]:
        """The same definitions; those with a call or a write that may matter are kept."""
        watched = self._watched
        for definition in definitions:
            for position, call in enumerate(definition.calls):
                if isinstance(call.target, FunctionId):
                    self._calls[call.target].append((definition, position))
            for binding in definition.bindings:
                holder = binding.place.holder
                if isinstance(holder, Slot) and (holder.record, holder.field) in watched:
                    self._writes.append((definition, binding))
            for flow in definition.flows:
                holder = flow.target.holder
                if isinstance(holder, Slot) and (holder.record, holder.field) in watched:
                    self._writes.append((definition, flow))
            yield definition

    def found(self, facts: Facts) -> dict[Position, tuple[Candidate, ...]]:
        """The deferred callees of call sites, by definition and position."""
        self._linker = FunctionLinker(facts.functions)
        self._living = {row.key for row in facts.definitions}
        calls: dict[FunctionId, list[tuple[Definition, int]]] = defaultdict(list)
        declared = defaultdict(list)
        for row in self._rows.functions:
            declared[row.function].append(row)
        for named, sites in self._calls.items():
            function = self._linker.link(named)
            calls[function] += sites
            for row in declared.get(named.name, ()):
                key = None if row.key is None else Own(row.key)
                callback = None if row.callback is None else Own(row.callback)
                self._open(function, Duty(row.kind, row.does, key, callback, row.field))
        for definition, write in self._writes:
            self._assigned(definition, write)
        while self._work:
            function, duty = self._work.pop()
            for definition, position in calls.get(function, ()):
                self._called(definition, position, duty)
        return self._joined()

    def _open(self, function: FunctionId, duty: Duty) -> None:
        if duty not in self._duties[function]:
            self._duties[function].add(duty)
            self._work.append((function, duty))

    def _keys_of(self, definition: Definition) -> Keys:
        keys = self._keys.get(definition.key)
        if keys is None:
            keys = Keys(definition, self._rows.carriers, self._linker.link)
            self._keys[definition.key] = keys
        return keys

    def _assigned(self, definition: Definition, write: Binding | Flow) -> None:
        """A write to a slot: registers what is written under the place of the record."""
        keys = self._keys_of(definition)
        value: Value
        if isinstance(write, Binding):
            place, value, table = write.place, write.value, write.table
        else:
            place, value, table = write.target, write.source, None
        slot = place.holder
        if not isinstance(slot, Slot):
            return
        kinds = {self._watched[slot.record, slot.field], _of_field((slot.record, slot.field))}
        for key, callback in product(keys.around(place, table), keys.of(value)):
            for kind in kinds:
                duty = Duty(kind, Does.REGISTER, key, callback, None)
                self._settle(definition, duty, write.location, None)

    def _called(self, definition: Definition, position: int, duty: Duty) -> None:
        """A call of a function with this duty, with the arguments in its parameters' place."""
        call = definition.calls[position]
        keys = self._keys_of(definition)

        def given(open_: Meaning | None) -> AbstractSet[Meaning | None]:
            if not isinstance(open_, Own):
                return {open_}
            if open_.index >= len(call.arguments):
                return set()
            return {meaning for value in call.arguments[open_.index] for meaning in keys.of(value)}

        names = given(duty.key)
        if not names and duty.does is Does.CALL:
            names = {None}
        for key, callback in product(names, given(duty.callback)):
            closed = duty._replace(key=key, callback=callback)
            self._settle(definition, closed, call.location, position)

    def _settle(
        self, definition: Definition, duty: Duty, location: Location, position: int | None
    ) -> None:
        """Write down what is known completely; leave to the callers what is open."""
        subject = definition.subject
        if definition.key not in self._living or isinstance(duty.key, FunctionId):
            return
        if isinstance(duty.key, Own) or isinstance(duty.callback, Own):
            if isinstance(subject, Function):
                self._open(self._linker.link(subject.id), duty)
        elif duty.does is Does.RUN:
            if position is not None and duty.key is not None:
                self._runs.add(((definition.key, position), duty.kind, duty.key))
        elif duty.field is not None:
            self._through.append((duty, location))
        elif isinstance(duty.callback, FunctionId):
            self._register(definition, duty, duty.callback, location, position)

    def _register(
        self, definition: Definition, duty: Duty, callback: FunctionId, location: Location,
        position: int | None,
    ) -> None:
        if isinstance(duty.key, Own | FunctionId):
            return
        if duty.does is Does.REGISTER and duty.key is not None:
            self._registered[duty.kind, duty.key].add((location, callback))
        elif duty.does is Does.CALL and position is not None:
            name = definition.calls[position].target
            key = str(name) if duty.key is None else str(duty.key)
            self._edge((definition.key, position), callback, location, f"{duty.kind} {key}")

    def _edge(self, site: Position, callee: FunctionId, location: Location, key: str) -> None:
        edges = self._edges[site]
        edges[callee] = min(edges.get(callee, (location, key)), (location, key))

    def _joined(self) -> dict[Position, tuple[Candidate, ...]]:
        """What is asked for, joined with what is registered."""
        for duty, location in self._through:
            if duty.field is not None and isinstance(duty.callback, Slot | ObjectId | Variable):
                held = self._registered.get((_of_field(duty.field), duty.callback), ())
                if isinstance(duty.key, Slot | ObjectId | Variable | int):
                    entries = self._registered[duty.kind, duty.key]
                    entries |= {(location, function) for _, function in held}
        for site, kind, key in self._runs:
            for location, function in self._registered.get((kind, key), ()):
                self._edge(site, function, location, f"{kind} {key}")
        return {site: _candidates(edges) for site, edges in self._edges.items()}


def _of_field(field: Field) -> str:
    """What callbacks in a field are kept under; no kind is named so."""
    return ".".join(field)


def _candidates(edges: dict[FunctionId, tuple[Location, str]]) -> tuple[Candidate, ...]:
    return tuple(
        Candidate(callee, EdgeKind.DEFERRED, (Evidence(Role.BINDING, location, key),))
        for callee, (location, key) in sorted(edges.items())
    )
