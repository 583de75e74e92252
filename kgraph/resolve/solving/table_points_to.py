"""The tables that a pointer may point to, where everything that it may hold is known.

Runs over a solved graph. A node whose set is not complete needs no tables carried to it, nor
through it, because what it flows into is not complete either. That keeps the sets small: few of
a kernel's pointers are known completely, and only those tell tables apart.
"""

from collections import deque

from kgraph.model.codes import Operand, is_token, operand_token
from kgraph.model.ids import ObjectId
from kgraph.resolve.constraint_graph import SOMEWHERE, TOP, Nodes
from kgraph.resolve.interning import NONE
from kgraph.resolve.models.per_object_lists import is_list_object
from kgraph.resolve.solving.pointer_closure import MOST_POINTEES
from kgraph.resolve.solving.solver import EMPTY, Solver


def is_list(nodes: Nodes, root: int) -> bool:
    """Whether an object stands for a list: it holds only what a declared function adds."""
    holder = None if root == NONE else nodes.holder(root)
    return isinstance(holder, ObjectId) and is_list_object(holder)


class TablePointsTo:
    """`sets` holds the address tokens of tables for each node that is known completely."""

    def __init__(self, solver: Solver) -> None:
        self._solver = solver
        self._nodes = solver.nodes
        self._incomplete = {
            node for node, tokens in solver.sets.items() if TOP in tokens or SOMEWHERE in tokens}
        self._tables: dict[int, bool] = {}
        self.sets: dict[int, set[int]] = {}
        self._propagate()

    def is_known(self, operand: Operand) -> bool:
        """Whether everything that an operand may be is known: not of an address without a root."""
        if is_token(operand):
            return self._nodes.token_roots[operand_token(operand)] != NONE
        return self._is_complete(operand)

    def _is_complete(self, node: int) -> bool:
        return node not in self._incomplete

    def find_tables(self, operand: Operand) -> set[int]:
        """The tables that an operand may be the address of, or in; none if not all are known."""
        roots = self._nodes.token_roots
        if is_token(operand):
            root = roots[operand_token(operand)]
            return {root} if self._is_table(root) else set()
        return {roots[token] for token in self.sets.get(operand, EMPTY)}

    def table_of(self, token: int) -> int:
        """The table that a token is an address in, or NONE."""
        root = self._nodes.token_roots[token]
        return root if self._is_table(root) else NONE

    def _is_table(self, root: int) -> bool:
        known = self._tables.get(root)
        if known is None:
            known = root in self._solver.constraints.survey.tagged_roots
            known = known or is_list(self._nodes, root)
            self._tables[root] = known
        return known

    def _propagate(self) -> None:
        work = deque(self._find_given().items())
        succ = self._solver.succ
        while work:
            node, found = work.popleft()
            if not self._is_complete(node):
                continue
            tokens = self.sets.setdefault(node, set())
            new = found - tokens
            if new:
                tokens |= new
                work.extend((target, new) for target in succ.get(node, ()))

    def _find_given(self) -> dict[int, set[int]]:
        """For each relevant node the tables whose addresses it is given.

        One token stands for all addresses in a table: which field it is tells no tables apart.
        """
        constraints, nodes = self._solver.constraints, self._nodes
        found: dict[int, set[int]] = {}
        for node, token, _ in constraints.iter_given():
            table = self.table_of(token)
            if table != NONE and self._solver.is_relevant(node):
                found.setdefault(node, set()).add(nodes.address_token(table, table))
        return found


class BackwardTableSearch:
    """The tables that flows bring to a pointer of which not everything is known.

    Searches backwards, once for each pointer: carrying tables through such nodes is what
    TablePointsTo avoids.
    """

    def __init__(self, solver: Solver, table_points_to: TablePointsTo) -> None:
        self._preds = solver.preds
        self._given: dict[int, set[int]] = {}
        for node, given in solver.constraints.given.items():
            tables = {table_points_to.table_of(token) for token in given} - {NONE}
            if tables:
                self._given[node] = tables
        self._known: dict[int, set[int]] = {}

    def find_tables(self, pointer: int) -> set[int]:
        """The tables; none if they are more than MOST_POINTEES.

        What may point to more is not a pointer to one kind of table, but belongs to a function that
        moves any memory.
        """
        known = self._known.get(pointer)
        if known is None:
            known = self._known[pointer] = self._search(pointer)
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
