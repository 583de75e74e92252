"""Slots as users and the source write them, and the calls that go through them."""

import re
from collections.abc import Iterable, Iterator

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


def calls_reading(
    graph: CallGraph, fields: Iterable[str], records: Iterable[str]
) -> Iterator[tuple[int, str, str]]:
    """The call sites that go through a slot of some records, and those that may read the address of
    the record from one of some fields: each with its holder and the field that the address is read
    from, "" where the call does not say it.
    """
    wanted: list[tuple[str, tuple[str, ...]]] = [
        ("instr(e.text, ?)", (field,)) for field in fields]
    wanted += [("h.name > ? AND h.name < ?", (f"{record}.", f"{record}/")) for record in records]
    where = " OR ".join(f"({condition})" for condition, _ in wanted)
    rows = graph.reader.rows(
        "SELECT s.id, h.name, e.text FROM site s JOIN holder h ON h.text = s.holder"  # noqa: S608
        f" JOIN text e ON e.id = s.expression WHERE {where} ORDER BY s.id",
        tuple(value for _, values in wanted for value in values),
    )
    for site, slot, expression in rows:
        read = _READ_FROM.search(expression)
        yield site, slot, read[1] if read else ""
