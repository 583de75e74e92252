"""Does a function call another: at one of its call sites, or with steps left out?

A gap is a way of few hops and few choices: what a writer leaves out, not whatever the graph can
reach. Its limit is the cost of a path (see costs): sixteen direct calls, or four and one call
through a pointer with sixteen candidates.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from kgraph.model.answers import Hop
from kgraph.query.checking.ground import Ground, Standing
from kgraph.query.costs import ONE
from kgraph.query.paths import under_pins, way_hops
from kgraph.query.search import Search
from kgraph.query.steps import State, Step, Steps

MOST_COST = 16 * ONE
_MOST_TRIED = 6


@dataclass(frozen=True, slots=True)
class Call:
    """A way from a line's caller to a function: its hops and the state that it ends in."""

    hops: tuple[Hop, ...]
    state: State
    cost: int


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
    targets before others; None where there is none.
    """
    wanted = list(targets)[:_MOST_TRIED]
    if ground.likely is not ground.pinned:
        way = _cheapest(ground, ground.likely, standing, wanted)
        if way is not None:
            return way
    return _cheapest(ground, ground.pinned, standing, wanted)


def _cheapest(
    ground: Ground, steps: Steps, standing: Standing, targets: Iterable[int]
) -> Call | None:
    best: Call | None = None
    starts = standing.states[:_MOST_TRIED]
    for target in targets:
        for state in starts:
            start = state._replace(passed=0)
            search = Search(steps, state.function, target, most=MOST_COST, start=start)
            way = next(search.ways(), None)
            if way is not None and way.cost <= MOST_COST and (best is None or way.cost < best.cost):
                hops = way_hops(ground.graph, way.steps, steps.rules)
                best = Call(hops, way.steps[-1].state, way.cost)
    return best
