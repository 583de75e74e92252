"""What arguments may be, and what parameters may receive, as it was solved."""

from kgraph.model.codes import NOTHING, is_token, operand_token
from kgraph.resolve.constraint_builder import Constraints
from kgraph.resolve.findings.unresolved import NoCandidateReasons
from kgraph.resolve.interning import CONSTANT, NONE, ParameterKey
from kgraph.resolve.solving.solver import EMPTY, Solver


class ArgumentSets:
    """The sets of linked functions; `reasons` knows which solved sets are not complete."""

    def __init__(
        self, constraints: Constraints, solver: Solver, reasons: NoCandidateReasons
    ) -> None:
        self._operands = constraints.operands
        self._nodes = constraints.nodes
        self._solver = solver
        self._reasons = reasons

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
            elif operand != NOTHING and not self._reasons.may_hold_more(operand):
                functions = self._find_functions(operand)
            if not functions - {NONE}:
                return None
            found |= functions
        return frozenset(found) if values else None

    def find_received(self, function: int, index: int) -> frozenset[int]:
        """The functions that a parameter of a linked function may be."""
        return self._find_functions(self._nodes.intern_node(ParameterKey(function, index)))

    def _find_functions(self, node: int) -> frozenset[int]:
        functions = self._nodes.token_functions
        found = {functions[token] for token in self._solver.sets.get(node, EMPTY)}
        return frozenset(found - {NONE})
