"""Evidence: the citations that lead a function from where it is named to where it is called.

For each candidate, a search over the edges of the solved graph finds a shortest chain from its
bindings to each called node. Of chains of one length it takes the one whose citations come
first, so that the choice does not depend on the order of reading.
"""

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet

from msgspec import Struct

from kgraph.model.location import Location
from kgraph.model.resolution import Evidence, Role
from kgraph.resolve.constraint_graph import (
    ROLES,
    UNCITED,
    is_initialiser_row,
    label_location,
    label_role,
)
from kgraph.resolve.solving.solver import EMPTY, Solver

LIMIT = 12
"""Longer chains are cited by their first and last citations, and say what is left out."""


class ChainStep(Struct, frozen=True, gc=False):
    """A value arrives at a node, cited with a label."""

    label: int
    node: int


Chain = Sequence[ChainStep]


class _Arrival(Struct, frozen=True, gc=False):
    """The end of a chain: its last step, and the arrival before it. `order` has the labels and the
    names of all steps that are cited: of two chains the one that comes first is taken."""

    order: tuple[int | str, ...]
    step: ChainStep
    before: "_Arrival | None" = None

    def list_steps(self) -> list[ChainStep]:
        """The whole chain."""
        steps = [self.step]
        arrival = self.before
        while arrival is not None:
            steps.append(arrival.step)
            arrival = arrival.before
        return steps[::-1]


class EvidenceChains:
    """Finds the chains that bring tokens to nodes, along the edges of a solver.

    `sets` has the tokens of each node: a chain leads only over nodes that hold its token. With
    `ends` chains are searched to these nodes only, which takes half the time.
    """

    def __init__(
        self, solver: Solver, sets: Mapping[int, AbstractSet[int]],
        ends: Iterable[int] | None = None,
    ) -> None:
        self._solver = solver
        self._succ: Mapping[int, Sequence[int]] = solver.succ
        if ends is not None:
            self._succ = _select_leading(solver, ends)
        self._sets = sets
        self._nodes = solver.nodes
        self._names: dict[int, str] = {}
        self._origins: dict[int, list[ChainStep]] = {}
        for node, token, label in solver.constraints.iter_given():
            if solver.is_relevant(node):
                self._origins.setdefault(token, []).append(ChainStep(label, node))

    def find_chains(
        self, token: int, targets: Iterable[int],
        sets: Mapping[int, AbstractSet[int]] | None = None,
    ) -> dict[int, Chain]:
        """For each target that holds the token, the steps that bring it there.

        `sets` replace those of this object.
        """
        missing = set(targets)
        found: dict[int, Chain] = {}
        sets = self._sets if sets is None else sets
        succ, preds = self._succ, self._solver.preds
        layer: dict[int, _Arrival] = {}
        for step in self._origins.get(token, ()):
            self._offer(layer, None, step.label, step.node)
        seen: set[int] = set()
        while layer and missing:
            for node in missing & layer.keys():
                found[node] = layer[node].list_steps()
            missing -= layer.keys()
            seen |= layer.keys()
            following: dict[int, _Arrival] = {}
            for node, arrival in layer.items():
                for target in succ.get(node, ()):
                    if target not in seen and token in sets.get(target, EMPTY):
                        self._offer(following, arrival, preds[target][node], target)
            layer = following
        return found

    def _offer(
        self, layer: dict[int, _Arrival], before: _Arrival | None, label: int, node: int
    ) -> None:
        """Enter a chain to a node, unless one comes first."""
        order = () if before is None else before.order
        if label != UNCITED:
            order = (*order, label, self._names.get(node) or self.name(node))
        known = layer.get(node)
        if known is None or order < known.order:
            layer[node] = _Arrival(order, ChainStep(label, node), before)

    def name(self, node: int) -> str:
        """What a node is called in evidence."""
        known = self._names.get(node)
        if known is None:
            holder = self._nodes.holder(node)
            known = self._names[node] = "" if holder is None else str(holder)
        return known

    def cite(self, chain: Chain) -> list[Evidence]:
        """The citations of a chain, at most LIMIT; copies on one line are one."""
        cited: list[Evidence] = []
        for step in chain:
            if step.label != UNCITED:
                role, location = ROLES[label_role(step.label)], self._location(step.label)
                if cited and role is Role.FLOW and _is_copy_on_line(cited[-1], location):
                    cited.pop()
                cited.append(Evidence(role, location, self.name(step.node)))
        if len(cited) <= LIMIT:
            return cited
        left_out = len(cited) - LIMIT + 1
        gap = Evidence(Role.FLOW, cited[1].location, f"({left_out} copies from here on left out)")
        return [cited[0], gap, *cited[1 + left_out:]]

    def find_install(self, table_token: int, base: int) -> Evidence | None:
        """Where a table's address is put on its way into the holder `base`."""
        chain = self.find_chains(table_token, [base]).get(base, [])
        cited = self.cite(chain)
        if not cited:
            return None
        return Evidence(Role.INSTALL, cited[0].location, cited[0].holder)

    def _location(self, label: int) -> Location:
        return self._nodes.interner.location(label_location(label))


def _select_leading(solver: Solver, ends: Iterable[int]) -> dict[int, list[int]]:
    """The edges of a solver that lead to some nodes."""
    found: dict[int, list[int]] = {}
    seen = set(ends)
    stack = list(seen)
    while stack:
        node = stack.pop()
        for source in solver.preds.get(node, ()):
            found.setdefault(source, []).append(node)
            if source not in seen:
                seen.add(source)
                stack.append(source)
    return found


def starts_at_initialiser(chain: Chain) -> bool:
    """Whether a chain starts at a row of an object's initialiser."""
    return bool(chain) and is_initialiser_row(chain[0].label)


def _is_copy_on_line(before: Evidence, location: Location) -> bool:
    """Whether a copy stands on the line of the copy before it: the locals of one macro."""
    return (before.role is Role.FLOW and before.location.path == location.path
            and before.location.line == location.line)
