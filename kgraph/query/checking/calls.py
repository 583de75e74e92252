"""Does a function call another: at one of its call sites, or with steps left out?

A gap is a way of few hops and few choices: what a writer leaves out, not whatever the graph can
reach. It is weighed by the cost of a path (see costs), without the choice at its last hop, which
the claim itself makes: up to GAP it is a gap (sixteen direct calls, or four and one call through a
pointer with sixteen candidates), up to FAR nobody can tell, and beyond it the claim is refuted.

The limits were measured on linux-4.6.2 (2,021 units) without any scenario: 304 true claims, made by
leaving steps out of seven documented chains, and 1,213 of a function that the caller does not call.

    steps left out        1        2        3        4      another function: of the chains, of the
                                                             folder, of the kernel
    gap              88/88    80/82    64/72    55/62       0.21   0.09   0.05
    gap or far       88/88    82/82    72/72    62/62       0.46   0.26   0.15

(Some of the last are true too: the graph has the way that is said.) With the last choice counted,
as it was before, 86/88, 74/82, 57/72, 49/62 of the true ones passed, and all others were refuted.
Where the claimed callee itself calls the caller, only what is NEAR is a gap: else every cycle would
make a chain true whose lines were exchanged. Beyond it, nobody can tell as long as FEW_HOPS do:
dst_output() leads to ip_finish_output() by three, with a choice, and is called by it, too. (Of 110
pairs of lines that were exchanged, 13 would be left open without that limit, of ways of five to
ten hops.)
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from kgraph.model.answers import Hop
from kgraph.model.documents import Verdict
from kgraph.model.edges import EdgeKind
from kgraph.query.checking.ground import Ground, Standing
from kgraph.query.checking.outcome import Outcome
from kgraph.query.costs import ONE, choice_cost
from kgraph.query.paths import under_pins, way_hops
from kgraph.query.search import Search
from kgraph.query.steps import State, Step, Steps

NEAR = 6 * ONE
GAP = 16 * ONE
FAR = 28 * ONE
_MOST_COST = 40 * ONE
_MOST_TRIED = 6
FEW_HOPS = 4


@dataclass(frozen=True, slots=True)
class Call:
    """A way from a line's caller to a function: its hops, the state that it ends in, its cost
    (that of several hops without the choice at the last).
    """

    hops: tuple[Hop, ...]
    state: State
    cost: int


def other_way_round(ground: Ground, standing: Standing, callees: Sequence[int]) -> str:
    """That what a line claims to be called is what calls, in a sentence; "" where it is not, or
    where both may well come again.
    """
    if standing.users:
        return ""
    callers = [state.function for state in standing.states]
    for callee in callees:
        here = Standing(ground.states([ground.graph.function(callee)]))
        for call in single_calls(ground, ground.free, here, callers):
            hop = call.hops[0]
            if hop.kind is EdgeKind.CALLBACK or hop.site.number in ground.graph.forwards:
                continue  # what hands callbacks on comes several times on one way
            return f"{hop.caller} calls {hop.callee} ({hop.site.location})"
    return ""


def far(way: Call, standing: Standing) -> Outcome:
    """The verdict on a way of which nobody can tell whether the claim means it."""
    choices = ", ".join(
        f"{hop.candidates} at {hop.site.location}" for hop in way.hops[:-1] if hop.candidates > 1
    )
    said = f"only a long way leads there, by {' -> '.join(map(_callee, way.hops[:-1]))}"
    return Outcome(
        Verdict.UNDECIDED, f"{said}, with choices ({choices})" if choices else said,
        standing=standing,
    )


def _callee(hop: Hop) -> str:
    return hop.callee.id.name


def single_calls(
    ground: Ground, steps: Steps, standing: Standing, targets: Iterable[int]
) -> list[Call]:
    """The single hops from where a document stands to one of `targets`, cheapest first."""
    wanted, found = set(targets), []
    for state in standing.states:
        for step in steps.after(state):
            if step.state.function in wanted:
                hop = _hop(ground, steps, standing, step)
                if hop is not None:
                    found.append(Call((hop,), step.state, step.cost))
    return sorted(found, key=lambda call: (call.cost, call.hops[0].site.number))


def _hop(ground: Ground, steps: Steps, standing: Standing, step: Step) -> Hop | None:
    """The record of a step, at one of the call sites that count."""
    if standing.sites is None:
        return way_hops(ground.graph, (step,), steps.rules)[0]
    # The step stands for all edges of its kind between the two functions.
    graph = ground.graph
    for site in standing.sites:
        for edge in graph.edges_of(site):
            if graph.edge_callee[edge] == step.state.function:
                return under_pins(graph, graph.hop(edge, step.width), steps.rules)
    return None


def calls_with_gaps(ground: Ground, standing: Standing, targets: Iterable[int]) -> Call | None:
    """The cheapest way to one of `targets` that leaves steps out, one with the chain's claimed
    targets before others; None where there is none that is not beyond FAR.
    """
    wanted = list(targets)[:_MOST_TRIED]
    if ground.likely is not ground.pinned:
        way = _cheapest(ground, ground.likely, standing, wanted)
        if way is not None and way.cost <= GAP:
            return way
    return _cheapest(ground, ground.pinned, standing, wanted)


def _starts(ground: Ground, standing: Standing) -> tuple[State, ...]:
    """Where ways begin: of a macro not in those that use it, but in what these uses call."""
    if not standing.users:
        return standing.states
    callees = dict.fromkeys(
        callee for site in standing.sites or () for callee in ground.callees(site))
    return ground.states(map(ground.graph.function, callees))


def _cheapest(
    ground: Ground, steps: Steps, standing: Standing, targets: Iterable[int]
) -> Call | None:
    best: Call | None = None
    starts = _starts(ground, standing)[:_MOST_TRIED]
    for target in targets:
        for state in starts:
            start = state._replace(passed=0)
            search = Search(steps, state.function, target, most=_MOST_COST, start=start)
            way = next(search.ways(), None)
            if way is None or way.cost > _MOST_COST:
                continue
            last = way.steps[-1]
            cost = way.cost - choice_cost(last.width)
            if cost <= FAR and (best is None or cost < best.cost):
                hops = way_hops(ground.graph, way.steps, steps.rules)
                best = Call(hops, last.state, cost)
    return best
