"""Collects the facts of one definition while it is read: calls, bindings, flows, guards."""

from collections.abc import Callable
from dataclasses import dataclass, field

from kgraph.extract.clang.ctypes_api import Cursor
from kgraph.extract.clang.tree import SyntaxNode
from kgraph.extract.identities import Identities, LocalHolders
from kgraph.extract.sources import SourceMap
from kgraph.extract.storage_overlap import StorageOverlaps
from kgraph.extract.types import TypeCache
from kgraph.extract.written_names import find_written_names
from kgraph.model.facts import Binding, CallSite, Flow, HandedValue
from kgraph.model.ids import FunctionId, ObjectId
from kgraph.model.location import MAX_GUARDS, Extent, Guard, Location
from kgraph.model.values import Address, Constant, Load, Place, Slot, Symbol, TransferKind, Value

Values = tuple[Value, ...]
Places = tuple[Place, ...]


class UnitContext:
    """What the definitions of one translation unit share."""

    def __init__(self, identities: Identities, sources: SourceMap) -> None:
        self.identities = identities
        self.sources = sources
        self.types = TypeCache()
        self.overlaps = StorageOverlaps(identities, self.types)


@dataclass(frozen=True, slots=True)
class AsmOperand:
    """An operand of an asm statement as clang prints it: its name ("" for most), its constraint,
    and whether it is an output."""

    name: str
    constraint: str
    is_output: bool


@dataclass(frozen=True, slots=True)
class AsmText:
    """One asm statement as clang prints it. `writes_memory`: it may write memory that no output
    names."""

    template: str
    operands: tuple[AsmOperand, ...]
    writes_memory: bool


@dataclass(frozen=True, slots=True)
class WrittenCall:
    """How the source writes a call: where, its callee, the macro that hides it, if one does, and
    the numbers that it hands on.
    """

    extent: Extent
    expression: str
    macro: str = ""
    handed: tuple[HandedValue, ...] = ()


@dataclass(frozen=True, slots=True)
class RawWrite:
    """A write to an lvalue that may lie in a record of which it is no field, or a copy to what a
    pointer points to. `value` is what is assigned, with its `values`; `size` how much is copied."""

    target: SyntaxNode
    value: SyntaxNode | None = None
    values: Values = ()
    size: SyntaxNode | None = None


@dataclass(slots=True)
class DefinitionContext:
    """The facts of one definition, while it is read.

    `function` and `local` are None while the initialiser of an object is read; then `object_name`
    is the object's.
    """

    unit: UnitContext
    function: FunctionId | None
    local: LocalHolders | None
    object_name: str = ""
    calls: list[CallSite] = field(default_factory=list)
    bindings: list[Binding] = field(default_factory=list)
    flows: list[Flow] = field(default_factory=list)
    guards: list[Guard] = field(default_factory=list)  # in force, outermost first
    static_objects: list[tuple[Cursor, ObjectId]] = field(default_factory=list)  # declared inside
    call_results: dict[int, Values] = field(default_factory=dict)  # by the call's node key
    has_cleanups: bool = False  # some variable has a cleanup attribute
    raw_writes: list[RawWrite] = field(default_factory=list)
    raw_pointers: dict[int, list[SyntaxNode]] = field(default_factory=dict)  # by the local's key
    printed: str = ""  # the definition as clang prints it
    initialisers: dict[int, SyntaxNode] = field(default_factory=dict)  # of locals, by key
    # the text of an asm statement, by its node key; None where it is not known
    find_asm_text: Callable[[int], AsmText | None] = lambda _key: None
    _indirect_calls: int = 0
    _ordinals: dict[tuple[str, int, int], int] = field(default_factory=dict)
    _noted_overlaps: set[tuple[Slot, Slot]] = field(default_factory=set)
    _literals: dict[Location, int] = field(default_factory=dict)
    _written_names: frozenset[str] | None = None

    @property
    def written_names(self) -> frozenset[str]:
        """The names of parameters and locals that the function may write."""
        if self._written_names is None:
            self._written_names = find_written_names(self.printed)
        return self._written_names

    def locate(self, node: SyntaxNode) -> Location:
        """Where a reader sees a node."""
        return self.unit.sources.locate_cursor(node.cursor)

    def add_call(
        self, written: WrittenCall, target: Value, arguments: tuple[Values, ...],
        signature: str = "",
    ) -> int:
        """Record a call of the function; the index of an indirect call, -1 for a direct one."""
        assert self.function is not None
        index = -1
        if not isinstance(target, FunctionId | Symbol):
            index = self._indirect_calls
            self._indirect_calls += 1
        location = written.extent.start
        self.calls.append(CallSite(
            caller=self.function, location=location, extent=written.extent,
            ordinal=self._take_ordinal(location), target=target, expression=written.expression,
            macro=written.macro, arguments=arguments, guards=tuple(self.guards[-MAX_GUARDS:]),
            signature=signature, index=index, handed=written.handed))
        return index

    def assign(self, place: Place, values: Values, location: Location, how: TransferKind,
               table: ObjectId | None = None) -> None:
        """Record that a place gets one of the values. Constants lead nowhere and are dropped."""
        for value in values:
            if isinstance(value, Constant):
                continue
            if isinstance(value, FunctionId) or (
                    isinstance(value, Address) and _is_in_object(value.place)):
                self.bindings.append(Binding(place, value, location, how, table))
            elif value != Load(place):
                self.flows.append(Flow(value, place, location, how))

    def note_overlap(self, one: Slot, other: Slot) -> bool:
        """Remember that the definition uses an overlap; False if it was noted before."""
        known = len(self._noted_overlaps)
        self._noted_overlaps.add((one, other))
        return len(self._noted_overlaps) > known

    def name_literal(self, location: Location) -> str:
        """The name of a compound literal in an object's initialiser.

        It has a number, not a line, so that it keeps its name where lines move.
        """
        number = self._literals.setdefault(location, len(self._literals) + 1)
        return f"(literal:{self.object_name}:{number})"

    def _take_ordinal(self, location: Location) -> int:
        """How many calls start at this line and column so far."""
        key = (location.path, location.line, location.column)
        count = self._ordinals.get(key, 0)
        self._ordinals[key] = count + 1
        return count


def _is_in_object(place: Place) -> bool:
    """Whether a place is known to lie in an object with static storage."""
    while not isinstance(place.holder, ObjectId):
        if not isinstance(place.base, Address):
            return False
        place = place.base.place
    return True
