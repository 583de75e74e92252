"""Operands: what a value is in the constraint graph.

A value is a node to read, a token, or nothing that matters (kgraph.model.codes). A slot is read as
a whole, except where tables of known identity fill it: then the read gets a node of its own that
remembers its base, so that it can be refined. A record as a whole has no operand.

Which slots tables fill is surveyed first, before any set is solved.
"""

from collections.abc import Iterator

from msgspec import Struct

from kgraph.model.codes import (
    NOTHING,
    Operand,
    is_node,
    node_operand,
    operand_token,
    token_operand,
)
from kgraph.model.values import POINTEE, THROUGH
from kgraph.resolve.constraint_graph import (
    AnonymousKey,
    FieldKey,
    Nodes,
    PointeeKey,
    ReasonKey,
    SlotReadKey,
)
from kgraph.resolve.embedded_records import EmbeddedRecords
from kgraph.resolve.interning import (
    CONSTANT,
    NONE,
    AddressRow,
    FunctionRow,
    LoadRow,
    ObjectKey,
    OpaqueRow,
    SlotKey,
    VariableKey,
)


class SlotRead(Struct, frozen=True, gc=False):
    """What a SlotReadKey's node reads: a slot, reached through a base, which for a record that lies
    in others is the pointer to the outermost. `root` is the object that the base is an address in,
    or NONE. `whole` is read where the objects are not known: the slot, or what a path brings to it.
    """

    slot: int
    root: int
    base: Operand
    whole: int


class PointerLoad(Struct, frozen=True, gc=False):
    """The node `target` holds what is read through the pointer."""

    pointer: Operand
    target: int


class _FieldWrite(Struct, frozen=True, gc=False):
    """A value that is written to a slot of an object or local of known identity."""

    root: int
    slot: int
    value: int
    base: int


class TableSurvey:
    """What is known of slots and tables before any set is solved.

    `roots` has for each value the node of the object or local that it is an address in, or NONE.
    `record_slots` hold a record, not a pointer; so do the objects and locals `record_roots`.
    `reached` has the slots that are reached through a pointer.
    `tagged_slots` are filled by tables of known
    identity. `tagged_roots` are objects with functions, or with tables. `records` are, for each
    record type, the tables that have such a record in them.
    """

    def __init__(self, nodes: Nodes) -> None:
        self._nodes = nodes
        self._rows = nodes.interner.value_rows
        self._keys = nodes.interner.holder_keys
        self.roots = self._find_roots()
        self.record_slots: set[int] = set()
        self.record_roots: set[int] = set()
        self._find_records()
        self.reached = self._find_reached()
        self.tagged_slots: set[int] = set()
        self.tagged_roots: set[int] = set()
        self.records: dict[str, set[int]] = {}
        writes = self._list_field_writes()
        self._tag(writes)
        self.tagged_roots |= self._find_copied_roots()
        self._tag(writes)
        for write in writes:
            if write.root in self.tagged_roots:
                self._note_records(write.root, write.slot, write.base)

    def is_root(self, node: int) -> bool:
        """Whether a node is an object or a local.

        A parameter is none: a record that is passed by value is whatever callers pass.
        """
        return isinstance(self._nodes.keys[node], ObjectKey | VariableKey)

    def find_outer(self, base: int) -> int:
        """The pointer through which a record, or the one that it lies in, is reached: for
        `&p->inner` the value of p."""
        row = self._rows[base]
        while isinstance(row, AddressRow) and row.base != NONE and self.is_slot(row.holder):
            base = row.base
            row = self._rows[base]
        return base

    def is_slot(self, holder: int) -> bool:
        """Whether a holder is a slot."""
        return isinstance(self._keys[holder], SlotKey)

    def _find_roots(self) -> list[int]:
        nodes = self._nodes.holder_nodes
        roots: list[int] = []
        for row in self._rows:
            root = NONE
            if isinstance(row, AddressRow):
                if self.is_root(nodes[row.holder]):
                    root = nodes[row.holder]
                elif row.base != NONE:
                    root = roots[row.base]
            roots.append(root)
        return roots

    def _find_records(self) -> None:
        """Find the slots, objects and locals whose address something is reached through."""
        for base in self._iter_bases():
            row = self._rows[base]
            if isinstance(row, AddressRow):
                node = self._nodes.holder_nodes[row.holder]
                if self.is_slot(row.holder):
                    self.record_slots.add(node)
                elif self.is_root(node):
                    self.record_roots.add(node)

    def _find_reached(self) -> dict[int, set[int]]:
        """For each holder, but slots, the slots that are reached through the pointer it holds."""
        found: dict[int, set[int]] = {}
        nodes, keys = self._nodes.holder_nodes, self._keys
        for row in self._rows:
            if not isinstance(row, LoadRow | AddressRow) or row.base == NONE:
                continue
            key, base = keys[row.holder], self._rows[self.find_outer(row.base)]
            if isinstance(base, LoadRow) and isinstance(key, SlotKey) and key.field != POINTEE and (
                    not self.is_slot(base.holder)):
                found.setdefault(nodes[base.holder], set()).add(nodes[row.holder])
        return found

    def find_slots(self, roots: set[int]) -> set[int]:
        """The slots that are reached in some objects or locals by name."""
        nodes = self._nodes.holder_nodes
        return {nodes[row.holder] for row in self._rows
                if isinstance(row, LoadRow | AddressRow) and row.base != NONE
                and self.roots[row.base] in roots and self.is_slot(row.holder)}

    def _iter_bases(self) -> Iterator[int]:
        """Every base in a value or of what is written to."""
        for row in self._rows:
            if isinstance(row, LoadRow | AddressRow) and row.base != NONE:
                yield row.base
        for definition in self._nodes.facts.definitions:
            for write in definition.writes:
                if write.base != NONE:
                    yield write.base

    def _list_field_writes(self) -> list[_FieldWrite]:
        return [
            _FieldWrite(root, self._nodes.holder_nodes[write.holder], write.value, write.base)
            for row in self._nodes.facts.definitions
            for write in row.writes
            if write.base != NONE and self.is_slot(write.holder)
            and (root := self.roots[write.base]) != NONE
        ]

    def _tag(self, writes: list[_FieldWrite]) -> None:
        """Find the objects that functions or tables are put into, and by which slots.

        What is put into such a slot of another object may be a function as well, handed in from
        elsewhere.
        """
        known = (-1, -1)
        while known != (len(self.tagged_roots), len(self.tagged_slots)):
            known = (len(self.tagged_roots), len(self.tagged_slots))
            for write in writes:
                if self._leads_to_function(write.value):
                    self.tagged_slots.add(write.slot)
                elif write.slot not in self.tagged_slots or write.value == CONSTANT:
                    continue
                self.tagged_roots.add(write.root)

    def _leads_to_function(self, value: int) -> bool:
        """Whether a value is a function, or the address of a table."""
        row = self._rows[value]
        if isinstance(row, AddressRow):
            return self.roots[value] in self.tagged_roots
        return isinstance(row, FunctionRow)

    def _find_copied_roots(self) -> set[int]:
        """The objects that a record with functions or tables may be copied into as a whole."""
        types = {self._nodes.slot_key(slot).record for slot in self.tagged_slots}
        found: set[int] = set()
        for definition in self._nodes.facts.definitions:
            for write in definition.writes:
                row = self._rows[write.value]
                if isinstance(row, LoadRow) and self._is_record(row.holder, types):
                    node = self._nodes.holder_nodes[write.holder]
                    found.add(self.roots[write.base] if write.base != NONE else node)
        found.discard(NONE)
        return set(filter(self.is_root, found))

    def _is_record(self, holder: int, types: set[str]) -> bool:
        """Whether a holder is a record of one of these types, or holds tables itself."""
        key, node = self._keys[holder], self._nodes.holder_nodes[holder]
        if isinstance(key, SlotKey):
            return key.record in types if key.field == POINTEE else node in self.record_slots
        return node in self.tagged_roots

    def _note_records(self, root: int, slot: int, base: int) -> None:
        """Note the types of the records around a field of a table, from the inside out."""
        self.records.setdefault(self._nodes.slot_key(slot).record, set()).add(root)
        row = self._rows[base]
        assert isinstance(row, LoadRow | AddressRow)
        if row.base != NONE and self.is_slot(row.holder):
            self._note_records(root, self._nodes.holder_nodes[row.holder], row.base)


class Operands:
    """The operands of values.

    Making one may make nodes: `slot_reads` has what each node of a SlotReadKey reads, `loads` what
    is read through pointers.
    """

    def __init__(self, nodes: Nodes, survey: TableSurvey, embedded: EmbeddedRecords) -> None:
        self.nodes = nodes
        self._survey = survey
        self._embedded = embedded
        self._rows = nodes.interner.value_rows
        self._keys = nodes.interner.holder_keys
        self._operands: list[Operand | None] = [None] * len(self._rows)
        self.loads: list[PointerLoad] = []
        self.slot_reads: dict[int, SlotRead] = {}

    def operand(self, value: int) -> Operand:
        """The operand of a value."""
        known = self._operands[value]
        if known is None:
            known = self._operands[value] = self._make_operand(value)
        return known

    def _make_operand(self, value: int) -> Operand:
        row, nodes = self._rows[value], self.nodes
        if isinstance(row, LoadRow):
            key = self._keys[row.holder]
            if isinstance(key, SlotKey):
                return self._load_slot(value, row, key)
            return node_operand(nodes.holder_nodes[row.holder])
        if isinstance(row, AddressRow):
            key = self._keys[row.holder]
            if isinstance(key, SlotKey):
                return self._slot_address(value, row, key)
            node = nodes.holder_nodes[row.holder]
            return token_operand(nodes.address_token(node, self._survey.roots[value]))
        if isinstance(row, FunctionRow):
            return token_operand(nodes.function_token(nodes.linked_functions[row.function]))
        if isinstance(row, OpaqueRow):
            reason = nodes.interner.reason_list[row.reason].partition(THROUGH)[0]
            return node_operand(self.reason_node(reason))
        return NOTHING

    def _slot_address(self, value: int, row: AddressRow, key: SlotKey) -> Operand:
        if key.field == POINTEE:
            if row.base == NONE:
                return node_operand(self.reason_node("an address without a base"))
            return self.operand(row.base)
        node = self.nodes.holder_nodes[row.holder]
        return token_operand(self.nodes.address_token(node, self._survey.roots[value]))

    def _load_slot(self, value: int, row: LoadRow, key: SlotKey) -> Operand:
        slot = self.nodes.holder_nodes[row.holder]
        if key.field == POINTEE:
            if key.record:
                return NOTHING
            return node_operand(self.pointee_node(PointeeKey(value, is_copied=False), row.base))
        if row.base == NONE:
            return node_operand(slot)
        whole = self._embedded.find_read_node(slot, row.base)
        is_tagged = slot in self._survey.tagged_slots
        if whole == slot and not is_tagged:
            return node_operand(slot)
        node = self.nodes.intern_node(SlotReadKey(slot, value))
        root, base = NONE, NOTHING
        if is_tagged:
            root = self._survey.roots[row.base]
            base = self.operand(self._survey.find_outer(row.base))
        self.slot_reads[node] = SlotRead(slot, root, base, whole)
        return node_operand(node)

    def pointee_node(self, key: PointeeKey, base: int) -> int:
        """The node, with this key, of what the pointer `base` points to."""
        pointer = self.operand(base) if base != NONE else NOTHING
        if pointer == NOTHING:
            return self.reason_node("what a constant points to")
        node = self.nodes.intern_node(key)
        self.loads.append(PointerLoad(pointer, node))
        return node

    def record_operand(self, value: int) -> Operand:
        """The address of the record that a value is as a whole, or NOTHING."""
        row = self._rows[value]
        if not isinstance(row, LoadRow):
            return NOTHING
        key, node = self._keys[row.holder], self.nodes.holder_nodes[row.holder]
        if isinstance(key, SlotKey):
            if key.field == POINTEE:
                return self.operand(row.base) if row.base != NONE else NOTHING
            if node in self._survey.record_slots:
                root = self._survey.roots[row.base] if row.base != NONE else NONE
                return token_operand(self.nodes.address_token(node, root))
        if node in self._survey.tagged_roots:
            return token_operand(self.nodes.address_token(node, node))
        return NOTHING

    def find_reads(self, nodes: set[int]) -> set[int]:
        """The slots, and the nodes of single reads of these, that are read in an object among some
        nodes, or through a pointer among them."""
        found: set[int] = set()
        for value, row in enumerate(self._rows):
            if not isinstance(row, LoadRow) or row.base == NONE or not self._survey.is_slot(
                    row.holder):
                continue
            if self._survey.roots[row.base] in nodes or self._find_read_node(row.base) in nodes:
                slot = self.nodes.holder_nodes[row.holder]
                found.add(slot)
                node = self.nodes.find_node(SlotReadKey(slot, value))
                if node != NONE:
                    found.update((node, self.slot_reads[node].whole))
        return found

    def _find_read_node(self, value: int) -> int:
        """The node that a value reads, if it is known without making one, or NONE."""
        row = self._rows[value]
        if isinstance(row, LoadRow) and not self._survey.is_slot(row.holder):
            return self.nodes.holder_nodes[row.holder]
        operand = self._operands[value]
        return operand if operand is not None and is_node(operand) else NONE

    def as_node(self, operand: Operand) -> int:
        """The node of an operand that is a node or a token."""
        if is_node(operand):
            return operand
        return self.nodes.token_holder(operand_token(operand))

    def reason_node(self, reason: str) -> int:
        """The node of what could not be followed."""
        return self.nodes.intern_node(ReasonKey(reason))

    def anonymous_node(self, slot: int) -> int:
        """The node of a slot as it is written through pointers."""
        return self.nodes.intern_node(AnonymousKey(slot))

    def field_node(self, root: int, slot: int) -> int:
        """The node of a slot of one object."""
        return self.nodes.intern_node(FieldKey(root, slot))
