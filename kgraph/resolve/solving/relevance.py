"""The relevance slice: the nodes that can matter to a call through a pointer.

Most pointers of a kernel are data. Followed backwards from the called nodes, over flows, over
the bases that tell tables apart and over pointers to pointers, only a fraction of all nodes
remains.
"""

from kgraph.resolve.constraint_builder import Constraints
from kgraph.resolve.interning import NONE, PARAMETER, RESULT, RETURN
from kgraph.resolve.operands import NOTHING, operand_token


class RelevanceSlice:
    """`needed[node]` is 1 where the node has to be solved. Nodes made later are needed."""

    def __init__(self, constraints: Constraints) -> None:
        self._constraints = constraints
        self._keys = constraints.nodes.keys
        self.is_needed = bytearray(len(self._keys))
        self._stack: list[int] = []
        self._indexes: set[int] = set()
        self._results = False
        self._pointees = False
        self._pointers = {node: code for code, node in constraints.operands.loads}
        self.taken_functions = find_taken_functions(constraints)
        self._run()

    def _add(self, code: int) -> None:
        if code >= 0 and not self.is_needed[code]:
            self.is_needed[code] = 1
            self._stack.append(code)

    def _run(self) -> None:
        constraints = self._constraints
        for call in constraints.calls:
            self._add(call.target)
        for copy in constraints.copies:
            self._add(copy.destination)
            self._add(copy.source)
        for store in constraints.stores:
            self._add(store.pointer)
            self._add(store.source)
        self._add(constraints.escape)
        preds, overlays = constraints.preds, constraints.overlaps
        while self._stack:
            node = self._stack.pop()
            for source, _ in preds.get(node, ()):
                self._add(source)
            for source in overlays.get(node, ()):
                self._add(source)
            self._special(node)

    def _special(self, node: int) -> None:
        """Follow what the solver joins to a node only as sets grow."""
        loaded = self._constraints.operands.loaded.get(node)
        if loaded is not None:
            self._add(loaded[0])
            self._add(loaded[2])
        pointer = self._pointers.get(node)
        if pointer is not None:
            self._add(pointer)
            if pointer < NOTHING:
                self._add(self._constraints.nodes.tokens[operand_token(pointer)][0])
            self._all_pointees()
        key = self._keys[node]
        if key[0] == PARAMETER and key[1] in self.taken_functions:
            self._argument(key[2])
            if self._constraints.nodes.is_variadic(node):
                self._arguments_from(key[2])
        elif key[0] == RESULT and not self._results:
            self._results = True
            for function in self.taken_functions:
                self._add(self._constraints.nodes.find_node((RETURN, function)))

    def _argument(self, index: int) -> None:
        if index in self._indexes:
            return
        self._indexes.add(index)
        for call in self._constraints.calls:
            if index < len(call.arguments):
                for code in call.arguments[index]:
                    self._add(code)

    def _arguments_from(self, index: int) -> None:
        """What is passed behind the dots, at any place there."""
        longest = max(len(call.arguments) for call in self._constraints.calls)
        for further in range(index, longest):
            self._argument(further)

    def _all_pointees(self) -> None:
        """A pointer that is read through may lead to whatever has its address taken."""
        if self._pointees:
            return
        self._pointees = True
        for node in self._constraints.address_taken:
            if node != NONE and node not in self._constraints.operands.record_slots:
                self._add(node)


def find_taken_functions(constraints: Constraints) -> set[int]:
    """The linked functions whose address is a value somewhere."""
    function_of = constraints.nodes.function_of
    tokens = {token for tokens in constraints.given.values() for token in tokens}
    for call in constraints.calls:
        tokens.update(-2 - code for choice in call.arguments for code in choice if code < NONE)
    functions = {function_of(token) for token in tokens}
    functions.discard(NONE)
    return functions
