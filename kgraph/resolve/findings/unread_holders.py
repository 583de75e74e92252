"""Which holders a unit that did not parse cleanly may fill.

It fills fields, objects and parameters only where its text names them: the field, the object, the
function whose parameter it is. It also calls what a holder holds that it names, and so fills the
parameters of functions in that. From there on what it brings flows as everything else does. Of the
functions that it defines itself nothing is certain.
"""

from collections.abc import Callable, Iterable, Iterator

from kgraph.model.unread_text import UnreadText
from kgraph.resolve.constraint_graph import (
    AnonymousKey,
    EmbeddedKey,
    FieldKey,
    NodeKey,
    OverlapKey,
    SlotReadKey,
    WithinKey,
)
from kgraph.resolve.interning import (
    NONE,
    ObjectKey,
    ParameterKey,
    ResultKey,
    ReturnKey,
    SlotKey,
    VariableKey,
)
from kgraph.resolve.solving.solver import EMPTY, Solver

_OF_SLOT = (AnonymousKey, EmbeddedKey, WithinKey, OverlapKey, SlotReadKey, FieldKey)


class UnreadHolders:
    """Finds the nodes that the text of unread units may fill."""

    def __init__(self, solver: Solver, text: UnreadText) -> None:
        self._solver = solver
        self._nodes = solver.nodes
        self._is_named: Callable[[str, str], bool] = text.make_test()
        self._text = text

    def find_nodes(self) -> set[int]:
        """All nodes that it may fill, directly or by what flows from there."""
        named = {node for node, key in enumerate(self._nodes.keys) if self._names(key)}
        found = named | set(self._iter_table_slots()) | self._find_parameters(named)
        constraints = self._solver.constraints
        while True:
            reached = self._solver.find_reached(found)
            found = reached | constraints.operands.find_reads(reached)
            found.update(load.target for load in constraints.operands.loads
                         if load.pointer in reached)
            found.update(call.result for call in constraints.calls
                         if call.target in reached and call.result != NONE)
            if found == reached:
                return reached

    def _names(self, key: NodeKey) -> bool:
        """Whether the text names what a node stands for."""
        if isinstance(key, _OF_SLOT):
            key = self._nodes.keys[key.slot]
        if isinstance(key, SlotKey):
            field = key.field.rpartition(".")[2]
            return self._is_named(field, key.scope) or (
                key.record in self._text.initialised and self._is_named(key.record, key.scope))
        if isinstance(key, ObjectKey):
            identity = self._nodes.object_id(key.object)
            return self._is_named(identity.name, identity.scope)
        if isinstance(key, ParameterKey):
            return self._is_function_named(key.function)
        if isinstance(key, VariableKey | ReturnKey | ResultKey):
            return self._is_defined_there(key.function)
        return False

    def _is_function_named(self, function: int) -> bool:
        identity = self._nodes.function_id(function)
        return self._is_named(identity.name, identity.scope)

    def _is_defined_there(self, function: int) -> bool:
        """Whether the text has the definition of a function, of which a part may be missing."""
        if not self._is_function_named(function):
            return False
        defined = self._nodes.find_definition(function)
        return defined is None or defined.location.path in self._text.files

    def _iter_table_slots(self) -> Iterator[int]:
        """The slots of objects that the text names, and so may install."""
        for key in self._nodes.keys:
            if isinstance(key, FieldKey) and self._names(self._nodes.keys[key.root]):
                yield key.slot

    def _find_parameters(self, named: Iterable[int]) -> set[int]:
        """The parameters of functions that the text may call through holders that it names."""
        functions = self._nodes.token_functions
        called = {functions[token] for node in named
                  for token in self._solver.sets.get(node, EMPTY)}
        return {node for node, key in enumerate(self._nodes.keys)
                if isinstance(key, ParameterKey) and key.function in called}
