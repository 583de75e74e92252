"""The tables that come by copies into the pointers that calls go through.

`kgraph ops` shows what is put into a field by name. Many fields get their tables from
elsewhere: a row of a list, a local, a parameter (sk->sk_prot: inetsw_array, answer_prot,
sk_alloc). A backward search over the solved graph starts at each field from which a call reads
its table. Of what it finds, the tables of the records that are called through the field count,
once for each last copy that brings them, also where they are put into the field by name as
well. A pointer that more than MOST_SOURCES nodes flow into belongs to functions that move any
memory: it gets no rows.
"""

from collections.abc import Iterator

from kgraph.model.codes import is_node, node_operand
from kgraph.model.ids import ObjectId
from kgraph.model.location import Location
from kgraph.model.resolution import CopiedTable
from kgraph.model.values import Slot
from kgraph.resolve.constraint_builder import Constraints
from kgraph.resolve.constraint_graph import UNCITED, FieldKey, SlotReadKey
from kgraph.resolve.findings.evidence import ChainStep, EvidenceChains
from kgraph.resolve.interning import NONE, ObjectKey, VariableKey
from kgraph.resolve.solving.object_sensitivity import Solution

MOST_SOURCES = 2000


class CopiedTableFinder:
    """Finds the rows; `solution` is that of `constraints`."""

    def __init__(self, constraints: Constraints, solution: Solution) -> None:
        self._slot_reads = constraints.operands.slot_reads
        self._nodes = constraints.nodes
        self._solver = solution.first_pass
        self._table_points_to = solution.table_points_to
        self._preds = self._solver.preds
        self._chains = EvidenceChains(self._solver, {})
        self._given = self._find_given(constraints)
        self._records = self._find_records()

    def find_rows(self) -> tuple[CopiedTable, ...]:
        """All rows, sorted."""
        found: dict[tuple[str, str, ObjectId, Location], CopiedTable] = {}
        for field, records in self._find_fields().items():
            for row in self._iter_rows(field, records):
                last = row.evidence[-1].location
                key = (str(row.holder), row.holder.scope, row.table, last)
                if key not in found or row.evidence < found[key].evidence:
                    found[key] = row
        return tuple(found[key] for key in sorted(found))

    def _find_fields(self) -> dict[int, set[str]]:
        """The fields that calls read their tables from, also by way of a local, with the records
        that are called so."""
        found: dict[int, set[str]] = {}
        for node, read in self._slot_reads.items():
            if not is_node(read.base) or not self._solver.is_relevant(node):
                continue
            sources: list[int] = [read.base]
            if isinstance(self._nodes.keys[read.base], VariableKey):
                sources += self._preds.get(read.base, ())
            for source in sources:
                field = self._find_field(source)
                if field != NONE:
                    found.setdefault(field, set()).add(self._nodes.slot_key(read.slot).record)
        return found

    def _find_field(self, node: int) -> int:
        """The slot that a node is, or reads; NONE for others."""
        key = self._nodes.keys[node]
        if isinstance(key, SlotReadKey):
            return key.slot
        return node if self._nodes.is_slot(node) else NONE

    def _find_given(self, constraints: Constraints) -> dict[int, set[int]]:
        """For each node the address tokens of tables that are put there."""
        found: dict[int, set[int]] = {}
        for node, token, _ in constraints.iter_given():
            if self._table_points_to.table_of(token) != NONE:
                found.setdefault(node, set()).add(token)
        return found

    def _find_records(self) -> dict[int, set[str]]:
        """For each table the records whose slots something is put into in it."""
        found: dict[int, set[str]] = {}
        for key in self._nodes.keys:
            if isinstance(key, FieldKey) and isinstance(self._nodes.keys[key.root], ObjectKey):
                found.setdefault(key.root, set()).add(self._nodes.slot_key(key.slot).record)
        return found

    def _iter_rows(self, field: int, records: set[str]) -> Iterator[CopiedTable]:
        """The rows of a field through which these records are called."""
        sources = self._find_sources(field)
        if sources is None:
            return
        roots = self._nodes.token_roots
        tokens = frozenset(
            token for node in sources for token in self._given.get(node, ())
            if not records.isdisjoint(self._records.get(roots[token], ())))
        copies = self._find_last_copies(field)
        outside = dict.fromkeys(sources - copies.keys(), tokens)
        holder = self._nodes.holder(field)
        is_complete = self._table_points_to.is_known(node_operand(field))
        for token in tokens:
            table = self._nodes.holder(roots[token])
            chains = self._chains.find_chains(
                token, {source for steps in copies.values() for source in steps}, outside)
            for steps in copies.values():
                for source, label in steps.items():
                    chain = [*chains.get(source, ()), ChainStep(label, field)]
                    evidence = tuple(self._chains.cite(chain))
                    if len(evidence) > 1 and isinstance(table, ObjectId) and isinstance(
                            holder, Slot):
                        yield CopiedTable(holder, table, evidence, is_complete)

    def _find_last_copies(self, field: int) -> dict[int, dict[int, int]]:
        """The copies into a field that can be cited, by the nodes that stand for it: for each the
        nodes that it copies, with labels.
        """
        found: dict[int, dict[int, int]] = {field: {}}
        stack = [field]
        while stack:
            node = stack.pop()
            for source, label in self._preds.get(node, {}).items():
                if label != UNCITED:
                    found[node][source] = label
                elif source not in found:
                    found[source] = {}
                    stack.append(source)
        return found

    def _find_sources(self, field: int) -> set[int] | None:
        """The nodes that flow into a field; None if they are more than MOST_SOURCES."""
        seen = {field}
        stack = [field]
        while stack:
            for source in self._preds.get(stack.pop(), ()):
                if source not in seen:
                    seen.add(source)
                    stack.append(source)
            if len(seen) > MOST_SOURCES:
                return None
        return seen
