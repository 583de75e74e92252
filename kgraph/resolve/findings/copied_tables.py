"""The tables that come by copies into the pointers that calls go through.

`kgraph ops` shows what is put into a field by name. Many fields get their tables from
elsewhere: a row of a list, a local, a parameter (sk->sk_prot: inetsw_array, answer_prot,
sk_alloc). A backward search over the solved graph starts at each field from which a call reads
its table. Of what it finds, the tables of the records that are called through the field count.
A pointer that more than MOST_SOURCES nodes flow into belongs to functions that move any memory:
it gets no rows.
"""

from collections.abc import Iterator

from kgraph.model.ids import ObjectId
from kgraph.model.resolution import CopiedTable
from kgraph.model.values import Slot
from kgraph.resolve.constraint_builder import Constraints
from kgraph.resolve.constraint_graph import CONSTANT_OF, FIELD, LOADED
from kgraph.resolve.findings.evidence import EvidenceChains
from kgraph.resolve.interning import NONE, OBJECT, SLOT, VARIABLE
from kgraph.resolve.solving.object_sensitivity import Solution

MOST_SOURCES = 2000


class CopiedTableFinder:
    """Finds the rows; `solution` is that of `constraints`."""

    def __init__(self, constraints: Constraints, solution: Solution) -> None:
        self._constraints = constraints
        self._nodes = constraints.nodes
        self._solver = solution.first_pass
        self._addresses = solution.table_points_to
        self._preds = self._solver.preds
        self._chains = EvidenceChains(self._solver, {})
        self._given = self._find_given()
        self._records = self._find_records()

    def find_rows(self) -> tuple[CopiedTable, ...]:
        """All rows, sorted: of what comes by one step or more, not what is put there by name."""
        found: dict[tuple[str, str, ObjectId], CopiedTable] = {}
        for field, records in self._fields().items():
            for row in self._of(field, records):
                key = (str(row.holder), row.holder.scope, row.table)
                if key not in found or row.evidence < found[key].evidence:
                    found[key] = row
        return tuple(found[key] for key in sorted(found))

    def _fields(self) -> dict[int, set[str]]:
        """The fields that calls read their tables from, and the records that are called so: also
        where a local has the pointer."""
        found: dict[int, set[str]] = {}
        for node, (slot, _, base) in self._constraints.operands.loaded.items():
            if base < 0 or not self._solver.is_relevant(node):
                continue
            record = str(self._nodes.keys[slot][1])
            local = self._nodes.keys[base][0] == VARIABLE
            for source in [base, *(self._preds.get(base, ()) if local else ())]:
                field = self._field(source)
                if field != NONE:
                    found.setdefault(field, set()).add(record)
        return found

    def _field(self, node: int) -> int:
        """The slot that a node is, or reads; NONE for others."""
        key = self._nodes.keys[node]
        if key[0] == LOADED and key[1] != NONE:
            node, key = key[1], self._nodes.keys[key[1]]
        return node if key[0] == SLOT else NONE

    def _find_given(self) -> dict[int, set[int]]:
        """For each node the tokens of tables that are put there."""
        table_of = self._addresses.table_of
        found = {
            node: {token for token in given if table_of(token) != NONE}
            for node, given in self._constraints.given.items()
        }
        for node, key in enumerate(self._nodes.keys):
            if key[0] == CONSTANT_OF and key[1] != NONE and table_of(key[1]) != NONE:
                found.setdefault(node, set()).add(key[1])
        return found

    def _find_records(self) -> dict[int, set[str]]:
        """For each table the records whose slots something is put into in it."""
        found: dict[int, set[str]] = {}
        for key in self._nodes.keys:
            if key[0] == FIELD and self._nodes.keys[key[1]][0] == OBJECT:
                found.setdefault(key[1], set()).add(str(self._nodes.keys[key[2]][1]))
        return found

    def _of(self, field: int, records: set[str]) -> Iterator[CopiedTable]:
        reached = self._leading_to(field)
        if reached is None:
            return
        tokens = frozenset(
            token for node in reached for token in self._given.get(node, ())
            if not records.isdisjoint(self._records.get(self._nodes.tokens[token][1], ()))
        )
        among = dict.fromkeys(reached, tokens)
        holder = self._nodes.holder(field)
        whole = self._addresses.is_known(field)
        for token in tokens:
            table = self._nodes.holder(self._nodes.tokens[token][1])
            chain = self._chains.find_chains(token, [field], among).get(field, [])
            evidence = tuple(self._chains.cite(chain))
            if len(evidence) > 1 and isinstance(table, ObjectId) and isinstance(holder, Slot):
                yield CopiedTable(holder, table, evidence, whole)

    def _leading_to(self, field: int) -> set[int] | None:
        """The nodes that flow into a field, None where they are more than MOST."""
        seen = {field}
        stack: list[int] = [field]
        while stack:
            for source in self._preds.get(stack.pop(), ()):
                if source not in seen:
                    seen.add(source)
                    stack.append(source)
            if len(seen) > MOST_SOURCES:
                return None
        return seen
