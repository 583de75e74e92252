"""Holders, which can hold a pointer, and the values that C expressions put into them.

A value is what an expression may evaluate to, as far as a static reader can tell: the content
of a holder (Load), the address of a holder (Address), a function, a constant, or Opaque.
"""

from enum import StrEnum

from msgspec import Struct

from kgraph.model.ids import FunctionId, ObjectId

_MAX_DEPTH = 32  # more than any code that people write
POINTEE = "*"  # as a field name: the whole of what a pointer points to
CONTAINER, THROUGH = "container_of", " through "
"""The reason of an Opaque that container_of computes, and what stands before the name of each field
that holds a record in which the pointer lies."""


class Slot(Struct, frozen=True, order=True, gc=False):
    """A field of a record type: `net_device_ops.ndo_start_xmit`.

    `record` is a tag or typedef name. A field of an anonymous record belongs to the named record
    around it, and its name is a path ("sock", "__sk_common.skc_prot"). `scope` is the defining file
    of a record that is not declared in an include/ folder, because such names repeat. Slot("", "*")
    is an untyped pointee, Slot("sock", "*") a whole struct sock behind a pointer.
    """

    record: str
    field: str
    scope: str = ""

    def __str__(self) -> str:
        return f"{self.record}.{self.field}"

    @property
    def name(self) -> str:
        """The name of the field with the scope of its record."""
        return f"{self}@{self.scope}" if self.scope else str(self)


class ObjectField(Struct, frozen=True, order=True, gc=False):
    """A field of one object with static storage: `veth_netdev_ops.ndo_start_xmit`."""

    object: ObjectId
    slot: Slot

    def __str__(self) -> str:
        return f"{self.object.name}.{self.slot.field}"


class Variable(Struct, frozen=True, order=True, gc=False):
    """A local variable. The second of one name in a function is "ops#2"."""

    function: FunctionId
    name: str

    def __str__(self) -> str:
        return self.name


class Parameter(Struct, frozen=True, order=True, gc=False):
    """A parameter of a function; `index` counts from 0."""

    function: FunctionId
    index: int

    def __str__(self) -> str:
        return f"{self.function.name}(#{self.index})"


class ReturnValue(Struct, frozen=True, order=True, gc=False):
    """What a function returns."""

    function: FunctionId

    def __str__(self) -> str:
        return f"{self.function.name}()"


class CallResult(Struct, frozen=True, order=True, gc=False):
    """What the index-th indirect call of a function returns; its callee is not known yet."""

    function: FunctionId
    index: int

    def __str__(self) -> str:
        return f"{self.function.name}:call#{self.index}"


Holder = Slot | ObjectField | ObjectId | Variable | Parameter | ReturnValue | CallResult


class Place(Struct, frozen=True, gc=False):
    """A holder as an expression names it. `base` is the value that the record was reached
    through: for `sk->sk_prot->sendmsg` the Load of `sock.sk_prot`."""

    holder: Holder
    base: "Value | None" = None


class Load(Struct, frozen=True, gc=False):
    """The content of a place."""

    place: Place


class Address(Struct, frozen=True, gc=False):
    """The address of a place: `&tcp_prot`, `&priv->work`, the name of an array."""

    place: Place


class Constant(Struct, frozen=True, gc=False):
    """An integer constant."""

    value: int


class Opaque(Struct, frozen=True, gc=False):
    """A value that kgraph cannot follow; `reason` says why."""

    reason: str


class SymbolUse(StrEnum):
    """Where a function is known by its name alone, how the name is used."""

    CALLED = "called"  # by a call or jump instruction of assembler text
    REFERRED = "referred"  # otherwise in assembler text
    CLEANUP = "cleanup"  # in an attribute: called when the variable goes out of scope


class Symbol(Struct, frozen=True, gc=False):
    """A function that is known by its name alone. If `function` has no scope and no function of
    external linkage has its name, the static function of the file that names it is meant, or that
    of a header which the file may include.
    """

    function: FunctionId
    how: SymbolUse = SymbolUse.CALLED


Value = Load | Address | FunctionId | Constant | Opaque | Symbol


def limit_pointer_depth(value: Value | None) -> Value | None:
    """A value, or Opaque if it is nested in too many places. Whatever follows values recurses as
    deeply as they are nested.
    """
    inner, steps = value, 0
    while isinstance(inner, Load | Address) and steps < _MAX_DEPTH:
        inner, steps = inner.place.base, steps + 1
    return value if steps < _MAX_DEPTH else Opaque("it is reached through too many pointers")


def take_address(place: Place) -> Value:
    """The value of `&place`; that of `&*p` is p."""
    holder = place.holder
    if isinstance(holder, Slot) and holder.field == POINTEE and place.base is not None:
        return place.base
    return Address(place)


class TransferKind(StrEnum):
    """How a value came into a holder."""

    INITIALISER = "initialiser"
    ASSIGNMENT = "assignment"
    ARGUMENT = "argument"
    RETURN = "return"
    COPY = "copy"
    OVERLAY = "overlay"  # as another field at the same offset that points to the same type
    CARRIER = "carrier"  # likewise, if one of the two carries any pointer: a void *, a number
    RECORD = "record"  # as the bytes of a record of the same type, or as one at the same place
