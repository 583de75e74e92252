"""What a document says of itself: its sections, its chains, and the scenario in its own words.

A section reaches from one Markdown heading to the next. A table that is printed in it says what its
slots hold there: calls through them have the table's functions, which is a pin of the section.
"""

import contextlib
from dataclasses import dataclass, field

from kgraph.errors import LookupFailed
from kgraph.model.documents import Document, DocumentLine, LineKind, Pin
from kgraph.query.checking.ground import Ground
from kgraph.query.checking.tables import tables_named
from kgraph.query.scenarios import SitePins, site_pins

NAMING = (LineKind.FUNCTION, LineKind.CALL)
QUOTING = (LineKind.STATEMENT, LineKind.CONDITION)


@dataclass
class Layout:
    """The lines of a document by their number, what hangs under each, and their section."""

    lines: dict[int, DocumentLine] = field(default_factory=dict)
    children: dict[int, list[DocumentLine]] = field(default_factory=dict)
    section: dict[int, int] = field(default_factory=dict)


def lay_out(document: Document) -> Layout:
    """The layout of a document."""
    layout, section = Layout(), 0
    for line in document.lines:
        if line.kind is LineKind.HEADING and line.text.lstrip().startswith("#"):
            section += 1
        layout.lines[line.number] = line
        layout.section[line.number] = section
        layout.children.setdefault(line.parent, []).append(line)
    return layout


@dataclass(frozen=True, slots=True)
class Pinned:
    """The pins that a section's tables make: as a user would write them, and by call site."""

    pins: tuple[Pin, ...] = ()
    sites: SitePins = field(default_factory=dict)


def section_pins(ground: Ground, document: Document, layout: Layout) -> dict[int, Pinned]:
    """What the tables printed in each section pin."""
    found: dict[int, Pinned] = {}
    for line in document.lines:
        if line.kind is not LineKind.TABLE:
            continue
        for table in tables_named(ground, line.claim.name)[:1]:
            section = layout.section[line.number]
            before = found.get(section, Pinned())
            pin = Pin(_holder(ground, table.number), table.id.name)
            with contextlib.suppress(LookupFailed):  # a table of what is not called through
                sites = site_pins(ground.graph, [pin])
                found[section] = Pinned((*before.pins, pin), {**sites, **before.sites})
    return found


def _holder(ground: Ground, table: int) -> str:
    """The slot that the table is installed in, else the record that it is."""
    rows = list(ground.graph.bound("b.object = ? AND b.how != 'argument'", (table,)))
    fields = sorted({row.holder for row in rows if "." in row.holder})
    return fields[0] if fields else ground.graph.object_numbered(table).type


def unknown_names(ground: Ground, document: Document) -> set[str]:
    """The names of a document that no function or object of the index has."""
    names = {line.claim.name for line in document.lines if line.kind in NAMING}
    names |= {line.claim.target for line in document.lines}
    return {name for name in names if name.isidentifier() and not _known(ground, name)}


def _known(ground: Ground, name: str) -> bool:
    return bool(ground.graph.functions_named(name) or ground.graph.reader.rows(
        "SELECT 1 FROM site WHERE macro IN (SELECT id FROM text WHERE text = ?) LIMIT 1", (name,)
    ))
