"""The relevance slice: the nodes that can matter to a call through a pointer.

Most pointers of a kernel are data. Followed backwards from the called nodes, over flows, over
the bases that tell tables apart and over pointers to pointers, only a fraction of all nodes
remains.
"""

from kgraph.model.codes import Operand, is_node, is_token, operand_token
from kgraph.resolve.constraint_builder import Constraints
from kgraph.resolve.interning import NONE, ParameterKey, ResultKey, ReturnKey


class RelevanceSlice:
    """`is_needed[node]` is 1 where the node has to be solved. Nodes that are made later are needed.

    `taken_functions` are the linked functions whose address is a value somewhere.
    """

    def __init__(self, constraints: Constraints) -> None:
        self._constraints = constraints
        self._keys = constraints.nodes.keys
        self._released = constraints.released
        self.is_needed = bytearray(len(self._keys))
        self._stack: list[int] = []
        self._passed: set[int] = set()  # indexes of arguments that are in the slice
        self._has_results = False
        self._has_pointees = False
        self._pointers = {load.target: load.pointer for load in constraints.operands.loads}
        self.taken_functions = _find_taken_functions(constraints)
        self._add_sinks()
        self._follow()

    def _add(self, operand: Operand) -> None:
        """Add an operand if it is a node."""
        if is_node(operand):
            self._add_node(operand)

    def _add_node(self, node: int) -> None:
        """Add a node, or nothing for NONE, nor for a parameter that takes memory back."""
        if node != NONE and not self.is_needed[node] and node not in self._released:
            self.is_needed[node] = 1
            self._stack.append(node)

    def _add_sinks(self) -> None:
        constraints = self._constraints
        for call in constraints.calls:
            self._add(call.target)
        for copy in constraints.copies:
            self._add(copy.destination)
            self._add(copy.source)
        for store in constraints.stores:
            self._add(store.pointer)
            self._add(store.source)
        for local in constraints.embedded.locals:
            self._add_node(local)
        self._add_node(constraints.escape)

    def _follow(self) -> None:
        preds, overlaps = self._constraints.preds, self._constraints.overlaps
        while self._stack:
            node = self._stack.pop()
            for source, _ in preds.get(node, ()):
                self._add_node(source)
            for operand in overlaps.get(node, ()):
                self._add(operand)
            self._follow_reads(node)
            self._follow_calls(node)

    def _follow_reads(self, node: int) -> None:
        """Add what the solver joins to a read only as sets grow."""
        read = self._constraints.operands.slot_reads.get(node)
        if read is not None:
            self._add_node(read.slot)
            self._add_node(read.whole)
            self._add(read.base)
        pointer = self._pointers.get(node)
        if pointer is not None:
            self._add(pointer)
            if is_token(pointer):
                self._add_node(self._constraints.nodes.token_nodes[operand_token(pointer)])
            self._add_pointees()

    def _follow_calls(self, node: int) -> None:
        """Add what indirect calls join to a parameter or a result."""
        key = self._keys[node]
        if isinstance(key, ParameterKey):
            if key.function in self.taken_functions:
                self._add_arguments(key.index)
                if self._constraints.nodes.is_variadic(node):
                    self._add_variadic_arguments(key.index)
        elif isinstance(key, ResultKey) and not self._has_results:
            self._has_results = True
            for function in self.taken_functions:
                self._add_node(self._constraints.nodes.find_node(ReturnKey(function)))

    def _add_arguments(self, index: int) -> None:
        if index in self._passed:
            return
        self._passed.add(index)
        for call in self._constraints.calls:
            if index < len(call.arguments):
                for operand in call.arguments[index]:
                    self._add(operand)

    def _add_variadic_arguments(self, index: int) -> None:
        """Add all arguments from an index on."""
        longest = max(len(call.arguments) for call in self._constraints.calls)
        for further in range(index, longest):
            self._add_arguments(further)

    def _add_pointees(self) -> None:
        """A pointer that is read through may lead to whatever has its address taken."""
        if self._has_pointees:
            return
        self._has_pointees = True
        for node in self._constraints.address_taken - self._constraints.survey.record_slots:
            self._add_node(node)


def _find_taken_functions(constraints: Constraints) -> set[int]:
    tokens = {token for tokens in constraints.given.values() for token in tokens}
    for call in constraints.calls:
        tokens.update(operand_token(operand) for choice in call.arguments for operand in choice
                      if is_token(operand))
    functions = {constraints.nodes.token_functions[token] for token in tokens}
    functions.discard(NONE)
    return functions
