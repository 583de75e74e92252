"""A call through a parameter calls one of the functions that the path has handed to the parameter.

Which function that is, the bindings of a state know, if it is known. Here it is not: a call site
hands on what a field or a table holds, and so one of a set of functions.
"""

from kgraph.graph import CallGraph
from kgraph.query.paths.path_facts import Fact, Facts, OutgoingHop, ValueNumbers, Verdict
from kgraph.store.arrays import FLAG_CALLBACK, FLAG_FORWARDS

NAME = "handed sets"


class HandedSets:
    """The rule of sets that are handed to parameters. The key of a fact is a parameter."""

    name = NAME
    is_of_parameters = True

    def __init__(self, graph: CallGraph) -> None:
        self._graph = graph
        self._sets = ValueNumbers[frozenset[int]]()

    def concerns(self, hop: OutgoingHop) -> bool:
        """Whether a hop hands on a set."""
        return bool(hop.flags & FLAG_FORWARDS) and any(
            forward.function_set is not None
            for forward in self._graph.find_forwards(self._graph.site_of(hop.edge)))

    def judge(self, hop: OutgoingHop, own: Facts, bindings: tuple[tuple[int, int], ...]) -> Verdict:
        """Refuse, where a parameter is called, what is not in the set that was handed to it."""
        site = self._graph.site_of(hop.edge)
        held = {fact.key: self._sets[fact.value] for fact in own}
        width = None
        if hop.flags & FLAG_CALLBACK:
            functions = held.get(self._graph.callbacks[site])
            if functions is not None:
                if hop.callee not in functions:
                    return Verdict(refused="the path hands another function to this parameter")
                width = len(functions)
        if not hop.flags & FLAG_FORWARDS:
            return Verdict(width=width)
        return Verdict(self._hand_on(site, held, dict(bindings)), width)

    def facts_at_start(self, _function: int) -> Facts:
        """Nothing was handed on yet."""
        return ()

    def _hand_on(
        self, site: int, held: dict[int, frozenset[int]], bindings: dict[int, int]
    ) -> Facts:
        """The sets that a call hands on. What is one known function is left to bindings."""
        found: dict[int, list[frozenset[int] | None]] = {}
        with_sets: set[int] = set()
        for forward in self._graph.find_forwards(site):
            functions: frozenset[int] | None = None
            own = forward.own_parameter
            if forward.function_set is not None:
                functions = frozenset(self._graph.functions_of_set(forward.function_set))
                with_sets.add(forward.parameter)
            elif forward.function is not None:
                functions = frozenset((forward.function,))
            elif own in bindings:
                functions = frozenset((bindings[own],))
            elif own in held:
                functions = held[own]
                with_sets.add(forward.parameter)
            found.setdefault(forward.parameter, []).append(functions)
        facts: list[Fact] = []
        for parameter in with_sets:
            known = [functions for functions in found[parameter] if functions is not None]
            if len(known) == len(found[parameter]):
                facts.append(Fact(NAME, parameter, self._sets.assign(frozenset().union(*known))))
        return tuple(facts)
