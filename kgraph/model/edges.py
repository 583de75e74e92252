"""Edges of the call graph, with their proof; and the paths made of them."""

from dataclasses import dataclass
from enum import StrEnum

from kgraph.model.facts import CallSite
from kgraph.model.holders import Holder
from kgraph.model.location import Location
from kgraph.model.names import FunctionId


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


@dataclass(frozen=True, slots=True, order=True)
class Evidence:
    """One citation that justifies an edge. `holder` is what received the value there."""

    role: Role
    location: Location
    holder: str = ""


@dataclass(frozen=True, slots=True)
class Edge:
    """A call that can happen. `candidates` counts the callees its call site has."""

    caller: FunctionId
    callee: FunctionId
    call_site: CallSite
    kind: EdgeKind
    slot: Holder | None = None
    candidates: int = 1
    evidence: tuple[Evidence, ...] = ()
