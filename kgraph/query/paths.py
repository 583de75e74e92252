"""How one function reaches another."""

from dataclasses import dataclass, replace
from itertools import islice, pairwise

from kgraph.errors import LookupFailed
from kgraph.graph import CallGraph
from kgraph.model.answers import Frontier, Hop, Path, PathAnswer
from kgraph.query.frontier import frontier
from kgraph.query.handing import handed_on
from kgraph.query.names import find_function
from kgraph.query.search import Search, Way
from kgraph.query.steps import Rules, Step, Steps


@dataclass(frozen=True, slots=True)
class PathQuestion:
    """A question: names as a user writes them. `bind` are "SLOT=TARGET" texts; `count` how many
    paths to find; `max_hops` how long they may be, None for any length.
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


def find_paths(graph: CallGraph, question: PathQuestion) -> PathAnswer:
    """The best paths, all with different functions, best first; or why there is none.

    `others` of the answer is a lower bound: 1 where at least one more exists. Raises LookupFailed
    for an unknown or ambiguous name and for a binding that no call site has.
    """
    source = find_function(graph, question.caller).number
    target = find_function(graph, question.callee).number
    via = [find_function(graph, name).number for name in question.via]
    while via and via[0] == source:  # the ends are passed anyway
        via.pop(0)
    while via and via[-1] == target:
        via.pop()
    rules = Rules(
        via=tuple(via),
        avoid=frozenset(find_function(graph, name).number for name in question.avoid),
        pins=_pins(graph, question.bind),
        deferred=question.deferred,
        types=question.types,
    )
    if source in rules.avoid or target in rules.avoid:
        raise LookupFailed("an end of the path is among those to avoid", "leave one of them out")
    steps = Steps(graph, rules)
    search = Search(steps, source, target, question.max_hops)
    ways = list(islice(search.ways(), question.count))
    if not ways:
        return PathAnswer((), frontier=_gap(steps, source, target))
    more = len(ways) == question.count and search.more()
    return PathAnswer(tuple(_path(graph, way) for way in ways), others=int(more))


def _path(graph: CallGraph, way: Way) -> Path:
    return Path(way_hops(graph, way.steps))


def way_hops(graph: CallGraph, steps: tuple[Step, ...]) -> tuple[Hop, ...]:
    """The records of the steps of a way."""
    return tuple(_hop(graph, steps[: count + 1]) for count in range(len(steps)))


def _hop(graph: CallGraph, steps: tuple[Step, ...]) -> Hop:
    """The record of the last of `steps`."""
    step = steps[-1]
    if step.edge < 0:
        return graph.hop_by_type(-1 - step.edge, step.state.function)
    hop = graph.hop(step.edge, step.width)
    handed = handed_on(graph, steps)
    return replace(hop, evidence=handed) if handed else hop


def _gap(steps: Steps, source: int, target: int) -> Frontier:
    """The frontier of the first leg that cannot be made."""
    stops = [source, *steps.rules.via, target]
    for start, end in pairwise(stops):
        found = frontier(steps, start, end)
        if not found.callbacks:
            return found
    return found


def _pins(graph: CallGraph, bind: tuple[str, ...]) -> dict[int, int]:
    """The only callee of each call site that a SLOT=TARGET names."""
    pins: dict[int, int] = {}
    for text in bind:
        slot, _, name = text.partition("=")
        if not slot.strip() or not name.strip():
            raise LookupFailed(f"`{text}` is no binding", "write it as SLOT=TARGET")
        target = find_function(graph, name.strip())
        sites = graph.sites_through(slot.strip())
        if not sites:
            raise LookupFailed(
                f"no call goes through `{slot.strip()}`", "`kgraph ops FUNCTION` names its slots"
            )
        callees = {graph.edge_callee[edge] for site in sites for edge in graph.edges_of(site)}
        if target.number not in callees:
            names = ", ".join(sorted({graph.function(number).id.name for number in callees})[:12])
            raise LookupFailed(
                f"`{target}` is no candidate of {slot.strip()}",
                f"its candidates are {names}" if names else "it has no candidates",
            )
        pins.update(dict.fromkeys(sites, target.number))
    return pins
