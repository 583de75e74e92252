"""A path question and its answer.

The evidence of an edge in the index is one of the ways in which a callback may arrive. In a
path it arrives through the path's own calls, so these are cited instead.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice, pairwise

from msgspec.structs import replace

from kgraph.errors import LookupFailed
from kgraph.graph import CallGraph
from kgraph.model.document import Pin, Scenario
from kgraph.model.resolution import Evidence, Role
from kgraph.model.results import Frontier, Hop, Path, PathAnswer
from kgraph.query.lookup import find_function
from kgraph.query.paths.constraints import PathConstraints
from kgraph.query.paths.count import count_other_paths
from kgraph.query.paths.no_path import explain_no_path
from kgraph.query.paths.search import PathSearch
from kgraph.query.paths.state_space import StateSpace, Step
from kgraph.query.pins import find_table_evidence, parse_pin
from kgraph.query.scenarios import find_function_numbers, merge_site_pins, resolve_pins


def cite_forwarding_calls(graph: CallGraph, steps: Sequence[Step]) -> tuple[Evidence, ...]:
    """The calls among `steps` that hand on what the last of them calls, first to last.

    Empty where the last step is no call through a parameter, or that parameter is not bound.
    """
    site = graph.site_of(steps[-1].edge) if steps[-1].edge >= 0 else -1
    callee = steps[-1].state.function
    parameter = graph.callbacks.get(site, -1)
    citations: list[Evidence] = []
    for step in reversed(steps[:-1]):
        if parameter < 0 or dict(step.state.bindings).get(parameter) != callee:
            break
        caller = graph.site_of(step.edge)
        function = graph.function(step.state.function)
        citations.append(
            Evidence(Role.ARGUMENT, graph.site(caller).location, f"{function}(#{parameter})")
        )
        values = [value for number, value in graph.forwards[caller] if number == parameter]
        parameter = -1 if callee in values else max((-1 - value for value in values), default=-1)
    return tuple(reversed(citations))


MAX_OTHERS = 20
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
    count_others: bool = True

    def collect_pins(self) -> tuple[Pin, ...]:
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
    rules = _make_constraints(graph, question, source, target)
    if source in rules.avoid or target in rules.avoid:
        raise LookupFailed("an end of the path is among those to avoid", "leave one of them out")
    steps = StateSpace(graph, rules)
    search = PathSearch(steps, source, target, question.max_hops)
    ways = list(islice(search.iter_paths(), question.count))
    if not ways:
        return PathAnswer((), frontier=_explain_failing_leg(steps, source, target))
    others, every = 0, True
    if question.count_others:
        others, every = count_other_paths(search, ways, MAX_OTHERS, _EFFORT)
    paths = tuple(Path(make_hops(graph, way.steps, rules)) for way in ways)
    return PathAnswer(paths, others=others, others_at_least=not every)


def _make_constraints(
    graph: CallGraph, question: PathQuestion, source: int, target: int
) -> PathConstraints:
    scenario = question.scenario or Scenario()
    names = question.via or scenario.via
    via = list(find_function_numbers(graph, names))
    while via and via[0] == source:  # the ends are passed anyway
        via.pop(0)
        names = names[1:]
    while via and via[-1] == target:
        via.pop()
        names = names[:-1]
    stops = (question.caller, *names, question.callee)
    own = resolve_pins(graph, map(parse_pin, question.bind), stops)
    return PathConstraints(
        via=tuple(via),
        avoid=frozenset(find_function_numbers(graph, (*question.avoid, *scenario.avoid))),
        pins=merge_site_pins(own, resolve_pins(graph, scenario.pins, stops)),
        deferred=question.deferred,
        types=question.types,
    )


def make_hops(graph: CallGraph, steps: tuple[Step, ...], rules: PathConstraints) -> tuple[Hop, ...]:
    """The records of the steps of a way. The evidence of a call that a pin leaves one table for is
    of that table.
    """
    return tuple(_make_hop(graph, steps[: count + 1], rules) for count in range(len(steps)))


def _make_hop(graph: CallGraph, steps: tuple[Step, ...], rules: PathConstraints) -> Hop:
    """The record of the last of `steps`."""
    step = steps[-1]
    if step.edge < 0:
        return graph.hop_by_type(-1 - step.edge, step.state.function)
    hop = graph.hop(step.edge, step.width)
    handed = cite_forwarding_calls(graph, steps)
    if handed:
        return replace(hop, evidence=handed)
    return cite_pinned_table(graph, hop, rules, steps[-2].state.via_passed if len(steps) > 1 else 0)


def cite_pinned_table(graph: CallGraph, hop: Hop, rules: PathConstraints, passed: int = 0) -> Hop:
    """The hop with the evidence of the table that a pin says it goes through, if one does."""
    pin = rules.find_table_pin(hop.site.number, passed)
    if pin is None or not hop.site.holder:
        return hop
    found = find_table_evidence(graph, pin.table, pin.slot, hop.site.holder, hop.callee.number)
    return replace(hop, evidence=found) if found else hop


def _explain_failing_leg(steps: StateSpace, source: int, target: int) -> Frontier:
    """The frontier of the first leg that cannot be made."""
    stops = [source, *steps.constraints.via, target]
    for passed, (start, end) in enumerate(pairwise(stops)):
        found = explain_no_path(steps.adjacency, start, end, passed)
        if not found.callbacks:
            return found
    return found
