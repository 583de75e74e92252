"""The result of resolving: the candidates of every call site with their evidence, or why it has
none.
"""

from enum import StrEnum

from msgspec import Struct, field

from kgraph.model.facts import Function, Object
from kgraph.model.ids import FunctionId, ObjectId
from kgraph.model.incremental import Footprint
from kgraph.model.location import Location
from kgraph.model.values import Holder, Slot, TransferKind


class EdgeKind(StrEnum):
    """How a call reaches its callee."""

    DIRECT = "direct"
    OPS = "ops"  # through a slot that initialisers of ops tables fill
    POINTER = "pointer"  # through another slot, a variable, a return value
    CALLBACK = "callback"  # through a parameter
    DEFERRED = "deferred"
    ASM = "asm"  # from assembler text
    TYPE = "type"  # only the signature fits


class Role(StrEnum):
    """What a line of evidence shows."""

    BINDING = "binding"  # the function is put into a holder
    FLOW = "flow"  # the value is copied on
    INSTALL = "install"  # the table is put where it is called from
    ARGUMENT = "argument"  # the value is passed to a parameter
    RETURN = "return"
    OVERLAY = "overlay"  # the value is read as another field that lies at the same place


class Evidence(Struct, frozen=True, order=True, gc=False):
    """A citation that justifies an edge. `holder` is what received the value there."""

    role: Role
    location: Location
    holder: str = ""


REFERENCE_RULE = "reference"  # the rule of a call site where assembler text refers to a function


class SiteStatus(StrEnum):
    """What is known of a call site. The three for indirect calls are never mixed."""

    DIRECT = "direct"
    RESOLVED = "resolved"
    EMPTY = "empty"  # proved to have no candidate
    UNRESOLVED = "unresolved"  # kgraph cannot tell


class Candidate(Struct, frozen=True, gc=False):
    """A possible callee of a call site. If `callee` has no definition in the index, there is no
    Function of that id.
    """

    callee: FunctionId
    kind: EdgeKind
    evidence: tuple[Evidence, ...] = ()


class CallbackForward(Struct, frozen=True, gc=False):
    """A call site hands a callback to a parameter of its direct callee, which calls it or hands it
    on. `value` is a function, the index of the caller's own parameter, or, where the argument is
    something else, all functions that it may be, sorted. Several forwards to one parameter are
    alternatives.
    """

    parameter: int
    value: FunctionId | int | tuple[FunctionId, ...]


class HandedFunctions(Struct, frozen=True, gc=False):
    """A call site hands something to an access path of its direct callee: the fields that are
    reached from a parameter. `value` is an access path of the caller, or the functions of which the
    last of these fields holds one, sorted.
    """

    path: str
    value: str | tuple[FunctionId, ...]


class ResolvedSite(Struct, frozen=True, gc=False):
    """A call site of a definition, named by the definition's `key` and its `position` in
    Definition.calls.

    `holder` is what an indirect call goes through. `rule` names the rule that resolved it, `reason`
    says why it is empty or unresolved. `proof` cites everything that is put into the holder of an
    empty one: none of it is a function. `forwards` are the callbacks that it hands on, `handed`
    what it hands to access paths; `through` is the access path that an indirect call goes through,
    "" if nothing known is handed to it.
    """

    key: str
    position: int
    caller: FunctionId
    status: SiteStatus
    candidates: tuple[Candidate, ...] = ()
    holder: Holder | None = None
    rule: str = ""
    reason: str = ""
    forwards: tuple[CallbackForward, ...] = ()
    proof: tuple[Evidence, ...] = ()
    handed: tuple[HandedFunctions, ...] = ()
    through: str = ""


class BoundSlot(Struct, frozen=True, gc=False):
    """A function, or the address of an object (an install), that is bound to a holder."""

    holder: Holder
    value: FunctionId | ObjectId
    table: ObjectId | None
    location: Location
    how: TransferKind


class CopiedTable(Struct, frozen=True, gc=False):
    """A table that the copies in `evidence` may bring into a pointer field that calls go through.
    `is_complete`: everything that the field may hold is known.
    """

    holder: Slot
    table: ObjectId
    evidence: tuple[Evidence, ...]
    is_complete: bool


class DeferredRequest(Struct, frozen=True, order=True, gc=False):
    """A call site (`key` and `position`, see ResolvedSite) requests something of a kind to be run
    later.

    `edges` counts the callees that were found. If there are none, `reason` says why and `requested`
    what is requested. `key_unknown`: it may be anything of the kind.
    """

    key: str
    position: int
    kind: str
    edges: int
    reason: str = ""
    requested: str = ""
    key_unknown: bool = False


class DeferredCallback(Struct, frozen=True, order=True, gc=False):
    """A function that is registered to be run later; `key_unknown`: under an unknown key."""

    kind: str
    function: FunctionId
    key_unknown: bool


class Resolution(Struct, frozen=True, gc=False):
    """Everything that resolving found, sorted. The order of the definitions does not matter."""

    functions: tuple[Function, ...]
    objects: tuple[Object, ...]
    sites: tuple[ResolvedSite, ...]
    bindings: tuple[BoundSlot, ...]
    requests: tuple[DeferredRequest, ...] = ()
    callbacks: tuple[DeferredCallback, ...] = ()
    footprint: Footprint = field(default_factory=Footprint)
    copied_tables: tuple[CopiedTable, ...] = ()
