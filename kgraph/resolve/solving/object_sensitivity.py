"""Object sensitivity: a call through a pointer reaches only what the tables that it may point to
are filled with.

The first pass reads slots as a whole. Where all tables that a base may point to are known, the
second pass reads only the fields of these, and what is written through pointers. A table that
is copied counts for those that it may be copied to. An object that unknown content may be
copied into is open: it may hold what any table holds. Where nothing would remain, the whole
slot is read: losing a true edge is worse than an extra one.
"""

from dataclasses import dataclass

from kgraph.model.ids import ObjectId
from kgraph.resolve.constraint_builder import Constraints
from kgraph.resolve.constraint_graph import ANONYMOUS, BESIDE, FIELD
from kgraph.resolve.interning import NONE
from kgraph.resolve.models.per_object_lists import is_list_object
from kgraph.resolve.operands import operand_token
from kgraph.resolve.solving.pointer_closure import close_over_pointers
from kgraph.resolve.solving.relevance import RelevanceSlice
from kgraph.resolve.solving.solver import EMPTY, Solver
from kgraph.resolve.solving.table_points_to import BackwardTableSearch, TablePointsTo


@dataclass(frozen=True, slots=True)
class Solution:
    """The solved sets. `tables` are, for each LOADED node that is not read as a whole slot, the
    objects that its base may point to; `slots` the slot of each node that is. `bases` is the
    solution, `addresses` the tables, that tables were told apart with."""

    solver: Solver
    tables: dict[int, tuple[int, ...]]
    slots: dict[int, int]
    first_pass: Solver
    table_points_to: TablePointsTo


def solve_by_objects(constraints: Constraints) -> Solution:
    """Solve, tell tables apart, and solve again."""
    need = RelevanceSlice(constraints)
    loaded = constraints.operands.loaded
    first = Solver(constraints, need, {node: [row[0]] for node, row in loaded.items()})
    close_over_pointers(first)
    refiner = _ObjectReads(first)
    reads: dict[int, list[int]] = {}
    tables: dict[int, tuple[int, ...]] = {}
    slots: dict[int, int] = {}
    for node, (slot, root, base) in loaded.items():
        if not first.is_relevant(node):
            continue
        roots = refiner.tables(root, base)
        sources = refiner.sources(roots, slot)
        if sources or (roots and refiner.declared(roots)):
            reads[node], tables[node] = sources, roots
        else:
            reads[node], slots[node] = [slot], slot
    second = Solver(constraints, need, reads, first.admitted)
    close_over_pointers(second)
    return Solution(second, tables, slots, first, refiner.addresses)


class _ObjectReads:
    """Decides, from the first solution, what a LOADED node has to read."""

    def __init__(self, solver: Solver) -> None:
        self._solver = solver
        self._constraints = solver.constraints
        self._nodes = solver.nodes
        self.addresses = TablePointsTo(solver)
        values = self._constraints.operands
        self._whole = values.tagged_roots | values.record_slots
        self._copied_to: dict[int, set[int]] = {}
        self._copied_within: dict[str, set[int]] = {}  # by a type that the destination lies in
        self._find_copies()
        self._open = self._open_roots()

    def _find_copies(self) -> None:
        """Enter which tables are copied from as records, or word by word, and to where."""
        for copy in self._constraints.copies:
            sources = self.addresses.find_tables(copy.source)
            known = self.addresses.find_tables(copy.destination)
            if sources and known and self.addresses.is_known(copy.destination):
                for root in known:
                    self._copied_to.setdefault(root, set()).update(sources)
            elif sources:
                self._copied_within.setdefault(copy.within, set()).update(sources)
        for pointer, _ in self._constraints.operands.loads:
            self._copied_within.setdefault("", set()).update(self._records(pointer))

    def _copied(self, roots: tuple[int, ...]) -> set[int]:
        """The tables whose content may be in these: copied to them, or to unknown memory that may
        be theirs."""
        found: set[int] = set()
        for record, sources in self._copied_within.items():
            lying = self._constraints.operands.records.get(record, set())
            if not record or not lying.isdisjoint(roots):
                found |= sources
        return found.union(*(self._copied_to.get(root, ()) for root in roots))

    def _records(self, pointer: int) -> set[int]:
        """The tables that are read or written as a whole through a pointer: of `&table.field`
        only the field is."""
        token = operand_token(pointer)
        if token != NONE and self._nodes.tokens[token][0] not in self._whole:
            return set()
        return self.addresses.find_tables(pointer)

    def _open_roots(self) -> set[int]:
        """Objects whose content is not known from their own bindings."""
        roots = self.addresses.find_tables
        found: set[int] = set()
        sight = BackwardTableSearch(self._solver, self.addresses)
        for store in self._constraints.stores:
            found |= self._records(store.pointer)
            if not self.addresses.is_known(store.pointer):
                found |= sight.find_tables(store.pointer)
        for copy in self._constraints.copies:
            if not self.addresses.is_known(copy.source):
                found |= roots(copy.destination)
                if not self.addresses.is_known(copy.destination):
                    found |= self._constraints.operands.records.get(copy.record, set())
        return found

    def tables(self, root: int, base: int) -> tuple[int, ...]:
        """The objects that a base may point to; none where they are not all known."""
        roots = {root}
        if root == NONE:
            roots = self.addresses.find_tables(base) if self.addresses.is_known(base) else set()
        known = roots and (self.declared(tuple(roots)) or not roots & self._open)
        return tuple(roots) if known else ()

    def declared(self, roots: tuple[int, ...]) -> bool:
        """Whether all that these objects hold is what a declared function hangs on them."""
        holders = [self._nodes.holder(root) for root in roots]
        return all(isinstance(holder, ObjectId) and is_list_object(holder) for holder in holders)

    def sources(self, roots: tuple[int, ...], slot: int) -> list[int]:
        """The nodes that hold what the slot is in these objects, if they hold anything."""
        find = self._nodes.find_node
        if not roots:
            return []
        filled: set[int] = set(roots)
        anonymous = []
        if not self.declared(roots):
            filled |= self._copied(roots)
            anonymous += [find((ANONYMOUS, slot)), find((BESIDE, slot))]
        sources = [find((FIELD, root, slot)) for root in filled] + anonymous
        sources = [node for node in sources if node != NONE]
        held, tables = self._solver.sets, self.addresses.sets
        if any(held.get(node, EMPTY) or tables.get(node) for node in sources):
            return sources
        return []
