"""The layout of a document: its lines, what hangs under each, and its sections.

A section reaches from one Markdown heading to the next.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from kgraph.model.documents import Document, DocumentLine, LineKind
from kgraph.query.checking.ground import Ground

NAMING = (LineKind.FUNCTION, LineKind.CALL)
QUOTING = (LineKind.STATEMENT, LineKind.CONDITION)


@dataclass
class Layout:
    """The lines of a document by their number, what hangs under each, the section of each, and the
    lines of each section.
    """

    lines: dict[int, DocumentLine] = field(default_factory=dict)
    children: dict[int, list[DocumentLine]] = field(default_factory=dict)
    section: dict[int, int] = field(default_factory=dict)
    sections: dict[int, list[DocumentLine]] = field(default_factory=dict)


def lay_out(document: Document) -> Layout:
    """The layout of a document."""
    layout, section = Layout(), 0
    for line in document.lines:
        if line.kind is LineKind.HEADING and line.text.lstrip().startswith("#"):
            section += 1
        layout.lines[line.number] = line
        layout.section[line.number] = section
        layout.sections.setdefault(section, []).append(line)
        layout.children.setdefault(line.parent, []).append(line)
    return layout


def judging_order(lines: Iterable[DocumentLine]) -> Iterator[DocumentLine]:
    """Lines after the lines that they hang under, which come later in the stacks of a kernel."""
    waiting: list[DocumentLine] = []
    for line in lines:
        if line.parent > line.number:
            waiting.append(line)
            continue
        yield line
        last = line.number
        while waiting and waiting[-1].parent == last:
            last = waiting[-1].number
            yield waiting.pop()


def unknown_names(ground: Ground, document: Document) -> set[str]:
    """The names of a document that no function or object of the index has."""
    names = {line.claim.name for line in document.lines if line.kind in NAMING}
    names |= {line.claim.target for line in document.lines}
    names |= {name for line in document.lines for name in line.claim.onward}
    return {name for name in names if name.isidentifier() and not _known(ground, name)}


def _known(ground: Ground, name: str) -> bool:
    return bool(ground.graph.functions_named(name) or ground.graph.reader.rows(
        "SELECT 1 FROM site WHERE macro IN (SELECT id FROM text WHERE text = ?) LIMIT 1", (name,)
    ))
