"""Does a function call another: at one of its call sites, or with steps left out?

A gap is a path of few hops and few choices: what a writer leaves out, not whatever the graph
can reach. It is weighed by the cost of a path (see costs), without the choice at its last hop,
which the claim itself makes. Up to GAP it is a gap (sixteen direct calls, or four and one call
through a pointer with sixteen candidates), up to FAR nobody can tell, and beyond it the claim
is refuted.

The limits were measured on linux-4.6.2 (2,021 units) without any scenario: on 304 true claims,
made by leaving steps out of seven documented chains, and on 1,213 claims of a function that the
caller does not call.

    steps left out        1        2        3        4      another function: of the chains, of the
                                                             folder, of the kernel
    gap              88/88    80/82    64/72    55/62       0.21   0.09   0.05
    gap or far       88/88    82/82    72/72    62/62       0.46   0.26   0.15

(Some of the last are true, too: the graph has the path.) With the last choice counted, 86/88,
74/82, 57/72 and 49/62 of the true claims passed, and all others were refuted. Where the claimed
callee itself calls the caller, only what is NEAR is a gap: otherwise every cycle would make a
chain true whose lines were exchanged. Beyond NEAR nobody can tell as long as FEW_HOPS do:
dst_output() leads to ip_finish_output() by three hops, with a choice, and is called by it, too.
(Of 110 pairs of exchanged lines, 13 would stay open without that limit, through paths of five
to ten hops.)
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from kgraph.check.context import CheckContext
from kgraph.check.outcome import Outcome, Position
from kgraph.model.resolution import EdgeKind
from kgraph.model.results import Hop
from kgraph.model.verdicts import Verdict
from kgraph.query.paths.costs import ONE, choice_cost
from kgraph.query.paths.question import cite_pinned_table, make_hops
from kgraph.query.paths.search import PathSearch
from kgraph.query.paths.state_space import State, StateSpace, Step

NEAR = 6 * ONE
GAP = 16 * ONE
FAR = 28 * ONE
_MOST_COST = 40 * ONE
_MOST_TRIED = 6
FEW_HOPS = 4


@dataclass(frozen=True, slots=True)
class CallPath:
    """A way from a line's caller to a function: its hops, the state that it ends in, its cost
    (that of several hops without the choice at the last).
    """

    hops: tuple[Hop, ...]
    state: State
    cost: int


def describe_reverse_call(ground: CheckContext, standing: Position, callees: Sequence[int]) -> str:
    """That what a line claims to be called is what calls, in a sentence; "" where it is not, or
    where both may well come again.
    """
    if standing.is_macro:
        return ""
    callers = [state.function for state in standing.states]
    for callee in callees:
        here = Position(ground.states([ground.graph.function(callee)]))
        for call in find_single_hops(ground, ground.free, here, callers):
            hop = call.hops[0]
            if hop.kind is EdgeKind.CALLBACK or hop.site.number in ground.graph.forwards:
                continue  # what hands callbacks on comes several times on one way
            return f"{hop.caller} calls {hop.callee} ({hop.site.location})"
    return ""


def judge_long_path(way: CallPath, standing: Position) -> Outcome:
    """The verdict on a way of which nobody can tell whether the claim means it."""
    choices = ", ".join(
        f"{hop.candidates} at {hop.site.location}" for hop in way.hops[:-1] if hop.candidates > 1
    )
    said = f"only a long way leads there, by {' -> '.join(map(_callee, way.hops[:-1]))}"
    return Outcome(
        Verdict.UNDECIDED, f"{said}, with choices ({choices})" if choices else said,
        position=standing,
    )


def _callee(hop: Hop) -> str:
    return hop.callee.id.name


def find_single_hops(
    ground: CheckContext, steps: StateSpace, standing: Position, targets: Iterable[int]
) -> list[CallPath]:
    """The single hops from where a document stands to one of `targets`, cheapest first."""
    wanted, found = set(targets), []
    for state in standing.states:
        for step in steps.iter_steps(state):
            if step.state.function in wanted:
                hop = _hop(ground, steps, standing, step)
                if hop is not None:
                    found.append(CallPath((hop,), step.state, step.cost))
    return sorted(found, key=lambda call: (call.cost, call.hops[0].site.number))


def _hop(ground: CheckContext, steps: StateSpace, standing: Position, step: Step) -> Hop | None:
    """The record of a step, at one of the call sites that count."""
    if standing.sites is None:
        return make_hops(ground.graph, (step,), steps.constraints)[0]
    # The step stands for all edges of its kind between the two functions.
    graph = ground.graph
    for site in standing.sites:
        for edge in graph.edges_of(site):
            if graph.edge_callee[edge] == step.state.function:
                return cite_pinned_table(graph, graph.hop(edge, step.width), steps.constraints)
    return None


def find_path_with_gaps(
    ground: CheckContext, standing: Position, targets: Iterable[int]
) -> CallPath | None:
    """The cheapest way to one of `targets` that leaves steps out, one with the chain's claimed
    targets before others; None where there is none that is not beyond FAR.
    """
    wanted = list(targets)[:_MOST_TRIED]
    if ground.likely is not ground.pinned:
        way = _cheapest(ground, ground.likely, standing, wanted)
        if way is not None and way.cost <= GAP:
            return way
    return _cheapest(ground, ground.pinned, standing, wanted)


def _starts(ground: CheckContext, standing: Position) -> tuple[State, ...]:
    """Where ways begin: of a macro not in those that use it, but in what these uses call."""
    if not standing.is_macro:
        return standing.states
    callees = dict.fromkeys(
        callee for site in standing.sites or () for callee in ground.callees(site))
    return ground.states(map(ground.graph.function, callees))


def _cheapest(
    ground: CheckContext, steps: StateSpace, standing: Position, targets: Iterable[int]
) -> CallPath | None:
    best: CallPath | None = None
    starts = _starts(ground, standing)[:_MOST_TRIED]
    for target in targets:
        for state in starts:
            start = state._replace(via_passed=0)
            search = PathSearch(steps, state.function, target, most=_MOST_COST, start=start)
            way = next(search.iter_paths(), None)
            if way is None or way.cost > _MOST_COST:
                continue
            last = way.steps[-1]
            cost = way.cost - choice_cost(last.width)
            if cost <= FAR and (best is None or cost < best.cost):
                hops = make_hops(ground.graph, way.steps, steps.constraints)
                best = CallPath(hops, last.state, cost)
    return best
