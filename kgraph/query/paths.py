"""How one function reaches another."""

from dataclasses import dataclass, replace
from itertools import islice, pairwise

from kgraph.errors import LookupFailed
from kgraph.graph import CallGraph
from kgraph.model.answers import Frontier, Hop, Path, PathAnswer
from kgraph.model.documents import Pin, Scenario
from kgraph.query.frontier import frontier
from kgraph.query.handing import handed_on
from kgraph.query.names import find_function
from kgraph.query.others import count_others
from kgraph.query.pins import parse_pin, table_evidence
from kgraph.query.rules import Rules
from kgraph.query.scenarios import function_numbers, preferring, site_pins
from kgraph.query.search import Search
from kgraph.query.steps import Step, Steps

MOST_OTHERS = 20
_EFFORT = 500  # counting others may take about as long again as starting does


@dataclass(frozen=True, slots=True)
class PathQuestion:
    """A question: names as a user writes them. `bind` are "SLOT=TARGET" texts, which come before
    the pins of `scenario` where both concern a call, as `via` comes before the scenario's; `count`
    says how many paths to find; `max_hops` how long they may be, None for any length; `others`
    whether to count the ways beside them, which can take longer than the paths themselves.
    """

    caller: str
    callee: str
    via: tuple[str, ...] = ()
    avoid: tuple[str, ...] = ()
    bind: tuple[str, ...] = ()
    count: int = 1
    max_hops: int | None = None
    deferred: bool = True
    types: bool = False
    scenario: Scenario | None = None
    others: bool = True

    def pins(self) -> tuple[Pin, ...]:
        """The pins of the question: those given with it, then those of its scenario."""
        scenario = self.scenario.pins if self.scenario is not None else ()
        return (*map(parse_pin, self.bind), *scenario)


def find_paths(graph: CallGraph, question: PathQuestion) -> PathAnswer:
    """The best paths, all with different functions, best first; or why there is none.

    Other ways are counted up to MOST_OTHERS, fewer where they are hard to find. Raises LookupFailed
    for an unknown or ambiguous name and for a binding that no call site has.
    """
    source = find_function(graph, question.caller).number
    target = find_function(graph, question.callee).number
    rules = _rules(graph, question, source, target)
    if source in rules.avoid or target in rules.avoid:
        raise LookupFailed("an end of the path is among those to avoid", "leave one of them out")
    steps = Steps(graph, rules)
    search = Search(steps, source, target, question.max_hops)
    ways = list(islice(search.ways(), question.count))
    if not ways:
        return PathAnswer((), frontier=_gap(steps, source, target))
    others, every = 0, True
    if question.others:
        others, every = count_others(search, ways, MOST_OTHERS, _EFFORT)
    paths = tuple(Path(way_hops(graph, way.steps, rules)) for way in ways)
    return PathAnswer(paths, others=others, at_least=not every)


def _rules(graph: CallGraph, question: PathQuestion, source: int, target: int) -> Rules:
    scenario = question.scenario or Scenario()
    names = question.via or scenario.via
    via = list(function_numbers(graph, names))
    while via and via[0] == source:  # the ends are passed anyway
        via.pop(0)
        names = names[1:]
    while via and via[-1] == target:
        via.pop()
        names = names[:-1]
    stops = (question.caller, *names, question.callee)
    own = site_pins(graph, map(parse_pin, question.bind), stops)
    return Rules(
        via=tuple(via),
        avoid=frozenset(function_numbers(graph, (*question.avoid, *scenario.avoid))),
        pins=preferring(own, site_pins(graph, scenario.pins, stops)),
        deferred=question.deferred,
        types=question.types,
    )


def way_hops(graph: CallGraph, steps: tuple[Step, ...], rules: Rules) -> tuple[Hop, ...]:
    """The records of the steps of a way. The evidence of a call that a pin leaves one table for is
    of that table.
    """
    return tuple(_hop(graph, steps[: count + 1], rules) for count in range(len(steps)))


def _hop(graph: CallGraph, steps: tuple[Step, ...], rules: Rules) -> Hop:
    """The record of the last of `steps`."""
    step = steps[-1]
    if step.edge < 0:
        return graph.hop_by_type(-1 - step.edge, step.state.function)
    hop = graph.hop(step.edge, step.width)
    handed = handed_on(graph, steps)
    if handed:
        return replace(hop, evidence=handed)
    return under_pins(graph, hop, rules, steps[-2].state.passed if len(steps) > 1 else 0)


def under_pins(graph: CallGraph, hop: Hop, rules: Rules, passed: int = 0) -> Hop:
    """The hop with the evidence of the table that a pin says it goes through, if one does."""
    pin = rules.pin(hop.site.number, passed)
    if pin is None or not hop.site.holder:
        return hop
    found = table_evidence(graph, pin.table, pin.slot, hop.site.holder, hop.callee.number)
    return replace(hop, evidence=found) if found else hop


def _gap(steps: Steps, source: int, target: int) -> Frontier:
    """The frontier of the first leg that cannot be made."""
    stops = [source, *steps.rules.via, target]
    for passed, (start, end) in enumerate(pairwise(stops)):
        found = frontier(steps.functions, start, end, passed)
        if not found.callbacks:
            return found
    return found

