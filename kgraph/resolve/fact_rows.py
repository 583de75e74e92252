"""The facts as rows of numbers: each definition is read once, and then dropped.

Also decides which definitions count: a weak function gives way to a strong one of the same
identity, and a call site that stands under two keys is one.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from kgraph.model.facts import Binding, CallSite, Definition, Flow, Function, Object
from kgraph.model.ids import FunctionId, ObjectId
from kgraph.model.values import Symbol, SymbolUse, TransferKind
from kgraph.resolve.interning import CONSTANT, NONE, Interner

NO_ARGUMENTS: tuple[tuple[int, ...], ...] = ()


class SiteRow(NamedTuple):
    """A call site. `callee` is a function's number or NONE, `target` the value of an indirect
    call or NONE. `arguments` are values, each with its alternatives. `result` counts the indirect
    calls of the caller. `named` says how the callee is known by its name alone, if it is.
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
    named: SymbolUse | None = None


class WriteRow(NamedTuple):
    """A value put into a place: a binding or a flow. `table` is an object or NONE."""

    value: int
    holder: int
    base: int
    location: int
    how: TransferKind
    table: int
    binding: bool


@dataclass(slots=True)
class DefinitionRow:
    """One definition, by the numbers. `function` or `object` is its subject's, the other NONE."""

    key: str
    function: int
    object: int
    sites: list[SiteRow] = field(default_factory=list)
    writes: list[WriteRow] = field(default_factory=list)


@dataclass(slots=True)
class FactRows:
    """All definitions that count, sorted by key; the subjects by identity. `twins` are the
    identities with several definitions, counting or not, `symbols` the names in assembler."""

    interner: Interner
    definitions: list[DefinitionRow]
    functions: dict[FunctionId, Function]
    objects: dict[ObjectId, Object]
    duplicates: frozenset[FunctionId | ObjectId]
    asm_names: set[str] = field(default_factory=set)


def read_definitions(definitions: Iterable[Definition]) -> FactRows:
    """Read every definition once, in whatever order they come."""
    names = Interner()
    rows: dict[str, DefinitionRow] = {}
    functions: dict[str, Function] = {}
    objects: dict[str, Object] = {}
    for definition in definitions:
        key = definition.key
        if key in rows:
            continue
        subject = definition.subject
        if isinstance(subject, Function):
            functions[key] = subject
            row = DefinitionRow(key, names.intern_function(subject.id), NONE)
        else:
            objects[key] = subject
            row = DefinitionRow(key, NONE, names.intern_object(subject.id))
        row.sites = [_make_site_row(names, n, site) for n, site in enumerate(definition.calls)]
        row.writes = [_make_binding_row(names, binding) for binding in definition.bindings]
        row.writes += [write for flow in definition.flows if (write := _make_flow_row(names, flow))]
        rows[key] = row
    living = _find_linked(functions)
    ordered = [rows[key] for key in sorted(rows) if key in living or key in objects]
    _merge_sites(ordered)
    return FactRows(names, ordered, _functions_by_id(functions, living), _objects_by_id(objects),
                 _find_duplicates([*functions.values(), *objects.values()]))


def _make_site_row(names: Interner, position: int, site: CallSite) -> SiteRow:
    target = site.target
    callee = value = NONE
    named = None
    if isinstance(target, FunctionId):
        callee = names.intern_function(target)
    elif isinstance(target, Symbol):
        callee = names.intern_function(target.function)
        named = target.how
    else:
        value = names.intern_value(target)
    arguments = NO_ARGUMENTS
    if site.arguments:
        number = names.intern_value
        arguments = tuple([tuple([number(v) for v in choice]) for choice in site.arguments])
    return SiteRow(
        position,
        names.intern_function(site.caller),
        callee,
        value,
        arguments,
        names.intern_location(site.location),
        site.ordinal,
        site.expression,
        site.index,
        named,
    )


def _make_binding_row(names: Interner, binding: Binding) -> WriteRow:
    holder, base = names.intern_place(binding.place)
    table = NONE if binding.table is None else names.intern_object(binding.table)
    return WriteRow(
        names.intern_value(binding.value),
        holder,
        base,
        names.intern_location(binding.location),
        binding.how,
        table,
        binding=True,
    )


def _make_flow_row(names: Interner, flow: Flow) -> WriteRow | None:
    value = names.intern_value(flow.source)
    holder, base = names.intern_place(flow.target)
    if value == CONSTANT:
        return None
    return WriteRow(value, holder, base, names.intern_location(flow.location), flow.how, NONE,
                    binding=False)


def _find_linked(functions: dict[str, Function]) -> set[str]:
    """Keys of the functions that are linked: all but weak ones that have a strong twin."""
    strong = {function.id for function in functions.values() if not function.weak}
    return {
        key for key, function in functions.items()
        if not function.weak or function.id not in strong
    }


def _find_duplicates(subjects: Iterable[Function | Object]) -> frozenset[FunctionId | ObjectId]:
    count = Counter(subject.id for subject in subjects)
    return frozenset(identity for identity, times in count.items() if times > 1)


def _functions_by_id(
    functions: dict[str, Function], living: set[str]
) -> dict[FunctionId, Function]:
    """One Function for each identity: the first by location, then by key."""
    result: dict[FunctionId, Function] = {}
    for key in sorted(living, key=lambda key: (functions[key].location, key)):
        result.setdefault(functions[key].id, functions[key])
    return result


def _objects_by_id(objects: dict[str, Object]) -> dict[ObjectId, Object]:
    """One Object for each identity: the first by location, then by key."""
    result: dict[ObjectId, Object] = {}
    for key in sorted(objects, key=lambda key: (objects[key].location, key)):
        result.setdefault(objects[key].id, objects[key])
    return result


def _merge_sites(ordered: list[DefinitionRow]) -> None:
    """Keep a call site that stands under several keys of one function under the smallest."""
    count: dict[int, int] = {}
    for row in ordered:
        if row.function != NONE:
            count[row.function] = count.get(row.function, 0) + 1
    seen: set[tuple[int, int, int, int, int, str]] = set()
    for row in ordered:
        if row.function == NONE or count[row.function] == 1:
            continue
        kept = []
        for site in row.sites:
            identity = (site.caller, site.location, site.ordinal, site.callee, site.target,
                        site.expression)
            if identity not in seen:
                seen.add(identity)
                kept.append(site)
        row.sites = kept
