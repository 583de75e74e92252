"""The result of resolving: the candidates of every call site with their evidence, or why it has
none.
"""

from enum import StrEnum

from msgspec import Struct, field

from kgraph.model.facts import CallSite, Function, Object
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
    ASM = "asm"
    TYPE = "type"


class Role(StrEnum):
    """What a line of evidence shows."""

    BINDING = "binding"  # the function is put into a holder
    FLOW = "flow"  # the value is copied on
    INSTALL = "install"  # the table is put where it is called from
    ARGUMENT = "argument"  # the value is passed to a parameter
    RETURN = "return"
    OVERLAY = "overlay"  # the value is read as another field that lies at the same place


class Evidence(Struct, frozen=True, order=True, gc=False):
    """One citation that justifies an edge. `holder` is what received the value there."""

    role: Role
    location: Location
    holder: str = ""


class Edge(Struct, frozen=True, gc=False):
    """A call that can happen. `candidates` counts the callees its call site has."""

    caller: FunctionId
    callee: FunctionId
    call_site: CallSite
    kind: EdgeKind
    slot: Holder | None = None
    candidates: int = 1
    evidence: tuple[Evidence, ...] = ()


REFERENCE_RULE = "reference"  # the rule of a call site where assembler text refers to a function


class SiteStatus(StrEnum):
    """What is known of a call site. The three of indirect calls are never mixed."""

    DIRECT = "direct"
    RESOLVED = "resolved"
    EMPTY = "empty"  # proved to have no candidate
    UNRESOLVED = "unresolved"  # could not tell


class Candidate(Struct, frozen=True, gc=False):
    """A possible callee of a call site. `callee` may be a function without a definition in the
    index (then no Function of that id exists)."""

    callee: FunctionId
    kind: EdgeKind
    evidence: tuple[Evidence, ...] = ()


class CallbackForward(Struct, frozen=True, gc=False):
    """A call site hands a function, or its caller's own parameter, to a parameter of its direct
    callee that is called there or handed on. `value` is the function, or the index of the
    caller's parameter; several Forwards of one parameter are alternatives."""

    parameter: int
    value: FunctionId | int


class ResolvedSite(Struct, frozen=True, gc=False):
    """One call site of a definition: `key` and `position` (index in Definition.calls) name it.

    `holder` is what an indirect call goes through. `rule` names the rule that resolved it,
    `reason` says why it is empty or unresolved, `proof` cites what an empty one was proved by:
    everything that is put into its holder, none of it a function. `forwards` says which functions
    it hands on.
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


class BoundSlot(Struct, frozen=True, gc=False):
    """A row of `ops`: a function, or an object's address (an install), bound to a holder."""

    holder: Holder
    value: FunctionId | ObjectId
    table: ObjectId | None
    location: Location
    how: TransferKind


class CopiedTable(Struct, frozen=True, gc=False):
    """A pointer field that calls go through may hold a table by way of the copies that `evidence`
    cites. `whole`: all that the field may hold is known."""

    holder: Slot
    table: ObjectId
    evidence: tuple[Evidence, ...]
    is_complete: bool


class DeferredRequest(Struct, frozen=True, order=True, gc=False):
    """A call site (`key` and `position` name it) asks for something of a kind to be run later.

    `edges` counts what was found. Where that is none, `reason` says why, and `asked` what it asks
    for; `untold`: that could not be told, so that it may be anything of the kind.
    """

    key: str
    position: int
    kind: str
    edges: int
    reason: str = ""
    asked: str = ""
    key_unknown: bool = False


class DeferredCallback(Struct, frozen=True, order=True, gc=False):
    """A function that is registered to be run later; `untold`: under what could not be told."""

    kind: str
    function: FunctionId
    key_unknown: bool


class Resolution(Struct, frozen=True, gc=False):
    """Everything that resolve found. Sorted; the same for the same definitions in any order."""

    functions: tuple[Function, ...]
    objects: tuple[Object, ...]
    sites: tuple[ResolvedSite, ...]
    bindings: tuple[BoundSlot, ...]
    requests: tuple[DeferredRequest, ...] = ()
    callbacks: tuple[DeferredCallback, ...] = ()
    footprint: Footprint = field(default_factory=Footprint)
    copied_tables: tuple[CopiedTable, ...] = ()
