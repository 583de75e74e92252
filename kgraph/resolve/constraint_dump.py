"""A dump of the constraints and sets of one holder, for whoever debugs resolving.

    python -m tests.bench.constraints INDEX HOLDER

Shows for every node of the holder what it is, whether it is in the relevance slice, what it holds
after each pass, and every edge into and out of it, with the citation.
"""

from collections.abc import Iterable, Iterator

from kgraph.model.facts import Definition
from kgraph.resolve import build_constraints
from kgraph.resolve.constraint_builder import Constraints
from kgraph.resolve.constraint_graph import (
    POINTER,
    ROLES,
    SOMEWHERE,
    TOP,
    UNCITED,
    PointeeKey,
    ReasonKey,
    SlotReadKey,
    TokenKey,
    label_location,
    label_role,
)
from kgraph.resolve.interning import NONE
from kgraph.resolve.solving.object_sensitivity import Solution, solve_by_objects
from kgraph.resolve.solving.solver import EMPTY, Solver

_MARKS = {TOP: "anything", SOMEWHERE: "an address in some object", POINTER: "some address"}


def dump_holder(definitions: Iterable[Definition], holder: str) -> Iterator[str]:
    """The lines of the dump. `holder` is written as evidence writes it: `sock.sk_prot`,
    `inet_create(#0)`, `veth_netdev_ops.ndo_start_xmit`, `tcp_prot`, or a local's name."""
    constraints = build_constraints(definitions)
    dump = _Dump(constraints, solve_by_objects(constraints, keeps_first=True))
    nodes = dump.find_nodes(holder)
    if not nodes:
        yield f"no node is called {holder}"
    for node in nodes:
        yield from dump.iter_lines(node)


class _Dump:
    """Describes nodes of solved constraints."""

    def __init__(self, constraints: Constraints, solution: Solution) -> None:
        self._constraints = constraints
        self._nodes = constraints.nodes
        self._solution = solution

    def find_nodes(self, holder: str) -> list[int]:
        """The nodes that stand for a holder, with those of its reads."""
        return [node for node in range(len(self._nodes.keys))
                if str(self._nodes.holder(node) or "") == holder]

    def iter_lines(self, node: int) -> Iterator[str]:
        """The lines of one node: its constraints, then what each pass found for it."""
        passes = (("first", self._solution.first_pass), ("second", self._solution.solver))
        relevant = "relevant" if self._solution.solver.is_relevant(node) else "not relevant"
        yield f"{self._name(node)}: {relevant}"
        for token, label in self._constraints.given.get(node, {}).items():
            yield f"  is given {self._token(token)}{self._cite(label)}"
        for operand, label in self._constraints.overlaps.get(node, {}).items():
            yield f"  overlaps {self._name(self._constraints.operands.as_node(operand))}" + (
                self._cite(label))
        for name, solver in passes:
            held = sorted(map(self._token, solver.sets.get(node, EMPTY)))
            yield f"  {name} pass: holds {', '.join(held) or 'nothing'}"
            yield from self._iter_edges(node, solver)
        yield ""

    def _iter_edges(self, node: int, solver: Solver) -> Iterator[str]:
        for source, label in sorted(solver.preds.get(node, {}).items()):
            yield f"    from {self._name(source)}{self._cite(label)}"
        for target in sorted(solver.succ.get(node, ())):
            yield f"    to {self._name(target)}{self._cite(solver.preds[target][node])}"

    def _name(self, node: int) -> str:
        """The kind of a node and what it stands for."""
        key = self._nodes.keys[node]
        what: object = self._nodes.holder(node) or ""
        if isinstance(key, TokenKey):
            what = self._token(key.token)
        elif isinstance(key, ReasonKey):
            what = f'"{key.reason}"'
        elif isinstance(key, SlotReadKey | PointeeKey):
            what = f"{what} (value {key.value})"
        function = getattr(key, "function", NONE)
        inside = "" if function == NONE else f" of {self._nodes.function_id(function)}"
        return f"{type(key).__name__.removesuffix('Key')} {what}{inside}".rstrip()

    def _token(self, token: int) -> str:
        if token in _MARKS:
            return _MARKS[token]
        function = self._nodes.token_functions[token]
        if function != NONE:
            return str(self._nodes.function_id(function))
        return f"&{self._nodes.holder(self._nodes.token_nodes[token])}"

    def _cite(self, label: int) -> str:
        if label == UNCITED:
            return ""
        location = self._nodes.interner.location(label_location(label))
        return f"  {ROLES[label_role(label)].value} {location}"
