"""Collects the facts of one definition while it is read: calls, bindings, flows, guards in
force."""

from dataclasses import dataclass, field

from kgraph.extract.identities import Identities, LocalHolders
from kgraph.extract.sources import SourceMap
from kgraph.extract.storage_overlap import StorageOverlaps
from kgraph.extract.types import TypeCache
from kgraph.model.facts import Binding, CallSite, Flow, Object
from kgraph.model.ids import FunctionId, ObjectId
from kgraph.model.location import Guard, Location
from kgraph.model.values import Address, Constant, Load, Place, Slot, TransferKind, Value

Values = tuple[Value, ...]


@dataclass(slots=True)
class UnitContext:
    """What the definitions of one translation unit share."""

    identities: Identities
    sources: SourceMap
    types: TypeCache
    overlaps: StorageOverlaps = field(default_factory=StorageOverlaps)


@dataclass(slots=True)
class DefinitionContext:
    """The facts of one definition, while it is read. `function` is None for an object, which has
    the name `object_name`."""

    unit: UnitContext
    function: FunctionId | None
    local: LocalHolders | None
    object_name: str = ""
    calls: list[CallSite] = field(default_factory=list)
    bindings: list[Binding] = field(default_factory=list)
    flows: list[Flow] = field(default_factory=list)
    objects: list[Object] = field(default_factory=list)
    guards: list[Guard] = field(default_factory=list)
    indirect: int = 0
    ordinals: dict[tuple[str, int, int], int] = field(default_factory=dict)
    call_results: dict[int, Values] = field(default_factory=dict)  # of calls, by cursor key
    has_cleanups: bool = False  # a variable's attribute asks for a call at the end of its scope
    asm_texts: "dict[int, AsmText]" = field(default_factory=dict)  # that calls, by cursor key
    noted_overlaps: set[tuple[Slot, Slot]] = field(default_factory=set)  # that were noted
    literals: dict[Location, int] = field(default_factory=dict)

    def take_ordinal(self, location: Location) -> int:
        """The number of calls that were seen at this place before."""
        key = (location.path, location.line, location.column)
        count = self.ordinals.get(key, 0)
        self.ordinals[key] = count + 1
        return count

    def note_overlap(self, one: Slot, other: Slot) -> bool:
        """Whether this is the first time that the definition goes by an overlay of two slots."""
        known = len(self.noted_overlaps)
        self.noted_overlaps.add((one, other))
        return len(self.noted_overlaps) > known

    def name_literal(self, location: Location) -> str:
        """The name of an object's compound literal: by its count, not its line, so that it keeps
        its name where lines move."""
        number = self.literals.setdefault(location, len(self.literals) + 1)
        return f"(literal:{self.object_name}:{number})"

    def assign(self, place: Place, values: Values, location: Location, how: TransferKind,
            table: ObjectId | None = None) -> None:
        """Record that a place gets one of the values. NULL and numbers lead nowhere."""
        for value in values:
            if isinstance(value, Constant):
                continue
            if isinstance(value, FunctionId) or (
                    isinstance(value, Address) and find_root_object(value.place)):
                self.bindings.append(Binding(place, value, location, how, table))
            elif value != Load(place):
                self.flows.append(Flow(value, place, location, how))


def find_root_object(place: Place) -> ObjectId | None:
    """The object with static storage that a place lies in, None if that is not known."""
    while True:
        if isinstance(place.holder, ObjectId):
            return place.holder
        if not isinstance(place.base, Address):
            return None
        place = place.base.place


@dataclass(frozen=True, slots=True)
class AsmText:
    """One asm statement as it is printed: its text, and its operands' names ("" for most)."""

    template: str
    operands: tuple[str, ...]
