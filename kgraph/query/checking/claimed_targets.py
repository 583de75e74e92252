"""The pins that a document makes by naming the targets of its indirect calls.

A target that evidence supports, be it in a comment or in the line below the call, says what the
slot holds in its chain until the chain names another. It never judges a claim, neither its own
(that would prove itself) nor another (a later target is another segment): it says which way is
meant where steps are left out. A target without evidence is refuted at its line.
"""

from dataclasses import dataclass, field

from kgraph.graph import CallGraph
from kgraph.model.answers import Hop
from kgraph.model.documents import Pin
from kgraph.query.rules import SitePin
from kgraph.query.scenarios import SitePins


@dataclass
class ClaimedTargets:
    """The targets that the chains of a document name, in the order of its lines."""

    graph: CallGraph
    _held: dict[int, dict[str, list[Hop]]] = field(default_factory=dict)
    _sites: dict[tuple[str, int], SitePins] = field(default_factory=dict)
    _made: dict[int, SitePins] = field(default_factory=dict)

    def add(self, chain: int, hop: Hop) -> None:
        """A chain names the target of a call that has several candidates."""
        held = self._held.setdefault(chain, {}).setdefault(hop.site.holder, [])
        if not held or held[-1].callee != hop.callee:
            held.append(hop)
            self._made.pop(chain, None)

    def of_chain(self, chain: int) -> SitePins:
        """What the targets named last in a chain leave to the call sites of their slots."""
        if chain not in self._made:
            made: SitePins = {}
            for held in self._held.get(chain, {}).values():
                made.update(self._through(held[-1]))
            self._made[chain] = made
        return self._made[chain]

    def _through(self, hop: Hop) -> SitePins:
        """The call sites through a hop's slot that have its callee as a candidate."""
        key = hop.site.holder, hop.callee.number
        if key not in self._sites:
            only = SitePin(frozenset({hop.callee.number}))
            self._sites[key] = {
                site: (only,) for site in self.graph.sites_through(hop.site.holder)
                if any(self.graph.edge_callee[edge] == hop.callee.number
                       for edge in self.graph.edges_of(site))
            }
        return self._sites[key]

    def pins(self) -> tuple[Pin, ...]:
        """The targets as a user would write them. Where one chain names several for a slot, each
        is for the part of the way between the one before it and itself.
        """
        found: dict[Pin, None] = {}
        for chain in self._held.values():
            for slot, held in chain.items():
                names = [self._name(hop) for hop in held]
                for place, name in enumerate(names):
                    start = names[place - 1] if place else ""
                    found[Pin(slot, name, start, name if len(names) > 1 else "")] = None
        return tuple(found)

    def _name(self, hop: Hop) -> str:
        """The target's name, with its file where others have the same."""
        function = hop.callee
        several = len(self.graph.functions_named(function.id.name)) > 1
        place = f"{function.location.path}:" if several and function.location is not None else ""
        return f"{place}{function.id.name}"
