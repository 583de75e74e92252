"""The nodes, tokens and edge labels of the constraint graph.

A node holds a set of tokens. A token is a function, the address of a node, or a mark that the
set is not complete. A label is what an edge is cited with: the location where a value is put,
passed or returned, and its role.
"""

from typing import Any

from kgraph.model.facts import Function
from kgraph.model.ids import FunctionId, ObjectId
from kgraph.model.resolution import Role
from kgraph.model.values import (
    CallResult,
    Holder,
    ObjectField,
    Parameter,
    ReturnValue,
    Slot,
    Variable,
)
from kgraph.resolve.fact_rows import FactRows
from kgraph.resolve.interning import (
    NONE,
    OBJECT,
    PARAMETER,
    RESULT,
    RETURN,
    SLOT,
    VARIABLE,
    HolderKey,
)
from kgraph.resolve.linkage import FunctionLinker, ObjectLinker

FIELD, ANONYMOUS, BESIDE, WAY, NAMED, LOADED, REASON, CONSTANT_OF, ESCAPE = range(
    RESULT + 1, RESULT + 10)
TOP, SOMEWHERE, POINTER = range(3)


class Nodes:
    """Numbers for nodes and tokens, by linked identities."""

    def __init__(self, facts: FactRows) -> None:
        self.facts = facts
        self.interner = names = facts.interner
        function_linker = FunctionLinker(facts.functions)
        object_linker = ObjectLinker(facts.objects)
        self.linked_functions = [
            names.intern_function(function_linker.link(f)) for f in list(names.function_ids)
        ]
        self.linked_objects = [
            names.intern_object(object_linker.link(o)) for o in list(names.object_ids)
        ]
        self.keys: list[HolderKey] = []
        self.numbers: dict[HolderKey, int] = {}
        self.holder_nodes = [self.intern_node(self._linked(key)) for key in names.holder_keys]
        self.tokens: list[tuple[int, int]] = [(NONE, NONE)] * 3
        self.token_numbers: dict[tuple[int, int], int] = {}

    def intern_node(self, key: HolderKey) -> int:
        """The node with this key; made where there is none."""
        node = self.numbers.get(key)
        if node is None:
            node = self.numbers[key] = len(self.keys)
            self.keys.append(key)
        return node

    def find_node(self, key: HolderKey) -> int:
        """The node with this key, or NONE."""
        return self.numbers.get(key, NONE)

    def _linked(self, key: HolderKey) -> HolderKey:
        kind: int = key[0]
        if kind == SLOT:
            return key
        if kind == OBJECT:
            return (OBJECT, self.linked_objects[key[1]])
        return (kind, self.linked_functions[key[1]], *key[2:])

    def function_token(self, function: int) -> int:
        """The token of a linked function."""
        return self._token((NONE, function))

    def address_token(self, node: int, root: int) -> int:
        """The token of the address of `node`, which lies in the object (or local) `root`."""
        return self._token((node, root))

    def _token(self, row: tuple[int, int]) -> int:
        token = self.token_numbers.get(row)
        if token is None:
            token = self.token_numbers[row] = len(self.tokens)
            self.tokens.append(row)
        return token

    def function_of(self, token: int) -> int:
        """The linked function that a token is, or NONE."""
        node, function = self.tokens[token]
        return function if node == NONE else NONE

    def find_definition(self, function: int) -> Function | None:
        """The definition of a linked function; None for one in assembler, of which nothing is known
        but what it calls."""
        found = self.facts.functions.get(self.interner.function_ids[function])
        return found if found is not None and found.signature else None

    def find_variadic(self, function: int) -> int:
        """The node of what is passed to a function behind the dots, NONE where it is not read."""
        defined = self.find_definition(function)
        return NONE if defined is None else self.find_node(
            (PARAMETER, function, len(defined.parameters)))

    def is_variadic(self, node: int) -> bool:
        """Whether a node is what is passed to a function behind the dots."""
        key = self.keys[node]
        return bool(key[0] == PARAMETER and self.find_variadic(key[1]) == node)

    def function_id(self, function: int) -> FunctionId:
        """The identity of a function."""
        return self.interner.function_ids[function]

    def object_id(self, number: int) -> ObjectId:
        """The identity of an object."""
        return self.interner.object_ids[number]

    def holder(self, node: int) -> Holder | None:
        """The holder that a node stands for, for people; None for nodes that are no holder."""
        key: tuple[Any, ...] = self.keys[node]
        kind: int = key[0]
        if kind == SLOT:
            return Slot(key[1], key[2], key[3])
        if kind == OBJECT:
            return self.object_id(key[1])
        if kind == FIELD:
            return self._field(key)
        if kind in (ANONYMOUS, BESIDE, WAY, NAMED, LOADED):
            return None if key[1] == NONE else self.holder(key[1])
        return self._holder_of_function(key)

    def _holder_of_function(self, key: HolderKey) -> Holder | None:
        kind: int = key[0]
        if kind == VARIABLE:
            return Variable(self.interner.function_ids[key[1]], key[2])
        if kind == PARAMETER:
            return Parameter(self.interner.function_ids[key[1]], key[2])
        if kind == RETURN:
            return ReturnValue(self.interner.function_ids[key[1]])
        if kind == RESULT:
            return CallResult(self.interner.function_ids[key[1]], key[2])
        return None

    def _field(self, key: HolderKey) -> Holder | None:
        slot = self.holder(key[2])
        root = self.holder(key[1])
        if isinstance(root, ObjectId) and isinstance(slot, Slot):
            return ObjectField(root, slot)
        return slot


UNCITED = -1
ROLES = (Role.BINDING, Role.FLOW, Role.ARGUMENT, Role.RETURN, Role.OVERLAY)
BIND, FLOW, ARGUMENT, RETURNED, OVERLAID = range(5)


def pack_label(location: int, role: int, *, row: bool = False) -> int:
    """Pack a location's number, a role and "is a row of an initialiser"."""
    return location << 4 | role << 1 | row


def label_location(packed: int) -> int:
    """The location's number."""
    return packed >> 4


def label_role(packed: int) -> int:
    """The role: BIND, FLOW, ARGUMENT, RETURNED or OVERLAID."""
    return packed >> 1 & 7


def is_initialiser_row(packed: int) -> bool:
    """Whether the label is a row of an object's initialiser."""
    return packed >= 0 and bool(packed & 1)
