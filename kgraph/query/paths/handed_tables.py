"""A call through a table that the path has handed on calls what this table holds.

Call sites hand the address of a table, or of a record with functions or a table in it, to a
parameter. What a later call reaches from this parameter is known then, as long as every call
between hands it on (kgraph.resolve.findings.access_paths).
"""

from kgraph.graph import CallGraph
from kgraph.query.paths.path_facts import Fact, Facts, OutgoingHop, Verdict
from kgraph.store.arrays import FLAG_CALLBACK, FLAG_TYPE

NAME = "handed tables"


class HandedTables:
    """The rule of tables that are handed to parameters. The key of a fact is an access path, its
    value the number of a set of functions.
    """

    name = NAME
    is_of_parameters = True

    def __init__(self, graph: CallGraph) -> None:
        self._graph = graph

    def concerns(self, hop: OutgoingHop) -> bool:
        """Whether a hop hands on a table."""
        return _hands_on(hop) and self._graph.site_of(hop.edge) in self._graph.sites_handing_sets

    def judge(
        self, hop: OutgoingHop, own: Facts, _bindings: tuple[tuple[int, int], ...]
    ) -> Verdict:
        """Refuse, where a call goes through a table, what is not in the one that was handed on."""
        graph, site = self._graph, self._graph.site_of(hop.edge)
        held = {fact.key: fact.value for fact in own}
        if hop.is_deferred or hop.flags & FLAG_TYPE:
            return Verdict()
        width = None
        path = None if hop.is_direct else graph.access_paths.get(site)
        if path in held:
            functions = graph.functions_of_set(held[path])
            if hop.callee not in functions:
                return Verdict(refused="the path hands on another table")
            width = len(functions)
        return Verdict(self._hand_on(site, held) if _hands_on(hop) else (), width)

    def _hand_on(self, site: int, held: dict[int, int]) -> Facts:
        """What a call hands on."""
        facts: list[Fact] = []
        for handed in self._graph.find_handed(site):
            number = handed.function_set
            if handed.own_path is not None:
                number = held.get(handed.own_path)
            if number is not None:
                facts.append(Fact(NAME, handed.path, number))
        return tuple(facts)

    def facts_at_start(self, _function: int) -> Facts:
        """Nothing was handed on yet."""
        return ()


def _hands_on(hop: OutgoingHop) -> bool:
    """Whether it is known what a call hands on: it is direct, or goes through a parameter."""
    return (hop.is_direct or bool(hop.flags & FLAG_CALLBACK)) and not hop.is_deferred
