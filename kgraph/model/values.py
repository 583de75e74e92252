"""Holders, which can hold a pointer, and the values that C expressions put into them.

A value is what an expression may evaluate to, as far as a static reader can tell: the content
of a holder (Load), the address of a holder (Address), a function, a constant, or Opaque.
"""

from enum import StrEnum

from msgspec import Struct

from kgraph.model.ids import FunctionId, ObjectId

_MOST_REACHED = 32
POINTEE = "*"  # the field name of "whatever this pointer points to, as a whole"


class Slot(Struct, frozen=True, order=True, gc=False):
    """A field of a record type: `net_device_ops.ndo_start_xmit`.

    `record` is the tag or typedef name; an anonymous record is the field path from the named
    record around it ("sock", "__sk_common.skc_prot"). `scope` is the defining file for records
    that are not declared in an include/ folder, since such names repeat. Slot("", "*") is an
    untyped pointee; Slot("sock", "*") a whole struct sock behind a pointer.
    """

    record: str
    field: str
    scope: str = ""

    def __str__(self) -> str:
        return f"{self.record}.{self.field}"


class ObjectField(Struct, frozen=True, order=True, gc=False):
    """A field of one object with static storage: `veth_netdev_ops.ndo_start_xmit`."""

    object: ObjectId
    slot: Slot

    def __str__(self) -> str:
        return f"{self.object.name}.{self.slot.field}"


class Variable(Struct, frozen=True, order=True, gc=False):
    """A local variable (the n-th of its name in its function: "ops", "ops#2")."""

    function: FunctionId
    name: str

    def __str__(self) -> str:
        return self.name


class Parameter(Struct, frozen=True, order=True, gc=False):
    """The index-th parameter of a function, from 0. `name` is for people."""

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
    """What the index-th indirect call of a function returns (its callee is not known yet)."""

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
    """What the place holds."""

    place: Place


class Address(Struct, frozen=True, gc=False):
    """The address of the place (`&tcp_prot`, `&priv->work`, an array by its name)."""

    place: Place


class Constant(Struct, frozen=True, gc=False):
    """An integer constant, in decimal."""

    value: int


class Opaque(Struct, frozen=True, gc=False):
    """A value that could not be followed; `reason` says why."""

    reason: str


class SymbolUse(StrEnum):
    """What names a function where there is only its name."""

    CALLED = "called"  # assembler, in an instruction that calls or jumps
    REFERRED = "referred"  # assembler, otherwise
    CLEANUP = "cleanup"  # a variable's attribute: called when the variable goes out of scope


class Symbol(Struct, frozen=True, gc=False):
    """A function that is known by its name alone. Where `function` has no scope and nothing of
    external linkage has its name, it is the static function of the file that names it, or of a
    header that this may see."""

    function: FunctionId
    how: SymbolUse = SymbolUse.CALLED


Value = Load | Address | FunctionId | Constant | Opaque | Symbol


def limit_pointer_depth(value: Value | None) -> Value | None:
    """A value as the base of a place. One that is itself reached through more places than any code
    that people write is Opaque: who follows values goes as deep as they are nested."""
    inner, steps = value, 0
    while isinstance(inner, Load | Address) and steps < _MOST_REACHED:
        inner, steps = inner.place.base, steps + 1
    return value if steps < _MOST_REACHED else Opaque("it is reached through too many pointers")


def take_address(place: Place) -> Value:
    """`&place`; `&*p` is p."""
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
    OVERLAY = "overlay"  # as another field that lies at the same place, and points to the same
    CARRIER = "carrier"  # the same, where one of the two carries any pointer: a void *, a number
