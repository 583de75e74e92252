"""What arguments may be, and what parameters may receive, as it was solved."""

from kgraph.model.codes import NOTHING, is_node, is_token, operand_token
from kgraph.resolve.constraint_builder import Constraints
from kgraph.resolve.constraint_graph import TOP
from kgraph.resolve.findings.unresolved import NoCandidateReasons
from kgraph.resolve.interning import CONSTANT, NONE, ObjectKey, ParameterKey
from kgraph.resolve.models.declared import load_sections
from kgraph.resolve.solving.solver import EMPTY, Solver

_MOST_SOURCES = 64  # of a pointer that walks a section


class ArgumentSets:
    """The sets of linked functions; `reasons` knows which solved sets are not complete."""

    def __init__(
        self, constraints: Constraints, solver: Solver, reasons: NoCandidateReasons
    ) -> None:
        self._operands = constraints.operands
        self._nodes = constraints.nodes
        self._solver = solver
        self._reasons = reasons
        self._given = constraints.given
        self._pointers = {load.target: load.pointer for load in self._operands.loads}
        self._walk_starts = {start for _, start in load_sections().walks}

    def find(self, values: tuple[int, ...]) -> frozenset[int] | None:
        """The functions that an argument, one of `values`, may be; None if it may be more, or if
        nothing is known of one."""
        found: set[int] = set()
        for value in values:
            if value == CONSTANT:
                continue
            operand, functions = self._operands.operand(value), frozenset[int]()
            if is_token(operand):
                functions = frozenset((self._nodes.token_functions[operand_token(operand)],))
            elif is_node(operand) and self._is_walked(operand):
                found |= self._find_functions(operand)  # a section may be empty
                continue
            elif operand != NOTHING:
                functions = self._find_walked(operand)
                if not functions and not self._reasons.may_hold_more(operand):
                    functions = self._find_functions(operand)
            if not functions - {NONE}:
                return None
            found |= functions
        return frozenset(found) if values else None

    def _find_walked(self, node: int) -> frozenset[int]:
        """The functions in the linker sections that a loop walks, if a node holds what a pointer of
        such a loop points to, and that can point nowhere else. The linker knows all of them.
        """
        pointer = self._pointers.get(node, NOTHING)
        if not is_node(pointer) or TOP in self._solver.sets.get(pointer, EMPTY):
            return frozenset()
        seen, stack, found = {int(pointer)}, [int(pointer)], frozenset[int]()
        while stack and len(seen) <= _MOST_SOURCES:
            source = stack.pop()
            for token in self._given.get(source, ()):
                root = self._nodes.token_nodes[token]
                if root != NONE:
                    if not self._is_walked(root):
                        return frozenset()
                    found |= self._find_functions(root)
            following = set(self._solver.preds.get(source, ())) - seen
            seen |= following
            stack += following
        return frozenset() if stack else found

    def _is_walked(self, node: int) -> bool:
        key = self._nodes.keys[node]
        return (isinstance(key, ObjectKey)
                and self._nodes.object_id(key.object).name in self._walk_starts)

    def find_received(self, function: int, index: int) -> frozenset[int]:
        """The functions that a parameter of a linked function may be."""
        return self._find_functions(self._nodes.intern_node(ParameterKey(function, index)))

    def _find_functions(self, node: int) -> frozenset[int]:
        functions = self._nodes.token_functions
        found = {functions[token] for token in self._solver.sets.get(node, EMPTY)}
        return frozenset(found - {NONE})
