"""Bindings: the rows of an ops table, a struct, a slot or a function; and the calls through a
slot.
"""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from kgraph.errors import LookupFailed
from kgraph.graph import CallGraph, KnownBinding, KnownTableCopy
from kgraph.model.results import Install, KnownObject, OpsRow
from kgraph.model.values import TransferKind
from kgraph.query.lookup import (
    has_function,
    resolve_function,
    suggest_functions,
    suggest_slots,
)

_MAX_SLOTS = 8  # that a hint names

# `a->FIELD->slot`: FIELD holds the table. (`a->FIELD.slot` is a record within a record.)
_READ_FROM = re.compile(r"(?:->|\.)\s*(\w+)\s*\)*\s*->\s*\w+\s*\)*$", re.ASCII)


class SlotCall(NamedTuple):
    """A call site through a slot. `read_from` is the field that the record's address is read from,
    as the call writes it; "" if it does not.
    """

    site: int
    slot: str
    read_from: str


def find_bindings(graph: CallGraph, name: str) -> list[OpsRow]:
    """The bindings of a table, a struct, a slot or a function. A slot is `record.field`; the field
    may be a macro of the headers that stands for a path of members. A field alone will do where
    only one record has it.

    Raises LookupFailed where the index knows nothing of that name; the hint names the slots of a
    field that several records have.
    """
    name = _strip_syntax(name)
    if not name.strip(". "):
        raise LookupFailed("no name is given", "name a table, struct, slot or function")
    holders = find_holders(graph, name)
    bindings = _find_known_bindings(graph, name) or [
        binding for holder in holders if holder != name
        for binding in _find_known_bindings(graph, holder)
    ]
    copied = [row for holder in holders for row in _find_copied_tables(graph, holder)]
    if bindings or copied:
        tables: dict[int, KnownObject] = {}
        return [_make_row(graph, binding, tables) for binding in bindings] + copied
    if graph.find_functions(name):
        return []
    slots = [] if "." in name else graph.count_bindings_to_fields(name)
    if len(slots) == 1:
        return find_bindings(graph, slots[0][0])
    if slots:
        raise _explain_field(name, slots)
    function = has_function(graph, name) and resolve_function(graph, name).function
    if function:
        return [row for row in find_bindings(graph, function.id.name) if row.bound == function]
    raise _explain_no_bindings(graph, name)


def find_holders(graph: CallGraph, slot: str) -> list[str]:
    """The holders in the index that a slot may mean: itself, or those behind its macro."""
    if graph.is_holder(slot) or "." not in slot:
        return [slot]
    record, _, field = slot.rpartition(".")
    found: list[str] = []
    for names in graph.find_member_aliases(field).values():
        found += [name for name in names if name.startswith(record)] or names
    return found or [slot]


def get_record_name(slot: str) -> str:
    """The record of a slot; "" if it has none."""
    return slot.rpartition(".")[0]


def iter_calls_through(
    graph: CallGraph, fields: Sequence[str], records: Sequence[str]
) -> Iterator[SlotCall]:
    """The call sites that go through a slot of one of `records`, and those that may read the
    record's address from one of `fields`.
    """
    for call in graph.find_calls_through(records, fields):
        read = _READ_FROM.search(call.expression)
        yield SlotCall(call.site, call.holder, read[1] if read else "")


def _find_known_bindings(graph: CallGraph, name: str) -> list[KnownBinding]:
    record, _, field = name.rpartition(".")
    return (
        graph.find_bindings_in_tables(name)
        or graph.find_installs_of_objects(name)
        or graph.find_bindings_to_field(record, field)
        or graph.find_bindings_to_record(name)
        or graph.find_bindings_to_holder(name)
        or graph.find_bindings_of_functions(name)
    )


def _find_copied_tables(graph: CallGraph, holder: str) -> list[OpsRow]:
    """The tables that only copies bring into a field, each by the shortest way."""
    record, _, field = holder.rpartition(".")
    installed = {row.object for row in graph.find_bindings_to_field(record, field)}
    shortest: dict[tuple[str, int], KnownTableCopy] = {}
    for row in graph.find_table_copies_to_field(record, field):
        known = shortest.get((row.holder, row.object))
        if row.object not in installed and (
                known is None or len(row.evidence) < len(known.evidence)):
            shortest[row.holder, row.object] = row
    return [
        OpsRow(None, row.holder, graph.known_object(row.object), row.evidence[-1].location,
               evidence=row.evidence, is_complete=row.whole)
        for row in shortest.values()
    ]


def _strip_syntax(name: str) -> str:
    """A name without what C writes around it: `struct ops`, `->read`, `f()`, `&ops`."""
    bare = name.strip().removesuffix("()").removeprefix("struct ").removeprefix("union ").strip()
    return bare.removeprefix("->").lstrip(".&").replace("->", ".").replace("::", ".") or name


def _explain_field(field: str, slots: Sequence[tuple[str, int]]) -> LookupFailed:
    shown = ", ".join(f"`{slot}` ({count})" for slot, count in slots[:_MAX_SLOTS])
    left = len(slots) - _MAX_SLOTS
    more = f" and {left} more: `kgraph find '*.{field}'`" if left > 0 else ""
    return LookupFailed(
        f"{len(slots)} records have a field `{field}`", f"write one of {shown}{more}")


def _explain_no_bindings(graph: CallGraph, name: str) -> LookupFailed:
    field = name.rpartition(".")[2]
    calls = iter_calls_through(graph, (field,), ())
    records = {get_record_name(call.slot) for call in calls if call.read_from == field}
    if "." in name and records:
        return LookupFailed(
            f"nothing is put into `{name}` by its name, only by copies",
            f"calls read it: what it can hold is among `kgraph ops {min(records)}`",
        )
    return LookupFailed(
        f"no table, struct, slot or function `{name}` has bindings",
        suggest_slots(graph, name) or suggest_functions(graph, name),
    )


def _make_row(graph: CallGraph, binding: KnownBinding, tables: dict[int, KnownObject]) -> OpsRow:
    table = binding.table
    if table is not None and table not in tables:
        tables[table] = graph.known_object(table)
    value = (
        graph.function(binding.function) if binding.function is not None
        else graph.known_object(binding.object or 0)
    )
    return OpsRow(
        None if table is None else tables[table], binding.holder, value, binding.location,
        () if table is None else _find_installs(graph, table),
    )


def _find_installs(graph: CallGraph, table: int) -> tuple[Install, ...]:
    """Where a table is put. Calls that it is an argument of count only if it is put nowhere."""
    found = [
        Install(row.holder, row.location, row.how is TransferKind.ARGUMENT)
        for row in graph.find_installs(table)
    ]
    copied = [
        Install(row.holder, row.evidence[-1].location, is_copy=True)
        for row in graph.find_copies_of_table(table)
    ]
    put = [install for install in found if not install.is_argument]
    return tuple((put or found) + copied)
