"""A path question and its answer.

The evidence of an edge in the index is one of the ways in which a callback may arrive. In a
path it arrives through the path's own calls, so these are cited instead.
"""

from collections.abc import Sequence
from itertools import islice, pairwise
from typing import NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from kgraph.errors import LookupFailed
from kgraph.graph import CallGraph
from kgraph.logs import PackageLogger
from kgraph.model.document import Pin, Scenario
from kgraph.model.resolution import Evidence, Role
from kgraph.model.results import Contradiction, Frontier, Hop, Path, PathAnswer
from kgraph.query.lookup import find_function
from kgraph.query.paths.constants import Constants
from kgraph.query.paths.constraints import PathConstraints
from kgraph.query.paths.costs import HOP
from kgraph.query.paths.dispatch import Dispatch
from kgraph.query.paths.execution_context import ExecutionContext
from kgraph.query.paths.handed_sets import HandedSets
from kgraph.query.paths.handed_tables import HandedTables
from kgraph.query.paths.live_code import LiveCode
from kgraph.query.paths.no_path import explain_no_path
from kgraph.query.paths.object_tables import ObjectTables
from kgraph.query.paths.path_facts import PathRule
from kgraph.query.paths.search import PathSearch, StatePath
from kgraph.query.paths.state_space import StateSpace, Step
from kgraph.query.paths.ways import MARGIN, WaySearch
from kgraph.query.pins import find_table_evidence, parse_pin
from kgraph.query.scenarios import find_function_numbers, merge_site_pins, resolve_pins

_LOG = PackageLogger("kgraph.query")
MAX_OTHERS = 20
_TRIAL_EFFORT = 40_000  # calls and functions: less than a second
_FIRST_EFFORT = 80_000
_MOST_COST = 96 * HOP  # between two functions that a path is to pass; more leads anywhere
_WAYS_EFFORT = 200_000  # a few seconds
_COUNT_EFFORT = 1000  # less than starting costs


class PathQuestion(Struct, frozen=True):
    """How does `caller` reach `callee`? Names are as you write them.

    The path passes `via` in this order and none of `avoid`. `bind` are pins ("SLOT=TARGET"); they
    beat the pins of `scenario` where both concern a call, as `via` replaces the scenario's.
    `count` ways are wanted, of at most `max_hops` hops. `count_others`: count those that are left.
    `prune` leaves out paths that contradict themselves (path_facts.py).
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
    prune: bool = True

    def collect_pins(self) -> tuple[Pin, ...]:
        """The pins of the question: those given with it, then those of its scenario."""
        scenario = self.scenario.pins if self.scenario is not None else ()
        return (*map(parse_pin, self.bind), *scenario)


def find_paths(graph: CallGraph, question: PathQuestion) -> PathAnswer:
    """The best path and further ways (see ways.py), or why there is none.

    The ways that are left are counted, up to MAX_OTHERS, fewer where they are hard to find. Raises
    LookupFailed for an unknown or ambiguous name, and for a pin that nothing supports.
    """
    search = make_search(graph, question)
    space, constraints = search.space, search.space.constraints
    first, loose, is_denied = find_first_path(graph, question, search)
    _LOG.debug(
        "%s to %s: first path after %d calls and functions; %d pinned sites, via %d, avoid %d",
        question.caller, question.callee, search.measure_effort(),
        len(constraints.pins), len(constraints.via), len(constraints.avoid))
    contradiction = None if loose is None else _find_cheaper_contradiction(search, loose, first)
    if first is None:
        frontier = _explain_failing_leg(space, find_function(graph, question.caller).number,
                                        find_function(graph, question.callee).number)
        if search.has_stopped and not is_denied:
            frontier = replace(frontier, stopped_after=search.measure_effort())
        return PathAnswer((), frontier=frontier, contradiction=contradiction)
    ways = WaySearch(search, first)
    search.allow_effort(_WAYS_EFFORT)
    paths = [first, *islice(ways.iter_ways(), question.count - 1)]
    others, are_all = _count_others(search, ways) if question.count_others else (0, True)
    _LOG.debug("%d ways and %d others after %d calls and functions",
               len(paths), others, search.measure_effort())
    shown = tuple(Path(make_hops(graph, path.steps, constraints)) for path in paths)
    return PathAnswer(
        shown, others=others, others_at_least=not are_all, contradiction=contradiction)


class FirstPath(NamedTuple):
    """The cheapest path of a question, and a cheaper one, `loose`, that rules refuse. `is_denied`:
    there is no path even without the rules.
    """

    path: StatePath | None
    loose: StatePath | None = None
    is_denied: bool = False


def find_first_path(graph: CallGraph, question: PathQuestion, search: PathSearch) -> FirstPath:
    """The cheapest path. What is much dearer than a path that the rules refuse is none: it leads
    through half the kernel to do the same. That there is none is quickly seen without the rules:
    there are fewer states.
    """
    if not _may_reach(search):
        return FirstPath(None, _find_loose(graph, question, None)[0])
    if question.max_hops is None and question.prune:
        search.limit_cost(_MOST_COST * (len(search.stops) - 1))
    search.allow_effort(_TRIAL_EFFORT)
    first = search.find_first()
    if first is not None:
        loose = _find_loose(graph, question, first.cost)[0] if search.space.refused else None
        if loose is not None and first.cost > 2 * loose.cost + MARGIN:
            search.has_stopped = True
            return FirstPath(None, loose)
        return FirstPath(first, loose if loose is None or loose.cost < first.cost else None)
    if not (search.has_stopped or search.space.refused):
        return FirstPath(None)
    loose, is_denied = _find_loose(graph, question, None)
    if is_denied or not search.has_stopped:
        return FirstPath(None, loose, is_denied)
    if loose is not None:
        search.limit_cost(2 * loose.cost + MARGIN)
    search.allow_effort(_FIRST_EFFORT)
    return FirstPath(search.find_first(), loose)


def _find_loose(
    graph: CallGraph, question: PathQuestion, max_cost: int | None
) -> tuple[StatePath | None, bool]:
    """(the cheapest path without the rules; whether there is none)."""
    loose = make_search(graph, replace(question, prune=False), max_cost=max_cost)
    found = loose.find_first()
    return found, found is None and not loose.has_stopped


def _may_reach(search: PathSearch) -> bool:
    """Whether the context that the path starts in lets it reach the first function to pass."""
    space = search.space
    if space.constraints.types:
        return True
    source, stop = search.stops[:2]
    return all(rule.may_reach(source, stop, space.adjacency.excluded_flags)
               for rule in space.facts.rules if isinstance(rule, ExecutionContext))


def make_search(
    graph: CallGraph, question: PathQuestion, *, max_cost: int | None = None
) -> PathSearch:
    """The search for the paths of a question. Raises LookupFailed as find_paths does."""
    source = find_function(graph, question.caller).number
    target = find_function(graph, question.callee).number
    constraints = _make_constraints(graph, question, source, target)
    if source in constraints.avoid or target in constraints.avoid:
        raise LookupFailed("an end of the path is among those to avoid", "leave one of them out")
    space = StateSpace(graph, constraints, make_rules(graph) if question.prune else ())
    return PathSearch(space, space.make_start_state(source), target,
                      max_hops=question.max_hops, max_cost=max_cost)


def _find_cheaper_contradiction(
    search: PathSearch, cheapest: StatePath, first: StatePath | None
) -> Contradiction | None:
    """Why the cheapest path is not the first."""
    if first is not None and cheapest.cost >= first.cost:
        return None
    found = find_contradiction(search.space, cheapest)
    if found is None or first is None:
        return found
    hop = found.hop.caller.number, found.hop.callee.number
    # Where the path that is shown makes this call, too, the remark would seem to be about it.
    return None if hop in pairwise(first.functions()) else found


def find_contradiction(space: StateSpace, path: StatePath) -> Contradiction | None:
    """Where the rules of a space refuse a path; None if they only make it dearer."""
    state = space.make_start_state(path.start.function)
    for number, step in enumerate(path.steps):
        following = next(
            (each for each in space.iter_steps(state)
             if (each.edge, each.state.function) == (step.edge, step.state.function)), None)
        if following is None:
            hops = make_hops(space.graph, path.steps, space.constraints)
            verdict = space.refused.get(-1 if step.edge is None else step.edge)
            return None if verdict is None else Contradiction(
                Path(hops), hops[number], verdict.refused, verdict.is_certain)
        state = following.state
    return None


def _count_others(search: PathSearch, ways: WaySearch) -> tuple[int, bool]:
    """(how many ways are left, as far as little effort shows; whether these are all)."""
    if search.has_stopped:
        return 0, False
    search.allow_effort(_COUNT_EFFORT)
    count = sum(1 for _ in islice(ways.iter_ways(), MAX_OTHERS + 1))
    return min(count, MAX_OTHERS), count <= MAX_OTHERS and ways.are_all


def make_rules(graph: CallGraph) -> tuple[PathRule, ...]:
    """The rules that refuse what contradicts the path before it."""
    return (ExecutionContext(graph), Dispatch(graph), ObjectTables(graph), Constants(graph),
            HandedSets(graph), HandedTables(graph), LiveCode(graph))


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


def _explain_failing_leg(space: StateSpace, source: int, target: int) -> Frontier:
    """The frontier of the first leg that has no path; if calls lead over all of them, of the first
    that is open.
    """
    stops = [source, *space.constraints.via, target]
    found: list[Frontier] = []
    for via_passed, (start, end) in enumerate(pairwise(stops)):
        found.append(explain_no_path(space.adjacency, start, end, via_passed))
        if not found[-1].is_connected:
            return found[-1]
    return next((leg for leg in found if leg.is_open), found[-1])


def make_hops(
    graph: CallGraph, steps: tuple[Step, ...], constraints: PathConstraints
) -> tuple[Hop, ...]:
    """The hops of the steps of a path. A call that a pin sends through one table is justified by
    that table.
    """
    return tuple(_make_hop(graph, steps[: count + 1], constraints) for count in range(len(steps)))


def _make_hop(graph: CallGraph, steps: tuple[Step, ...], constraints: PathConstraints) -> Hop:
    """The hop of the last of `steps`."""
    step = steps[-1]
    if step.edge is None:
        assert step.typed_site is not None
        return graph.hop_by_type(step.typed_site, step.state.function)
    hop = graph.hop(step.edge, step.width)
    forwarding = cite_forwarding_calls(graph, steps)
    if forwarding:
        return replace(hop, evidence=forwarding)
    via_passed = steps[-2].state.via_passed if len(steps) > 1 else 0
    return cite_pinned_table(graph, hop, constraints, via_passed)


def cite_forwarding_calls(graph: CallGraph, steps: Sequence[Step]) -> tuple[Evidence, ...]:
    """The calls among `steps` that hand on what the last of them calls, first to last. Empty if the
    last step is not a call through a parameter with a binding.
    """
    callee, parameter = steps[-1].state.function, _find_called_parameter(graph, steps[-1])
    citations: list[Evidence] = []
    for step in reversed(steps[:-1]):
        if parameter is None or dict(step.state.bindings).get(parameter) != callee:
            break
        assert step.edge is not None  # a call by type binds nothing
        site = graph.site_of(step.edge)
        function = graph.function(step.state.function)
        citations.append(
            Evidence(Role.ARGUMENT, graph.site(site).location, f"{function}(#{parameter})")
        )
        forwards = [each for each in graph.find_forwards(site) if each.parameter == parameter]
        own = [each.own_parameter for each in forwards if each.own_parameter is not None]
        is_origin = any(each.function == callee for each in forwards)
        parameter = None if is_origin else max(own, default=None)
    return tuple(reversed(citations))


def _find_called_parameter(graph: CallGraph, step: Step) -> int | None:
    """The parameter of its caller that a step calls."""
    return None if step.edge is None else graph.callbacks.get(graph.site_of(step.edge))


def cite_pinned_table(
    graph: CallGraph, hop: Hop, constraints: PathConstraints, via_passed: int = 0
) -> Hop:
    """The hop, justified by the table that a pin sends it through, if one does."""
    pin = constraints.find_table_pin(hop.site.number, via_passed)
    if pin is None or pin.table is None or not hop.site.holder:
        return hop
    found = find_table_evidence(graph, pin.table, pin.slot, hop.site.holder, hop.callee.number)
    found = graph.cite_nearest_install(found, hop.caller, hop.callee)
    return replace(hop, evidence=found) if found else hop
