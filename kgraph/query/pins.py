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

from collections.abc import Iterable

from msgspec import Struct

from kgraph.errors import LookupFailed
from kgraph.graph import CallGraph, KnownBinding
from kgraph.model.document import Pin
from kgraph.model.location import Location
from kgraph.model.resolution import Evidence, Role, SiteStatus
from kgraph.model.results import KnownObject
from kgraph.model.values import TransferKind
from kgraph.query.call_site import find_call_sites
from kgraph.query.lookup import find_function
from kgraph.query.ops import find_holders, get_record_name, iter_calls_through
from kgraph.textfile import escape_if_undecodable

_MAX_LISTED = 12
Callees = frozenset[int]


def parse_pin(text: str) -> Pin:
    """A pin from "SLOT=TARGET" or "SLOT=TARGET@FROM..TO". Raises LookupFailed for other texts."""
    pin = Pin.parse(text)
    if pin is None:
        raise LookupFailed(
            f"`{text}` is not a pin",
            "write SLOT=TARGET, or SLOT=TARGET@FROM..TO for a part of the path",
        )
    return pin


def find_pinned_sites(graph: CallGraph, pin: Pin) -> dict[int, Callees]:
    """The callees that a pin leaves to each call site that it concerns.

    Raises LookupFailed where the slot or the target is unknown, or nothing supports the pin.
    """
    table = find_pinned_table(graph, pin)
    if table is not None:
        return _TablePin(graph, pin, table).find_sites()
    target = find_function(graph, pin.target)
    sites = _find_sites(graph, pin.slot)
    if not sites:
        raise LookupFailed(
            f"no call goes through `{pin.slot}`", "`kgraph ops FUNCTION` names its slots"
        )
    callees = {graph.edge_callee[edge] for site in sites for edge in graph.edges_of(site)}
    if target.number not in callees:
        raise LookupFailed(
            f"`{target}` is not a candidate of {pin.slot}",
            _list_choices(graph.function(number).id.name for number in callees),
        )
    return dict.fromkeys(sites, frozenset({target.number}))


def find_pinned_table(graph: CallGraph, pin: Pin) -> KnownObject | None:
    """The table that the target of a pin names; None if it is a function or unknown."""
    if graph.find_functions(pin.target.rpartition(":")[2]):
        return None
    return next(iter(find_target_tables(graph, pin)), None)


def find_target_tables(graph: CallGraph, pin: Pin) -> list[KnownObject]:
    """The objects that the target of a pin names; those that bind functions come first."""
    path, _, name = pin.target.rpartition(":")
    path = escape_if_undecodable(path)
    return [
        known for known in graph.find_objects(name)
        if not path or (known.location is not None and known.location.path.endswith(path))
    ]


def find_table_evidence(
    graph: CallGraph, table: int, slot: str, holder: str, callee: int
) -> tuple[Evidence, ...]:
    """Where a table binds `callee` to the slot `holder`, and where the table is put into `slot`.
    Empty if it does not bind it.
    """
    binding = graph.find_table_binding(table, callee, holder)
    if binding is None:
        return ()
    field = f"{graph.known_object(table).id.name}.{holder.rpartition('.')[2]}"
    installs = [row for row in graph.find_installs(table)
                if row.how is not TransferKind.ARGUMENT]
    wanted = [row for row in installs if row.holder in find_holders(graph, slot)] or installs
    put = [(row.location, row.holder) for row in wanted] or [
        (copy.evidence[-1].location, copy.holder) for copy in graph.find_copies_of_table(table)]
    return (Evidence(Role.BINDING, binding.location, field),
            *(Evidence(Role.INSTALL, *place) for place in put[:1]))


class _TablePin:
    """A pin whose target is a table: what the table leaves to the calls through its record."""

    def __init__(self, graph: CallGraph, pin: Pin, table: KnownObject) -> None:
        self._graph = graph
        self._slot = pin.slot
        self._table = table
        self._functions: dict[str, set[int]] = {}  # by the slots that the table binds them to
        for row in graph.find_bindings_in_table(table.number):
            if row.function is not None:
                self._functions.setdefault(row.holder, set()).add(row.function)
        self._records = {get_record_name(slot) for slot in self._functions}
        self._bound = self._find_bound()

    def _find_bound(self) -> list[KnownObject | None]:
        """What the index binds to the pinned slot: objects, None for a function."""
        return [
            None if row.object is None else self._graph.known_object(row.object)
            for holder in find_holders(self._graph, self._slot)
            for row in self._graph.find_bindings_to_holder(holder)
        ]

    def find_sites(self) -> dict[int, Callees]:
        """The callees that the table leaves to each call site. Raises LookupFailed where nothing
        supports the pin.
        """
        name, graph = self._table.id.name, self._graph
        if not self._functions:
            raise LookupFailed(f"`{name}` binds no function", self._list_other_tables())
        pinned: dict[int, Callees] = {}
        for site, slot in self._find_calls():
            callees = {graph.edge_callee[edge] for edge in graph.edges_of(site)}
            pinned[site] = frozenset(callees & self._functions.get(slot, set()))
        if not any(pinned.values()):
            hint = ("`kgraph site` shows what is called there" if _is_place(self._slot)
                    else self._list_other_tables())
            raise LookupFailed(f"no call goes through a slot of `{name}`", hint)
        return pinned

    def _find_calls(self) -> list[tuple[int, str]]:
        """The call sites that the pin concerns, each with the slot that it goes through."""
        graph, records = self._graph, self._records
        if _is_place(self._slot):
            found = [(site, graph.site(site).holder) for site in _find_sites(graph, self._slot)]
            return [(site, slot) for site, slot in found if get_record_name(slot) in records]
        self._require_type()
        fields = {holder.rpartition(".")[2]
                  for holder in (self._slot, *find_holders(graph, self._slot))}
        calls = list(iter_calls_through(graph, sorted(fields), sorted(records)))
        reading = {get_record_name(call.slot) for call in calls if call.read_from in fields}
        if reading and not self._bound and not reading & records:
            names = (name for record in reading for name in graph.find_table_names(record))
            raise self._make_type_error(_list_choices(names))
        # If calls say that they read the table from the field, those that read another field are
        # not concerned.
        return [
            (call.site, call.slot) for call in calls if get_record_name(call.slot) in records
            and (not call.read_from or call.read_from in fields or not reading)
        ]

    def _require_type(self) -> None:
        """Raise LookupFailed if tables of other types are put into the slot, or nothing is."""
        types = {other.type for other in self._bound if other is not None}
        if types and self._table.type not in types:
            raise self._make_type_error(self._list_other_tables())
        field = self._slot.rpartition(".")[2]
        if not self._bound and not self._graph.has_call_through_field(field):
            raise LookupFailed(
                f"the index knows no slot `{self._slot}`",
                f"`kgraph ops {self._table.id.name}` shows where it is installed",
            )

    def _make_type_error(self, hint: str) -> LookupFailed:
        return LookupFailed(f"`{self._slot}` holds no {self._table.type or 'table'}", hint)

    def _list_other_tables(self) -> str:
        """What could be pinned: what is put into the slot, and other tables of such types, which
        copies may bring into it.
        """
        objects = [other for other in self._bound if other is not None]
        for type_ in {other.type for other in objects if other.type}:
            objects += self._graph.find_tables_of_type(type_)
        return _list_choices({other.id.name for other in objects} - {self._table.id.name})


def _find_sites(graph: CallGraph, slot: str) -> list[int]:
    """The call sites that a slot names."""
    if _is_place(slot):
        return [answer.site.number for answer in find_call_sites(graph, slot)
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


def _list_choices(names: Iterable[str]) -> str:
    listed = sorted(set(names))
    more = len(listed) - _MAX_LISTED
    text = ", ".join(listed[:_MAX_LISTED]) + (f" and {more} more" if more > 0 else "")
    return f"it could be {text}" if listed else "it has no candidates"


class RowPartner(Struct, frozen=True):
    """A pin that goes with `given_pin`: a row of `table` at `location` has both."""

    pin: Pin
    given_pin: Pin
    table: str
    location: Location


def propose_partners(graph: CallGraph, pins: Iterable[Pin]) -> list[RowPartner]:
    """The pins that go with `pins` and are not among them, each once."""
    given = list(pins)
    targets = {pin.target for pin in given}
    found: dict[str, RowPartner] = {}
    for pin in given:
        for partner in find_row_partners(graph, pin):
            if partner.pin.target not in targets:
                found.setdefault(str(partner.pin), partner)
    return list(found.values())


def find_row_partners(graph: CallGraph, pin: Pin) -> list[RowPartner]:
    """The pins that go with a pin because one row of one table has both."""
    found: dict[str, RowPartner] = {}
    for target in find_target_tables(graph, pin):
        for own in graph.find_installs(target.number):
            if own.table is None:
                continue
            table = graph.known_object(own.table).id.name
            for row in _find_row(graph, own.table, own):
                if row.object is not None and row.object != target.number:
                    partner = Pin(row.holder, graph.known_object(row.object).id.name)
                    found.setdefault(
                        str(partner), RowPartner(partner, pin, table, row.location))
    return [found[text] for text in sorted(found)]


def _find_row(graph: CallGraph, table: int, own: KnownBinding) -> list[KnownBinding]:
    """The bindings of objects in the row of a table that `own` is in. A new row begins where a
    field repeats.
    """
    rows: list[list[KnownBinding]] = [[]]
    for binding in sorted(
            graph.find_bindings_in_table(table), key=lambda each: (each.location, each.holder)):
        if any(binding.holder == other.holder for other in rows[-1]):
            rows.append([])
        if binding.object is not None:
            rows[-1].append(binding)
    return next((row for row in rows if any(
        (each.holder, each.location) == (own.holder, own.location) for each in row)), [])
