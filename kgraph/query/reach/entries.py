"""The kinds of entry points, which entries.toml declares, and their functions in an index."""

from collections.abc import Iterable, Iterator, Sequence
from fnmatch import fnmatchcase
from functools import cache
from importlib import resources
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from kgraph.errors import LookupFailed
from kgraph.graph import CallGraph, KnownBinding
from kgraph.model.resolution import EdgeKind

_Text = Annotated[str, Meta(min_length=1)]


class EntryRow(Struct, frozen=True, forbid_unknown_fields=True):
    """A row of the table: functions that belong to a kind of entry points."""

    kind: _Text
    reason: _Text
    names: tuple[_Text, ...] = ()
    entered: bool = False
    slots: tuple[_Text, ...] = ()
    tables: tuple[_Text, ...] = ()
    deferred: tuple[_Text, ...] = ()
    called_by: tuple[_Text, ...] = ()


class _CheckRow(Struct, frozen=True, forbid_unknown_fields=True):
    names: tuple[_Text, ...]
    reason: _Text


class _Rows(Struct, frozen=True, forbid_unknown_fields=True):
    entry: tuple[EntryRow, ...]
    check: tuple[_CheckRow, ...]


@cache
def load_entry_rows() -> _Rows:
    """What entries.toml declares."""
    text = resources.files("kgraph.query.reach").joinpath("entries.toml").read_text("utf-8")
    return msgspec.toml.decode(text, type=_Rows)


def list_kinds() -> list[str]:
    """The kinds of entry points, in the order of the table."""
    return list(dict.fromkeys(row.kind for row in load_entry_rows().entry))


def find_entries(graph: CallGraph, kinds: Sequence[str] = ()) -> dict[str, set[int]]:
    """Kind -> its functions that have a definition; all kinds by default.

    Raises LookupFailed for an unknown kind.
    """
    wanted = kinds or list_kinds()
    unknown = [kind for kind in wanted if kind not in list_kinds()]
    if unknown:
        raise LookupFailed(f"no kind of entry points is named `{unknown[0]}`",
                           f"it is one of {', '.join(list_kinds())}")
    found: dict[str, set[int]] = {kind: set() for kind in wanted}
    for row in load_entry_rows().entry:
        if row.kind in found:
            found[row.kind].update(_iter_entries(graph, row))
    undefined = {number for number, _ in graph.find_undefined_functions()}
    return {kind: numbers - undefined for kind, numbers in found.items()}


def find_check_functions(graph: CallGraph) -> dict[int, str]:
    """Number -> name of the functions that ask whether a task may do something."""
    patterns = [name for row in load_entry_rows().check for name in row.names]
    numbers = graph.find_functions_matching(patterns)
    return {each.number: each.id.name for each in graph.load_functions(numbers)}


def _iter_entries(graph: CallGraph, row: EntryRow) -> Iterator[int]:
    """The functions of a row, some more than once."""
    yield from _iter_named(graph, row)
    for slot in _expand_slots(graph, row.slots):
        record, _, field = slot.rpartition(".")
        yield from _iter_functions(graph.find_bindings_to_field(record, field))
    for holder in row.tables:
        for binding in graph.find_bindings_to_holder(holder):
            if binding.object is not None:
                yield from _iter_functions(graph.find_bindings_in_table(binding.object))
    if row.deferred:
        yield from (each.function for each in graph.find_deferred_callbacks()
                    if each.kind in row.deferred)
    for caller in row.called_by:
        for function in graph.find_functions(caller):
            yield from (graph.edge_callee[edge] for edge in graph.edges_from(function.number)
                        if graph.kind(edge) not in (EdgeKind.DIRECT, EdgeKind.ASM))


def _iter_named(graph: CallGraph, row: EntryRow) -> Iterator[int]:
    if row.names:
        for function in graph.load_functions(graph.find_functions_matching(row.names)):
            is_entered = bool(function.macro) or function.address_taken
            if not function.alias_of and (is_entered or not row.entered):
                yield function.number


def _iter_functions(bindings: Iterable[KnownBinding]) -> Iterator[int]:
    return (each.function for each in bindings if each.function is not None)


def _expand_slots(graph: CallGraph, patterns: Sequence[str]) -> Iterator[str]:
    for pattern in patterns:
        if "*" in pattern:
            yield from (slot for slot, _ in graph.count_slot_bindings(pattern)
                        if fnmatchcase(slot, pattern))
        else:
            yield pattern
