"""Closes a solution over pointers to pointers, and over callers that are not seen.

The kernel passes the addresses of a hundred thousand things other than function pointers. The
solver admits the address of a pointer only if that pointer holds a function. Where a function
is stored through a pointer, a backward search finds the addresses that may reach the pointer.
Both steps repeat until nothing is new.

Only then does a slot get what is written at its place under other names (storage_overlap), and
not what those names get by overlapping it.
"""

from kgraph.logs import PackageLogger
from kgraph.model.codes import is_node
from kgraph.resolve.constraint_graph import TOP, UNCITED, AllocationKey
from kgraph.resolve.interning import NONE
from kgraph.resolve.solving.solver import EMPTY, Solver
from kgraph.resolve.solving.storage_overlap import StorageOverlap

MOST_POINTEES = 32

_LOG = PackageLogger("kgraph.resolve")


def close_over_pointers(solver: Solver) -> None:
    """Solve to the end: with pointers to pointers, unseen callers, and overlaps."""
    closure = _PointerClosure(solver)
    closure.solve()
    StorageOverlap(solver, closure.find_function_holders()).add_edges()
    closure.solve()


class _PointerClosure:
    """Admits addresses, and stores through pointers, until nothing is new."""

    def __init__(self, solver: Solver) -> None:
        self._solver = solver
        self._constraints = solver.constraints
        self._nodes = solver.nodes
        self._stored: set[tuple[int, int]] = set()
        self._holders: set[int] = set()
        self._functions: set[int] = set()  # among the tokens before `_tokens`
        self._tokens = 0
        self._takers: dict[int, list[int]] = {}  # address token: the nodes that are given it
        self._addressed: dict[int, list[int]] = {}  # node: those whose addresses it is given
        for node, token, _ in self._constraints.iter_given():
            if self._nodes.token_nodes[token] != NONE:
                self._takers.setdefault(token, []).append(node)
                self._addressed.setdefault(node, []).append(self._nodes.token_nodes[token])

    def solve(self) -> None:
        """Solve until nothing is new."""
        rounds = 0
        while True:
            rounds += 1
            self._open_unseen_calls()
            has_admitted = self._admit_addresses()
            if not self._store_through_pointers() and not has_admitted:
                break
        _LOG.debug(
            "closed after %d rounds: %d nodes hold something, %d addresses of pointers admitted, %d"
            " functions stored through pointers", rounds, len(self._solver.sets),
            len(self._solver.admitted), len(self._stored))

    def find_function_holders(self) -> set[int]:
        """The nodes that hold a function, once everything is carried on."""
        tokens = self._nodes.token_functions
        self._functions.update(
            token for token in range(self._tokens, len(tokens)) if tokens[token] != NONE)
        self._tokens = len(tokens)
        sets, functions = self._solver.sets, self._functions
        self._holders.update(
            node for node in self._solver.take_grown() if not functions.isdisjoint(sets[node]))
        return self._holders

    def _admit_addresses(self) -> bool:
        """Admit the addresses of what holds a function; whether there were new ones."""
        solver, holders = self._solver, self.find_function_holders()
        token_nodes = self._nodes.token_nodes
        found = {token for token in self._takers if token_nodes[token] in holders}
        found -= solver.admitted
        solver.admitted |= found
        for token in found:
            for node in self._takers[token]:
                if solver.is_relevant(node):
                    solver.add_tokens(node, {token})
        solver.propagate()
        return bool(found)

    def _store_through_pointers(self) -> bool:
        """Let functions that are stored through pointers reach what these may point to; whether
        there were new ones."""
        solver, holders = self._solver, self.find_function_holders()
        found: list[tuple[int, int, int]] = []  # all are looked for before the first makes an edge
        for store in self._constraints.stores:
            source = solver.as_node(store.source)
            if not is_node(store.pointer) or source not in holders:
                continue
            for target in self._find_pointees(store.pointer):
                if (source, target) not in self._stored:
                    self._stored.add((source, target))
                    found.append((target, source, store.label))
        for target, source, label in found:
            solver.add_store(target, source, label)
        solver.propagate()
        return bool(found)

    def _find_pointees(self, pointer: int) -> set[int]:
        """What a pointer may point to, searched backwards over all edges; nothing if it is more
        than MOST_POINTEES. Memory of allocators is not counted."""
        found: set[int] = set()
        counted = 0
        seen = {pointer}
        stack = [pointer]
        while stack:
            node = stack.pop()
            for pointee in self._addressed.get(node, ()):
                if pointee not in found:
                    found.add(pointee)
                    counted += not isinstance(self._nodes.keys[pointee], AllocationKey)
            if counted > MOST_POINTEES:
                return set()
            for source in self._solver.preds.get(node, ()):
                if source not in seen:
                    seen.add(source)
                    stack.append(source)
        return found

    def _is_function(self, token: int) -> bool:
        return self._nodes.token_functions[token] != NONE

    def _open_unseen_calls(self) -> None:
        """Account for functions whose address is taken and that no call reaches, and for what is
        passed in calls of which nothing is known."""
        solver, escape = self._solver, self._constraints.escape
        for function in solver.relevance.taken_functions - solver.called_functions:
            solver.open_parameters(function)
        for call in self._constraints.calls:
            tokens = solver.sets.get(solver.as_node(call.target), EMPTY)
            if TOP in tokens and not any(map(self._is_function, tokens)):
                for choice in call.arguments:
                    for operand in choice:
                        solver.add_edge(solver.as_node(operand), escape, UNCITED)
        solver.propagate()
