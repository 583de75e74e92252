"""Storage overlap: slots that lie at one place, and what they bring each other.

A slot gets all that is written to a slot that it overlaps, and to what that one overlaps: if
one record is taken for a second and that for a third, the third is read as the first. The chain
ends at a field that carries any pointer (a void *, a number), since that would hand a function
of one type to a slot of another type. Such a field brings what is written to it under its own
name. If the slot has functions of its own, it brings all of that only if both are called; else
only the functions that are written there by name, and these only if the slot is called or has
some by name itself.

Where no overlap brings a function, but one lies behind a field that carries any pointer, it may
be of the slot's type or of another: the slot is then not known to be empty. Fields of one
record are compared where they are read; those that do not join there are of another type.

A record that is written in a way that shows no function says nothing about a slot that has
some.
"""

from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

from kgraph.resolve.constraint_graph import BESIDE, LOADED, NAMED, WAY
from kgraph.resolve.interning import NONE, SLOT
from kgraph.resolve.operands import token_operand
from kgraph.resolve.solving.solver import Solver

MAY_BE_OVERLAID = "what lies at its place as any pointer may be a function of its type"


class _Overlap(NamedTuple):
    """A slot that is read as another one. `to` is the node that it brings its content to."""

    slot: int
    to: int
    cited: int
    carried: bool


class StorageOverlap:
    """Lets slots hold what is written at their place. `holders` are the nodes with functions."""

    def __init__(self, solver: Solver, holders: set[int]) -> None:
        self._solver = solver
        self._nodes = solver.nodes
        self._overlays = solver.constraints.overlaps
        self._carried = solver.constraints.untyped_overlaps
        self._holders = holders
        self._called = self._called_slots()
        self._known: dict[int, list[tuple[int, int, bool]]] = {}

    def add_edges(self) -> None:
        """Connect all slots with what lies at their place."""
        for target, beside in self._overlays.items():
            slot = self._nodes.keys[target][1]
            if slot not in self._holders:
                for code, cited in beside.items():
                    if not self._is_slot(code):
                        self._solver.add_edge(self._solver.as_node(code), target, cited)
            hops = list(self._hops(slot))
            for hop in hops:
                for source in self._sources(slot, hop):
                    self._solver.add_edge(source, hop.to, hop.cited)
            self._behind(slot, {hop.slot for hop in hops})
        self._solver.propagate()

    def _hops(self, slot: int) -> Iterator[_Overlap]:
        """All slots that are read as one, each by the shortest way, the first by its places."""
        seen = {slot}
        queue = deque([(slot, self._nodes.intern_node((BESIDE, slot)))])
        carriers = []
        while queue:
            reader, to = queue.popleft()
            for code, cited, carried in self._beside(reader):
                if carried:
                    carriers.append(_Overlap(code, to, cited, carried=True))
                elif code not in seen:
                    seen.add(code)
                    yield _Overlap(code, to, cited, carried=False)
                    way = self._way(slot, code, to, cited)
                    if way != NONE:
                        queue.append((code, way))
        for hop in carriers:
            if hop.slot not in seen:
                seen.add(hop.slot)
                yield hop

    def _way(self, slot: int, over: int, to: int, cited: int) -> int:
        """The node of what comes to a slot by way of another one; NONE where nothing can."""
        if all(code == slot for code, _, _ in self._beside(over)):
            return NONE
        way = self._nodes.intern_node((WAY, over, slot))
        self._solver.add_edge(way, to, cited)
        return way

    def _beside(self, slot: int) -> list[tuple[int, int, bool]]:
        """The slots that lie on one, as the facts say: with the label, and whether one of the two
        carries any pointer."""
        known = self._known.get(slot)
        if known is None:
            node = self._nodes.find_node((BESIDE, slot))
            found = [(code, cited, (node, code) in self._carried)
                     for code, cited in self._overlays.get(node, {}).items()
                     if self._is_slot(code)]
            order, keys = self._solver.constraints.label_order, self._nodes.keys
            found.sort(key=lambda one: (order(one[1]), keys[one[0]]))
            known = self._known[slot] = found
        return known

    def _is_slot(self, code: int) -> bool:
        return code >= 0 and self._nodes.keys[code][0] == SLOT

    def _sources(self, slot: int, hop: _Overlap) -> set[int]:
        """The nodes of what a slot gets of another one."""
        if not hop.carried or slot not in self._holders or {slot, hop.slot} <= self._called:
            return self._written(hop.slot)
        if slot in self._called or self._names(slot):
            return {self._named(hop.slot)}
        return set()

    def _behind(self, slot: int, known: set[int]) -> None:
        """Let a slot be unknown where functions lie only behind what carries any pointer."""
        if slot in self._holders or not known.isdisjoint(self._holders):
            return
        seen = {slot}
        stack = [slot]
        while stack:
            for code, _, _ in self._beside(stack.pop()):
                if code in seen:
                    continue
                seen.add(code)
                stack.append(code)
                if code in self._holders and not self._are_of_one(code, slot):
                    node = self._nodes.intern_node((BESIDE, slot))
                    self._solver.mark_unknown(MAY_BE_OVERLAID, node)
                    return

    def _are_of_one(self, slot: int, other: int) -> bool:
        """Whether two slots are fields of one record."""
        _, record, _, scope = self._nodes.keys[slot]
        _, of, _, its = self._nodes.keys[other]
        return bool((record, scope) == (of, its))

    def _called_slots(self) -> set[int]:
        """The slots that calls go through: they are pointers to functions."""
        keys = self._nodes.keys
        found = set()
        for call in self._solver.constraints.calls:
            key = keys[call.target] if call.target >= 0 else ()
            if key:
                found.add(key[1] if key[0] == LOADED else call.target)
        return found

    def _written(self, slot: int) -> set[int]:
        """The nodes of all that is written to a slot under its own name."""
        constraints = self._solver.constraints
        written = {source for source, _ in constraints.preds.get(slot, ())
                   if self._nodes.keys[source][0] != BESIDE}
        return written | {constraints.operands.anonymous_node(slot)}

    def _named(self, slot: int) -> int:
        """The node of the functions that are written to a slot by name."""
        node = self._nodes.intern_node((NAMED, slot))
        for token, cited in self._names(slot):
            self._solver.add_edge(self._solver.as_node(token_operand(token)), node, cited)
        return node

    def _names(self, slot: int) -> list[tuple[int, int]]:
        """The functions that are written to a slot by name, with the labels of that."""
        given = self._solver.constraints.given
        return [(token, cited) for source in self._written(slot)
                for token, cited in given.get(source, {}).items()
                if self._nodes.function_of(token) != NONE]
