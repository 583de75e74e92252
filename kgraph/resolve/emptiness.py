"""Why a call site has no candidate: proved to have none, or not known.

A set without functions proves something only where it is complete. Where TOP is in it, the nearest
value that could not be followed is the reason that it is unresolved.
"""

from kgraph.model.resolution import Status
from kgraph.resolve.nodes import ANONYMOUS, FIELD, LOADED, REASON, TOP
from kgraph.resolve.numbering import NONE, OBJECT, PARAMETER, RETURN, SLOT, VARIABLE
from kgraph.resolve.solver import EMPTY, Solver
from kgraph.resolve.values import NOTHING


class Emptiness:
    """Says why a node holds no function."""

    def __init__(self, solver: Solver) -> None:
        self._solver = solver
        self._nodes = solver.nodes
        self._reasons: dict[int, str] | None = None
        self._writes: dict[int, list[int]] = {}
        for node, key in enumerate(self._nodes.keys):
            if key[0] == FIELD:
                self._writes.setdefault(key[2], []).append(node)

    def why(self, node: int) -> tuple[Status, str]:
        """The status and the reason of a called node that holds no function."""
        if node == NOTHING:
            return Status.UNRESOLVED, "what is called is no pointer that could be followed"
        held = self._solver.sets.get(node, EMPTY)
        if TOP in held:
            return Status.UNRESOLVED, self._top(node)
        key = self._nodes.keys[node]
        if key[0] == LOADED and key[1] == NONE:
            return Status.UNRESOLVED, "nothing is known of what the pointer points to"
        return Status.EMPTY, self._proof(node)

    def _proof(self, node: int) -> str:
        key = self._nodes.keys[node]
        kind = key[0]
        if kind == SLOT:
            return self._slot_proof(node)
        written = self._is_written(node)
        if kind == PARAMETER:
            return "no caller passes a function" if written else "no caller passes a value"
        if written:
            return "no function reaches any value that is put into it"
        what = {VARIABLE: "variable", OBJECT: "object", RETURN: "return value"}
        return f"no write to the {what.get(kind, 'holder')} in any parsed unit"

    def _slot_proof(self, slot: int) -> str:
        anonymous = self._nodes.find((ANONYMOUS, slot))
        if anonymous != NONE and self._is_written(anonymous):
            return "no function reaches any value that is put into it"
        written = [node for node in self._writes.get(slot, ()) if self._is_written(node)]
        if not written:
            return "no write to the field in any parsed unit"
        if any(slot in self._solver.succ.get(node, ()) for node in written):
            return "no function reaches any value that is put into it"
        return "only objects that are never installed fill the field"

    def _is_written(self, node: int) -> bool:
        constraints = self._solver.constraints
        return bool(constraints.preds.get(node) or constraints.given.get(node))

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
