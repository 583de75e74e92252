"""Why a call site has no candidate: it provably has none, or they are not known.

A set without functions proves something only if it is complete. If it is not, the nearest value
that could not be followed is the reason: a write through an address that was taken, a record
that is written as bytes or through a pointer of another type, a number that is called. The
proof of an empty set names what kgraph looked for and did not find, and cites what it found
instead: the writes, overlays or calls that bring no function.
"""

from collections.abc import Iterator
from typing import NamedTuple

from kgraph.model.resolution import Evidence, SiteStatus
from kgraph.resolve.constraint_graph import (
    ANONYMOUS,
    BESIDE,
    FIELD,
    LOADED,
    POINTER,
    REASON,
    ROLES,
    SOMEWHERE,
    TOP,
    UNCITED,
    label_location,
    label_role,
)
from kgraph.resolve.findings.evidence import LIMIT
from kgraph.resolve.interning import NONE, OBJECT, PARAMETER, RETURN, SLOT, VARIABLE
from kgraph.resolve.models.declared import load_discriminated_unions
from kgraph.resolve.operands import NOTHING
from kgraph.resolve.solving.solver import EMPTY, Solver


class NoCandidates(NamedTuple):
    """Why there is no candidate. `proof` cites what was looked at."""

    status: SiteStatus
    reason: str
    proof: tuple[Evidence, ...] = ()


_DATA = frozenset((POINTER, SOMEWHERE))
MODULE_MAY_WRITE = "a module outside the index may write it"
NOT_TAKEN = "its address is not taken"
TAKEN_BY_MODULES_ONLY = "its address is given to no one but modules"


class NoCandidateReasons:
    """Says why a node holds no function."""

    def __init__(self, solver: Solver) -> None:
        self._solver = solver
        self._nodes = solver.nodes
        self._reasons: dict[int, str] | None = None
        self._from_exported: set[int] | None = None
        self._writes: dict[int, list[int]] = {}
        for node, key in enumerate(self._nodes.keys):
            if key[0] == FIELD:
                self._writes.setdefault(key[2], []).append(node)

    def explain(self, node: int) -> NoCandidates:
        """The status and the reason of a called node that holds no function."""
        if node == NOTHING:
            return NoCandidates(
                SiteStatus.UNRESOLVED, "what is called is no pointer that could be followed"
            )
        held = self._solver.sets.get(node, EMPTY)
        if TOP in held:
            return NoCandidates(SiteStatus.UNRESOLVED, self._top(node))
        if not held.isdisjoint(_DATA):
            return NoCandidates(SiteStatus.UNRESOLVED, "it is computed from the address of data")
        key = self._nodes.keys[node]
        if key[0] == LOADED and key[1] == NONE:
            return NoCandidates(
                SiteStatus.UNRESOLVED, "nothing is known of what the pointer points to"
            )
        abroad = self._abroad(node)
        reason, cited = self._proof(node, TAKEN_BY_MODULES_ONLY if abroad else NOT_TAKEN)
        return NoCandidates(SiteStatus.EMPTY, reason + abroad, cited)

    def _abroad(self, node: int) -> str:
        """What is to be said where an exported object is called, or what is read from one: it is
        not written here, and the modules that may write it are not here either. A field is read
        from one in it, and through it where it is a pointer."""
        if node in self._solver.constraints.exported:
            return f"; it is exported: {MODULE_MAY_WRITE}"
        if self._from_exported is None:
            read = self._reached(self._solver.constraints.exported)
            self._from_exported = self._reached(
                read | self._solver.constraints.operands.find_reads(read))
        return f"; it is read from an object that is exported: {MODULE_MAY_WRITE}" if (
            node in self._from_exported) else ""

    def _reached(self, nodes: set[int]) -> set[int]:
        """All nodes that the content of some can reach."""
        found, stack = set(nodes), list(nodes)
        while stack:
            new = set(self._solver.succ.get(stack.pop(), ())) - found
            found |= new
            stack += new
        return found

    def _proof(self, node: int, taken: str) -> tuple[str, tuple[Evidence, ...]]:
        key = self._nodes.keys[node]
        kind = key[0]
        if kind == SLOT:
            return self._slot_proof(node, taken)
        written = self._is_written(node)
        cited = self._cite([node])
        if kind == PARAMETER:
            return ("no caller passes a function" if written else "no caller passes a value"), cited
        if written:
            return "no function reaches any value that is put into it", cited
        what = {VARIABLE: "variable", OBJECT: "object", RETURN: "return value"}
        return f"no write to the {what.get(kind, 'holder')} in any parsed unit, and {taken}", cited

    def _slot_proof(self, slot: int, taken: str) -> tuple[str, tuple[Evidence, ...]]:
        anonymous = self._nodes.find_node((ANONYMOUS, slot))
        fields = [node for node in self._writes.get(slot, ()) if self._is_written(node)]
        joined = [node for node in fields if slot in self._solver.succ.get(node, ())]
        beside = self._nodes.find_node((BESIDE, slot))
        cited = self._cite([anonymous, beside, *fields])
        if joined or (anonymous != NONE and self._is_written(anonymous)):
            return "no function reaches any value that is put into it", cited
        if fields:
            return "only objects that are never installed fill the field", cited
        return (f"no write to the field in any parsed unit, {taken}, and"
                f" {self._beside(slot, beside)}"), cited

    def _beside(self, slot: int, beside: int) -> str:
        if beside != NONE and self._is_written(beside):
            return "what lies at its place in a union or as another record holds no function"
        if self._nodes.keys[slot][1] in load_discriminated_unions():
            return "what is written as another member of its union is never called as it"
        return "nothing lies at its place in a union or as another record"

    def _is_written(self, node: int) -> bool:
        """Whether anything is put into a node."""
        return any(True for _ in self._labels(node))

    def _labels(self, node: int) -> Iterator[int]:
        constraints = self._solver.constraints
        for _, cited in constraints.preds.get(node, ()):
            yield cited
        yield from constraints.given.get(node, {}).values()
        yield from constraints.overlaps.get(node, {}).values()

    def _cite(self, nodes: list[int]) -> tuple[Evidence, ...]:
        """Where something is put into the nodes, no more than LIMIT places."""
        names = self._nodes
        found = {
            Evidence(ROLES[label_role(cited)], names.interner.location_list[label_location(cited)],
                     str(names.holder(node) or ""))
            for node in nodes if node != NONE for cited in self._labels(node) if cited != UNCITED
        }
        places = sorted(found, key=lambda item: (item.location, item.role, item.holder))
        if len(places) <= LIMIT:
            return tuple(places)
        more = len(places) - LIMIT + 1
        last = places[LIMIT - 1]
        return (*places[:LIMIT - 1],
                Evidence(last.role, last.location, f"({more} places from here on left out)"))

    def _top(self, node: int) -> str:
        if self._reasons is None:
            self._reasons = self._spread()
        return self._reasons.get(node, "a value that could not be followed")

    def _spread(self) -> dict[int, str]:
        """For each node the reason of a nearest source of TOP, the first by its text."""
        sets, succ = self._solver.sets, self._solver.succ
        layer = {node: reason for node in sets if (reason := self._source(node))}
        reasons: dict[int, str] = {}
        while layer:
            reasons |= layer
            following: dict[int, str] = {}
            for node, reason in layer.items():
                for target in succ.get(node, ()):
                    if target not in reasons and reason < following.get(target, "\U0010ffff"):
                        following[target] = reason
            layer = following
        return reasons

    def _source(self, node: int) -> str:
        key = self._nodes.keys[node]
        if key[0] == REASON:
            return str(key[1])
        if key[0] == RETURN and TOP in self._solver.constraints.given.get(node, ()):
            return f"{self._nodes.function_id(key[1])}() has no definition in the parsed units"
        return ""
