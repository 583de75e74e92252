"""Bindings: the rows of an ops table, a struct, a slot or a function; and the calls through a
slot.
"""

import re
from collections.abc import Iterator, Sequence

from kgraph.errors import LookupFailed
from kgraph.graph import CallGraph, KnownBinding
from kgraph.model.results import Install, KnownObject, OpsRow
from kgraph.model.values import TransferKind
from kgraph.query.lookup import suggest_functions, suggest_slots

# `a->FIELD->slot`: the table is what FIELD holds. `a->FIELD.slot` is a record within a record.
_READ_FROM = re.compile(r"(?:->|\.)\s*(\w+)\s*\)*\s*->\s*\w+\s*\)*$", re.ASCII)


def find_holders(graph: CallGraph, slot: str) -> list[str]:
    """The holders of the index that a slot may mean: itself, or what its macro stands for."""
    if graph.is_holder(slot) or "." not in slot:
        return [slot]
    record, _, field = slot.rpartition(".")
    found: list[str] = []
    for names in graph.find_member_aliases(field).values():
        found += [name for name in names if name.startswith(record)] or names
    return found or [slot]


def get_record_name(slot: str) -> str:
    """The record of a slot; "" where it is none."""
    return slot.rpartition(".")[0]


def iter_calls_through(
    graph: CallGraph, fields: Sequence[str], records: Sequence[str]
) -> Iterator[tuple[int, str, str]]:
    """The call sites that go through a slot of some records, and those that may read the address of
    the record from one of some fields: each with its holder and the field that the address is read
    from, "" where the call does not say it.
    """
    for site, slot, expression in graph.find_calls_through(records, fields):
        read = _READ_FROM.search(expression)
        yield site, slot, read[1] if read else ""


def find_bindings(graph: CallGraph, name: str) -> list[OpsRow]:
    """The bindings of `name`: a table, a struct, a slot (`record.field`, also as a macro of the
    headers writes it) or a function.

    Raises LookupFailed where the index knows nothing of that name.
    """
    found = _find_rows(graph, name) or [
        row
        for holder in find_holders(graph, name)
        if holder != name
        for row in _find_rows(graph, holder)
    ]
    copied = [
        row for holder in find_holders(graph, name) for row in _find_copied_tables(graph, holder)
    ]
    if not found and not copied:
        if graph.find_functions(name):
            return []
        field = name.rpartition(".")[2]
        read = {get_record_name(slot) for _, slot, base in iter_calls_through(graph, (field,), ())
                if base == field}
        if "." in name and read:
            raise LookupFailed(
                f"nothing is put into `{name}` by its name, only by way of copies",
                f"calls read it: what it can hold is among `kgraph ops {min(read)}`",
            )
        raise LookupFailed(
            f"no table, struct, slot or function `{name}` has bindings",
            suggest_slots(graph, name) or suggest_functions(graph, name),
        )
    tables: dict[int, KnownObject] = {}
    return [_make_row(graph, row, tables) for row in found] + copied


def _find_copied_tables(graph: CallGraph, holder: str) -> list[OpsRow]:
    """The tables that come into a field by copies, but for those that are put there as well."""
    record, _, field = holder.rpartition(".")
    put = {row.object for row in graph.find_bindings_to_field(record, field)}
    return [
        OpsRow(None, row.holder, graph.known_object(row.object), row.evidence[-1].location,
               evidence=row.evidence, is_complete=row.whole)
        for row in graph.find_table_copies_to_field(record, field)
        if row.object not in put
    ]


def _find_rows(graph: CallGraph, name: str) -> list[KnownBinding]:
    record, _, field = name.rpartition(".")
    return (
        graph.find_bindings_in_tables(name)
        or graph.find_installs_of_objects(name)
        or graph.find_bindings_to_field(record, field)
        or graph.find_bindings_to_record(name)
        or graph.find_bindings_to_holder(name)
        or graph.find_bindings_of_functions(name)
    )


def _make_row(graph: CallGraph, row: KnownBinding, tables: dict[int, KnownObject]) -> OpsRow:
    if row.table is not None and row.table not in tables:
        tables[row.table] = graph.known_object(row.table)
    bound = (
        graph.function(row.function) if row.function is not None
        else graph.known_object(row.object or 0)
    )
    return OpsRow(
        None if row.table is None else tables[row.table], row.holder, bound, row.location,
        _find_installs(graph, row.table),
    )


def _find_installs(graph: CallGraph, table: int | None) -> tuple[Install, ...]:
    """Where a table is put; the calls that it is passed to only where there is no such place."""
    if table is None:
        return ()
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
