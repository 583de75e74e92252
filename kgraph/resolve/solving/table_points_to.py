"""The tables that a pointer may point to, where everything that it may hold is known.

Runs over a solved graph. A node whose set is not complete needs no tables carried to it, nor
through it, because what it flows into is not complete either. That keeps the sets small: few of
a kernel's pointers are known completely, and only those tell tables apart.
"""

from collections import deque

from kgraph.model.ids import ObjectId
from kgraph.resolve.constraint_graph import CONSTANT_OF, SOMEWHERE, TOP
from kgraph.resolve.interning import NONE
from kgraph.resolve.models.per_object_lists import is_list_object
from kgraph.resolve.operands import NOTHING, operand_token
from kgraph.resolve.solving.pointer_closure import MOST_POINTEES
from kgraph.resolve.solving.solver import EMPTY, Solver


class TablePointsTo:
    """`sets` holds the address tokens of tables for each node that is known completely."""

    def __init__(self, solver: Solver) -> None:
        self._solver = solver
        self._nodes = solver.nodes
        self._tables: dict[int, bool] = {}
        self.sets: dict[int, set[int]] = {}
        self._propagate()

    def is_known(self, code: int) -> bool:
        """Whether all that a code may be is known."""
        held = self._solver.sets.get(code, EMPTY)
        return code < NOTHING or not (TOP in held or SOMEWHERE in held)

    def find_tables(self, code: int) -> set[int]:
        """The tables that a code may be the address of, or in; none where not all are known."""
        if code < NOTHING:
            root = self._nodes.tokens[operand_token(code)][1]
            return {root} if self._is_table(root) else set()
        return {self._nodes.tokens[token][1] for token in self.sets.get(code, EMPTY)}

    def _is_table(self, root: int) -> bool:
        known = self._tables.get(root)
        if known is None:
            known = root in self._solver.constraints.operands.tagged_roots
            if not known and root != NONE:
                holder = self._nodes.holder(root)
                known = isinstance(holder, ObjectId) and is_list_object(holder)
            self._tables[root] = known
        return known

    def _propagate(self) -> None:
        tokens = self._nodes.tokens
        work: deque[tuple[int, set[int]]] = deque()
        for node, given in self._solver.constraints.given.items():
            found = {token for token in given if self._is_table_token(token)}
            if found and self._solver.is_relevant(node):
                work.append((node, found))
        for node, key in enumerate(self._nodes.keys):
            if key[0] == CONSTANT_OF and key[1] != NONE and self._is_table_token(key[1]):
                work.append((node, {key[1]}))
        succ = self._solver.succ
        # one token stands for all addresses in a table: the field does not tell tables apart
        while work:
            node, found = work.popleft()
            if not self.is_known(node):
                continue
            whole = {self._nodes.address_token(tokens[t][1], tokens[t][1]) for t in found}
            held = self.sets.setdefault(node, set())
            new = whole - held
            if new:
                held |= new
                work.extend((target, new) for target in succ.get(node, ()))

    def _is_table_token(self, token: int) -> bool:
        return self.table_of(token) != NONE

    def table_of(self, token: int) -> int:
        """The table that a token is an address in, or NONE."""
        node, root = self._nodes.tokens[token]
        return root if node != NONE and self._is_table(root) else NONE


class BackwardTableSearch:
    """Which tables flows bring to a pointer of which not everything is known.

    Searched backwards, once for each pointer: carrying tables through such nodes is what
    Addresses spares itself.
    """

    def __init__(self, solver: Solver, addresses: TablePointsTo) -> None:
        self._preds = solver.preds
        self._given: dict[int, set[int]] = {}
        for node, given in solver.constraints.given.items():
            tables = {addresses.table_of(token) for token in given} - {NONE}
            if tables:
                self._given[node] = tables
        self._seen: dict[int, set[int]] = {}

    def find_tables(self, pointer: int) -> set[int]:
        """The tables, if they are no more than FEW: what may point to more is no pointer to one
        kind of table, but a function's that moves any memory."""
        known = self._seen.get(pointer)
        if known is None:
            known = self._seen[pointer] = self._search(pointer)
        return known

    def _search(self, pointer: int) -> set[int]:
        found: set[int] = set()
        seen = {pointer}
        stack = [pointer]
        while stack:
            node = stack.pop()
            found |= self._given.get(node, set())
            if len(found) > MOST_POINTEES:
                return set()
            for source in self._preds.get(node, ()):
                if source not in seen:
                    seen.add(source)
                    stack.append(source)
        return found
