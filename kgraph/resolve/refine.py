"""Tables as objects: a call through a pointer reaches what the tables it may hold are filled with.

The first solution reads slots as a whole. Where the set of a base is complete (no TOP, no address
without identity) and not empty, only the fields of the objects in it, and what is written through
pointers, are read in the second solution. An object that unknown content may be copied into is
open: it may hold what any table holds. Where nothing would remain, the whole slot is kept: losing
a true edge is worse than an extra one.
"""

from dataclasses import dataclass

from kgraph.resolve.constraints import Constraints
from kgraph.resolve.need import Need
from kgraph.resolve.nodes import ANONYMOUS, FIELD, SOMEWHERE, TOP
from kgraph.resolve.numbering import NONE
from kgraph.resolve.solver import EMPTY, Solver
from kgraph.resolve.values import NOTHING, token_of


@dataclass(frozen=True, slots=True)
class Solution:
    """The solved sets. `tables` are, for each LOADED node that is not read as a whole slot, the
    objects that its base may point to; `slots` the slot of each node that is.
    """

    solver: Solver
    tables: dict[int, tuple[int, ...]]
    slots: dict[int, int]


def solve(constraints: Constraints) -> Solution:
    """Solve, tell tables apart, and solve again."""
    need = Need(constraints)
    loaded = constraints.values.loaded
    first = Solver(constraints, need, {node: [row[0]] for node, row in loaded.items()})
    first.close()
    refiner = _Refiner(first)
    reads: dict[int, list[int]] = {}
    tables: dict[int, tuple[int, ...]] = {}
    slots: dict[int, int] = {}
    for node, (slot, root, base) in loaded.items():
        if not first.wanted(node):
            continue
        roots = refiner.tables(root, base)
        sources = refiner.sources(roots, slot)
        if sources:
            reads[node], tables[node] = sources, roots
        else:
            reads[node], slots[node] = [slot], slot
    second = Solver(constraints, need, reads)
    second.close()
    return Solution(second, tables, slots)


class _Refiner:
    """Decides, from the first solution, what a LOADED node has to read."""

    def __init__(self, solver: Solver) -> None:
        self._solver = solver
        self._nodes = solver.nodes
        self._open = self._open_roots()

    def _held(self, code: int) -> set[int] | frozenset[int]:
        if code < NOTHING:
            return frozenset((token_of(code),))
        return self._solver.sets.get(code, EMPTY)

    def _open_roots(self) -> set[int]:
        """Objects whose content is not known from their own bindings."""
        constraints = self._solver.constraints
        tagged = constraints.values.tagged_roots
        found: set[int] = set()
        tokens = self._nodes.tokens
        for store in constraints.stores:
            for token in self._held(store.pointer):
                if tokens[token][0] in tagged:
                    found.add(tokens[token][0])
        for destination, origin in constraints.copies:
            if TOP in self._held(origin):
                found.update(tokens[token][1] for token in self._held(destination)
                             if tokens[token][0] != NONE)
        return found

    def tables(self, root: int, base: int) -> tuple[int, ...]:
        """The objects that a base may point to; none where they are not all known."""
        if root != NONE:
            return () if root in self._open else (root,)
        held = self._held(base)
        if TOP in held or SOMEWHERE in held:
            return ()
        tokens = self._nodes.tokens
        roots = {tokens[token][1] for token in held if tokens[token][0] != NONE}
        if roots & self._open or NONE in roots:
            return ()
        return tuple(roots)

    def sources(self, roots: tuple[int, ...], slot: int) -> list[int]:
        """The nodes that hold what the slot is in these objects, if they hold anything."""
        find = self._nodes.find
        if not roots:
            return []
        sources = [find((FIELD, root, slot)) for root in roots]
        sources.append(find((ANONYMOUS, slot)))
        sources = [node for node in sources if node != NONE]
        held = self._solver.sets
        return sources if any(held.get(node, EMPTY) - {TOP, SOMEWHERE} for node in sources) else []
