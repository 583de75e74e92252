"""Builds the constraints: what each definition says about the sets of the nodes.

Owns the rules that need no solved set: bindings and flows, arguments of direct calls, copy
functions, undefined functions, addresses that are taken. Calls, loads and stores through
pointers are listed for the solver, which acts on them as sets grow.
"""

from typing import NamedTuple

from kgraph.model.values import POINTEE, TransferKind
from kgraph.resolve.constraint_graph import (
    ANONYMOUS,
    ARGUMENT,
    BESIDE,
    BIND,
    CONSTANT_OF,
    ESCAPE,
    FIELD,
    FLOW,
    OVERLAID,
    POINTER,
    REASON,
    RETURNED,
    SOMEWHERE,
    TOP,
    UNCITED,
    Nodes,
    label_location,
    pack_label,
)
from kgraph.resolve.fact_rows import DefinitionRow, SiteRow, WriteRow
from kgraph.resolve.installed_tables import is_export_section
from kgraph.resolve.interning import NONE, OBJECT, PARAMETER, RESULT, RETURN, SLOT
from kgraph.resolve.models.declared import (
    CopyFunction,
    is_public,
    load_copy_functions,
    load_discriminated_unions,
)
from kgraph.resolve.operands import NOTHING, Operands, operand_token, token_operand

_FLOWS = {
    TransferKind.RETURN: RETURNED,
    TransferKind.OVERLAY: OVERLAID,
    TransferKind.CARRIER: OVERLAID,
}
UNREAD = "a caller passes it what was not read as a pointer"


class IndirectCall(NamedTuple):
    """A call through `target` (a code). `result` is the node of its CallResult, or NONE."""

    target: int
    arguments: tuple[tuple[int, ...], ...]
    result: int
    label: int


class Store(NamedTuple):
    """`*pointer = source`, both codes."""

    pointer: int
    source: int
    label: int


class Copy(NamedTuple):
    """A record copied as a whole: the codes of both addresses, its type, and a type of record that
    the destination is or lies in; "" where a type is not known."""

    destination: int
    source: int
    record: str
    within: str


class Constraints:
    """Everything that the solver works on."""

    def __init__(self, nodes: Nodes, installed: set[int]) -> None:
        self.nodes = nodes
        self.operands = Operands(nodes)
        self.installed = {nodes.linked_objects[number] for number in installed}
        self.preds: dict[int, list[tuple[int, int]]] = {}
        self.given: dict[int, dict[int, int]] = {}  # node: token: label
        self.overlaps: dict[int, dict[int, int]] = {}  # BESIDE: code of what lies there: label
        self.untyped_overlaps: set[tuple[int, int]] = (
            set()
        )  # those of which one carries any pointer
        self.calls: list[IndirectCall] = []
        self.call_numbers: dict[tuple[int, int], int] = {}  # (definition, site): index in calls
        self.stores: list[Store] = []
        self.copies: list[Copy] = []
        self.escape = nodes.intern_node((ESCAPE,))
        self.address_taken: set[int] = set()
        self.exported: set[int] = set()  # objects that symbols for modules name
        self._keys = nodes.interner.holder_keys
        self._copy_functions = load_copy_functions()
        self._build()

    def _build(self) -> None:
        for number, row in enumerate(self.nodes.facts.definitions):
            exports = self._is_export(row)
            for write in row.writes:
                if not exports or not self._export(write):
                    self._write(write)
            for position, site in enumerate(row.sites):
                if site.callee != NONE:
                    self._direct(site)
                else:
                    self.call_numbers[number, position] = len(self.calls)
                    self._indirect(site)
        self._top_sources()
        self._slots()

    def _is_export(self, row: DefinitionRow) -> bool:
        facts = self.nodes.facts
        return row.object != NONE and is_export_section(
            facts.objects[facts.interner.object_ids[row.object]].section)

    def _export(self, row: WriteRow) -> bool:
        """Note an object that a symbol's row names, whose address nobody takes for that; whether
        it was one."""
        code = self.operands.operand(row.value)
        node = NONE if code >= NOTHING else self.nodes.tokens[operand_token(code)][0]
        if node != NONE:
            self.exported.add(node)
        return node != NONE

    def add_inclusion(self, code: int, target: int, cited: int) -> None:
        """Let the node `target` hold what `code` is."""
        if code >= 0:
            self.preds.setdefault(target, []).append((code, cited))
        elif code != NOTHING:
            token = operand_token(code)
            self._give(target, token, cited)
            node, root = self.nodes.tokens[token]
            if node != NONE:
                self.address_taken.add(node)
                self._give(target, POINTER, cited)
                if root == NONE:
                    self._give(target, SOMEWHERE, cited)

    def _give(self, node: int, token: int, cited: int) -> None:
        labels = self.given.setdefault(node, {})
        known = labels.get(token)
        if known is None or self.label_order(cited) < self.label_order(known):
            labels[token] = cited

    def label_order(self, cited: int) -> tuple[str, int, int, int]:
        """A label's place in canonical order."""
        if cited == UNCITED:
            return ("", 0, 0, 0)
        location = self.nodes.interner.location_list[label_location(cited)]
        return (location.path, location.line, location.column, cited & 15)

    def _write(self, row: WriteRow) -> None:
        values = self.operands
        code = values.operand(row.value)
        record = values.record_operand(row.value)
        role = BIND if row.binding else _FLOWS.get(row.how, FLOW)
        cited = pack_label(row.location, role,
                      row=row.how is TransferKind.INITIALISER and row.table != NONE)
        key = self._keys[row.holder]
        if key[0] == SLOT and key[2] == POINTEE:
            self._store(row, key[1], code, record, cited)
            return
        node = self.nodes.holder_nodes[row.holder]
        target, root = node, node
        if key[0] == SLOT:
            root = self._root(row)
            target = values.field_node(root, node) if root != NONE else values.anonymous_node(node)
        if record != NOTHING:
            address = token_operand(self.nodes.address_token(node, root))
            self.copies.append(Copy(address, record, "", key[1] if key[0] == SLOT else ""))
        if row.how in (TransferKind.OVERLAY, TransferKind.CARRIER):
            self._overlay(node, code, cited, carried=row.how is TransferKind.CARRIER)
        else:
            self.add_inclusion(code, target, cited)

    def _overlay(self, slot: int, code: int, cited: int, *, carried: bool) -> None:
        """Enter what lies at a slot's place, unless the members of their union are told apart."""
        record = self.nodes.keys[slot][1]
        if (
            record in load_discriminated_unions()
            and code >= 0
            and self.nodes.keys[code][1:2] == (record,)
        ):
            return
        node = self.nodes.intern_node((BESIDE, slot))
        if carried:
            self.untyped_overlaps.add((node, code))
        beside = self.overlaps.setdefault(node, {})
        if code not in beside or self.label_order(cited) < self.label_order(beside[code]):
            beside[code] = cited

    def _root(self, row: WriteRow) -> int:
        if row.base != NONE:
            return self.operands.roots[row.base]
        if row.table != NONE:
            return self.nodes.intern_node((OBJECT, self.nodes.linked_objects[row.table]))
        return NONE

    def _store(self, row: WriteRow, record_type: str, code: int, record: int, cited: int) -> None:
        pointer = self.operands.operand(row.base) if row.base != NONE else NOTHING
        if pointer == NOTHING:
            return
        if record_type and record == NOTHING and code != NOTHING:
            record = self.operands.reason_node("a record that is returned by value")
        if record != NOTHING:
            self.copies.append(Copy(pointer, record, record_type, record_type))
        if not record_type and code != NOTHING:
            self.stores.append(Store(pointer, code, cited))

    def _direct(self, site: SiteRow) -> None:
        nodes = self.nodes
        callee = nodes.linked_functions[site.callee]
        called = nodes.function_id(callee)
        copy = self._copy_functions.get(called.name) if is_public(called) else None
        cited = pack_label(site.location, ARGUMENT)
        if copy is not None:
            self._copy(copy, site, pack_label(site.location, FLOW))
            return
        if not site.arguments:
            return
        defined = nodes.find_definition(callee)
        rest = nodes.find_variadic(callee)
        for index, choice in enumerate(site.arguments):
            target = self.escape
            if defined is not None:
                named = index < len(defined.parameters)
                target = nodes.find_node((PARAMETER, callee, index)) if named else rest
            if not choice and target not in (NONE, self.escape, rest):
                self.add_inclusion(self.operands.reason_node(UNREAD), target, UNCITED)
            for value in choice:
                code = self.operands.operand(value)
                if target != NONE:
                    self.add_inclusion(code, target, cited)
                elif code < NOTHING:
                    self.add_inclusion(code, self._nowhere(), cited)

    def _nowhere(self) -> int:
        """A node for what a function is given and makes no use of."""
        return self.nodes.intern_node((CONSTANT_OF, NONE))

    def _copy(self, copy: CopyFunction, site: SiteRow, cited: int) -> None:
        arguments = site.arguments
        if max(copy.destination, copy.source) >= len(arguments):
            return
        for source in arguments[copy.source]:
            for destination in arguments[copy.destination]:
                self._copy_pointee(destination, source, cited)

    def _copy_pointee(self, destination: int, source: int, cited: int) -> None:
        to, origin = self.operands.operand(destination), self.operands.operand(source)
        if NOTHING in (to, origin):
            return
        self.copies.append(Copy(to, origin, "", ""))
        self.stores.append(Store(to, self.operands.pointee_node(-2 - source, source), cited))

    def _indirect(self, site: SiteRow) -> None:
        caller = self.nodes.linked_functions[site.caller]
        code = self.operands.operand
        arguments = tuple([tuple([code(v) for v in choice]) for choice in site.arguments])
        for choice in arguments:
            self.address_taken.update(
                self.nodes.tokens[operand_token(c)][0] for c in choice if c < NOTHING)
        result = self.nodes.find_node((RESULT, caller, site.result))
        self.calls.append(
            IndirectCall(code(site.target), arguments, result, pack_label(site.location, ARGUMENT)))

    def _top_sources(self) -> None:
        """Let what cannot be followed hold TOP."""
        for node, key in enumerate(self.nodes.keys):
            kind = key[0]
            if kind == REASON:
                self._give(node, TOP, UNCITED)
            elif kind == RETURN:
                function = self.nodes.function_id(key[1])
                if (
                    function.name in self._copy_functions
                    or self.nodes.find_definition(key[1]) is None
                ):
                    self._give(node, TOP, UNCITED)
        taken = self.operands.reason_node(
            "its address is taken, so that it may be written to unseen"
        )
        self._give(taken, TOP, UNCITED)
        self.address_taken.discard(NONE)
        for node in self.address_taken - self.operands.tagged_roots - self.operands.record_slots:
            target = (
                self.operands.anonymous_node(node) if self.nodes.keys[node][0] == SLOT else node
            )
            self.add_inclusion(taken, target, UNCITED)

    def _slots(self) -> None:
        """Let a slot hold what its writes and the installed objects' fields hold, and nodes that
        stand for a token that token.
        """
        for node, key in enumerate(self.nodes.keys):
            kind = key[0]
            if kind in (ANONYMOUS, BESIDE):
                self.add_inclusion(node, key[1], UNCITED)
            elif kind == FIELD and self._is_installed(key[1]):
                self.add_inclusion(node, key[2], UNCITED)
            elif kind == CONSTANT_OF and key[1] != NONE:
                self.add_inclusion(token_operand(key[1]), node, UNCITED)

    def _is_installed(self, root: int) -> bool:
        key = self.nodes.keys[root]
        return bool(key[0] != OBJECT or key[1] in self.installed)
