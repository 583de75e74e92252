"""What functions without a definition may fill: a library, a module that is not parsed.

Such a function may write to whatever it gets a pointer to, and what it returns is anything. A
field of such a record is not proved empty. Follows pointers backwards from the arguments of these
functions, and forwards from there and from what they return, over the edges of the solved graph.
For each holder the nearest function is kept, the first by its name.

Whole kernels get nothing from outside: the linker saw to that, and a call of a function that they
lack is never made. The same holds for images that are linked by themselves.
"""

from collections.abc import Iterable, Mapping

from kgraph.model.codes import NOTHING, Operand, is_node, is_token, operand_token
from kgraph.model.values import POINTEE
from kgraph.resolve.constraint_graph import FieldKey
from kgraph.resolve.interning import NONE, AddressRow, LoadRow, ReturnKey, SlotKey
from kgraph.resolve.linkage import is_isolated
from kgraph.resolve.models.declared import load_copy_functions
from kgraph.resolve.solving.solver import EMPTY, Solver

_Names = dict[int, str]
_AFTER_LAST = "\U0010ffff"  # sorts behind every name


class OutsideReach:
    """`fillers` has for each node that may be filled from outside the name of a function."""

    def __init__(self, solver: Solver) -> None:
        self._solver = solver
        self._constraints = solver.constraints
        self._nodes = solver.nodes
        self._rows = solver.nodes.interner.value_rows
        self._succ: dict[int, set[int]] = {}
        self._preds: dict[int, set[int]] = {}
        self._handed: _Names = {}  # nodes that hold pointers which a function is given
        self._memory: _Names = {}  # nodes whose address it is given, and what it returns
        self.fillers: _Names = {}
        self._hand_over_arguments()
        if self._handed or self._memory:
            self._succ, self._preds = self._find_edges()
            self._fill()

    def _find_edges(self) -> tuple[dict[int, set[int]], dict[int, set[int]]]:
        """The edges of the graph, forwards and backwards, with those that need no solving."""
        succ: dict[int, set[int]] = {}
        preds: dict[int, set[int]] = {}
        for target, sources in self._constraints.preds.items():
            preds[target] = {source for source, _ in sources}
        for target, labels in self._solver.preds.items():
            preds.setdefault(target, set()).update(labels)
        for target, found in preds.items():
            for source in found:
                succ.setdefault(source, set()).add(target)
        return succ, preds

    def _find_name(self, function: int) -> str:
        """The name of a linked function that is outside, "" for any other."""
        identity = self._nodes.function_id(function)
        if identity in self._nodes.facts.functions or is_isolated(identity.image) or (
                identity.name in load_copy_functions()):
            return ""
        return identity.name

    def _hand_over_arguments(self) -> None:
        operand = self._constraints.operands.operand
        for row in self._nodes.facts.definitions:
            for site in row.sites:
                if site.callee != NONE and site.arguments:
                    name = self._find_name(self._nodes.linked_functions[site.callee])
                    self._hand_over((operand(value) for choice in site.arguments
                                     for value in choice), name)
        for call in self._constraints.calls:
            for name in self._find_names(call.target):
                self._hand_over((each for choice in call.arguments for each in choice), name)
                _enter(self._memory, call.result, name)
        for node, key in enumerate(self._nodes.keys):
            if isinstance(key, ReturnKey):
                _enter(self._memory, node, self._find_name(key.function))

    def _find_names(self, target: Operand) -> set[str]:
        """The names of the functions outside that a call through a pointer may reach."""
        tokens = self._solver.sets.get(self._solver.as_node(target), EMPTY)
        functions = {self._nodes.token_functions[token] for token in tokens} - {NONE}
        return {name for function in functions if (name := self._find_name(function))}

    def _hand_over(self, operands: Iterable[Operand], name: str) -> None:
        for operand in operands if name else ():
            if is_token(operand):
                _enter(self._memory, self._nodes.token_nodes[operand_token(operand)], name)
            elif operand != NOTHING:
                _enter(self._handed, operand, name)

    def _fill(self) -> None:
        """Find what is filled, until nothing is new."""
        known = -1
        while known != len(self.fillers) + len(self._memory):
            known = len(self.fillers) + len(self._memory)
            contents = self._memory | self.fillers
            self._hand_on(contents)
            pointers = _spread(
                self._handed | self._find_holders_of_memory() | contents, self._succ)
            self._copy_memory(pointers)
            self._fill_slots(pointers)
        self.fillers = _spread(self.fillers, self._succ)

    def _hand_on(self, contents: _Names) -> None:
        """Hand over what memory that was handed over points to."""
        fields = {node: self._memory[key.root] for node, key in enumerate(self._nodes.keys)
                  if isinstance(key, FieldKey) and key.root in self._memory}
        self._handed = _spread(self._handed | fields | contents, self._preds)
        for node, name in self._handed.items():
            for token in self._constraints.given.get(node, ()):
                _enter(self._memory, self._nodes.token_nodes[token], name)

    def _find_holders_of_memory(self) -> _Names:
        """The nodes that are given the address of what was handed over."""
        found: _Names = {}
        for node, token, _ in self._constraints.iter_given():
            name = self._memory.get(self._nodes.token_nodes[token])
            if name is not None:
                _enter(found, node, name)
        return found

    def _copy_memory(self, pointers: Mapping[int, str]) -> None:
        for copy in self._constraints.copies:
            name = self._find_source(copy.source, pointers)
            if name is not None and is_token(copy.destination):
                node = self._nodes.token_nodes[operand_token(copy.destination)]
                _enter(self._memory, node, name)

    def _find_source(self, operand: Operand, pointers: Mapping[int, str]) -> str | None:
        if is_node(operand):
            return pointers.get(operand)
        return self._memory.get(self._nodes.token_nodes[operand_token(operand)])

    def _fill_slots(self, pointers: Mapping[int, str]) -> None:
        """Enter the slots of records that are reached through handed pointers or memory."""
        keys, holder_nodes = self._nodes.interner.holder_keys, self._nodes.holder_nodes
        names: list[str | None] = []  # by value: who may fill what it points to
        for row in self._rows:  # a base is numbered before what stands on it
            name: str | None = None
            if isinstance(row, LoadRow | AddressRow):
                key, node = keys[row.holder], holder_nodes[row.holder]
                base = None if row.base == NONE else names[row.base]
                if isinstance(key, SlotKey) and key.field != POINTEE and base is not None:
                    _enter(self.fillers, node, base)
                reached = self._memory if isinstance(row, AddressRow) else pointers
                name = base or reached.get(node)
            names.append(name)
        for node, read in self._constraints.operands.slot_reads.items():
            if read.slot in self.fillers:
                _enter(self.fillers, node, self.fillers[read.slot])
                _enter(self.fillers, read.whole, self.fillers[read.slot])


def _enter(names: _Names, node: int, name: str) -> None:
    if name and node != NONE and name < names.get(node, _AFTER_LAST):
        names[node] = name


def _spread(names: _Names, edges: Mapping[int, Iterable[int]]) -> _Names:
    """The names of all nodes that edges lead to: the nearest, of these the first."""
    found: _Names = {}
    layer = names
    while layer:
        found |= layer
        following: _Names = {}
        for node, name in layer.items():
            for target in edges.get(node, ()):
                if target not in found:
                    _enter(following, target, name)
        layer = following
    return found
