"""The facts as rows of numbers: each definition is read once, and then dropped.

Also decides which definitions count: a weak function gives way to a strong one of the same
identity, and a call site that stands under two keys is one.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from msgspec import Struct

from kgraph.model.facts import Binding, CallSite, Definition, Flow, Function, Object
from kgraph.model.ids import FunctionId, ObjectId
from kgraph.model.values import Symbol, SymbolUse, TransferKind
from kgraph.resolve.interning import CONSTANT, NONE, Interner

NO_ARGUMENTS: tuple[tuple[int, ...], ...] = ()

Subject = TypeVar("Subject", Function, Object)


class SiteRow(Struct, gc=False):
    """A call site. `position` is its index in Definition.calls.

    A direct call has the number of its `callee`, and no `target`; an indirect call has the value
    that is called as `target`, and no `callee`. The other one is NONE. `arguments` are values, each
    with its alternatives. `result` counts the indirect calls of the caller. `symbol_use` says how a
    callee that is known by its name alone is named. `signature` is the type of an indirect call.
    """

    position: int
    caller: int
    callee: int
    target: int
    arguments: tuple[tuple[int, ...], ...]
    location: int
    ordinal: int
    expression: str
    result: int
    symbol_use: SymbolUse | None = None
    signature: str = ""


class WriteRow(Struct, gc=False):
    """A value that is put into a place: a binding or a flow. `table` is an object or NONE."""

    value: int
    holder: int
    base: int
    location: int
    how: TransferKind
    table: int
    is_binding: bool


@dataclass(slots=True)
class DefinitionRow:
    """One definition. Of `function` and `object` one is its subject's number, the other NONE.

    `moves` bring the bytes of a record to another one of its type, or say that both lie at one
    place (TransferKind.RECORD).
    """

    key: str
    function: int
    object: int
    sites: list[SiteRow] = field(default_factory=list)
    writes: list[WriteRow] = field(default_factory=list)
    moves: list[WriteRow] = field(default_factory=list)


@dataclass(slots=True)
class FactRows:
    """All definitions that count, sorted by key, and their subjects by identity.

    `duplicates` are the identities with several definitions, whether these count or not;
    `asm_names` the names that assembler gives.
    """

    interner: Interner
    definitions: list[DefinitionRow]
    functions: dict[FunctionId, Function]
    objects: dict[ObjectId, Object]
    duplicates: frozenset[FunctionId | ObjectId]
    asm_names: set[str] = field(default_factory=set)

    def find_object(self, row: DefinitionRow) -> Object | None:
        """The object that a row defines; None for a function's row."""
        if row.object == NONE:
            return None
        return self.objects[self.interner.object_ids[row.object]]


def read_definitions(definitions: Iterable[Definition]) -> FactRows:
    """Read every definition once, in whatever order they come."""
    interner = Interner()
    rows: dict[str, DefinitionRow] = {}
    functions: dict[str, Function] = {}
    objects: dict[str, Object] = {}
    for definition in definitions:
        key, subject = definition.key, definition.subject
        if key in rows:
            continue
        if isinstance(subject, Function):
            functions[key] = subject
            row = DefinitionRow(key, interner.intern_function(subject.id), NONE)
        else:
            objects[key] = subject
            row = DefinitionRow(key, NONE, interner.intern_object(subject.id))
        row.sites = [_make_site_row(interner, n, site) for n, site in enumerate(definition.calls)]
        row.writes = [_make_binding_row(interner, binding) for binding in definition.bindings]
        for flow in definition.flows:
            write = _make_flow_row(interner, flow)
            if write is not None:
                (row.moves if flow.how is TransferKind.RECORD else row.writes).append(write)
        rows[key] = row
    linked = _find_linked(functions)
    counting = [rows[key] for key in sorted(rows) if key in linked or key in objects]
    _renumber_locations(counting, interner.sort_locations())
    _merge_sites(counting)
    return FactRows(
        interner, counting, _choose_first({key: functions[key] for key in linked}),
        _choose_first(objects), _find_duplicates([*functions.values(), *objects.values()]))


def _renumber_locations(definitions: list[DefinitionRow], numbers: Sequence[int]) -> None:
    for definition in definitions:
        for site in definition.sites:
            site.location = numbers[site.location]
        for write in definition.writes:
            write.location = numbers[write.location]


def _make_site_row(interner: Interner, position: int, site: CallSite) -> SiteRow:
    target = site.target
    callee = value = NONE
    symbol_use = None
    if isinstance(target, FunctionId):
        callee = interner.intern_function(target)
    elif isinstance(target, Symbol):
        callee = interner.intern_function(target.function)
        symbol_use = target.how
    else:
        value = interner.intern_value(target)
    arguments = NO_ARGUMENTS
    if site.arguments:
        number, share = interner.intern_value, interner.share_tuple
        arguments = share(tuple([
            share(tuple([number(v) for v in choice])) for choice in site.arguments]))
    return SiteRow(
        position, interner.intern_function(site.caller), callee, value, arguments,
        interner.intern_location(site.location), site.ordinal, site.expression, site.index,
        symbol_use, site.signature)


def _make_binding_row(interner: Interner, binding: Binding) -> WriteRow:
    holder, base = interner.intern_place(binding.place)
    table = NONE if binding.table is None else interner.intern_object(binding.table)
    return WriteRow(
        interner.intern_value(binding.value), holder, base,
        interner.intern_location(binding.location), binding.how, table, is_binding=True)


def _make_flow_row(interner: Interner, flow: Flow) -> WriteRow | None:
    """The row of a flow; None for a constant, which brings nothing."""
    value = interner.intern_value(flow.source)
    holder, base = interner.intern_place(flow.target)
    if value == CONSTANT:
        return None
    return WriteRow(
        value, holder, base, interner.intern_location(flow.location), flow.how, NONE,
        is_binding=False)


def _find_linked(functions: Mapping[str, Function]) -> set[str]:
    """The keys of the functions that are linked: all but weak ones that have a strong twin."""
    strong = {function.id for function in functions.values() if not function.weak}
    return {
        key for key, function in functions.items()
        if not function.weak or function.id not in strong
    }


def _find_duplicates(subjects: Iterable[Function | Object]) -> frozenset[FunctionId | ObjectId]:
    count = Counter(subject.id for subject in subjects)
    return frozenset(identity for identity, times in count.items() if times > 1)


def _choose_first(subjects: Mapping[str, Subject]) -> dict[Any, Subject]:
    """One subject for each identity: the first by location, then by key."""
    places = sorted([(place.path, place.line, place.column, key)
                     for key, subject in subjects.items() for place in [subject.location]])
    result: dict[Any, Subject] = {}
    for *_, key in places:
        result.setdefault(subjects[key].id, subjects[key])
    return result


def _merge_sites(rows: list[DefinitionRow]) -> None:
    """Keep a call site that stands under several keys of one function under the smallest key."""
    definitions = Counter(row.function for row in rows if row.function != NONE)
    seen: set[tuple[int, int, int, int, int, str]] = set()
    for row in rows:
        if row.function == NONE or definitions[row.function] == 1:
            continue
        kept = []
        for site in row.sites:
            identity = (
                site.caller, site.location, site.ordinal, site.callee, site.target,
                site.expression)
            if identity not in seen:
                seen.add(identity)
                kept.append(site)
        row.sites = kept
