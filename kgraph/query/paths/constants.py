"""A branch that asks for another number than the path hands on does not run.

The calls of a path hand numbers, and addresses that are not null, to parameters; a guard around a
later call asks for something of that parameter. What is asked of parameters, and which numbers are
worth carrying, is in the index (kgraph.store.condition_arrays).
"""

from kgraph.graph import CallGraph
from kgraph.model.facts import HandedKind
from kgraph.model.location import ParameterTest
from kgraph.query.paths.path_facts import Fact, Facts, OutgoingHop, Verdict

NAME = "constants"
_ALL_BITS = -1
_NOT_NULL = 1 << 64  # the value of a fact; numbers have 64 bits


class Constants:
    """The rule of numbers that are handed to parameters. The key of a fact is a parameter."""

    name = NAME
    is_of_parameters = True

    def __init__(self, graph: CallGraph) -> None:
        self._graph = graph

    def concerns(self, hop: OutgoingHop) -> bool:
        """Whether a hop hands on a number."""
        return not hop.is_deferred and any(
            handed.kind is not HandedKind.PARAMETER
            for handed in self._graph.constants_of(self._graph.site_of(hop.edge)))

    def judge(
        self, hop: OutgoingHop, own: Facts, _bindings: tuple[tuple[int, int], ...]
    ) -> Verdict:
        """Refuse a call whose guards contradict what its function was handed."""
        graph, site = self._graph, self._graph.site_of(hop.edge)
        held = {fact.key: fact.value for fact in own}
        if held:
            for test in graph.tests_of(site):
                value = held.get(test.parameter)
                if value is not None and _contradicts(value, test):
                    return Verdict(refused=_describe(value, test))
        if hop.is_deferred:
            return Verdict()
        found: list[Fact] = []
        relevant = graph.find_tested_parameters(hop.callee)
        for handed in graph.constants_of(site):
            known: int | None = handed.value
            if handed.kind is HandedKind.PARAMETER:
                known = held.get(handed.value)
            elif handed.kind is HandedKind.NOT_NULL:
                known = _NOT_NULL
            if known is not None and handed.parameter in relevant:
                found.append(Fact(NAME, handed.parameter, known))
        return Verdict(tuple(found))

    def facts_at_start(self, _function: int) -> Facts:
        """Nothing was handed on yet."""
        return ()


def _contradicts(value: int, test: ParameterTest) -> bool:
    if value == _NOT_NULL:
        return test.is_equal and test.value == 0 and test.mask == _ALL_BITS
    return ((value & test.mask) == test.value) != test.is_equal


def _describe(value: int, test: ParameterTest) -> str:
    handed = "an address" if value == _NOT_NULL else str(value)
    return f"parameter #{test.parameter} is {handed} on this path, and the call is made otherwise"
