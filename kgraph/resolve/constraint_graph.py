"""The nodes, tokens and edge labels of the constraint graph.

A node holds a set of tokens. Nodes are the linked holders, and the keys that are defined here. A
token is one of:

- a function;
- the address of a node, with the object or local that this lies in, its root;
- TOP: anything, so that the set is not complete;
- SOMEWHERE: the address of a field of an object without identity;
- POINTER: the address of something; what is read through it is known only where that address is
  followed.

A label is what an edge is cited with: the location where a value is put, passed or returned, and
its role, packed into one integer. Labels are in the order of their locations.
"""

from msgspec import Struct

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
    HolderKey,
    ObjectKey,
    ParameterKey,
    ResultKey,
    ReturnKey,
    SlotKey,
    VariableKey,
)
from kgraph.resolve.linkage import FunctionLinker, ObjectLinker

TOP, SOMEWHERE, POINTER = range(3)


class FieldKey(Struct, frozen=True, gc=False):
    """A slot of one object whose identity is known."""

    root: int
    slot: int


class AnonymousKey(Struct, frozen=True, gc=False):
    """A slot as it is written through pointers."""

    slot: int


class EmbeddedKey(Struct, frozen=True, gc=False):
    """A slot as it is written by a path of fields that hold records (embedded_records)."""

    slot: int
    path: tuple[int, ...]


class WithinKey(Struct, frozen=True, gc=False):
    """A slot as it is read by such a path."""

    slot: int
    path: tuple[int, ...]


class OverlapKey(Struct, frozen=True, gc=False):
    """What is written at a slot's place under other names."""

    slot: int


class OverlapChainKey(Struct, frozen=True, gc=False):
    """What comes to a slot by way of another one at its place (`over`)."""

    over: int
    slot: int


class NamedWritesKey(Struct, frozen=True, gc=False):
    """The functions that are written to a slot by name."""

    slot: int


class SlotReadKey(Struct, frozen=True, gc=False):
    """What one expression (`value`) reads of a slot that tables fill."""

    slot: int
    value: int


class PointeeKey(Struct, frozen=True, gc=False):
    """What the pointer that one expression reads points to; or, copied, what a copy function reads
    through a pointer (`value`)."""

    value: int
    is_copied: bool


class AllocationKey(Struct, frozen=True, gc=False):
    """The memory that an allocator, whose return value is `result`, gives to the code at a
    location, or NONE."""

    result: int
    location: int


class ReasonKey(Struct, frozen=True, gc=False):
    """A value that could not be followed."""

    reason: str


class TokenKey(Struct, frozen=True, gc=False):
    """A node that holds one token."""

    token: int


class UnusedKey(Struct, frozen=True, gc=False):
    """What functions are given and make no use of."""


class EscapeKey(Struct, frozen=True, gc=False):
    """What is handed to code that is not here."""


NodeKey = (
    HolderKey | FieldKey | AnonymousKey | EmbeddedKey | WithinKey | OverlapKey | OverlapChainKey
    | NamedWritesKey | SlotReadKey
    | PointeeKey | AllocationKey | ReasonKey | TokenKey | UnusedKey | EscapeKey
)
_OfSlot = AnonymousKey | EmbeddedKey | WithinKey | OverlapKey | NamedWritesKey | SlotReadKey


class Nodes:
    """Numbers for nodes and tokens, by linked identities.

    `linked_functions` and `linked_objects` map the number of an identity to that of the linked one,
    `holder_nodes` the number of a holder to its node. `keys` are the keys of the nodes. Of a token
    `token_functions` has the function, `token_nodes` the node whose address it is, and
    `token_roots` the root of that; NONE where there is none. `token_holders` has for a token the
    node that holds nothing else, if that was made.
    """

    def __init__(self, facts: FactRows) -> None:
        self.facts = facts
        self.interner = interner = facts.interner
        functions, objects = FunctionLinker(facts.functions), ObjectLinker(facts.objects)
        self.linked_functions = [
            interner.intern_function(functions.link(function))
            for function in list(interner.function_ids)]
        self.linked_objects = [
            interner.intern_object(objects.link(object_id))
            for object_id in list(interner.object_ids)]
        self.keys: list[NodeKey] = []
        self.numbers: dict[NodeKey, int] = {}
        self.holder_nodes = [self.intern_node(self._link(key)) for key in interner.holder_keys]
        self.token_functions = [NONE] * 3
        self.token_nodes = [NONE] * 3
        self.token_roots = [NONE] * 3
        self._function_tokens: dict[int, int] = {}
        self._address_tokens: dict[tuple[int, int], int] = {}
        self.token_holders: dict[int, int] = {}

    def intern_node(self, key: NodeKey) -> int:
        """The node with this key; made where there is none."""
        node = self.numbers.get(key)
        if node is None:
            node = self.numbers[key] = len(self.keys)
            self.keys.append(key)
        return node

    def find_node(self, key: NodeKey) -> int:
        """The node with this key, or NONE."""
        return self.numbers.get(key, NONE)

    def token_holder(self, token: int) -> int:
        """The node that holds this token and no other; made where there is none."""
        node = self.token_holders.get(token)
        if node is None:
            node = self.token_holders[token] = self.intern_node(TokenKey(token))
        return node

    def _link(self, key: HolderKey) -> HolderKey:
        """The key of the linked holder."""
        if isinstance(key, SlotKey):
            return key
        if isinstance(key, ObjectKey):
            return ObjectKey(self.linked_objects[key.object])
        function = self.linked_functions[key.function]
        if isinstance(key, VariableKey):
            return VariableKey(function, key.name)
        if isinstance(key, ReturnKey):
            return ReturnKey(function)
        return type(key)(function, key.index)

    def function_token(self, function: int) -> int:
        """The token of a linked function."""
        token = self._function_tokens.get(function)
        if token is None:
            token = self._function_tokens[function] = self._add_token(function, NONE, NONE)
        return token

    def address_token(self, node: int, root: int) -> int:
        """The token of the address of `node`, which lies in the object or local `root`."""
        token = self._address_tokens.get((node, root))
        if token is None:
            token = self._address_tokens[node, root] = self._add_token(NONE, node, root)
        return token

    def _add_token(self, function: int, node: int, root: int) -> int:
        self.token_functions.append(function)
        self.token_nodes.append(node)
        self.token_roots.append(root)
        return len(self.token_nodes) - 1

    def find_definition(self, function: int) -> Function | None:
        """The definition of a linked function.

        None for a function in assembler, which has calls but no parameters or variables.
        """
        found = self.facts.functions.get(self.interner.function_ids[function])
        return found if found is not None and found.signature else None

    def find_variadic(self, function: int) -> int:
        """The node of a function's variadic arguments; NONE if it does not read them."""
        defined = self.find_definition(function)
        return NONE if defined is None else self.find_node(
            ParameterKey(function, len(defined.parameters)))

    def is_variadic(self, node: int) -> bool:
        """Whether a node is a function's variadic arguments."""
        key = self.keys[node]
        return isinstance(key, ParameterKey) and self.find_variadic(key.function) == node

    def function_id(self, function: int) -> FunctionId:
        """The identity of a function."""
        return self.interner.function_ids[function]

    def object_id(self, number: int) -> ObjectId:
        """The identity of an object."""
        return self.interner.object_ids[number]

    def slot_key(self, node: int) -> SlotKey:
        """The key of a node that is a slot."""
        key = self.keys[node]
        assert isinstance(key, SlotKey)
        return key

    def is_slot(self, node: int) -> bool:
        """Whether a node is a slot."""
        return isinstance(self.keys[node], SlotKey)

    def holder(self, node: int) -> Holder | None:
        """The holder that a node stands for, for people; None for a node that stands for none."""
        key = self.keys[node]
        if isinstance(key, SlotKey):
            return Slot(key.record, key.field, key.scope)
        if isinstance(key, ObjectKey):
            return self.object_id(key.object)
        if isinstance(key, FieldKey):
            return self._field_holder(key)
        if isinstance(key, _OfSlot):
            return self.holder(key.slot)
        if isinstance(key, OverlapChainKey):
            return self.holder(key.over)
        return self._holder_of_function(key)

    def _holder_of_function(self, key: NodeKey) -> Holder | None:
        if isinstance(key, VariableKey):
            return Variable(self.function_id(key.function), key.name)
        if isinstance(key, ParameterKey):
            return Parameter(self.function_id(key.function), key.index)
        if isinstance(key, ReturnKey):
            return ReturnValue(self.function_id(key.function))
        if isinstance(key, ResultKey):
            return CallResult(self.function_id(key.function), key.index)
        return None

    def _field_holder(self, key: FieldKey) -> Holder | None:
        slot, root = self.holder(key.slot), self.holder(key.root)
        if isinstance(root, ObjectId) and isinstance(slot, Slot):
            return ObjectField(root, slot)
        return slot


UNCITED = -1
"""The label of an edge that no line of source makes."""

ROLES = (Role.BINDING, Role.FLOW, Role.ARGUMENT, Role.RETURN, Role.OVERLAY)
BIND, FLOW, ARGUMENT, RETURNED, OVERLAID = range(5)


def pack_label(location: int, role: int, *, row: bool = False) -> int:
    """The label of a location's number and a role; `row`: it is a row of an initialiser."""
    return location << 4 | role << 1 | row


def label_location(label: int) -> int:
    """The location's number."""
    return label >> 4


def label_role(label: int) -> int:
    """The role: BIND, FLOW, ARGUMENT, RETURNED or OVERLAID."""
    return label >> 1 & 7


def is_initialiser_row(label: int) -> bool:
    """Whether the label is a row of an object's initialiser."""
    return label >= 0 and bool(label & 1)
