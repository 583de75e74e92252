"""On which lines of a document a pin holds.

A slot can hold two values on one path (a frame leaves through one device, later through another),
so a pin holds on a range of lines. A pin of a scenario that names a part of the path holds between
the lines that name the part's ends. A table that is printed in a section holds there until the
document goes on with what the table calls: a function of it, behind a call through its slot. Later
calls through the slot belong to the next printed table. Tables that cannot be told apart in this
way both hold.

A document also pins by naming targets of its indirect calls. A target that evidence supports says
what the slot holds in its chain until the chain names another. It never judges a claim, neither its
own (it would prove itself) nor another one: it only chooses the path where steps are left out. A
target without evidence is refuted at its line.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from kgraph.check.claims.table import find_rows, find_tables
from kgraph.check.context import CheckContext
from kgraph.check.layout import NAMING_KINDS, Layout
from kgraph.errors import LookupFailed
from kgraph.graph import CallGraph
from kgraph.model.document import DocumentLine, LineKind, Pin, Scenario
from kgraph.model.results import Hop
from kgraph.model.values import TransferKind
from kgraph.query.scenarios import SitePin, SitePins, resolve_pins

_LAST_LINE = 1 << 60


@dataclass(frozen=True, slots=True)
class PinRange:
    """The lines after `first` up to `last`, and what a pin leaves to call sites on them."""

    first: int
    last: int
    sites: SitePins


@dataclass(frozen=True, slots=True)
class PrintedTables:
    """What the tables that a document prints pin: as a user would write it, and where it holds.
    `refused` says why tables pin nothing, by their lines.
    """

    pins: tuple[Pin, ...] = ()
    ranges: tuple[PinRange, ...] = ()
    refused: dict[int, str] = field(default_factory=dict)


class DocumentPins:
    """The context of each line of a document under the pins that hold there: those of a scenario,
    else those that the document makes itself.
    """

    def __init__(
        self, context: CheckContext, ranges: Sequence[PinRange], scenario: Scenario | None = None,
        tables: PrintedTables = PrintedTables(),
    ) -> None:
        self._context = context
        self._ranges = ranges
        self._scenario = scenario
        self._tables = tables
        self._targets = ClaimedTargets(context.graph)
        self._bounds = sorted({line for each in ranges for line in (each.first, each.last)})
        self._contexts: dict[int, CheckContext] = {}
        # The last context under claimed targets: most lines of a chain have it in common.
        self._last: tuple[CheckContext, SitePins, CheckContext] = context, {}, context

    @classmethod
    def of_scenario(
        cls, context: CheckContext, lines: Sequence[DocumentLine], scenario: Scenario
    ) -> "DocumentPins":
        """The pins of a scenario. Raises LookupFailed for one that nothing supports."""
        return cls(context, _find_scenario_ranges(context.graph, lines, scenario), scenario)

    @classmethod
    def of_document(
        cls, context: CheckContext, lines: Sequence[DocumentLine], layout: Layout
    ) -> "DocumentPins":
        """The pins that a document makes itself: by the tables that it prints, and by the targets
        that it names.
        """
        tables = _pin_printed_tables(context, lines, layout)
        return cls(context, tables.ranges, tables=tables)

    @property
    def refused_tables(self) -> dict[int, str]:
        """Why printed tables pin nothing, by their lines."""
        return self._tables.refused

    @property
    def scenario(self) -> Scenario:
        """The scenario, or that of all pins which the document made so far."""
        if self._scenario is not None:
            return self._scenario
        pins = {"the tables that the document prints": self._tables.pins,
                "the targets that it names": self._targets.list_pins()}
        origin = " and ".join(text for text, made in pins.items() if made)
        return Scenario(pins=tuple(pin for made in pins.values() for pin in made), origin=origin)

    def add_claimed_target(self, chain: int, hop: Hop) -> None:
        """A chain names the target of a call that has several candidates."""
        if self._scenario is None:
            self._targets.add(chain, hop)

    def get_context(self, line: int, chain: int) -> CheckContext:
        """The context with the pins that hold on a line of a chain."""
        context, claimed = self._get_pinned(line), self._targets.get_pins(chain)
        if not claimed:
            return context
        if self._last[0] is not context or self._last[1] is not claimed:
            self._last = context, claimed, context.with_claimed_targets(claimed)
        return self._last[2]

    def _get_pinned(self, line: int) -> CheckContext:
        place = bisect_left(self._bounds, line)
        if place not in self._contexts:
            here = [each for each in self._ranges if each.first < line <= each.last]
            pins: SitePins = {}
            for each in here:
                for site, own in each.sites.items():
                    pins[site] = (*pins.get(site, ()), *own)
            self._contexts[place] = self._context.with_pins(pins) if here else self._context
        return self._contexts[place]


@dataclass
class ClaimedTargets:
    """The targets that the chains of a document name, in the order of its lines."""

    graph: CallGraph
    _hops: dict[int, dict[str, list[Hop]]] = field(default_factory=dict)
    _sites: dict[tuple[str, int], SitePins] = field(default_factory=dict)
    _pins: dict[int, SitePins] = field(default_factory=dict)

    def add(self, chain: int, hop: Hop) -> None:
        """A chain names the target of a call that has several candidates."""
        hops = self._hops.setdefault(chain, {}).setdefault(hop.site.holder, [])
        if not hops or hops[-1].callee != hop.callee:
            hops.append(hop)
            self._pins.pop(chain, None)

    def get_pins(self, chain: int) -> SitePins:
        """What the targets named last in a chain leave to the call sites of their slots."""
        if chain not in self._pins:
            pins: SitePins = {}
            for hops in self._hops.get(chain, {}).values():
                pins.update(self._pin_sites(hops[-1]))
            self._pins[chain] = pins
        return self._pins[chain]

    def _pin_sites(self, hop: Hop) -> SitePins:
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

    def list_pins(self) -> tuple[Pin, ...]:
        """The targets as a user would write them. If one chain names several for a slot, each is
        for the part of the path between the one before it and itself.
        """
        found: dict[Pin, None] = {}
        for chain in self._hops.values():
            for slot, hops in chain.items():
                names = [self._qualify(hop) for hop in hops]
                for place, name in enumerate(names):
                    start = names[place - 1] if place else ""
                    found[Pin(slot, name, start, name if len(names) > 1 else "")] = None
        return tuple(found)

    def _qualify(self, hop: Hop) -> str:
        """The target's name, with its file if others have the same name."""
        function = hop.callee
        several = len(self.graph.find_functions(function.id.name)) > 1
        place = f"{function.location.path}:" if several and function.location is not None else ""
        return f"{place}{function.id.name}"


def _find_scenario_ranges(
    graph: CallGraph, lines: Sequence[DocumentLine], scenario: Scenario
) -> list[PinRange]:
    """Where the pins of a scenario hold."""
    passed = _find_passed(lines, scenario.via)
    found = []
    for pin in scenario.pins:
        try:
            sites = resolve_pins(graph, [Pin(pin.slot, pin.target)])
        except LookupFailed as error:
            raise LookupFailed(
                f"{pin.where or scenario.origin}: the pin {pin}: {error.message}", error.hint
            ) from error
        first = passed.get(pin.start) or _find_naming(lines, pin.start, 0) if pin.start else 0
        last = passed.get(pin.end) or _find_naming(lines, pin.end, first or 0) if pin.end else None
        if first is not None:  # else the document does not come to this part of the path
            found.append(PinRange(first, last or _LAST_LINE, sites))
    return found


def _find_passed(lines: Sequence[DocumentLine], names: Iterable[str]) -> dict[str, int]:
    """The lines on which a document passes functions, one after another."""
    passed: dict[str, int] = {}
    before = 0
    for name in names:
        line = _find_naming(lines, name, before)
        if line is not None:
            passed[name] = before = line
    return passed


def _find_naming(lines: Sequence[DocumentLine], name: str, after: int) -> int | None:
    """The first line behind the line `after` that names a function or claims it as a target."""
    bare = name.rpartition(":")[2]
    return next((
        line.number for line in lines if line.number > after
        and (bare == line.claim.target or (line.kind in NAMING_KINDS and bare == line.claim.name))
    ), None)


def _pin_printed_tables(
    context: CheckContext, lines: Sequence[DocumentLine], layout: Layout
) -> PrintedTables:
    """What the tables printed in each section pin."""
    pins: dict[Pin, None] = {}
    refused: dict[int, str] = {}
    by_slot: dict[tuple[int, str], list[dict[int, SitePin]]] = {}
    for line in lines:
        if line.kind is not LineKind.TABLE:
            continue
        for table in find_tables(context, line.claim.name)[:1]:
            slot = _find_slot(context, table.number)
            if not slot:
                if any(row.function is not None for row in find_rows(context, table)):
                    refused[line.number] = "it pins nothing: the index installs it in no slot"
                continue
            pin = Pin(slot, table.id.name)
            try:
                sites = resolve_pins(context.graph, [pin])
            except LookupFailed as error:
                refused[line.number] = f"it pins nothing: {error.message}; {error.hint}"
                continue
            pins[pin] = None
            for slot, of_slot in _group_by_slot(context, sites).items():
                alike = by_slot.setdefault((layout.section[line.number], slot), [])
                if of_slot not in alike:
                    alike.append(of_slot)
    ranges = [
        found for (section, slot), tables in by_slot.items()
        for found in _SlotTables(
            context, layout.sections[section], slot, tables).iter_ranges()
    ]
    return PrintedTables(tuple(pins), tuple(ranges), refused)


def _find_slot(context: CheckContext, table: int) -> str:
    """The slot that the table is installed in, else one that a function puts it in to which it is
    passed; "" if it is in none.
    """
    graph = context.graph
    fields = {row.holder for row in graph.find_installs(table)
              if "." in row.holder and row.how is not TransferKind.ARGUMENT}
    fields = fields or {row.holder for row in graph.find_copies_of_table(table)}
    return min(fields, default="")


def _group_by_slot(context: CheckContext, sites: SitePins) -> dict[str, dict[int, SitePin]]:
    """What a table leaves to call sites, by the slot that they go through."""
    found: dict[str, dict[int, SitePin]] = {}
    for site, pins in sites.items():
        found.setdefault(context.graph.site(site).holder, {})[site] = pins[0]
    return found


@dataclass(frozen=True)
class _SlotTables:
    """The tables that a section prints for one slot: what each leaves to call sites through it.
    `lines` are those of the section.
    """

    context: CheckContext
    lines: Sequence[DocumentLine]
    slot: str
    tables: list[dict[int, SitePin]]

    def iter_ranges(self) -> Iterator[PinRange]:
        """Where the tables hold, in the order in which the document comes to what they call."""
        first, last = self.lines[0].number - 1, self.lines[-1].number
        ends = [(self._find_end(each), each) for each in self.tables]
        if sum(end is None for end, _ in ends) > 1:
            yield PinRange(first, last, _merge_tables(self.tables))
            return
        for end, table in sorted(ends, key=lambda each: each[0] or _LAST_LINE):
            yield PinRange(first, end or last, {site: (pin,) for site, pin in table.items()})
            first = end or last

    def _find_end(self, table: dict[int, SitePin]) -> int | None:
        """The line on which the document goes on with what only this table calls."""
        others = {callee for each in self.tables if each != table
                  for pin in each.values() for callee in pin.callees}
        own = {callee for pin in table.values() for callee in pin.callees} - others
        names = {self.context.graph.function(callee).id.name for callee in own}
        member, is_called = self.slot.rpartition(".")[2], False
        for line in self.lines:
            is_called |= (
                line.kind is LineKind.INDIRECT and line.claim.expression.endswith(member))
            if line.kind in NAMING_KINDS and line.claim.name in names and (
                    is_called or line.parent):
                return line.number
        return None


def _merge_tables(tables: Iterable[dict[int, SitePin]]) -> SitePins:
    """What several tables leave to call sites together."""
    found: dict[int, SitePin] = {}
    for table in tables:
        for site, pin in table.items():
            before = found.get(site)
            callees = pin.callees if before is None else pin.callees | before.callees
            found[site] = SitePin(callees)
    return {site: (pin,) for site, pin in found.items()}
