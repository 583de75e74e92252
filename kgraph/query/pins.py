"""Pins: what a slot holds in a scenario, and what that leaves of the call sites it concerns.

A pin is SLOT=TARGET. SLOT is a record and field as they are written in the source (also through
a macro that stands for the path of a member), any other holder that `kgraph ops` shows, or the
FILE:LINE of a call. TARGET is a function or a table. A table pins every call through a slot of
its record: to the function that the table binds to that slot, or to no callee where it binds
none. Calls that read the table from another field are left alone (`sk->sk_socket->ops->poll()`
for a pin of sock.sk_prot). A pin that nothing in the index supports is refused.

Pins come in rows: where a row of a protocol table has one table for `.prot` and one for `.ops`,
pinning the one implies the other. These partners are proposed, not applied.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from kgraph.errors import LookupFailed
from kgraph.graph import CallGraph
from kgraph.model.document import Pin
from kgraph.model.location import Location
from kgraph.model.resolution import Evidence, Role, SiteStatus
from kgraph.model.results import KnownObject
from kgraph.model.values import TransferKind
from kgraph.query.call_site import find_call_sites as sites_here
from kgraph.query.lookup import find_function
from kgraph.query.ops import find_holders, get_record_name, iter_calls_through
from kgraph.textfile import escape_if_undecodable

_MAX_LISTED = 12
Callees = frozenset[int]


def parse_pin(text: str) -> Pin:
    """A pin from "SLOT=TARGET" or "SLOT=TARGET@FROM..TO". Raises LookupFailed where it is none."""
    pin = Pin.parse(text)
    if pin is None:
        raise LookupFailed(
            f"`{text}` is no binding",
            "write it as SLOT=TARGET, or SLOT=TARGET@FROM..TO for a part of the way",
        )
    return pin


def find_pinned_sites(graph: CallGraph, pin: Pin) -> dict[int, Callees]:
    """The callees that a pin leaves to each call site that it concerns.

    Raises LookupFailed where the slot or target is unknown, or no evidence supports the pin.
    """
    table = find_pinned_table(graph, pin)
    if table is not None:
        return _pin_to_table(graph, pin, table)
    target = find_function(graph, pin.target)
    sites = _find_sites(graph, pin.slot)
    if not sites:
        raise LookupFailed(
            f"no call goes through `{pin.slot}`", "`kgraph ops FUNCTION` names its slots"
        )
    callees = {graph.edge_callee[edge] for site in sites for edge in graph.edges_of(site)}
    if target.number not in callees:
        raise LookupFailed(
            f"`{target}` is no candidate of {pin.slot}",
            _list_choices(graph.function(number).id.name for number in callees),
        )
    return dict.fromkeys(sites, frozenset({target.number}))


def find_pinned_table(graph: CallGraph, pin: Pin) -> KnownObject | None:
    """The table that the target of a pin names, None where it is a function or unknown."""
    if graph.find_functions(pin.target.rpartition(":")[2]):
        return None
    return next(iter(find_target_tables(graph, pin)), None)


def find_table_evidence(
    graph: CallGraph, table: int, slot: str, holder: str, callee: int
) -> tuple[Evidence, ...]:
    """Where a table binds `callee` to the slot `holder`, and where it is put into `slot`; () where
    it does not bind it.
    """
    name = graph.known_object(table).id.name
    bound = graph.find_table_binding(table, callee, holder)
    if bound is None:
        return ()
    field = holder.rpartition(".")[2]
    found = Evidence(Role.BINDING, bound.location, f"{name}.{field}")
    installs = [row for row in graph.find_installs(table)
                if row.how is not TransferKind.ARGUMENT]
    wanted = [row for row in installs if row.holder in find_holders(graph, slot)] or installs
    return (found, *(Evidence(Role.INSTALL, row.location, row.holder) for row in wanted[:1]))


def _list_choices(names: Iterable[str]) -> str:
    listed = sorted(set(names))
    more = len(listed) - _MAX_LISTED
    text = ", ".join(listed[:_MAX_LISTED]) + (f" and {more} more" if more > 0 else "")
    return f"it could be {text}" if listed else "it has no candidates"


def _find_sites(graph: CallGraph, slot: str) -> list[int]:
    """The call sites that a slot names."""
    if _is_place(slot):
        return [answer.site.number for answer in sites_here(graph, slot)
                if answer.site.status is not SiteStatus.DIRECT]
    for holder in find_holders(graph, slot):
        sites = graph.find_sites_through(holder)
        if sites:
            return sites
    return []


def _is_place(slot: str) -> bool:
    """Whether a slot is the FILE:LINE of a call."""
    path, _, line = slot.rpartition(":")
    return bool(path) and line.isdigit()


def find_target_tables(graph: CallGraph, pin: Pin) -> list[KnownObject]:
    """The objects that a target names, those that bind functions."""
    path, _, name = pin.target.rpartition(":")
    path = escape_if_undecodable(path)
    return [
        known for known in graph.find_objects(name)
        if not path or (known.location is not None and known.location.path.endswith(path))
    ]


def _pin_to_table(graph: CallGraph, pin: Pin, table: KnownObject) -> dict[int, Callees]:
    """What a table leaves to the call sites through the slots of its record."""
    held: dict[str, set[int]] = {}
    for row in graph.find_bindings_in_table(table.number):
        if row.function is not None:
            held.setdefault(row.holder, set()).add(row.function)
    others = _find_bound(graph, pin.slot)
    if not held:
        raise LookupFailed(
            f"`{table.id.name}` binds no function", _list_other_tables(graph, others, table)
        )
    pins: dict[int, Callees] = {}
    for site, holder in _find_sites_of_table(graph, pin, table, others, held):
        callees = {graph.edge_callee[edge] for edge in graph.edges_of(site)}
        pins[site] = frozenset(callees & held.get(holder, set()))
    if not any(pins.values()):
        raise LookupFailed(
            f"no call goes through a slot of `{table.id.name}`",
            "`kgraph site` shows what is called there" if _is_place(pin.slot)
            else _list_other_tables(graph, others, table),
        )
    return pins


def _find_sites_of_table(
    graph: CallGraph, pin: Pin, table: KnownObject, others: list[KnownObject | None],
    held: Iterable[str],
) -> list[tuple[int, str]]:
    """The call sites, each with its slot, that a pin to a table concerns."""
    records = {get_record_name(holder) for holder in held}
    if _is_place(pin.slot):
        found = [(site, graph.site(site).holder) for site in _find_sites(graph, pin.slot)]
        return [(site, slot) for site, slot in found if get_record_name(slot) in records]
    _require_support(graph, pin, table, others)
    fields = {holder.rpartition(".")[2] for holder in (pin.slot, *find_holders(graph, pin.slot))}
    calls = list(iter_calls_through(graph, sorted(fields), sorted(records)))
    reading = [(site, slot) for site, slot, base in calls if base in fields]
    through = {get_record_name(slot) for _, slot in reading}
    if reading and not others and not through & records:
        raise LookupFailed(
            f"`{pin.slot}` holds no {table.type or 'table'}",
            _list_choices(_iter_table_names(graph, through)),
        )
    # Where calls say that they go through the field, those that name another are not concerned.
    return [(site, slot) for site, slot, base in calls
            if get_record_name(slot) in records and (not base or base in fields or not reading)]


def _iter_table_names(graph: CallGraph, records: Iterable[str]) -> Iterator[str]:
    """The names of the tables that bind slots of these records."""
    for record in records:
        yield from graph.find_table_names(record)


def _find_bound(graph: CallGraph, slot: str) -> list[KnownObject | None]:
    """What is bound to a slot: objects, None for a function."""
    return [
        None if row.object is None else graph.known_object(row.object)
        for holder in find_holders(graph, slot)
        for row in graph.find_bindings_to_holder(holder)
    ]


def _require_support(
    graph: CallGraph, pin: Pin, table: KnownObject, bound: list[KnownObject | None]
) -> None:
    """Raises LookupFailed where tables of another type are put into the slot."""
    types = {other.type for other in bound if other is not None}
    if types and table.type not in types:
        raise LookupFailed(
            f"`{pin.slot}` holds no {table.type or 'table'}",
            _list_other_tables(graph, bound, table),
        )
    if not bound and not _is_in_call(graph, pin.slot):
        raise LookupFailed(
            f"the index knows no slot `{pin.slot}`", f"`kgraph ops {table.id.name}` shows where it"
            " is installed"
        )


def _is_in_call(graph: CallGraph, slot: str) -> bool:
    """Whether a slot's field stands in the expression of a call."""
    field = slot.rpartition(".")[2]
    return graph.has_call_through_field(field)


def _list_other_tables(
    graph: CallGraph, bound: list[KnownObject | None], table: KnownObject
) -> str:
    """What could be pinned: what is put into the slot, and the other tables of such a type, which
    may come into it by way of a copy.
    """
    objects = [other for other in bound if other is not None]
    for kind in {other.type for other in objects if other.type}:
        objects += graph.find_tables_of_type(kind)
    return _list_choices({other.id.name for other in objects} - {table.id.name})


@dataclass(frozen=True, slots=True)
class RowPartner:
    """A pin that goes with the pin `beside`, because a row of `table` at `location` has both."""

    pin: Pin
    given_pin: Pin
    table: str
    location: Location


def propose_partners(graph: CallGraph, pins: Iterable[Pin]) -> list[RowPartner]:
    """The pins that go with some pins and are not among them, each once."""
    given = list(pins)
    known = {pin.target for pin in given}
    found: dict[str, RowPartner] = {}
    for pin in given:
        for partner in find_row_partners(graph, pin):
            if partner.pin.target not in known:
                found.setdefault(str(partner.pin), partner)
    return list(found.values())


def find_row_partners(graph: CallGraph, pin: Pin) -> list[RowPartner]:
    """The pins that go with a pin because one row of one table holds both.

    A row ends where a field of the table comes again.
    """
    found: dict[str, RowPartner] = {}
    for known in find_target_tables(graph, pin):
        for own in graph.find_installs(known.number):
            if own.table is None:
                continue
            row = _find_row(graph, own.table, own.holder, own.location)
            for holder, number, location in row:
                if number != known.number:
                    target = graph.known_object(number).id.name
                    partner = Pin(holder, target)
                    table = graph.known_object(own.table).id.name
                    found.setdefault(str(partner), RowPartner(partner, pin, table, location))
    return [found[text] for text in sorted(found)]


def _find_row(
    graph: CallGraph, table: int, holder: str, location: Location
) -> list[tuple[str, int, Location]]:
    """(holder, object, place) of the row of a table that binds `holder` at `location`."""
    rows: list[list[tuple[str, int, Location]]] = [[]]
    everything = sorted(
        graph.find_bindings_in_table(table), key=lambda row: (row.location, row.holder)
    )
    for bound in everything:
        if any(bound.holder == other for other, _, _ in rows[-1]):
            rows.append([])
        if bound.object is not None:
            rows[-1].append((bound.holder, bound.object, bound.location))
    return next(
        (row for row in rows if any((h, at) == (holder, location) for h, _, at in row)), []
    )
