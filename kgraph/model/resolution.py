"""What resolving yields: for every call site its candidates with their proof, or why not."""

from dataclasses import dataclass, field
from enum import StrEnum

from kgraph.model.edges import EdgeKind, Evidence
from kgraph.model.facts import Function, Object
from kgraph.model.footprint import Footprint
from kgraph.model.holders import Holder, How, Slot
from kgraph.model.location import Location
from kgraph.model.names import FunctionId, ObjectId

REFERENCE = "reference"  # the rule of a call site where assembler text refers to a function


class Status(StrEnum):
    """What is known of a call site. The three of indirect calls are never mixed."""

    DIRECT = "direct"
    RESOLVED = "resolved"
    EMPTY = "empty"  # proved to have no candidate
    UNRESOLVED = "unresolved"  # could not tell


@dataclass(frozen=True, slots=True)
class Candidate:
    """A possible callee of a call site. `callee` may be a function without a definition in the
    index (then no Function of that id exists)."""

    callee: FunctionId
    kind: EdgeKind
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True)
class Forward:
    """A call site hands a function, or its caller's own parameter, to a parameter of its direct
    callee that is called there or handed on. `value` is the function, or the index of the
    caller's parameter; several Forwards of one parameter are alternatives."""

    parameter: int
    value: FunctionId | int


@dataclass(frozen=True, slots=True)
class ResolvedSite:
    """One call site of a definition: `key` and `position` (index in Definition.calls) name it.

    `holder` is what an indirect call goes through. `rule` names the rule that resolved it,
    `reason` says why it is empty or unresolved, `proof` cites what an empty one was proved by:
    everything that is put into its holder, none of it a function. `forwards` says which functions
    it hands on.
    """

    key: str
    position: int
    caller: FunctionId
    status: Status
    candidates: tuple[Candidate, ...] = ()
    holder: Holder | None = None
    rule: str = ""
    reason: str = ""
    forwards: tuple[Forward, ...] = ()
    proof: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True)
class BoundSlot:
    """A row of `ops`: a function, or an object's address (an install), bound to a holder."""

    holder: Holder
    value: FunctionId | ObjectId
    table: ObjectId | None
    location: Location
    how: How


@dataclass(frozen=True, slots=True)
class Held:
    """A pointer field that calls go through may hold a table by way of the copies that `evidence`
    cites. `whole`: all that the field may hold is known."""

    holder: Slot
    table: ObjectId
    evidence: tuple[Evidence, ...]
    whole: bool


@dataclass(frozen=True, slots=True, order=True)
class Request:
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
    untold: bool = False


@dataclass(frozen=True, slots=True, order=True)
class Later:
    """A function that is registered to be run later; `untold`: under what could not be told."""

    kind: str
    function: FunctionId
    untold: bool


@dataclass(frozen=True, slots=True)
class Resolution:
    """Everything that resolve found. Sorted; the same for the same definitions in any order."""

    functions: tuple[Function, ...]
    objects: tuple[Object, ...]
    sites: tuple[ResolvedSite, ...]
    bindings: tuple[BoundSlot, ...]
    requests: tuple[Request, ...] = ()
    later: tuple[Later, ...] = ()
    footprint: Footprint = field(default_factory=Footprint)
    held: tuple[Held, ...] = ()
