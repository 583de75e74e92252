"""Builds the constraints: what each definition says about the sets of the nodes.

Owns the rules that need no solved set: bindings and flows, arguments of direct calls, copy
functions, undefined functions, addresses that are taken. Calls, loads and stores through
pointers are listed for the solver, which acts on them as sets grow.
"""

from collections import Counter
from collections.abc import Iterator

from msgspec import Struct

from kgraph.model.codes import (
    NOTHING,
    Operand,
    is_node,
    is_token,
    node_operand,
    operand_token,
    token_operand,
)
from kgraph.model.values import POINTEE, TransferKind
from kgraph.resolve.constraint_graph import (
    ARGUMENT,
    BIND,
    FLOW,
    OVERLAID,
    POINTER,
    RETURNED,
    SOMEWHERE,
    TOP,
    UNCITED,
    AllocationKey,
    AnonymousKey,
    EmbeddedKey,
    EscapeKey,
    FieldKey,
    Nodes,
    OverlapKey,
    PointeeKey,
    ReasonKey,
    UnusedKey,
    WithinKey,
    pack_label,
)
from kgraph.resolve.embedded_records import EmbeddedRecords
from kgraph.resolve.fact_rows import SiteRow, WriteRow
from kgraph.resolve.installed_tables import find_installed_objects, is_export_row
from kgraph.resolve.interning import (
    NONE,
    ObjectKey,
    ParameterKey,
    ResultKey,
    ReturnKey,
    SlotKey,
)
from kgraph.resolve.models.declared import (
    CopyFunction,
    is_public,
    load_allocators,
    load_copy_functions,
    load_discriminated_unions,
    load_releases,
)
from kgraph.resolve.operands import Operands, TableSurvey

_FLOW_ROLES = {
    TransferKind.RETURN: RETURNED,
    TransferKind.OVERLAY: OVERLAID,
    TransferKind.CARRIER: OVERLAID,
}
NOT_A_POINTER = "a caller passes it what was not read as a pointer"


class IndirectCall(Struct, frozen=True, gc=False):
    """A call through `target`. `result` is the node of its CallResult, or NONE."""

    target: Operand
    arguments: tuple[tuple[Operand, ...], ...]
    result: int
    label: int


class Store(Struct, frozen=True, gc=False):
    """`*pointer = source`."""

    pointer: Operand
    source: Operand
    label: int


class Copy(Struct, frozen=True, gc=False):
    """A record that is copied as a whole: both addresses, its type, and the type of a record that
    the destination is or lies in; "" for a type that is not known."""

    destination: Operand
    source: Operand
    record: str
    within: str


class Constraints:
    """Everything that the solver works on.

    `preds` has for each node the nodes whose content it holds, with labels; `given` the tokens that
    it is given, with labels. `overlaps` has for an OverlapKey's node the operands of what lies at
    the slot's place, with labels; where one of the two carries any pointer, the pair is in
    `untyped_overlaps`. `call_numbers` map (definition, site) to an index in `calls`.
    `installs` come from count_installs, `address_taken` are the nodes whose address is a value.
    `exported` and `exported_functions` are the objects and the linked functions that rows of the
    kernel's symbol table name.
    """

    def __init__(self, nodes: Nodes, installs: Counter[int]) -> None:
        self.nodes = nodes
        self.survey = TableSurvey(nodes)
        self.embedded = EmbeddedRecords(nodes, self.survey.roots, self.survey.record_slots)
        self.operands = Operands(nodes, self.survey, self.embedded)
        self.installs = installs
        self.installed = {nodes.linked_objects[number]
                          for number in find_installed_objects(nodes.facts, installs)}
        self.preds: dict[int, list[tuple[int, int]]] = {}
        self.given: dict[int, dict[int, int]] = {}
        self.overlaps: dict[int, dict[Operand, int]] = {}
        self.untyped_overlaps: set[tuple[int, Operand]] = set()
        self.calls: list[IndirectCall] = []
        self.call_numbers: dict[tuple[int, int], int] = {}
        self.stores: list[Store] = []
        self.copies: list[Copy] = []
        self.escape = nodes.intern_node(EscapeKey())
        self.address_taken: set[int] = set()
        self.exported: set[int] = set()
        self.exported_functions: set[int] = set()
        self._keys = nodes.interner.holder_keys
        self._copy_functions = load_copy_functions()
        self._discriminated = load_discriminated_unions()
        self._allocated = self._find_allocated()
        self.released = self._find_released()
        self._build()

    def _build(self) -> None:
        facts = self.nodes.facts
        for number, row in enumerate(facts.definitions):
            is_export = is_export_row(facts, row)
            for write in row.writes:
                if not is_export or not self._note_export(write):
                    self._add_write(write)
            for position, site in enumerate(row.sites):
                if site.callee != NONE:
                    self._add_direct_call(site)
                else:
                    self.call_numbers[number, position] = len(self.calls)
                    self._add_indirect_call(site)
        self._give_top()
        self._include_in_slots()

    def _find_allocated(self) -> set[int]:
        """The nodes of what allocators return: each holds memory that is new."""
        nodes, names = self.nodes, load_allocators()
        found: set[int] = set()
        for node, key in enumerate(list(nodes.keys)):
            if isinstance(key, ReturnKey):
                function = nodes.function_id(key.function)
                if function.name in names and is_public(function):
                    found.add(node)
                    self.add_inclusion(self._allocate(node, NONE), node, UNCITED)
        return found

    def _find_released(self) -> set[int]:
        """The parameters that take memory back."""
        nodes, releases = self.nodes, load_releases()
        found: set[int] = set()
        for node, key in enumerate(nodes.keys):
            if isinstance(key, ParameterKey):
                function = nodes.function_id(key.function)
                if releases.get(function.name) == key.index and is_public(function):
                    found.add(node)
        return found

    def _allocate(self, result: int, location: int) -> Operand:
        """The address of what an allocator returns to the code at a location."""
        memory = self.nodes.intern_node(AllocationKey(result, location))
        return token_operand(self.nodes.address_token(memory, memory))

    def add_inclusion(self, source: Operand, target: int, label: int) -> None:
        """Let the node `target` hold what `source` is."""
        if is_node(source):
            self.preds.setdefault(target, []).append((source, label))
        elif source != NOTHING:
            token = operand_token(source)
            self._give(target, token, label)
            node = self.nodes.token_nodes[token]
            if node != NONE:
                self.address_taken.add(node)
                self._give(target, POINTER, label)
                if self.nodes.token_roots[token] == NONE:
                    self._give(target, SOMEWHERE, label)

    def _give(self, node: int, token: int, label: int) -> None:
        labels = self.given.setdefault(node, {})
        known = labels.get(token)
        if known is None or label < known:
            labels[token] = label

    def iter_given(self) -> Iterator[tuple[int, int, int]]:
        """Every node that is given a token: node, token, label. Nodes of tokens are among them."""
        for node, labels in self.given.items():
            for token, label in labels.items():
                yield node, token, label
        for token, node in self.nodes.token_holders.items():
            yield node, token, UNCITED

    def _note_export(self, row: WriteRow) -> bool:
        """Note an object or function that a symbol's row names: that takes no address."""
        operand = self.operands.operand(row.value)
        if not is_token(operand):
            return False
        token = operand_token(operand)
        node, function = self.nodes.token_nodes[token], self.nodes.token_functions[token]
        if node != NONE:
            self.exported.add(node)
        if function != NONE:
            self.exported_functions.add(function)
        return node != NONE or function != NONE

    def _add_write(self, row: WriteRow) -> None:
        operands, key = self.operands, self._keys[row.holder]
        value, record = operands.operand(row.value), operands.record_operand(row.value)
        role = BIND if row.is_binding else _FLOW_ROLES.get(row.how, FLOW)
        is_row = row.how is TransferKind.INITIALISER and row.table != NONE
        label = pack_label(row.location, role, row=is_row)
        if value in self._allocated:
            value = self._allocate(value, row.location)
        if isinstance(key, SlotKey) and key.field == POINTEE:
            self._add_store(row, key.record, value, record, label)
            return
        node = target = root = self.nodes.holder_nodes[row.holder]
        if node in self._allocated:
            return
        within = ""
        if isinstance(key, SlotKey):
            root, within = self._find_root(row), key.record
            target = self._find_target(row, node, root)
        if record != NOTHING:
            address = token_operand(self.nodes.address_token(node, root))
            self.copies.append(Copy(address, record, "", within))
        if row.how in (TransferKind.OVERLAY, TransferKind.CARRIER):
            self._add_overlap(node, value, label, is_untyped=row.how is TransferKind.CARRIER)
        else:
            self.add_inclusion(value, target, label)

    def _find_target(self, row: WriteRow, slot: int, root: int) -> int:
        """The node that a write to a slot goes into."""
        if root != NONE:
            return self.operands.field_node(root, slot)
        embedded = self.embedded.find_written_node(slot, row.base)
        return embedded if embedded != NONE else self.operands.anonymous_node(slot)

    def _find_root(self, row: WriteRow) -> int:
        """The object that a write goes into, or NONE."""
        if row.base != NONE:
            return self.survey.roots[row.base]
        if row.table != NONE:
            return self.nodes.intern_node(ObjectKey(self.nodes.linked_objects[row.table]))
        return NONE

    def _add_overlap(self, slot: int, operand: Operand, label: int, *, is_untyped: bool) -> None:
        """Enter what lies at a slot's place, but not another member of a discriminated union."""
        record = self.nodes.slot_key(slot).record
        if record in self._discriminated and is_node(operand):
            key = self.nodes.keys[operand]
            if isinstance(key, SlotKey) and key.record == record:
                return
        node = self.nodes.intern_node(OverlapKey(slot))
        if is_untyped:
            self.untyped_overlaps.add((node, operand))
        labels = self.overlaps.setdefault(node, {})
        if operand not in labels or label < labels[operand]:
            labels[operand] = label

    def _add_store(
        self, row: WriteRow, record_type: str, value: Operand, record: Operand, label: int
    ) -> None:
        """Enter a write through a pointer: a value, or a record as a whole."""
        pointer = self.operands.operand(row.base) if row.base != NONE else NOTHING
        if pointer == NOTHING:
            return
        if record_type and record == NOTHING and value != NOTHING:
            record = node_operand(self.operands.reason_node("a record that is returned by value"))
        if record != NOTHING:
            self.copies.append(Copy(pointer, record, record_type, record_type))
        if not record_type and value != NOTHING:
            self.stores.append(Store(pointer, value, label))

    def _add_direct_call(self, site: SiteRow) -> None:
        nodes = self.nodes
        callee = nodes.linked_functions[site.callee]
        called = nodes.function_id(callee)
        copy = self._copy_functions.get(called.name) if is_public(called) else None
        if copy is not None:
            self._add_copies(copy, site, pack_label(site.location, FLOW))
            return
        if not site.arguments:
            return
        label = pack_label(site.location, ARGUMENT)
        defined = nodes.find_definition(callee)
        variadic = nodes.find_variadic(callee)
        for index, choice in enumerate(site.arguments):
            target = self.escape
            if defined is not None:
                is_named = index < len(defined.parameters)
                target = nodes.find_node(ParameterKey(callee, index)) if is_named else variadic
            if not choice and target not in (NONE, self.escape, variadic):
                unread = node_operand(self.operands.reason_node(NOT_A_POINTER))
                self.add_inclusion(unread, target, UNCITED)
            # Assembler may call what it is handed.
            read = nodes.find_node(ParameterKey(callee, index)) if defined is None else NONE
            for value in choice:
                operand = self.operands.operand(value)
                self._pass(operand, target, label)
                if read != NONE:
                    self.add_inclusion(operand, read, label)

    def _pass(self, argument: Operand, target: int, label: int) -> None:
        """Hand an argument to a node; NONE for a parameter that its function makes no use of."""
        if target != NONE:
            self.add_inclusion(argument, target, label)
        elif is_token(argument):
            self.add_inclusion(argument, self.nodes.intern_node(UnusedKey()), label)

    def _add_copies(self, copy: CopyFunction, site: SiteRow, label: int) -> None:
        """Enter a call of a copy function."""
        arguments = site.arguments
        if max(copy.destination, copy.source) >= len(arguments):
            return
        operand = self.operands.operand
        for source in arguments[copy.source]:
            for destination in arguments[copy.destination]:
                to, origin = operand(destination), operand(source)
                if NOTHING not in (to, origin):
                    self.copies.append(Copy(to, origin, "", ""))
                    content = self.operands.pointee_node(
                        PointeeKey(source, is_copied=True), source)
                    self.stores.append(Store(to, node_operand(content), label))

    def _add_indirect_call(self, site: SiteRow) -> None:
        operand, token_nodes = self.operands.operand, self.nodes.token_nodes
        arguments = tuple([tuple([operand(v) for v in choice]) for choice in site.arguments])
        for choice in arguments:
            self.address_taken.update(
                token_nodes[operand_token(argument)] for argument in choice if is_token(argument))
        caller = self.nodes.linked_functions[site.caller]
        result = self.nodes.find_node(ResultKey(caller, site.result))
        label = pack_label(site.location, ARGUMENT)
        self.calls.append(IndirectCall(operand(site.target), arguments, result, label))

    def _give_top(self) -> None:
        """Let what cannot be followed hold TOP."""
        for node, key in enumerate(self.nodes.keys):
            if isinstance(key, ReasonKey) or (
                    isinstance(key, ReturnKey) and node not in self._allocated
                    and self._returns_anything(key.function)):
                self._give(node, TOP, UNCITED)
        taken = self.operands.reason_node(
            "its address is taken, so that it may be written to unseen")
        self._give(taken, TOP, UNCITED)
        self.address_taken.discard(NONE)
        for node in self.address_taken - self.survey.tagged_roots - self.survey.record_slots:
            target = self.operands.anonymous_node(node) if self.nodes.is_slot(node) else node
            self.add_inclusion(node_operand(taken), target, UNCITED)

    def _returns_anything(self, function: int) -> bool:
        """Whether nothing is known of what a linked function returns."""
        return (self.nodes.function_id(function).name in self._copy_functions
                or self.nodes.find_definition(function) is None)

    def _include_in_slots(self) -> None:
        """Let a slot hold what is written to it and what the fields of installed objects hold, the
        reads by a path what is written by it, and nodes that stand for a token that token."""
        for within, path in self.embedded.iter_read_nodes():
            for source in self._find_within(within, path):
                self.add_inclusion(node_operand(source), within, UNCITED)
        for node, key in enumerate(self.nodes.keys):
            if isinstance(key, AnonymousKey | EmbeddedKey | OverlapKey) or (
                    isinstance(key, FieldKey) and self._is_installed(key.root)):
                self.add_inclusion(node_operand(node), key.slot, UNCITED)
        for token, node in self.nodes.token_holders.items():
            self.add_inclusion(token_operand(token), node, UNCITED)

    def _find_within(self, node: int, key: WithinKey) -> list[int]:
        """The nodes of what is read of a slot by a path."""
        find = self.nodes.find_node
        found = [find(FieldKey(root, key.slot)) for root in self.embedded.find_roots(key)
                 if self._is_installed(root)]
        found += [self.operands.anonymous_node(key.slot), find(OverlapKey(key.slot))]
        return [each for each in found if each != NONE] + self.embedded.list_written(node)

    def _is_installed(self, root: int) -> bool:
        key = self.nodes.keys[root]
        return not isinstance(key, ObjectKey) or key.object in self.installed
