"""A branch that asks for another number than the path hands on does not run.

The calls of a path hand numbers, some bits of numbers, and addresses that are not null, to
parameters; a guard around a later call asks for something of that parameter. What is asked of
parameters, and which numbers are worth carrying, is in the index (kgraph.store.condition_arrays).
"""

from kgraph.graph import CallGraph
from kgraph.model.facts import HandedKind, HandedValue
from kgraph.model.location import ParameterTest
from kgraph.query.paths.path_facts import Fact, Facts, OutgoingHop, Verdict

NAME = "constants"
# The value of a fact: a mask of bits that are known, times 2 to the power of 64, and these bits.
_BEYOND = 1 << 64
_ALL_BITS = _BEYOND - 1
_NOT_NULL = 1  # no bit is known, but that one is not 0


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
        relevant = graph.find_tested_parameters(hop.callee)
        found: dict[int, int] = {}
        for handed in graph.constants_of(site):
            if handed.parameter in relevant:
                known = found.get(handed.parameter, 0)
                found[handed.parameter] = _learn(known, handed, held)
        return Verdict(tuple(Fact(NAME, key, known) for key, known in found.items() if known))

    def facts_at_start(self, _function: int) -> Facts:
        """Nothing was handed on yet."""
        return ()


def _learn(known: int, handed: HandedValue, held: dict[int, int]) -> int:
    """What is known of a parameter with a further item of what is handed to it. An own parameter
    comes before the bits that differ from it.
    """
    if handed.kind is HandedKind.PARAMETER:
        return held.get(handed.value, 0)
    if handed.kind is HandedKind.NOT_NULL:
        return _NOT_NULL
    mask = _ALL_BITS if handed.kind is HandedKind.NUMBER else handed.value & _ALL_BITS
    before, bits = divmod(known, _BEYOND) if known != _NOT_NULL else (0, 0)
    ones = 0 if handed.kind is HandedKind.ZEROS else handed.value & mask
    return (before | mask) * _BEYOND + (bits & ~mask | ones)


def _contradicts(known: int, test: ParameterTest) -> bool:
    asked = test.mask & _ALL_BITS
    if known == _NOT_NULL:
        return test.is_equal and test.value == 0 and asked == _ALL_BITS
    mask, bits = divmod(known, _BEYOND)
    if (bits ^ test.value) & mask & asked:
        return test.is_equal
    return not test.is_equal and not asked & ~mask


def _describe(known: int, test: ParameterTest) -> str:
    mask, bits = divmod(known, _BEYOND)
    if known == _NOT_NULL:
        handed = "is an address"
    elif mask == _ALL_BITS:
        handed = f"is {bits - (_BEYOND if bits >> 63 else 0)}"
    else:
        mask &= test.mask
        handed = f"has {bits & mask:#x} in its bits {mask:#x}"
    return f"parameter #{test.parameter} {handed} on this path, and the call is made otherwise"
