"""Slots as users and the source write them, and the calls that go through them."""

import re
from collections.abc import Iterator

from kgraph.graph import CallGraph

# `a->FIELD->slot`: the table is what FIELD holds. `a->FIELD.slot` is a record within a record.
_READ_FROM = re.compile(r"(?:->|\.)\s*(\w+)\s*\)*\s*->\s*\w+\s*\)*$", re.ASCII)


def holders(graph: CallGraph, slot: str) -> list[str]:
    """The holders of the index that a slot may mean: itself, or what its macro stands for."""
    if graph.is_holder(slot) or "." not in slot:
        return [slot]
    record, _, field = slot.rpartition(".")
    found: list[str] = []
    for names in graph.aliases(field).values():
        found += [name for name in names if name.startswith(record)] or names
    return found or [slot]


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
