"""Object sensitivity: a call through a pointer reaches only what the tables that it may point to
are filled with.

The first pass reads slots as a whole, but for lists and keys of static calls that are named: on
modern kernels thousands of calls would reach every function of all of these. Where all tables that
a base may point to are known, the second pass reads only the fields of these, and what is written
through pointers. A table that is copied counts for those that it may be copied to. An object that
unknown content may be copied into is open: it may hold what any table holds. Nothing is copied into
a constant. Where nothing would remain, the whole slot is read: losing a true edge is worse than an
extra one.
"""

from dataclasses import dataclass

from kgraph.logs import PackageLogger
from kgraph.model.codes import Operand, is_token, operand_token
from kgraph.resolve.constraint_builder import Constraints
from kgraph.resolve.constraint_graph import AnonymousKey, FieldKey, OverlapKey, WithinKey
from kgraph.resolve.interning import NONE, ObjectKey
from kgraph.resolve.operands import SlotRead
from kgraph.resolve.solving.pointer_closure import close_over_pointers
from kgraph.resolve.solving.relevance import RelevanceSlice
from kgraph.resolve.solving.solver import EMPTY, Solver
from kgraph.resolve.solving.table_points_to import BackwardTableSearch, TablePointsTo, is_list

_LOG = PackageLogger("kgraph.resolve")


@dataclass(frozen=True, slots=True)
class Solution:
    """The solved sets, in `solver`.

    Nodes that read a slot are either in `tables`, with the objects that their base may point to,
    or in `slots`, with the slot that they read as a whole. Tables were told apart with `first_pass`
    and its `table_points_to`.
    """

    solver: Solver
    tables: dict[int, tuple[int, ...]]
    slots: dict[int, int]
    first_pass: Solver
    table_points_to: TablePointsTo
    objects: "ObjectReads"


def solve_by_objects(constraints: Constraints, *, keeps_first: bool = False) -> Solution:
    """Solve, tell tables apart, and solve again. `keeps_first` keeps the sets of the first pass,
    which nothing but a dump asks for."""
    relevance = RelevanceSlice(constraints)
    _LOG.debug("%d of %d nodes are relevant to a call through a pointer",
               sum(relevance.is_needed), len(relevance.is_needed))
    slot_reads = constraints.operands.slot_reads
    first = Solver(constraints, relevance, {
        node: _list_first_sources(constraints, read) for node, read in slot_reads.items()})
    close_over_pointers(first)
    objects = ObjectReads(first)
    reads: dict[int, list[int]] = {}
    tables: dict[int, tuple[int, ...]] = {}
    slots: dict[int, int] = {}
    for node, read in slot_reads.items():
        if not first.is_relevant(node):
            continue
        roots = objects.find_tables(read)
        sources = objects.find_sources(roots, read)
        if sources or (roots and objects.are_lists(roots)):
            reads[node], tables[node] = sources, roots
        else:
            whole = objects.find_whole(read)
            reads[node], slots[node] = [whole], whole
    _LOG.debug("of %d reads of slots, the tables are known for %d", len(reads), len(tables))
    if not keeps_first:
        first.sets.clear()
    second = Solver(constraints, relevance, reads, first.admitted)
    close_over_pointers(second)
    return Solution(second, tables, slots, first, objects.table_points_to, objects)


def _list_first_sources(constraints: Constraints, read: SlotRead) -> list[int]:
    """What the first pass reads."""
    if not is_list(constraints.nodes, read.root):
        return [read.slot]
    field = constraints.nodes.find_node(FieldKey(read.root, read.slot))
    return [] if field == NONE else [field]


class ObjectReads:
    """Decides, from the first pass, what a node that reads a slot has to read."""

    def __init__(self, solver: Solver) -> None:
        self._solver = solver
        self._constraints = solver.constraints
        self._nodes = solver.nodes
        self.table_points_to = TablePointsTo(solver)
        survey = self._constraints.survey
        self._records = survey.records
        self._whole = survey.tagged_roots | survey.record_slots
        self._constants = self._find_constants()
        self._copied_to: dict[int, set[int]] = {}
        self._copied_within: dict[str, set[int]] = {}  # by a type that the destination lies in
        self._find_copies()
        self._open = self._find_open() - self._constants

    def _find_constants(self) -> set[int]:
        """The objects that are never written to."""
        objects, identify = self._nodes.facts.objects, self._nodes.object_id
        return {node for node, key in enumerate(self._nodes.keys) if isinstance(key, ObjectKey)
                and (known := objects.get(identify(key.object))) is not None and known.is_const}

    def _find_copies(self) -> None:
        """Enter which tables are copied from as records, or word by word, and to where."""
        known = self.table_points_to
        for copy in self._constraints.copies:
            sources = known.find_tables(copy.source)
            destinations = known.find_tables(copy.destination)
            if sources and destinations and known.is_known(copy.destination):
                for root in destinations:
                    self._copied_to.setdefault(root, set()).update(sources)
            elif sources:
                self._copied_within.setdefault(copy.within, set()).update(sources)
        for load in self._constraints.operands.loads:
            self._copied_within.setdefault("", set()).update(self._find_whole(load.pointer))

    def _find_open(self) -> set[int]:
        """Objects whose content is not known from their own bindings."""
        known = self.table_points_to
        found: set[int] = set()
        search = BackwardTableSearch(self._solver, known)
        for store in self._constraints.stores:
            found |= self._find_whole(store.pointer)
            if not known.is_known(store.pointer):
                found |= search.find_tables(store.pointer)
        for copy in self._constraints.copies:
            if not known.is_known(copy.source):
                found |= self._find_destinations(copy.destination)
                if not known.is_known(copy.destination):
                    found |= self._records.get(copy.record, set())
        return found

    def _find_destinations(self, pointer: Operand) -> set[int]:
        """The objects that a copy through a pointer goes to: tables, or the one that is named."""
        if is_token(pointer):
            return {self._nodes.token_roots[operand_token(pointer)]} - {NONE}
        return self.table_points_to.find_tables(pointer)

    def _find_whole(self, pointer: Operand) -> set[int]:
        """The tables that are read or written as a whole through a pointer; of `&table.field` only
        the field is."""
        if is_token(pointer) and self._nodes.token_nodes[operand_token(pointer)] not in self._whole:
            return set()
        return self.table_points_to.find_tables(pointer)

    def _find_copied(self, roots: set[int], *, anywhere: bool) -> set[int]:
        """These tables and those that are copied to them, in one step or several; `anywhere`: also
        to unknown memory that may be theirs."""
        found: set[int] = set()
        new = roots
        while new:
            found |= new
            into = new - self._constants
            copied: set[int] = set().union(*(self._copied_to.get(root, ()) for root in into))
            for record, sources in self._copied_within.items() if anywhere and into else ():
                if not record or not self._records.get(record, set()).isdisjoint(into):
                    copied |= sources
            new = copied - found
        return found

    def find_tables(self, read: SlotRead) -> tuple[int, ...]:
        """The objects that the base of a read may point to; none if they are not all known."""
        roots = {read.root}
        if read.root == NONE:
            known = self.table_points_to
            roots = known.find_tables(read.base) if known.is_known(read.base) else set()
        is_closed = self.are_lists(tuple(roots)) or self._open.isdisjoint(
            self._find_copied(roots, anywhere=False))
        return tuple(roots) if is_closed else ()

    def find_content(self, root: int, slot: int) -> list[int] | None:
        """The nodes that hold what the slot may be in this object; None if it may be more."""
        if self.are_lists((root,)) or not self._open.isdisjoint(
                self._find_copied({root}, anywhere=False)):
            return None
        find = self._nodes.find_node
        nodes = [find(FieldKey(each, slot)) for each in self._find_copied({root}, anywhere=True)]
        nodes += [*self._find_shared(slot), find(OverlapKey(slot))]
        return [node for node in nodes if node != NONE]

    def _find_shared(self, node: int) -> list[int]:
        """The nodes of what is written through pointers to a slot, or by the path of a read."""
        key = self._nodes.keys[node]
        slot = key.slot if isinstance(key, WithinKey) else node
        anonymous = self._nodes.find_node(AnonymousKey(slot))
        return [anonymous, *self._constraints.embedded.list_written(node)]

    def find_whole(self, read: SlotRead) -> int:
        """What is read where the tables are not known: the whole slot if a path brings nothing."""
        functions = self._nodes.token_functions
        tokens = self._solver.sets.get(read.whole, EMPTY)
        return read.whole if any(functions[token] != NONE for token in tokens) else read.slot

    def are_lists(self, roots: tuple[int, ...]) -> bool:
        """Whether all objects stand for lists."""
        return all(is_list(self._nodes, root) for root in roots)

    def find_sources(self, roots: tuple[int, ...], read: SlotRead) -> list[int]:
        """The nodes that hold what the slot is in these objects, if they hold anything."""
        if not roots:
            return []
        slot = read.slot
        find = self._nodes.find_node
        filled: set[int] = set(roots)
        shared = []
        if not self.are_lists(roots):
            filled = self._find_copied(filled, anywhere=True)
            shared = [*self._find_shared(read.whole), find(OverlapKey(slot))]
        sources = [find(FieldKey(root, slot)) for root in filled] + shared
        sources = [node for node in sources if node != NONE]
        sets, tables = self._solver.sets, self.table_points_to.sets
        if any(sets.get(node, EMPTY) or tables.get(node) for node in sources):
            return sources
        return []
