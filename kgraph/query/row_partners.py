"""Pins that belong together: what one row of one table holds beside what is pinned.

A row of a table of protocols that has one table for its `.prot` has one for its `.ops`: who pins
the one means the other.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from kgraph.graph import CallGraph
from kgraph.model.documents import Pin
from kgraph.model.location import Location
from kgraph.query.pins import tables_of


@dataclass(frozen=True, slots=True)
class RowPartner:
    """A pin that goes with the pin `beside`, because a row of `table` at `location` has both."""

    pin: Pin
    beside: Pin
    table: str
    location: Location


def proposed(graph: CallGraph, pins: Iterable[Pin]) -> list[RowPartner]:
    """The pins that go with some pins and are not among them, each once."""
    given = list(pins)
    known = {pin.target for pin in given}
    found: dict[str, RowPartner] = {}
    for pin in given:
        for partner in row_partners(graph, pin):
            if partner.pin.target not in known:
                found.setdefault(str(partner.pin), partner)
    return list(found.values())


def row_partners(graph: CallGraph, pin: Pin) -> list[RowPartner]:
    """The pins that go with a pin because one row of one table holds both.

    A row ends where a field of the table comes again.
    """
    found: dict[str, RowPartner] = {}
    for known in tables_of(graph, pin):
        for own in graph.bound('b.object = ? AND b."table" IS NOT NULL', (known.number,)):
            row = _row_around(graph, own.table or 0, own.holder, own.location)
            for holder, number, location in row:
                if number != known.number:
                    target = graph.object_numbered(number).id.name
                    partner = Pin(holder, target)
                    table = graph.object_numbered(own.table or 0).id.name
                    found.setdefault(str(partner), RowPartner(partner, pin, table, location))
    return [found[text] for text in sorted(found)]


def _row_around(
    graph: CallGraph, table: int, holder: str, location: Location
) -> list[tuple[str, int, Location]]:
    """(holder, object, place) of the row of a table that binds `holder` at `location`."""
    rows: list[list[tuple[str, int, Location]]] = [[]]
    everything = sorted(
        graph.bound('b."table" = ?', (table,)), key=lambda row: (row.location, row.holder)
    )
    for bound in everything:
        if any(bound.holder == other for other, _, _ in rows[-1]):
            rows.append([])
        if bound.object is not None:
            rows[-1].append((bound.holder, bound.object, bound.location))
    return next(
        (row for row in rows if any((h, at) == (holder, location) for h, _, at in row)), []
    )
