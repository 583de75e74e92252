"""What is written to the fields of a record that lies in others.

All `struct device` in a `struct pci_dev` have the bus that is written to `pdev->dev.bus`
somewhere, or to the bus of a device of which nothing is known. A function that writes through a
pointer that it was handed is looked at once for each of its callers, if all are known.

Records that lie in two members of a union count as different ones, and memory that is copied
without its type as a record of the same type.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

from kgraph.model.values import POINTEE
from kgraph.resolve.constraint_builder import Constraints
from kgraph.resolve.fact_rows import SiteRow
from kgraph.resolve.findings.alternatives import AlternativeFinder, Step
from kgraph.resolve.findings.direct_callers import DirectCallers
from kgraph.resolve.installed_tables import is_export_row
from kgraph.resolve.interning import (
    CONSTANT,
    NONE,
    AddressRow,
    FunctionRow,
    LoadRow,
    ObjectKey,
    ParameterKey,
    SlotKey,
    VariableKey,
)


class _Write(NamedTuple):
    """A function puts a value into a field of the record that `base` points to."""

    function: int
    base: int
    value: int


_Pointer = tuple[int, str]  # a value, and the type of the record that it points to
_Place = int | ParameterKey
_ANYWHERE = NONE  # as the field that a record lies in
_NOT_NAMES = ("const", "volatile", "struct", "union")  # in a type
_MOST_WRITES = 500
_MOST_CALLS = 4  # between a write and who hands on the record


class EmbeddedWrites:
    """Finds the writes to records by the field that they lie in. `written` are the values written
    to locals and parameters. `followed` are the linked functions whose callers were looked at.
    """

    def __init__(
        self, constraints: Constraints, written: Mapping[int, list[int]], callers: DirectCallers
    ) -> None:
        self._nodes = constraints.nodes
        self._address_taken = constraints.address_taken
        self._rows = self._nodes.interner.value_rows
        self._written = written
        self._callers = callers
        self._found: dict[int, list[tuple[int, int]] | None] = {}
        self._finder = AlternativeFinder[_Pointer, _Place]()
        self.followed: set[int] = set()

    def list_values(self, record: int, slot: int) -> list[int] | None:
        """The values that are written to a field, the node `slot`, of records that lie in the field
        `record` of others; None if they are too many.
        """
        if slot not in self._found:
            self._found[slot] = self._collect(slot)
        found = self._found[slot]
        if found is None:
            return None
        return [value for place, value in found if place in (_ANYWHERE, record)]

    def _collect(self, slot: int) -> list[tuple[int, int]] | None:
        found: set[tuple[int, int]] = set()
        record = self._nodes.slot_key(slot).record
        for function, base, value in self._writes.get(slot, ()):
            for item in self._iter_places(_Write(function, base, value), record, 0):
                found.add(item)
                if len(found) > _MOST_WRITES:
                    return None
        return sorted(found)

    def _iter_places(
        self, write: _Write, record: str, depth: int
    ) -> Iterator[tuple[int, int]]:
        """The fields that a record lies in into which a function writes a value, and the value."""
        function, base, value = write
        is_open = depth == _MOST_CALLS or function in self._called_by_pointer
        for place in self._finder.find((base, record), self._expand_pointer) or ():
            if not isinstance(place, ParameterKey):
                yield place, value
            elif is_open:
                yield _ANYWHERE, value
            else:
                linked = self._nodes.linked_functions[function]
                self.followed.add(linked)
                for _, site in self._callers.iter_sites(linked):
                    for handed in self._list_arguments(site, place.index):
                        for given in self._translate(site, value):
                            yield from self._iter_places(
                                _Write(site.caller, handed, given), record, depth + 1)

    def _translate(self, site: SiteRow, value: int) -> Sequence[int]:
        """What a caller hands on, if that is the value in the callee."""
        row = self._rows[value]
        if isinstance(row, LoadRow):
            node = self._nodes.holder_nodes[row.holder]
            key = self._nodes.interner.holder_keys[row.holder]
            if isinstance(key, ParameterKey) and not self._is_changed(node):
                return self._list_arguments(site, key.index)
        return (value,)

    def _list_arguments(self, site: SiteRow, index: int) -> Sequence[int]:
        return site.arguments[index] if index < len(site.arguments) else ()

    def _expand_pointer(self, state: _Pointer) -> Step[_Place, _Pointer]:
        """The field that the record lies in that a pointer points to, or the object that it is, as
        nodes; or the parameter that the pointer is, or the values that it may be.
        """
        value, record = state
        if value == CONSTANT:
            return (), ()
        row = self._rows[value] if value != NONE else None
        if not isinstance(row, LoadRow | AddressRow):
            return (_ANYWHERE,), ()
        node = self._nodes.holder_nodes[row.holder]
        key = self._nodes.interner.holder_keys[row.holder]
        if isinstance(row, AddressRow):
            is_known = self._is_of_type(key, record) if isinstance(key, ObjectKey) else (
                isinstance(key, SlotKey) and key.field != POINTEE)
            return (node if is_known else _ANYWHERE,), ()
        if isinstance(key, ParameterKey) and not self._is_changed(node):
            return (key,), ()
        written = self._written.get(node)
        if not isinstance(key, VariableKey) or node in self._address_taken or not written:
            return (_ANYWHERE,), ()
        return (), [(each, record) for each in written]

    def _is_of_type(self, key: ObjectKey, record: str) -> bool:
        """Whether an object is known to be such a record, or an array of them."""
        thing = self._nodes.facts.objects.get(self._nodes.object_id(key.object))
        words = [] if thing is None else thing.type.partition("[")[0].split()
        return [word for word in words if word not in _NOT_NAMES] == [record]

    def _is_changed(self, node: int) -> bool:
        """Whether a parameter may be something else than what was handed to it."""
        return node in self._address_taken or node in self._written

    @cached_property
    def _called_by_pointer(self) -> set[int]:
        """The functions whose address is taken, but by a row of the kernel's symbol table."""
        facts = self._nodes.facts
        functions = {value: row.function for value, row in enumerate(self._rows)
                     if isinstance(row, FunctionRow)}
        found: set[int] = set()
        for row in facts.definitions:
            if not is_export_row(facts, row):
                found.update(functions[write.value] for write in row.writes
                             if write.value in functions)
            found.update(functions[value] for site in row.sites for argument in site.arguments
                         for value in argument if value in functions)
        return found

    @cached_property
    def _writes(self) -> dict[int, list[tuple[int, int, int]]]:
        """Field -> (function, base, value) of the writes to it."""
        found: dict[int, list[tuple[int, int, int]]] = {}
        keys, nodes = self._nodes.interner.holder_keys, self._nodes.holder_nodes
        for row in self._nodes.facts.definitions:
            for write in row.writes:
                if isinstance(keys[write.holder], SlotKey):
                    found.setdefault(nodes[write.holder], []).append(
                        (row.function, write.base, write.value))
        return found
