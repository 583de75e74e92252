"""What is bound to what: the rows of an ops table, a struct, a slot, or a function."""

from kgraph.errors import LookupFailed
from kgraph.graph import BOUND_TO, BoundRow, CallGraph
from kgraph.model.answers import Install, KnownObject, OpsRow
from kgraph.model.holders import How
from kgraph.query.names import slot_suggestion, suggestion
from kgraph.query.slots import calls_reading, holders, record_of


def ops(graph: CallGraph, name: str) -> list[OpsRow]:
    """The bindings of `name`: a table, a struct, a slot (`record.field`, also as a macro of the
    headers writes it) or a function.

    Raises LookupFailed where the index knows nothing of that name.
    """
    found = _rows(graph, name) or [
        row for holder in holders(graph, name) if holder != name for row in _rows(graph, holder)
    ]
    copied = [row for holder in holders(graph, name) for row in _copied(graph, holder)]
    if not found and not copied:
        if graph.functions_named(name):
            return []
        field = name.rpartition(".")[2]
        read = {record_of(slot) for _, slot, base in calls_reading(graph, (field,), ())
                if base == field}
        if "." in name and read:
            raise LookupFailed(
                f"nothing is put into `{name}` by its name, only by way of copies",
                f"calls read it: what it can hold is among `kgraph ops {min(read)}`",
            )
        raise LookupFailed(
            f"no table, struct, slot or function `{name}` has bindings",
            slot_suggestion(graph, name) or suggestion(graph, name),
        )
    tables: dict[int, KnownObject] = {}
    return [_row(graph, row, tables) for row in found] + copied


def _copied(graph: CallGraph, holder: str) -> list[OpsRow]:
    """The tables that come into a field by copies, but for those that are put there as well."""
    record, _, field = holder.rpartition(".")
    put = {row.object for row in graph.bound("b.record = ? AND b.field = ?", (record, field))}
    return [
        OpsRow(None, row.holder, graph.object_numbered(row.object), row.evidence[-1].location,
               evidence=row.evidence, whole=row.whole)
        for row in graph.held("record = ? AND field = ?", (record, field))
        if row.object not in put
    ]


def _rows(graph: CallGraph, name: str) -> list[BoundRow]:
    tables = 'b."table" IN (SELECT id FROM object WHERE name = ?)'
    record, _, field = name.rpartition(".")
    ways: tuple[tuple[str, tuple[object, ...]], ...] = (
        (tables, (name,)),
        ("b.object IN (SELECT id FROM object WHERE name = ?)", (name,)),
        ("b.record = ? AND b.field = ?", (record, field)),
        ("b.record = ?", (name,)),
        (BOUND_TO, (name,)),
        ("b.function IN (SELECT id FROM function WHERE name = ?)", (name,)),
    )
    for where, values in ways:
        rows = list(graph.bound(where, values))
        if rows:
            return rows
    return []


def _row(graph: CallGraph, row: BoundRow, tables: dict[int, KnownObject]) -> OpsRow:
    if row.table is not None and row.table not in tables:
        tables[row.table] = graph.object_numbered(row.table)
    bound = (
        graph.function(row.function) if row.function is not None
        else graph.object_numbered(row.object or 0)
    )
    return OpsRow(
        None if row.table is None else tables[row.table], row.holder, bound, row.location,
        _installs(graph, row.table),
    )


def _installs(graph: CallGraph, table: int | None) -> tuple[Install, ...]:
    """Where a table is put; the calls that it is passed to only where there is no such place."""
    if table is None:
        return ()
    found = [
        Install(row.holder, row.location, row.how is How.ARGUMENT)
        for row in graph.bound("b.object = ?", (table,))
    ]
    copied = [
        Install(row.holder, row.evidence[-1].location, copied=True)
        for row in graph.held("object = ?", (table,))
    ]
    put = [install for install in found if not install.passed]
    return tuple((put or found) + copied)
