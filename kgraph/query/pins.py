"""Pins: what a slot holds in a scenario, and what that leaves of the call sites it concerns.

A pin is SLOT=TARGET. SLOT is a record and field as they are written in the source (a macro that
stands for the path of a member is known from the tree's headers), any other holder that `kgraph
ops` shows, or the FILE:LINE of a call. TARGET is a function, or a table: then every call through a
slot of the table's record has what that table holds, and no callee where the table leaves the slot
empty; but for calls that say themselves that they read the table from another field
(`sk->sk_socket->ops->poll()` for a pin of sock.sk_prot). A pin that nothing in the index supports
is refused.
"""

from collections.abc import Iterable, Iterator

from kgraph.errors import LookupFailed
from kgraph.graph import BOUND_TO, CallGraph
from kgraph.model.answers import KnownObject
from kgraph.model.documents import Pin
from kgraph.model.edges import Evidence, Role
from kgraph.model.resolution import Status
from kgraph.query.names import find_function
from kgraph.query.places import site as sites_here
from kgraph.query.slots import calls_reading, holders, record_of
from kgraph.treefile import cited_if_bytes

_MOST_LISTED = 12

Callees = frozenset[int]


def parse_pin(text: str) -> Pin:
    """A pin from "SLOT=TARGET" or "SLOT=TARGET@FROM..TO". Raises LookupFailed where it is none."""
    pin = Pin.read(text)
    if pin is None:
        raise LookupFailed(
            f"`{text}` is no binding",
            "write it as SLOT=TARGET, or SLOT=TARGET@FROM..TO for a part of the way",
        )
    return pin


def pinned_sites(graph: CallGraph, pin: Pin) -> dict[int, Callees]:
    """The callees that a pin leaves to each call site that it concerns.

    Raises LookupFailed where the slot or target is unknown, or no evidence supports the pin.
    """
    table = pinned_table(graph, pin)
    if table is not None:
        return _through_table(graph, pin, table)
    target = find_function(graph, pin.target)
    sites = _sites(graph, pin.slot)
    if not sites:
        raise LookupFailed(
            f"no call goes through `{pin.slot}`", "`kgraph ops FUNCTION` names its slots"
        )
    callees = {graph.edge_callee[edge] for site in sites for edge in graph.edges_of(site)}
    if target.number not in callees:
        raise LookupFailed(
            f"`{target}` is no candidate of {pin.slot}",
            _could_be(graph.function(number).id.name for number in callees),
        )
    return dict.fromkeys(sites, frozenset({target.number}))


def pinned_table(graph: CallGraph, pin: Pin) -> KnownObject | None:
    """The table that the target of a pin names, None where it is a function or unknown."""
    if graph.functions_named(pin.target.rpartition(":")[2]):
        return None
    return next(iter(tables_of(graph, pin)), None)


def table_evidence(
    graph: CallGraph, table: int, slot: str, holder: str, callee: int
) -> tuple[Evidence, ...]:
    """Where a table binds `callee` to the slot `holder`, and where it is put into `slot`; () where
    it does not bind it.
    """
    name = graph.object_numbered(table).id.name
    rows = graph.bound('b."table" = ? AND b.function = ? AND h.text = ?', (table, callee, holder))
    bound = next(rows, None)
    if bound is None:
        return ()
    field = holder.rpartition(".")[2]
    found = Evidence(Role.BINDING, bound.location, f"{name}.{field}")
    installs = list(graph.bound("b.object = ? AND b.how != 'argument'", (table,)))
    wanted = [row for row in installs if row.holder in holders(graph, slot)] or installs
    return (found, *(Evidence(Role.INSTALL, row.location, row.holder) for row in wanted[:1]))


def _could_be(names: Iterable[str]) -> str:
    listed = sorted(set(names))
    more = len(listed) - _MOST_LISTED
    text = ", ".join(listed[:_MOST_LISTED]) + (f" and {more} more" if more > 0 else "")
    return f"it could be {text}" if listed else "it has no candidates"


def _sites(graph: CallGraph, slot: str) -> list[int]:
    """The call sites that a slot names."""
    if _is_place(slot):
        return [answer.site.number for answer in sites_here(graph, slot)
                if answer.site.status is not Status.DIRECT]
    for holder in holders(graph, slot):
        sites = graph.sites_through(holder)
        if sites:
            return sites
    return []


def _is_place(slot: str) -> bool:
    """Whether a slot is the FILE:LINE of a call."""
    path, _, line = slot.rpartition(":")
    return bool(path) and line.isdigit()


def tables_of(graph: CallGraph, pin: Pin) -> list[KnownObject]:
    """The objects that a target names, those that bind functions."""
    path, _, name = pin.target.rpartition(":")
    path = cited_if_bytes(path)
    return [
        known for known in graph.reader.objects("o.name = ?", (name,))
        if not path or (known.location is not None and known.location.path.endswith(path))
    ]


def _through_table(graph: CallGraph, pin: Pin, table: KnownObject) -> dict[int, Callees]:
    """What a table leaves to the call sites through the slots of its record."""
    held: dict[str, set[int]] = {}
    for row in graph.bound('b."table" = ?', (table.number,)):
        if row.function is not None:
            held.setdefault(row.holder, set()).add(row.function)
    others = _bound_to(graph, pin.slot)
    if not held:
        raise LookupFailed(f"`{table.id.name}` binds no function", _others(graph, others, table))
    pins: dict[int, Callees] = {}
    for site, holder in _read_from(graph, pin, table, others, held):
        callees = {graph.edge_callee[edge] for edge in graph.edges_of(site)}
        pins[site] = frozenset(callees & held.get(holder, set()))
    if not any(pins.values()):
        raise LookupFailed(
            f"no call goes through a slot of `{table.id.name}`",
            "`kgraph site` shows what is called there" if _is_place(pin.slot)
            else _others(graph, others, table),
        )
    return pins


def _read_from(
    graph: CallGraph, pin: Pin, table: KnownObject, others: list[KnownObject | None],
    held: Iterable[str],
) -> list[tuple[int, str]]:
    """The call sites, each with its slot, that a pin to a table concerns."""
    records = {record_of(holder) for holder in held}
    if _is_place(pin.slot):
        found = [(site, graph.site(site).holder) for site in _sites(graph, pin.slot)]
        return [(site, slot) for site, slot in found if record_of(slot) in records]
    _supported(graph, pin, table, others)
    fields = {holder.rpartition(".")[2] for holder in (pin.slot, *holders(graph, pin.slot))}
    calls = list(calls_reading(graph, sorted(fields), sorted(records)))
    reading = [(site, slot) for site, slot, base in calls if base in fields]
    through = {record_of(slot) for _, slot in reading}
    if reading and not others and not through & records:
        raise LookupFailed(
            f"`{pin.slot}` holds no {table.type or 'table'}", _could_be(_tables_of(graph, through))
        )
    # Where calls say that they go through the field, those that name another are not concerned.
    return [(site, slot) for site, slot, base in calls
            if record_of(slot) in records and (not base or base in fields or not reading)]


def _tables_of(graph: CallGraph, records: Iterable[str]) -> Iterator[str]:
    """The names of the tables that bind slots of these records."""
    for record in records:
        rows = graph.reader.rows(
            'SELECT DISTINCT o.name FROM bound b JOIN object o ON o.id = b."table"'
            " WHERE b.record = ?", (record,)
        )
        yield from (row[0] for row in rows)


def _bound_to(graph: CallGraph, slot: str) -> list[KnownObject | None]:
    """What is bound to a slot: objects, None for a function."""
    return [
        None if row.object is None else graph.object_numbered(row.object)
        for holder in holders(graph, slot)
        for row in graph.bound(BOUND_TO, (holder,))
    ]


def _supported(
    graph: CallGraph, pin: Pin, table: KnownObject, bound: list[KnownObject | None]
) -> None:
    """Raises LookupFailed where tables of another type are put into the slot."""
    types = {other.type for other in bound if other is not None}
    if types and table.type not in types:
        raise LookupFailed(
            f"`{pin.slot}` holds no {table.type or 'table'}", _others(graph, bound, table)
        )
    if not bound and not _in_a_call(graph, pin.slot):
        raise LookupFailed(
            f"the index knows no slot `{pin.slot}`", f"`kgraph ops {table.id.name}` shows where it"
            " is installed"
        )


def _in_a_call(graph: CallGraph, slot: str) -> bool:
    """Whether a slot's field stands in the expression of a call."""
    field = slot.rpartition(".")[2]
    return bool(graph.reader.rows(
        "SELECT 1 FROM site s JOIN text t ON t.id = s.expression WHERE s.holder IS NOT NULL"
        " AND (instr(t.text, ?) OR instr(t.text, ?)) LIMIT 1", (f">{field}->", f".{field}->")
    ))


def _others(graph: CallGraph, bound: list[KnownObject | None], table: KnownObject) -> str:
    """What could be pinned: what is put into the slot, and the other tables of such a type, which
    may come into it by way of a copy.
    """
    objects = [other for other in bound if other is not None]
    for kind in {other.type for other in objects if other.type}:
        objects += graph.reader.objects(
            'o.type = ? AND EXISTS (SELECT 1 FROM bound b WHERE b."table" = o.id)', (kind,)
        )
    return _could_be({other.id.name for other in objects} - {table.id.name})
