"""A dispatcher calls what is registered under the key that it was given, and nothing else.

A call that asks for a key (`wake_up(&queue)`) has deferred edges to what is registered under it.
Inside of the function that it calls, the call of the registered callbacks has a candidate for every
key. On a path it calls those of the key that the path asked for. That is known only inside of
dispatchers: the functions with such a call, and those that call them and ask for nothing of their
own.
"""

from functools import cached_property

from kgraph.graph import CallGraph
from kgraph.model.resolution import EdgeKind
from kgraph.query.paths.costs import HOP
from kgraph.query.paths.path_facts import Fact, Facts, OutgoingHop, ValueNumbers, Verdict
from kgraph.query.paths.path_rules import load_path_rules
from kgraph.store.arrays import FLAG_DEFERRED, FLAG_INDIRECT

NAME = "dispatch"
_SHORT_CUT = 8 * HOP  # past the dispatcher, whose calls a reader wants to see
_Requests = dict[int, frozenset[int]]  # kind -> what may run


class Dispatch:
    """The rule of dispatchers that call at once what is registered under a key."""

    name = NAME
    is_of_parameters = False

    def __init__(self, graph: CallGraph) -> None:
        self._graph = graph
        self._kinds = sorted(set(load_path_rules().slots.values()))
        self._requests: dict[tuple[int, int], _Requests] = {}
        self._sets = ValueNumbers[frozenset[int]]()

    def concerns(self, hop: OutgoingHop) -> bool:
        """Whether a hop calls a dispatcher by a key."""
        if hop.is_deferred:
            return hop.callee in self._kinds_of
        return hop.is_direct and hop.caller in self._asking and bool(self._find_requests(hop))

    def judge(
        self, hop: OutgoingHop, own: Facts, _bindings: tuple[tuple[int, int], ...]
    ) -> Verdict:
        """Refuse, where a dispatcher calls, what is registered under other keys."""
        if hop.is_direct:
            asked = {kind: self._sets.assign(callees)
                     for kind, callees in self._find_requests(hop).items()}
            known = {fact.key: fact.value for fact in own} | asked
            return Verdict(tuple(Fact(NAME, kind, value) for kind, value in known.items()
                                 if hop.callee in self._dispatchers[kind]))
        if hop.is_deferred:
            return Verdict(cost=_SHORT_CUT if hop.callee in self._kinds_of else 0)
        if not own:
            return Verdict()
        kind = self._dispatching.get(self._graph.site_of(hop.edge))
        for fact in own:
            if fact.key == kind:
                callees = self._sets[fact.value]
                if hop.callee not in callees:
                    return Verdict(refused="the path asks for another key")
                return Verdict(width=len(callees))
        return Verdict()

    def facts_at_start(self, _function: int) -> Facts:
        """Nothing was asked for yet."""
        return ()

    def _find_requests(self, hop: OutgoingHop) -> _Requests:
        """What the calls of a function by another ask for. Nothing is known of a kind of which some
        of these calls ask for nothing, or for a key that cannot be told.
        """
        key = hop.caller, hop.callee
        if hop.caller not in self._asking:
            return {}
        if key not in self._requests:
            self._requests[key] = self._merge_sites(hop)
        return self._requests[key]

    def _merge_sites(self, hop: OutgoingHop) -> _Requests:
        graph, found = self._graph, list[_Requests]()
        for site in range(graph.site_start[hop.caller], graph.site_start[hop.caller + 1]):
            if hop.callee in graph.edge_callee[graph.edge_start[site]:graph.edge_start[site + 1]]:
                found.append(self._read_site(site))
        kinds = set.intersection(*(set(each) for each in found)) if found else set()
        return {kind: frozenset().union(*(each[kind] for each in found)) for kind in kinds}

    def _read_site(self, site: int) -> _Requests:
        graph, found = self._graph, dict[int, set[int]]()
        for edge in graph.edges_of(site):
            callee = graph.edge_callee[edge]
            if graph.kind(edge) is not EdgeKind.DEFERRED:
                continue
            for kind in self._kinds_of.get(callee, ()):
                found.setdefault(kind, set()).add(callee)
        requests = {kind: frozenset(callees | self._under_unknown_keys.get(kind, frozenset()))
                    for kind, callees in found.items()}
        requests |= {kind: self._under_unknown_keys.get(kind, frozenset())
                     for kind in self._empty_requests.get(site, ())}
        return requests

    @cached_property
    def _asking(self) -> frozenset[int]:
        """The functions that ask for anything of these kinds."""
        graph = self._graph
        asking = {row.caller for row in graph.find_open_requests() if row.kind in self._kinds}
        for function in self._kinds_of:
            hops = graph.hops_to(function)
            asking |= {graph.hop_caller[hop] for hop in hops
                       if graph.hop_flags[hop] & FLAG_DEFERRED}
        return frozenset(asking)

    @cached_property
    def _kinds_of(self) -> dict[int, set[int]]:
        """Function -> the kinds that it is registered for."""
        found: dict[int, set[int]] = {}
        for row in self._graph.find_deferred_callbacks():
            if row.kind in self._kinds:
                found.setdefault(row.function, set()).add(self._kinds.index(row.kind))
        return found

    @cached_property
    def _under_unknown_keys(self) -> dict[int, frozenset[int]]:
        """What may run whatever is asked for: registered under a key that cannot be told, or a
        candidate of the dispatcher that no registration is known of.
        """
        found: dict[int, set[int]] = {}
        for site, kind in self._dispatching.items():
            found.setdefault(kind, set()).update(
                callee for callee in map(self._graph.edge_callee.__getitem__,
                                         self._graph.edges_of(site))
                if kind not in self._kinds_of.get(callee, ()))
        for row in self._graph.find_deferred_callbacks():
            if row.key_unknown and row.kind in self._kinds:
                found.setdefault(self._kinds.index(row.kind), set()).add(row.function)
        return {kind: frozenset(functions) for kind, functions in found.items()}

    @cached_property
    def _empty_requests(self) -> dict[int, list[int]]:
        """Call site -> the kinds of which it asks for a key that nothing is registered under."""
        found: dict[int, list[int]] = {}
        for row in self._graph.find_open_requests():
            if row.kind in self._kinds and not row.key_unknown:
                found.setdefault(row.site, []).append(self._kinds.index(row.kind))
        return found

    @cached_property
    def _dispatchers(self) -> list[set[int]]:
        """For each kind the functions through which a key comes to the call of the callbacks."""
        graph, found = self._graph, [set[int]() for _ in self._kinds]
        for site, kind in self._dispatching.items():
            waiting = [graph.caller_of(site)]
            while waiting:
                function = waiting.pop()
                if function in found[kind]:
                    continue
                found[kind].add(function)
                hops = graph.hops_to(function)
                waiting += [graph.hop_caller[hop] for hop in hops
                            if not graph.hop_flags[hop] & FLAG_INDIRECT
                            and graph.hop_caller[hop] not in self._asking]
        return found

    @cached_property
    def _dispatching(self) -> dict[int, int]:
        """The call sites that go through a slot of a kind."""
        return {
            site: self._kinds.index(kind) for slot, kind in load_path_rules().slots.items()
            for site in self._graph.find_sites_through(slot)
        }
