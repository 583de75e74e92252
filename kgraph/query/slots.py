"""Slots as users and the source write them, and the calls that go through them."""

import re
from collections.abc import Iterator

from kgraph.graph import CallGraph, Sources

_ALIAS = r"^[ \t]*#[ \t]*define[ \t]+{}[ \t]+(\w+(?:\.\w+)*)[ \t]*(?:/\*.*)?$"
# `a->FIELD->slot`: the table is what FIELD holds. `a->FIELD.slot` is a record within a record.
_READ_FROM = re.compile(r"(?:->|\.)\s*(\w+)\s*\)*\s*->\s*\w+\s*\)*$", re.ASCII)


def holders(graph: CallGraph, slot: str) -> list[str]:
    """The holders of the index that a slot may mean: itself, or what its macro stands for."""
    known = graph.reader.rows(
        "SELECT 1 FROM text t WHERE t.text = ? AND (EXISTS (SELECT 1 FROM bound WHERE holder ="
        " t.id) OR EXISTS (SELECT 1 FROM site WHERE holder = t.id)) LIMIT 1", (slot,)
    )
    if known or "." not in slot:
        return [slot]
    record, _, field = slot.rpartition(".")
    found: list[str] = []
    for member in _stands_for(graph, field):
        rows = graph.reader.rows(
            "SELECT DISTINCT record || '.' || field FROM bound WHERE field = ? OR field LIKE ?"
            " ORDER BY 1", (member, f"%.{member}")
        )
        names = [row[0] for row in rows]
        found += [name for name in names if name.startswith(record)] or names
    return found or [slot]


def _stands_for(graph: CallGraph, field: str) -> Iterator[str]:
    """The last members of the paths that the tree's headers define `field` as."""
    if not field.isidentifier():
        return
    pattern = re.compile(_ALIAS.format(re.escape(field)), re.MULTILINE)
    sources, seen = Sources(graph), set()
    for (path,) in graph.reader.rows("SELECT path FROM file WHERE path LIKE '%.h' ORDER BY id"):
        text = "\n".join(sources.lines(path))
        for match in pattern.finditer(text) if field in text else ():
            member = match[1].rpartition(".")[2]
            if member != field and member not in seen:
                seen.add(member)
                yield member


def record_of(slot: str) -> str:
    """The record of a slot; "" where it is none."""
    return slot.rpartition(".")[0]


def indirect_calls(graph: CallGraph) -> Iterator[tuple[int, str, str]]:
    """The call sites that go through a holder, each with it and the field that the address of the
    record is read from, "" where the call does not say it.
    """
    # One pass over the sites: texts are found by number only.
    rows = graph.reader.rows(
        "SELECT s.id, t.text, e.text FROM site s JOIN text t ON t.id = s.holder"
        " JOIN text e ON e.id = s.expression WHERE s.holder IS NOT NULL ORDER BY s.id"
    )
    for site, slot, expression in rows:
        read = _READ_FROM.search(expression)
        yield site, slot, read[1] if read else ""
