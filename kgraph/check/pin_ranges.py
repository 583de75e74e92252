"""On which lines of a document a pin holds.

A slot can hold two values on one path (a frame leaves through one device, later through
another), so a pin holds on a range of lines. A pin of a scenario that names a part of the path
holds between the lines that name the part's ends. A table that is printed in a section holds
there until the document goes on with what the table calls: a function of it, behind a call
through its slot. Later calls through the slot belong to the next printed table. Tables that
cannot be told apart in this way both hold.

A document also pins by naming targets of its indirect calls. A target that evidence supports
says what the slot holds in its chain until the chain names another. It never judges a claim,
neither its own (it would prove itself) nor another one: it only chooses the path where steps
are left out. A target without evidence is refuted at its line.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from kgraph.check.claims.table import find_rows, find_tables
from kgraph.check.context import CheckContext
from kgraph.check.layout import NAMING_KINDS, Layout
from kgraph.errors import LookupFailed
from kgraph.graph import CallGraph
from kgraph.model.document import Document, DocumentLine, LineKind, Pin, Scenario
from kgraph.model.results import Hop
from kgraph.model.values import TransferKind
from kgraph.query.paths.constraints import PathConstraints
from kgraph.query.scenarios import SitePin, SitePins, resolve_pins

LAST_LINE = 1 << 60


@dataclass(frozen=True, slots=True)
class PinRange:
    """The lines after `first` up to `last`, what a pin leaves to call sites on them."""

    first: int
    last: int
    sites: SitePins


class PinRanges:
    """The ground under each line of a document."""

    def __init__(self, ground: CheckContext, stretches: Sequence[PinRange]) -> None:
        self._ground = ground
        self._stretches = stretches
        self._bounds = sorted({line for each in stretches for line in (each.first, each.last)})
        self._made: dict[int, CheckContext] = {}

    def get_context(self, line: int) -> CheckContext:
        """The ground with the pins that hold on a line."""
        place = bisect_left(self._bounds, line)
        if place not in self._made:
            here = [each for each in self._stretches if each.first < line <= each.last]
            self._made[place] = self._under(here) if here else self._ground
        return self._made[place]

    def _under(self, stretches: Iterable[PinRange]) -> CheckContext:
        pins: SitePins = {}
        for stretch in stretches:
            for site, held in stretch.sites.items():
                pins[site] = (*pins.get(site, ()), *held)
        return self._ground.under(PathConstraints(pins=pins))


def pin_scenario(
    graph: CallGraph, document: Document, scenario: Scenario
) -> list[PinRange]:
    """Where the pins of a scenario hold. Raises LookupFailed for a pin that nothing supports."""
    passed = _passed(document, scenario.via)
    found = []
    for pin in scenario.pins:
        try:
            sites = resolve_pins(graph, [Pin(pin.slot, pin.target)])
        except LookupFailed as error:
            raise LookupFailed(
                f"{pin.where or scenario.origin}: the pin {pin}: {error.message}", error.hint
            ) from error
        first = passed.get(pin.start) or _naming(document, pin.start, 0) if pin.start else 0
        last = (
            passed.get(pin.end) or _naming(document, pin.end, first or 0) if pin.end else LAST_LINE
        )
        if first is not None:  # else the document does not come to the part of the way
            found.append(PinRange(first, last or LAST_LINE, sites))
    return found


def _passed(document: Document, names: Iterable[str]) -> dict[str, int]:
    """The lines on which a document passes functions, one after another."""
    passed: dict[str, int] = {}
    before = 0
    for name in names:
        line = _naming(document, name, before)
        if line is not None:
            passed[name] = before = line
    return passed


def _naming(document: Document, name: str, after: int) -> int | None:
    """The first line behind the line `after` that names a function or claims it as a target."""
    bare = name.rpartition(":")[2]
    return next((
        line.number for line in document.lines if line.number > after
        and (bare == line.claim.target or (line.kind in NAMING_KINDS and bare == line.claim.name))
    ), None)


@dataclass(frozen=True, slots=True)
class PrintedTables:
    """What the tables that a document prints pin: as a user would write it, and where it holds;
    `refused` says of tables, by their lines, why they pin nothing.
    """

    pins: tuple[Pin, ...]
    stretches: tuple[PinRange, ...]
    refused: dict[int, str]


def pin_printed_tables(ground: CheckContext, document: Document, layout: Layout) -> PrintedTables:
    """What the tables printed in each section pin."""
    pins: dict[Pin, None] = {}
    refused: dict[int, str] = {}
    held: dict[tuple[int, str], list[dict[int, SitePin]]] = {}
    for line in document.lines:
        if line.kind is not LineKind.TABLE:
            continue
        for table in find_tables(ground, line.claim.name)[:1]:
            pin = Pin(_holder(ground, table.number), table.id.name)
            if not pin.slot:
                if any(row.function is not None for row in find_rows(ground, table)):
                    refused[line.number] = "it pins nothing: the index has it in no slot"
                continue
            try:
                sites = resolve_pins(ground.graph, [pin])
            except LookupFailed as error:
                refused[line.number] = f"it pins nothing: {error.message}; {error.hint}"
                continue
            pins[pin] = None
            for slot, of_slot in _by_slot(ground, sites).items():
                alike = held.setdefault((layout.section[line.number], slot), [])
                if of_slot not in alike:
                    alike.append(of_slot)
    stretches = [
        stretch for (section, slot), tables in held.items()
        for stretch in _in_section(ground, layout.sections[section], slot, tables)
    ]
    return PrintedTables(tuple(pins), tuple(stretches), refused)


def _holder(ground: CheckContext, table: int) -> str:
    """The slot that the table is installed in, "" where it is in none."""
    fields = sorted({row.holder for row in ground.graph.find_installs(table)
                     if "." in row.holder and row.how is not TransferKind.ARGUMENT})
    return fields[0] if fields else ""


def _by_slot(ground: CheckContext, sites: SitePins) -> dict[str, dict[int, SitePin]]:
    """What a table leaves to call sites, by the slot that they go through."""
    found: dict[str, dict[int, SitePin]] = {}
    for site, held in sites.items():
        found.setdefault(ground.graph.site(site).holder, {})[site] = held[0]
    return found


def _in_section(
    ground: CheckContext, lines: Sequence[DocumentLine], slot: str, tables: list[dict[int, SitePin]]
) -> Iterator[PinRange]:
    """Where the tables of a section hold for the calls through a slot, in the order in which the
    document comes to what they call.
    """
    first, last = lines[0].number - 1, lines[-1].number
    ends = [(_end(ground, lines, slot, each, tables), each) for each in tables]
    if sum(end is None for end, _ in ends) > 1:
        yield PinRange(first, last, _either(tables))
        return
    for end, table in sorted(ends, key=lambda each: each[0] or LAST_LINE):
        yield PinRange(first, end or last, {site: (pin,) for site, pin in table.items()})
        first = end or last


def _end(
    ground: CheckContext, lines: Sequence[DocumentLine], slot: str, table: dict[int, SitePin],
    tables: list[dict[int, SitePin]],
) -> int | None:
    """The line on which the document goes on with what the table calls, and only it."""
    others = {callee for each in tables if each != table
              for pin in each.values() for callee in pin.callees}
    own = {callee for pin in table.values() for callee in pin.callees} - others
    names = {ground.graph.function(callee).id.name for callee in own}
    field, called = slot.rpartition(".")[2], False
    for line in lines:
        called |= line.kind is LineKind.INDIRECT and line.claim.expression.endswith(field)
        if line.kind in NAMING_KINDS and line.claim.name in names and (called or line.parent):
            return line.number
    return None


def _either(tables: Iterable[dict[int, SitePin]]) -> SitePins:
    """What several tables leave to call sites together."""
    found: dict[int, SitePin] = {}
    for table in tables:
        for site, pin in table.items():
            before = found.get(site)
            callees = pin.callees if before is None else pin.callees | before.callees
            found[site] = SitePin(callees)
    return {site: (pin,) for site, pin in found.items()}


@dataclass
class ClaimedTargets:
    """The targets that the chains of a document name, in the order of its lines."""

    graph: CallGraph
    _held: dict[int, dict[str, list[Hop]]] = field(default_factory=dict)
    _sites: dict[tuple[str, int], SitePins] = field(default_factory=dict)
    _made: dict[int, SitePins] = field(default_factory=dict)

    def add(self, chain: int, hop: Hop) -> None:
        """A chain names the target of a call that has several candidates."""
        held = self._held.setdefault(chain, {}).setdefault(hop.site.holder, [])
        if not held or held[-1].callee != hop.callee:
            held.append(hop)
            self._made.pop(chain, None)

    def of_chain(self, chain: int) -> SitePins:
        """What the targets named last in a chain leave to the call sites of their slots."""
        if chain not in self._made:
            made: SitePins = {}
            for held in self._held.get(chain, {}).values():
                made.update(self._through(held[-1]))
            self._made[chain] = made
        return self._made[chain]

    def _through(self, hop: Hop) -> SitePins:
        """The call sites through a hop's slot that have its callee as a candidate."""
        key = hop.site.holder, hop.callee.number
        if key not in self._sites:
            only = SitePin(frozenset({hop.callee.number}))
            self._sites[key] = {
                site: (only,) for site in self.graph.find_sites_through(hop.site.holder)
                if any(self.graph.edge_callee[edge] == hop.callee.number
                       for edge in self.graph.edges_of(site))
            }
        return self._sites[key]

    def pins(self) -> tuple[Pin, ...]:
        """The targets as a user would write them. Where one chain names several for a slot, each
        is for the part of the way between the one before it and itself.
        """
        found: dict[Pin, None] = {}
        for chain in self._held.values():
            for slot, held in chain.items():
                names = [self._name(hop) for hop in held]
                for place, name in enumerate(names):
                    start = names[place - 1] if place else ""
                    found[Pin(slot, name, start, name if len(names) > 1 else "")] = None
        return tuple(found)

    def _name(self, hop: Hop) -> str:
        """The target's name, with its file where others have the same."""
        function = hop.callee
        several = len(self.graph.find_functions(function.id.name)) > 1
        place = f"{function.location.path}:" if several and function.location is not None else ""
        return f"{place}{function.id.name}"
