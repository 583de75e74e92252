"""Storage overlap: a slot also holds what is written to the slots at the same place.

Overlaps form chains. If one record is cast to a second and that to a third, a slot of the third
holds what is written to the first.

A chain ends at an untyped field (a void *, a number): beyond it, functions of one type would get
into slots of another. How much a slot takes from an untyped field depends on the slot:

- a slot without functions takes all that is written to the field under the field's own name;
- a slot with functions takes all of that if calls go through both the slot and the field;
- else it takes the functions that are written to the field by name, and only if calls go through
  the slot or a function is written to the slot by name.

If no overlap gives a slot a function, but one lies beyond an untyped field, that function may have
the slot's type or another. So the slot is unknown, not empty. This does not count fields of the
slot's own record: a read compares these itself, and those that it does not join have another type.

If a record is written in a way that shows no function, this says nothing about a slot that has
functions. What is written to it as raw memory may be a function of the slot's type or another: such
a slot takes it, but if it is all that there is, the slot is unknown.
"""

from collections import deque
from collections.abc import Iterator, Mapping

from msgspec import Struct

from kgraph.model.codes import Operand, is_node, token_operand
from kgraph.resolve.constraint_graph import (
    UNCITED,
    NamedWritesKey,
    OverlapChainKey,
    OverlapKey,
    SlotReadKey,
)
from kgraph.resolve.interning import NONE
from kgraph.resolve.solving.solver import Solver

MAY_BE_OVERLAID = "what lies at its place as any pointer may be a function of its type"
MOST_SOURCES = 400
WRITTEN_RAW = "its record is written as raw memory"


class _Neighbour(Struct, frozen=True, gc=False):
    """A slot that lies on another one; `is_untyped`: one of the two carries any pointer."""

    slot: int
    label: int
    is_untyped: bool


class _Source(Struct, frozen=True, gc=False):
    """A slot that is read as another one, and the node that it brings its content to."""

    slot: int
    target: int
    label: int
    is_untyped: bool


class StorageOverlap:
    """Lets slots hold what is written at their place. `holders` are the nodes with functions."""

    def __init__(self, solver: Solver, holders: set[int]) -> None:
        self._solver = solver
        self._nodes = solver.nodes
        self._overlaps = solver.constraints.overlaps
        self._untyped = solver.constraints.untyped_overlaps
        self._holders = holders
        self._called = self._find_called_slots()
        self._neighbours: dict[int, list[_Neighbour]] = {}

    def add_edges(self) -> None:
        """Connect all slots with what lies at their place."""
        for target, operands in self._overlaps.items():
            key = self._nodes.keys[target]
            assert isinstance(key, OverlapKey)
            slot = key.slot
            self._add_values(slot, operands, target)
            sources = list(self._iter_sources(slot))
            for source in sources:
                for node in self._find_content(slot, source):
                    self._solver.add_edge(node, source.target, source.label)
            self._mark_if_hidden(slot, {source.slot for source in sources})
        self._mark_raw_memory()
        self._solver.propagate()

    def _mark_raw_memory(self) -> None:
        """Let the called fields of a record be unknown if functions are stored to it as a whole.

        They were stored at some offset: the pointer of the store leads to an object or local, or
        comes from a pointer through which the fields are reached.
        """
        survey = self._solver.constraints.survey
        slots = survey.find_slots(self._holders & survey.record_roots)
        slots.update(self._find_stored_slots())
        for slot in (slots & self._called) - self._holders:
            node = self._nodes.intern_node(OverlapKey(slot))
            self._solver.mark_unknown(WRITTEN_RAW, node)
            self._solver.add_edge(node, slot, UNCITED)

    def _find_stored_slots(self) -> set[int]:
        """The slots that are reached through pointers which become the pointer of a store of a
        function. A pointer that more than MOST_SOURCES nodes flow into moves any memory; what the
        function of the store itself makes of a record is known better."""
        constraints, reached = self._solver.constraints, self._solver.constraints.survey.reached
        found: set[int] = set()
        for pointer in {int(store.pointer) for store in constraints.stores
                        if is_node(store.pointer)
                        and self._solver.as_node(store.source) in self._holders}:
            seen = {pointer}
            stack = [pointer]
            while stack and len(seen) <= MOST_SOURCES:
                node = stack.pop()
                sources = {source for source, _ in constraints.preds.get(node, ())}
                new = sources.union(self._solver.preds.get(node, ())) - seen
                seen |= new
                stack += new
            if not stack:
                found.update(*(reached.get(node, ()) for node in seen - {pointer}))
        return found

    def _add_values(self, slot: int, operands: Mapping[Operand, int], target: int) -> None:
        """Connect what lies at a slot's place and is not a slot.

        To a slot with functions that is what is written to its record as raw memory, to any other
        slot what says that it is unknown.
        """
        is_holder = slot in self._holders
        for operand, label in operands.items():
            if not self._is_slot(operand) and is_holder == ((target, operand) in self._untyped):
                self._solver.add_edge(self._solver.as_node(operand), target, label)

    def _iter_sources(self, slot: int) -> Iterator[_Source]:
        """All slots that are read as this one, by the shortest chain, the first by its places."""
        seen = {slot}
        queue = deque([(slot, self._nodes.intern_node(OverlapKey(slot)))])
        untyped = []
        while queue:
            reader, target = queue.popleft()
            for each in self._find_neighbours(reader):
                source = _Source(each.slot, target, each.label, each.is_untyped)
                if each.is_untyped:
                    untyped.append(source)
                elif each.slot not in seen:
                    seen.add(each.slot)
                    yield source
                    chain = self._chain_node(slot, source)
                    if chain != NONE:
                        queue.append((each.slot, chain))
        for source in untyped:
            if source.slot not in seen:
                seen.add(source.slot)
                yield source

    def _chain_node(self, slot: int, source: _Source) -> int:
        """The node of what comes to a slot by way of another one; NONE where nothing can."""
        if all(each.slot == slot for each in self._find_neighbours(source.slot)):
            return NONE
        chain = self._nodes.intern_node(OverlapChainKey(source.slot, slot))
        self._solver.add_edge(chain, source.target, source.label)
        return chain

    def _find_neighbours(self, slot: int) -> list[_Neighbour]:
        """The slots that lie on one, as the facts say, in the order of their places."""
        known = self._neighbours.get(slot)
        if known is None:
            node = self._nodes.find_node(OverlapKey(slot))
            known = [_Neighbour(operand, label, (node, operand) in self._untyped)
                     for operand, label in self._overlaps.get(node, {}).items()
                     if self._is_slot(operand)]
            key = self._nodes.slot_key
            known.sort(key=lambda each: (each.label, key(each.slot)))
            self._neighbours[slot] = known
        return known

    def _is_slot(self, operand: Operand) -> bool:
        return is_node(operand) and self._nodes.is_slot(operand)

    def _find_content(self, slot: int, source: _Source) -> set[int]:
        """The nodes of what a slot gets of another one."""
        if not source.is_untyped or slot not in self._holders or {slot, source.slot} <= (
                self._called):
            return self._find_writes(source.slot)
        if slot in self._called or self._find_named(slot):
            return {self._named_writes_node(source.slot)}
        return set()

    def _mark_if_hidden(self, slot: int, known: set[int]) -> None:
        """Let a slot be unknown where functions lie only behind what carries any pointer."""
        if slot in self._holders or not known.isdisjoint(self._holders):
            return
        seen = {slot}
        stack = [slot]
        while stack:
            for each in self._find_neighbours(stack.pop()):
                if each.slot in seen:
                    continue
                seen.add(each.slot)
                stack.append(each.slot)
                if each.slot in self._holders and not self._is_one_record(each.slot, slot):
                    node = self._nodes.intern_node(OverlapKey(slot))
                    self._solver.mark_unknown(MAY_BE_OVERLAID, node)
                    return

    def _is_one_record(self, slot: int, other: int) -> bool:
        """Whether two slots are fields of one record."""
        one, two = self._nodes.slot_key(slot), self._nodes.slot_key(other)
        return one.record == two.record and one.scope == two.scope

    def _find_called_slots(self) -> set[int]:
        """The nodes that calls go through, of a read the slot: they are pointers to functions."""
        found = set()
        for call in self._solver.constraints.calls:
            if is_node(call.target):
                key = self._nodes.keys[call.target]
                found.add(key.slot if isinstance(key, SlotReadKey) else int(call.target))
        return found

    def _find_writes(self, slot: int) -> set[int]:
        """The nodes of all that is written to a slot under its own name."""
        constraints = self._solver.constraints
        written = {source for source, _ in constraints.preds.get(slot, ())
                   if not isinstance(self._nodes.keys[source], OverlapKey)}
        return written | {constraints.operands.anonymous_node(slot)}

    def _named_writes_node(self, slot: int) -> int:
        """The node of the functions that are written to a slot by name."""
        node = self._nodes.intern_node(NamedWritesKey(slot))
        for token, label in self._find_named(slot):
            self._solver.add_edge(self._solver.as_node(token_operand(token)), node, label)
        return node

    def _find_named(self, slot: int) -> list[tuple[int, int]]:
        """The functions that are written to a slot by name, with the labels of that."""
        given = self._solver.constraints.given
        return [(token, label) for source in self._find_writes(slot)
                for token, label in given.get(source, {}).items()
                if self._nodes.token_functions[token] != NONE]
