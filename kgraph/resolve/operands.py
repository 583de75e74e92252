"""Operands: what a value is in the constraint graph.

A value is a node to read, a token, or nothing that matters. A slot is read as a whole, except
where tables of known identity fill it: then the read gets a node of its own that remembers its
base, so that it can be refined. A record as a whole has no operand.
"""

from collections.abc import Iterator

from kgraph.model.values import POINTEE
from kgraph.resolve.constraint_graph import ANONYMOUS, CONSTANT_OF, FIELD, LOADED, REASON, Nodes
from kgraph.resolve.interning import (
    ADDRESS,
    CONSTANT,
    FUNCTION,
    LOAD,
    NONE,
    OBJECT,
    OPAQUE,
    PARAMETER,
    SLOT,
    VARIABLE,
)

NOTHING = -1
ROOTS = (OBJECT, VARIABLE, PARAMETER)


def token_operand(token: int) -> int:
    """A token as a code."""
    return -2 - token


def operand_token(code: int) -> int:
    """The token that a code is, or NONE for a node or NOTHING."""
    return -2 - code if code < NOTHING else NONE


class Operands:
    """Codes of values, roots of bases, and what is known of slots before any set is solved."""

    def __init__(self, nodes: Nodes) -> None:
        self.nodes = nodes
        names = nodes.interner
        self._rows = names.value_rows
        self._keys = names.holder_keys
        self._codes: list[int | None] = [None] * len(self._rows)
        self.roots = self._find_roots()
        self.record_slots: set[int] = set()  # slots that hold a record, not a pointer
        self.tagged_slots: set[int] = set()  # slots that tables of known identity fill
        self.tagged_roots: set[int] = set()  # objects with functions, or with tables
        self.loads: list[tuple[int, int]] = []  # (code of a pointer, node that gets what it holds)
        self.loaded: dict[int, tuple[int, int, int]] = {}  # node: slot, root of base, code of base
        self.records: dict[str, set[int]] = {}  # the tables with a record of each type
        self._survey()

    def _find_roots(self) -> list[int]:
        """For each value the node of the object or local that it is an address in, or NONE."""
        roots: list[int] = []
        for kind, holder, base in self._rows:
            root = NONE
            if kind == ADDRESS:
                if self._keys[holder][0] in ROOTS:
                    root = self.nodes.holder_nodes[holder]
                elif base != NONE:
                    root = roots[base]
            roots.append(root)
        return roots

    def _survey(self) -> None:
        """Find the slots that hold records, the tables, and the slots that tables fill."""
        for base, _ in self._places():
            kind, holder, _ = self._rows[base]
            if kind == ADDRESS and self._keys[holder][0] == SLOT:
                self.record_slots.add(self.nodes.holder_nodes[holder])
        fields = self._fields()
        self._tag(fields)
        self.tagged_roots |= self._copied_roots()
        self._tag(fields)
        for root, slot, _, base in fields:
            if root in self.tagged_roots:
                self._lies_in(root, slot, base)

    def _tag(self, fields: list[tuple[int, int, int, int]]) -> None:
        """Find the objects that functions or tables are put into, and by which slots. What is put
        into such a slot of another object may be a function as well, handed in from elsewhere.
        """
        known = (-1, -1)
        while known != (len(self.tagged_roots), len(self.tagged_slots)):
            known = (len(self.tagged_roots), len(self.tagged_slots))
            for root, slot, value, _ in fields:
                if self._tells_tables_apart(value):
                    self.tagged_slots.add(slot)
                elif slot not in self.tagged_slots or value == CONSTANT:
                    continue
                self.tagged_roots.add(root)

    def _copied_roots(self) -> set[int]:
        """The objects that a record with functions or tables may be copied into as a whole."""
        types = {self.nodes.keys[slot][1] for slot in self.tagged_slots}
        found: set[int] = set()
        for row in self.nodes.facts.definitions:
            for write in row.writes:
                kind, holder, _ = self._rows[write.value]
                if kind == LOAD and self._is_record(holder, types):
                    node = self.nodes.holder_nodes[write.holder]
                    found.add(self.roots[write.base] if write.base != NONE else node)
        found.discard(NONE)
        return {root for root in found if self.nodes.keys[root][0] in ROOTS}

    def _is_record(self, holder: int, types: set[str]) -> bool:
        """Whether a holder is a record of one of these types, or holds tables itself."""
        key = self._keys[holder]
        node = self.nodes.holder_nodes[holder]
        if key[0] == SLOT:
            return key[1] in types if key[2] == POINTEE else node in self.record_slots
        return node in self.tagged_roots

    def _lies_in(self, root: int, slot: int, base: int) -> None:
        """Note the types of the records around a field of a table, from the inside out."""
        self.records.setdefault(self.nodes.keys[slot][1], set()).add(root)
        _, holder, further = self._rows[base]
        if self._keys[holder][0] == SLOT and further != NONE:
            self._lies_in(root, self.nodes.holder_nodes[holder], further)

    def _fields(self) -> list[tuple[int, int, int, int]]:
        """Each (root, slot, value, base) that is written to an object or local of known
        identity."""
        return [
            (root, self.nodes.holder_nodes[write.holder], write.value, write.base)
            for row in self.nodes.facts.definitions
            for write in row.writes
            if write.base != NONE and self._keys[write.holder][0] == SLOT
            and (root := self.roots[write.base]) != NONE
        ]

    def _tells_tables_apart(self, value: int) -> bool:
        """Whether a value is a function or leads to one: a table, or what is not known yet."""
        kind = self._rows[value][0]
        if kind == ADDRESS:
            return self.roots[value] in self.tagged_roots
        return kind == FUNCTION

    def _places(self) -> Iterator[tuple[int, int]]:
        """Each (base, slot) that occurs in a value or as what is written to."""
        for kind, holder, base in self._rows:
            if base != NONE and kind in (LOAD, ADDRESS):
                yield base, holder
        for row in self.nodes.facts.definitions:
            for write in row.writes:
                if write.base != NONE:
                    yield write.base, write.holder

    def operand(self, value: int) -> int:
        """The code of a value."""
        known = self._codes[value]
        if known is None:
            known = self._codes[value] = self._code(value)
        return known

    def _code(self, value: int) -> int:
        if value == CONSTANT:
            return NOTHING
        kind, first, base = self._rows[value]
        if kind == FUNCTION:
            return token_operand(self.nodes.function_token(self.nodes.linked_functions[first]))
        if kind == OPAQUE:
            return self.reason_node(self.nodes.interner.reason_list[first])
        key = self._keys[first]
        if key[0] != SLOT:
            node = self.nodes.holder_nodes[first]
            return node if kind == LOAD else token_operand(self.nodes.address_token(node, node))
        if kind == ADDRESS:
            return self._slot_address(value, first, base)
        return self._slot_load(value, first, base)

    def find_reads(self, nodes: set[int]) -> set[int]:
        """The slots, and what one expression reads of one, in objects among some nodes or through
        pointers that are among them."""
        found: set[int] = set()
        for value, (kind, holder, base) in enumerate(self._rows):
            if kind != LOAD or base == NONE or self._keys[holder][0] != SLOT:
                continue
            if self.roots[base] in nodes or self._read_node(base) in nodes:
                found.add(self.nodes.holder_nodes[holder])
                found.add(self.nodes.find_node((LOADED, self.nodes.holder_nodes[holder], value)))
        found.discard(NONE)
        return found

    def _read_node(self, value: int) -> int:
        """The node that a value reads, if it is known without making one, or NONE."""
        kind, holder, _ = self._rows[value]
        if kind == LOAD and self._keys[holder][0] != SLOT:
            return self.nodes.holder_nodes[holder]
        code = self._codes[value]
        return NONE if code is None else code

    def reason_node(self, reason: str) -> int:
        """The node of what could not be followed."""
        return self.nodes.intern_node((REASON, reason))

    def _slot_address(self, value: int, holder: int, base: int) -> int:
        if self._keys[holder][2] == POINTEE:
            return (
                self.operand(base)
                if base != NONE
                else self.reason_node("an address without a base")
            )
        token = self.nodes.address_token(self.nodes.holder_nodes[holder], self.roots[value])
        return token_operand(token)

    def _slot_load(self, value: int, holder: int, base: int) -> int:
        _, record, field, _ = self._keys[holder]
        slot = self.nodes.holder_nodes[holder]
        if field == POINTEE:
            return NOTHING if record else self.pointee_node(value, base)
        if slot not in self.tagged_slots or base == NONE:
            return slot
        node = self.nodes.intern_node((LOADED, slot, value))
        self.loaded[node] = (slot, self.roots[base], self.operand(base))
        return node

    def pointee_node(self, key: int, base: int) -> int:
        """A node for what the pointer `base` points to."""
        code = self.operand(base) if base != NONE else NOTHING
        if code == NOTHING:
            return self.reason_node("what a constant points to")
        node = self.nodes.intern_node((LOADED, NONE, key))
        self.loads.append((code, node))
        return node

    def record_operand(self, value: int) -> int:
        """The code of the address of the record that a value is as a whole, or NOTHING."""
        kind, holder, base = self._rows[value]
        if value == CONSTANT or kind != LOAD:
            return NOTHING
        key = self._keys[holder]
        node = self.nodes.holder_nodes[holder]
        if key[0] == SLOT and key[2] == POINTEE:
            return self.operand(base) if base != NONE else NOTHING
        if key[0] == SLOT and node in self.record_slots:
            root = self.roots[base] if base != NONE else NONE
            return token_operand(self.nodes.address_token(node, root))
        if node in self.tagged_roots:
            return token_operand(self.nodes.address_token(node, node))
        return NOTHING

    def as_node(self, code: int) -> int:
        """The node of a code that is a node or a token."""
        if code >= 0:
            return code
        return self.nodes.intern_node((CONSTANT_OF, operand_token(code)))

    def anonymous_node(self, slot: int) -> int:
        """The node of a slot as written through pointers."""
        return self.nodes.intern_node((ANONYMOUS, slot))

    def field_node(self, root: int, slot: int) -> int:
        """The node of a slot of one object."""
        return self.nodes.intern_node((FIELD, root, slot))
