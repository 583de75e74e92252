"""Embedded records: what is written and read by the path of the record around another one.

`ct->timeout.function` goes through a timer that lies in a connection. Its path is the field that
holds the inner record; if the outer record lies in a third one, the field that holds that comes
next. What is written by one path is not read by another, unless one is the beginning of the other.
What is written through a pointer to the inner record alone is read by all.

A path is cut off where content may come from elsewhere: at a field that is assigned as a whole,
also as bytes, and at a type of records of which one is copied to where a pointer leads. If such a
field is assigned from another one, or may lie at its place (in a union, or where the records around
them are taken for each other), what that one holds is read as well. A slot whose record is
written as raw memory has no paths.
"""

from collections.abc import Iterator

from kgraph.model.values import POINTEE, THROUGH, Slot, TransferKind
from kgraph.resolve.constraint_graph import EmbeddedKey, Nodes, WithinKey
from kgraph.resolve.fact_rows import WriteRow
from kgraph.resolve.interning import (
    CONSTANT,
    NONE,
    AddressRow,
    LoadRow,
    OpaqueRow,
    SlotKey,
    VariableKey,
)

EmbeddingPath = tuple[int, ...]  # slots that hold records, as nodes, from the inside out
_Record = tuple[str, str]  # a type of records, with its scope
_OVERLAYS = (TransferKind.OVERLAY, TransferKind.CARRIER)


class EmbeddedRecords:
    """The paths by which called slots are read and written. `locals` are those whose values decide
    on a path, as nodes."""

    def __init__(self, nodes: Nodes, roots: list[int], record_slots: set[int]) -> None:
        """`roots` has for each value the object or local that it is an address in, or NONE;
        `record_slots` are the slots that hold a record."""
        self._nodes = nodes
        self._rows = nodes.interner.value_rows
        self._keys = nodes.interner.holder_keys
        self._roots = roots
        self._record_slots = record_slots
        self._paths: dict[int, EmbeddingPath] = {}
        self._pointers: dict[int, set[int]] = {}  # local: the values that are written to it
        self._containers: dict[int, set[str]] = {}  # holder: through which fields it was computed
        self._written: dict[int, set[EmbeddingPath]] = {}  # slot: how, through pointers
        self._filled: dict[int, set[tuple[int, EmbeddingPath]]] = {}  # slot: in which object, how
        self._sources: dict[int, set[int]] = {}  # a slot with a record: those it is assigned from
        self._open: set[int] = set()  # slots with records that come from somewhere
        self._moved: set[_Record] = set()  # of which one is copied to where a pointer leads
        self._raw: set[int] = set()
        self._writes = self._list_writes(self._find_called())
        self._reads = self._find_reads()
        self.locals = self._find_locals()
        self._read_definitions()
        self._note_assigned(record_slots)
        self._note_paths()
        self._narrow = {slot for slot, bases in self._reads.items()
                        if any(self._is_narrow(slot, self._limit(slot, base)) for base in bases)}

    def _field(self, holder: int) -> int:
        """The slot that a holder is, or NONE."""
        key = self._keys[holder]
        is_field = isinstance(key, SlotKey) and key.field != POINTEE
        return self._nodes.holder_nodes[holder] if is_field else NONE

    def _find_called(self) -> set[int]:
        """The slots that calls go through."""
        found: set[int] = set()
        for definition in self._nodes.facts.definitions:
            for site in definition.sites:
                row = self._rows[site.target] if site.target != NONE else None
                if isinstance(row, LoadRow):
                    found.add(self._field(row.holder))
        return found - {NONE}

    def _list_writes(self, slots: set[int]) -> dict[int, list[WriteRow]]:
        """For each of the slots what is written to it."""
        found: dict[int, list[WriteRow]] = {slot: [] for slot in slots}
        for definition in self._nodes.facts.definitions:
            for write in definition.writes:
                slot = self._field(write.holder)
                if slot in found:
                    found[slot].append(write)
        return found

    def _find_reads(self) -> dict[int, set[int]]:
        """For each slot that is reached in a record inside another one, the bases of its reads."""
        found: dict[int, set[int]] = {}
        for row in self._rows:
            if isinstance(row, LoadRow) and row.base != NONE:
                slot = self._field(row.holder)
                if slot in self._writes:
                    found.setdefault(slot, set()).add(row.base)
        return {slot: bases for slot, bases in found.items() if any(map(self._is_inside, bases))}

    def _is_inside(self, base: int) -> bool:
        row = self._rows[base]
        return isinstance(row, AddressRow) and self._field(row.holder) != NONE

    def _find_locals(self) -> set[int]:
        """The locals through which the slots are reached; none of which the address is taken."""
        bases = {base for found in self._reads.values() for base in found}
        bases.update(write.base for slot in self._reads for write in self._writes[slot])
        rows = [self._rows[self._find_outer(base)] for base in bases - {NONE}]
        nodes = self._nodes.holder_nodes
        taken = {nodes[row.holder] for row in self._rows if isinstance(row, AddressRow)}
        return {nodes[row.holder] for row in rows if isinstance(row, LoadRow)
                and isinstance(self._keys[row.holder], VariableKey)} - taken

    def _read_definitions(self) -> None:
        """Note what is written to the locals, and of which types records are copied."""
        nodes = self._nodes.holder_nodes
        for definition in self._nodes.facts.definitions:
            for write in definition.writes:
                node = nodes[write.holder]
                if node in self.locals:
                    self._pointers.setdefault(node, set()).add(write.value)
                fields = self._list_contained(write.value)
                if fields:
                    self._containers.setdefault(node, set()).update(fields)
            for write in [*definition.writes, *definition.moves]:
                key = self._keys[write.holder]
                if isinstance(key, SlotKey) and key.field == POINTEE and key.record:
                    self._moved.add((key.record, key.scope))

    def _note_assigned(self, fields: set[int]) -> None:
        """Note where the records in some fields are assigned from, if they are as a whole, and the
        same of the fields that they come from."""
        known = self._record_slots | fields
        while fields:
            fields = self._note_sources(fields) - known
            known |= fields

    def _note_sources(self, fields: set[int]) -> set[int]:
        """Note what some fields are assigned from. Returns the fields among that."""
        nodes = self._nodes.holder_nodes
        found: set[int] = set()
        for definition in self._nodes.facts.definitions:
            for write in [*definition.writes, *definition.moves]:
                node = nodes[write.holder]
                if node not in fields or write.how in _OVERLAYS:
                    continue
                row = self._rows[write.value]
                source = self._field(row.holder) if isinstance(row, LoadRow) else NONE
                if source == NONE:
                    self._open.add(node)
                elif source != node:
                    self._sources.setdefault(node, set()).add(source)
                    found.add(source)
        return found

    def _note_paths(self) -> None:
        """Note the paths by which the slots are written."""
        for slot in self._reads:
            for write in self._writes[slot]:
                if write.how in _OVERLAYS:
                    if isinstance(self._rows[write.value], OpaqueRow):
                        self._raw.add(slot)
                    continue
                path = self._find_path(write.base)
                root = self._roots[write.base] if write.base != NONE else NONE
                if root == NONE:
                    self._written.setdefault(slot, set()).add(path)
                else:
                    self._filled.setdefault(slot, set()).add((root, path))

    def _find_path(self, base: int) -> EmbeddingPath:
        """The fields that hold the record which a base is the address of."""
        if base == NONE:
            return ()
        known = self._paths.get(base)
        if known is None:
            self._paths[base] = ()  # for a local that is reached through itself
            known = self._paths[base] = self._make_path(base)
        return known

    def _make_path(self, base: int) -> EmbeddingPath:
        row = self._rows[base]
        if isinstance(row, AddressRow):
            slot = self._field(row.holder)
            if slot == NONE or self._is_computed_through(slot, self._find_outer(base)):
                return ()
            return (slot, *self._find_path(row.base))
        if isinstance(row, LoadRow):
            values = self._pointers.get(self._nodes.holder_nodes[row.holder], ())
            paths = {self._find_path(value) for value in values if value != CONSTANT}
            return paths.pop() if len(paths) == 1 else ()
        return ()

    def _find_outer(self, base: int) -> int:
        """The pointer to the outermost record around one, as TableSurvey.find_outer."""
        row = self._rows[base]
        while isinstance(row, AddressRow) and row.base != NONE and self._field(row.holder) != NONE:
            base = row.base
            row = self._rows[base]
        return base

    def _is_computed_through(self, slot: int, pointer: int) -> bool:
        """Whether a pointer was computed from one to or into the record in this field of it.

        Then that record may lie in another one: a list of inner records may mix their outer ones.
        """
        key = self._nodes.slot_key(slot)
        name = Slot(key.record, key.field, key.scope).name
        values = {pointer}
        row = self._rows[pointer]
        if isinstance(row, LoadRow):
            values |= self._pointers.get(self._nodes.holder_nodes[row.holder], set())
        return any(name in self._list_contained(value) for value in values) or any(
            name in self._containers.get(self._nodes.holder_nodes[each.holder], ())
            for each in map(self._rows.__getitem__, values) if isinstance(each, LoadRow))

    def _list_contained(self, value: int) -> list[str]:
        """The fields through which container_of computed a value."""
        row = self._rows[value]
        if not isinstance(row, OpaqueRow):
            return []
        return self._nodes.interner.reason_list[row.reason].split(THROUGH)[1:]

    def _limit(self, slot: int, base: int) -> EmbeddingPath:
        """The path of a base as far as it tells apart what the slot holds."""
        if slot in self._raw:
            return ()
        path = self._find_path(base)
        inner = slot
        for depth, around in enumerate(path):
            key = self._nodes.slot_key(inner)
            if (key.record, key.scope) in self._moved or (
                    depth and around in self._sources) or not self._find_origins(around):
                return path[:depth]
            inner = around
        return path

    def _find_origins(self, around: int) -> set[int]:
        """A field that holds a record, and those whose records may come into it; none if it may be
        others, too."""
        found: set[int] = set()
        stack = [around]
        while stack:
            field = stack.pop()
            if field in self._open:
                return set()
            if field not in found:
                found.add(field)
                stack += self._sources.get(field, ())
        return found

    def _is_read(self, path: EmbeddingPath, written: EmbeddingPath) -> bool:
        """Whether a read by one path may see what is written by another through a pointer."""
        length = min(len(path), len(written))
        return path[:length] == written[:length] or self._may_come(path, written)

    def _is_read_in_object(self, path: EmbeddingPath, written: EmbeddingPath) -> bool:
        """The same of what is written in an object, where the whole path is known."""
        return path == written[:len(path)] or self._may_come(path, written)

    def _may_come(self, path: EmbeddingPath, written: EmbeddingPath) -> bool:
        return bool(written) and written[0] != path[0] and (
            written[0] in self._find_origins(path[0]))

    def _is_narrow(self, slot: int, path: EmbeddingPath) -> bool:
        """Whether a read by a path sees less than the whole slot."""
        if not path:
            return False
        return not (all(self._is_read(path, each) for each in self._written.get(slot, ()))
                    and all(self._is_read_in_object(path, each)
                            for _, each in self._filled.get(slot, ())))

    def find_written_node(self, slot: int, base: int) -> int:
        """The node of what is written to a slot by the path of a base, NONE if it has none."""
        path = self._find_path(base) if slot in self._narrow else ()
        return self._nodes.intern_node(EmbeddedKey(slot, path)) if path else NONE

    def find_read_node(self, slot: int, base: int) -> int:
        """The node of what is read of a slot by the path of a base; the slot if that is all."""
        if slot in self._narrow:
            path = self._limit(slot, base)
            if self._is_narrow(slot, path):
                return self._nodes.intern_node(WithinKey(slot, path))
        return slot

    def list_written(self, node: int) -> list[int]:
        """The nodes of what is written by paths through pointers to a slot, or read by a path."""
        key = self._nodes.keys[node]
        slot, path = (key.slot, key.path) if isinstance(key, WithinKey) else (node, ())
        if slot not in self._narrow:
            return []
        found = (self._nodes.find_node(EmbeddedKey(slot, written))
                 for written in self._written.get(slot, ())
                 if written and self._is_read(path, written))
        return [node for node in found if node != NONE]

    def find_roots(self, key: WithinKey) -> set[int]:
        """The objects in which a slot is filled by a path."""
        return {root for root, path in self._filled.get(key.slot, ())
                if self._is_read_in_object(key.path, path)}

    def iter_read_nodes(self) -> Iterator[tuple[int, WithinKey]]:
        """The nodes of what is read by paths."""
        for node, key in enumerate(self._nodes.keys):
            if isinstance(key, WithinKey):
                yield node, key
