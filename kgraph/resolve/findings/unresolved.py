"""Why a call site has no candidate: it provably has none, or they are not known.

A set without functions proves something only if it is complete. If it is not, the nearest value
that could not be followed is the reason: a write through an address that was taken, a record
that is written as bytes or through a pointer of another type, a number that is called. The
proof of an empty set names what kgraph looked for and did not find, and cites what it found
instead: the writes, overlays or calls that bring no function.
"""

from collections.abc import Iterator
from typing import NamedTuple

from kgraph.model.codes import NOTHING
from kgraph.model.resolution import Evidence, SiteStatus
from kgraph.model.unread_text import UnreadText
from kgraph.resolve.constraint_graph import (
    POINTER,
    ROLES,
    SOMEWHERE,
    TOP,
    UNCITED,
    AnonymousKey,
    FieldKey,
    NodeKey,
    OverlapKey,
    PointeeKey,
    ReasonKey,
    label_location,
    label_role,
)
from kgraph.resolve.findings.evidence import LIMIT
from kgraph.resolve.findings.outside import OutsideReach
from kgraph.resolve.findings.unread_holders import UnreadHolders
from kgraph.resolve.interning import (
    NONE,
    ObjectKey,
    ParameterKey,
    ReturnKey,
    SlotKey,
    VariableKey,
)
from kgraph.resolve.models.declared import load_discriminated_unions
from kgraph.resolve.solving.solver import EMPTY, Solver

_DATA = frozenset((POINTER, SOMEWHERE))
NO_FUNCTION = "no function reaches any value that is put into it"
NO_FUNCTION_PASSED = "no caller passes a function"
_AFTER_LAST = "\U0010ffff"  # sorts behind every reason
_HOLDERS: dict[type[NodeKey], str] = {
    VariableKey: "variable", ObjectKey: "object", ReturnKey: "return value",
}
MODULE_MAY_WRITE = "a module outside the index may write it"
MODULE_MAY_CALL = "a module outside the index may pass it"
NOT_TAKEN = "its address is not taken"
TAKEN_BY_MODULES_ONLY = "its address is given to no one but modules"


class NoCandidates(NamedTuple):
    """Why there is no candidate. `proof` cites what was looked at."""

    status: SiteStatus
    reason: str
    proof: tuple[Evidence, ...] = ()


class NoCandidateReasons:
    """Explains why nodes hold no function."""

    def __init__(
        self, solver: Solver, unread: UnreadText | None = None, *, is_whole: bool = False
    ) -> None:
        """`unread` is the text of units that may do more than was read; `is_whole`: no function
        without a definition is ever called."""
        self._solver = solver
        self._unread = unread
        self._unread_nodes: set[int] | None = None
        self._constraints = solver.constraints
        self._nodes = solver.nodes
        self._reasons: dict[int, str] | None = None
        self._from_exported: set[int] | None = None
        self._from_callers: set[int] | None = None
        self._fillers: dict[int, str] | None = {} if is_whole else None
        self._fields: dict[int, list[int]] = {}  # slot: its nodes in objects of known identity
        for node, key in enumerate(self._nodes.keys):
            if isinstance(key, FieldKey):
                self._fields.setdefault(key.slot, []).append(node)

    def explain(self, node: int) -> NoCandidates:
        """The status of a called node that holds no function, with the reason."""
        if node == NOTHING:
            return NoCandidates(
                SiteStatus.UNRESOLVED, "what is called is no pointer that could be followed")
        tokens = self._solver.sets.get(node, EMPTY)
        if TOP in tokens:
            return NoCandidates(SiteStatus.UNRESOLVED, self._find_top_reason(node))
        if not tokens.isdisjoint(_DATA):
            return NoCandidates(SiteStatus.UNRESOLVED, "it is computed from the address of data")
        if isinstance(self._nodes.keys[node], PointeeKey):
            return NoCandidates(
                SiteStatus.UNRESOLVED, "nothing is known of what the pointer points to")
        filler = self._find_filler(node)
        if filler:
            return NoCandidates(SiteStatus.UNRESOLVED, (
                f"{filler}() has no definition in the parsed units, and may fill it"))
        module_note = self._module_note(node)
        taken = TAKEN_BY_MODULES_ONLY if MODULE_MAY_WRITE in module_note else NOT_TAKEN
        reason, cited = self._prove(node, taken)
        if self._unread is not None and self._may_be_filled(node, self._unread):
            return NoCandidates(
                SiteStatus.UNRESOLVED, f"{self._unread.reason}; else {reason}{module_note}", cited)
        return NoCandidates(SiteStatus.EMPTY, reason + module_note, cited)

    def may_hold_more(self, node: int) -> bool:
        """Whether a node may hold other functions than those that were found."""
        tokens = self._solver.sets.get(node, EMPTY)
        return not tokens.isdisjoint(_DATA) or self.may_hold_unknown(node)

    def may_hold_unknown(self, node: int) -> bool:
        """Whether something of which nothing is known may come to a node."""
        return (TOP in self._solver.sets.get(node, EMPTY)
                or (self._unread is not None and self._may_be_filled(node, self._unread))
                or bool(self._find_filler(node)))

    def _may_be_filled(self, node: int, unread: UnreadText) -> bool:
        """Whether what was not read may fill a node."""
        if self._unread_nodes is None:
            self._unread_nodes = UnreadHolders(self._solver, unread).find_nodes()
        return node in self._unread_nodes

    @property
    def is_open(self) -> bool:
        """Whether some node without functions was looked at that may be filled from outside."""
        return bool(self._fillers)

    def _find_filler(self, node: int) -> str:
        """The name of a function without a definition that may fill a node, "" if none may."""
        if self._fillers is None:
            self._fillers = OutsideReach(self._solver).fillers
        return self._fillers.get(node, "")

    def _module_note(self, node: int) -> str:
        """What to add where modules that are not in the index may write or pass what is called.

        They may write an exported object, a field of one, and what such a field points to, and
        call an exported function.
        """
        if node in self._constraints.exported:
            return f"; it is exported: {MODULE_MAY_WRITE}"
        if self._from_exported is None:
            read = self._solver.find_reached(self._constraints.exported)
            self._from_exported = self._solver.find_reached(
                read | self._constraints.operands.find_reads(read))
        if node in self._from_exported:
            return f"; it is read from an object that is exported: {MODULE_MAY_WRITE}"
        if self._from_callers is None:
            self._from_callers = self._solver.find_reached(self._list_exported_parameters())
        if node in self._from_callers:
            return f"; it comes from the caller of an exported function: {MODULE_MAY_CALL}"
        return ""

    def _list_exported_parameters(self) -> set[int]:
        """The parameters of exported functions."""
        exported = self._constraints.exported_functions
        return {node for node, key in enumerate(self._nodes.keys)
                if isinstance(key, ParameterKey) and key.function in exported}

    def _prove(self, node: int, taken: str) -> tuple[str, tuple[Evidence, ...]]:
        """The proof that a node holds nothing, with what is cited for it."""
        key = self._nodes.keys[node]
        if isinstance(key, SlotKey):
            return self._prove_slot(node, key, taken)
        is_written, cited = self._is_written(node), self._cite([node])
        if isinstance(key, ParameterKey):
            return NO_FUNCTION_PASSED if is_written else "no caller passes a value", cited
        if is_written:
            return NO_FUNCTION, cited
        holder = _HOLDERS.get(type(key), "holder")
        return f"no write to the {holder} in any parsed unit, and {taken}", cited

    def _prove_slot(
        self, slot: int, key: SlotKey, taken: str
    ) -> tuple[str, tuple[Evidence, ...]]:
        anonymous = self._nodes.find_node(AnonymousKey(slot))
        overlap = self._nodes.find_node(OverlapKey(slot))
        fields = [node for node in self._fields.get(slot, ()) if self._is_written(node)]
        is_filled = any(slot in self._solver.succ.get(node, ()) for node in fields)
        cited = self._cite([anonymous, overlap, *fields])
        if is_filled or (anonymous != NONE and self._is_written(anonymous)):
            return NO_FUNCTION, cited
        if fields:
            return "only objects that are never installed fill the field", cited
        return (f"no write to the field in any parsed unit, {taken}, and"
                f" {self._describe_overlap(key, overlap)}"), cited

    def _describe_overlap(self, key: SlotKey, overlap: int) -> str:
        if overlap != NONE and self._is_written(overlap):
            return "what lies at its place in a union or as another record holds no function"
        if key.record in load_discriminated_unions():
            return "what is written as another member of its union is never called as it"
        return "nothing lies at its place in a union or as another record"

    def _is_written(self, node: int) -> bool:
        """Whether anything is put into a node."""
        return any(True for _ in self._iter_labels(node))

    def _iter_labels(self, node: int) -> Iterator[int]:
        """The labels of what is put into a node."""
        for _, label in self._constraints.preds.get(node, ()):
            yield label
        yield from self._constraints.given.get(node, {}).values()
        yield from self._constraints.overlaps.get(node, {}).values()

    def _cite(self, nodes: list[int]) -> tuple[Evidence, ...]:
        """Where something is put into the nodes, at most LIMIT places."""
        find_location = self._nodes.interner.location
        found = {
            Evidence(ROLES[label_role(label)], find_location(label_location(label)),
                     str(self._nodes.holder(node) or ""))
            for node in nodes if node != NONE
            for label in self._iter_labels(node) if label != UNCITED
        }
        places = sorted(found, key=lambda item: (item.location, item.role, item.holder))
        if len(places) <= LIMIT:
            return tuple(places)
        more = len(places) - LIMIT + 1
        last = places[LIMIT - 1]
        return (*places[:LIMIT - 1],
                Evidence(last.role, last.location, f"({more} places from here on left out)"))

    def _find_top_reason(self, node: int) -> str:
        if self._reasons is None:
            self._reasons = self._spread_reasons()
        return self._reasons.get(node, "a value that could not be followed")

    def _spread_reasons(self) -> dict[int, str]:
        """For each node the reason of a nearest source of TOP, the first by its text."""
        succ = self._solver.succ
        layer = {node: reason for node in self._solver.sets if (reason := self._top_reason(node))}
        reasons: dict[int, str] = {}
        while layer:
            reasons |= layer
            following: dict[int, str] = {}
            for node, reason in layer.items():
                for target in succ.get(node, ()):
                    if target not in reasons and reason < following.get(target, _AFTER_LAST):
                        following[target] = reason
            layer = following
        return reasons

    def _top_reason(self, node: int) -> str:
        """Why a node is a source of TOP; "" where it is none."""
        key = self._nodes.keys[node]
        if isinstance(key, ReasonKey):
            return key.reason
        if isinstance(key, ReturnKey) and TOP in self._constraints.given.get(node, ()):
            function = self._nodes.function_id(key.function)
            return f"{function}() has no definition in the parsed units"
        return ""
