"""On which lines of a document a pin holds.

One slot can hold two values on one way (a frame leaves through one device, later through another),
so a pin holds on a stretch of lines. A pin of a scenario that names the part of the way it is for
holds on the lines between those that name the part's ends. A table that is printed in a section
holds there until the document goes on with what the table calls: with a function of it, behind a
call through the slot that has it. What comes after is another call through the slot, and is judged
by the next table, if one is printed. Tables that cannot be told apart so hold both.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from kgraph.errors import LookupFailed
from kgraph.graph import CallGraph
from kgraph.model.documents import Document, DocumentLine, LineKind, Pin, Scenario
from kgraph.query.checking.ground import Ground
from kgraph.query.checking.sections import NAMING, Layout
from kgraph.query.checking.tables import rows_of, tables_named
from kgraph.query.rules import Rules, SitePin
from kgraph.query.scenarios import SitePins, site_pins

END = 1 << 60


@dataclass(frozen=True, slots=True)
class Stretch:
    """The lines after `first` up to `last`, what a pin leaves to call sites on them."""

    first: int
    last: int
    sites: SitePins


class Segments:
    """The ground under each line of a document."""

    def __init__(self, ground: Ground, stretches: Sequence[Stretch]) -> None:
        self._ground = ground
        self._stretches = stretches
        self._bounds = sorted({line for each in stretches for line in (each.first, each.last)})
        self._made: dict[int, Ground] = {}

    def ground(self, line: int) -> Ground:
        """The ground with the pins that hold on a line."""
        place = bisect_left(self._bounds, line)
        if place not in self._made:
            here = [each for each in self._stretches if each.first < line <= each.last]
            self._made[place] = self._under(here) if here else self._ground
        return self._made[place]

    def _under(self, stretches: Iterable[Stretch]) -> Ground:
        pins: SitePins = {}
        for stretch in stretches:
            for site, held in stretch.sites.items():
                pins[site] = (*pins.get(site, ()), *held)
        return self._ground.under(Rules(pins=pins))


def scenario_stretches(
    graph: CallGraph, document: Document, scenario: Scenario
) -> list[Stretch]:
    """Where the pins of a scenario hold. Raises LookupFailed for a pin that nothing supports."""
    passed = _passed(document, scenario.via)
    found = []
    for pin in scenario.pins:
        try:
            sites = site_pins(graph, [Pin(pin.slot, pin.target)])
        except LookupFailed as error:
            raise LookupFailed(
                f"{pin.where or scenario.origin}: the pin {pin}: {error.message}", error.hint
            ) from error
        first = passed.get(pin.start) or _naming(document, pin.start, 0) if pin.start else 0
        last = passed.get(pin.end) or _naming(document, pin.end, first or 0) if pin.end else END
        if first is not None:  # else the document does not come to the part of the way
            found.append(Stretch(first, last or END, sites))
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
        and (bare == line.claim.target or (line.kind in NAMING and bare == line.claim.name))
    ), None)


@dataclass(frozen=True, slots=True)
class Printed:
    """What the tables that a document prints pin: as a user would write it, and where it holds;
    `refused` says of tables, by their lines, why they pin nothing.
    """

    pins: tuple[Pin, ...]
    stretches: tuple[Stretch, ...]
    refused: dict[int, str]


def printed_tables(ground: Ground, document: Document, layout: Layout) -> Printed:
    """What the tables printed in each section pin."""
    pins: dict[Pin, None] = {}
    refused: dict[int, str] = {}
    held: dict[tuple[int, str], list[dict[int, SitePin]]] = {}
    for line in document.lines:
        if line.kind is not LineKind.TABLE:
            continue
        for table in tables_named(ground, line.claim.name)[:1]:
            pin = Pin(_holder(ground, table.number), table.id.name)
            if not pin.slot:
                if any(row.function is not None for row in rows_of(ground, table)):
                    refused[line.number] = "it pins nothing: the index has it in no slot"
                continue
            try:
                sites = site_pins(ground.graph, [pin])
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
    return Printed(tuple(pins), tuple(stretches), refused)


def _holder(ground: Ground, table: int) -> str:
    """The slot that the table is installed in, "" where it is in none."""
    rows = list(ground.graph.bound("b.object = ? AND b.how != 'argument'", (table,)))
    fields = sorted({row.holder for row in rows if "." in row.holder})
    return fields[0] if fields else ""


def _by_slot(ground: Ground, sites: SitePins) -> dict[str, dict[int, SitePin]]:
    """What a table leaves to call sites, by the slot that they go through."""
    found: dict[str, dict[int, SitePin]] = {}
    for site, held in sites.items():
        found.setdefault(ground.graph.site(site).holder, {})[site] = held[0]
    return found


def _in_section(
    ground: Ground, lines: Sequence[DocumentLine], slot: str, tables: list[dict[int, SitePin]]
) -> Iterator[Stretch]:
    """Where the tables of a section hold for the calls through a slot, in the order in which the
    document comes to what they call.
    """
    first, last = lines[0].number - 1, lines[-1].number
    ends = [(_end(ground, lines, slot, each, tables), each) for each in tables]
    if sum(end is None for end, _ in ends) > 1:
        yield Stretch(first, last, _either(tables))
        return
    for end, table in sorted(ends, key=lambda each: each[0] or END):
        yield Stretch(first, end or last, {site: (pin,) for site, pin in table.items()})
        first = end or last


def _end(
    ground: Ground, lines: Sequence[DocumentLine], slot: str, table: dict[int, SitePin],
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
        if line.kind in NAMING and line.claim.name in names and (called or line.parent):
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
