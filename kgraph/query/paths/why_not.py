"""Why a path is not shown: what it contradicts, or what makes it dearer.

A path that no rule prunes is replayed hop by hop under the rules. Where a rule refuses a hop, that
is the contradiction.
"""

from collections.abc import Iterable

from msgspec.structs import replace

from kgraph.graph import CallGraph
from kgraph.model.results import DearHop, Hop, Path, WhyNot
from kgraph.query.lookup import find_function
from kgraph.query.paths.costs import HOP
from kgraph.query.paths.question import (
    PathQuestion,
    find_contradiction,
    find_first_path,
    make_hops,
    make_search,
)
from kgraph.query.paths.search import StatePath

_MAX_LISTED = 4
_CHEAP = HOP // 2  # beyond a hop; less is not worth a word


def explain_absence(graph: CallGraph, question: PathQuestion, function: str) -> WhyNot:
    """Why the first path of a question does not pass a function."""
    wanted = find_function(graph, function)
    shown = find_first_path(graph, question, make_search(graph, question)).path
    if shown is not None and wanted.number in shown.functions():
        return WhyNot(wanted, is_passed=True)
    allowed = None if shown is None else _find_cheapest_through(graph, question, function)
    found = allowed or _find_cheapest_through(graph, replace(question, prune=False), function)
    if found is None:
        return WhyNot(wanted)
    search = make_search(graph, question)
    hops = make_hops(graph, found.steps, search.space.constraints)
    if allowed is None:
        contradiction = find_contradiction(search.space, found)
        return WhyNot(wanted, path=Path(hops), contradiction=contradiction)
    more = 0 if shown is None else allowed.cost - shown.cost
    passed = () if shown is None else shown.functions()
    return WhyNot(wanted, path=Path(hops), more_hops=round(more / HOP, 1),
                  dear=tuple(_list_dear_hops(allowed, hops, passed)))


def _find_cheapest_through(
    graph: CallGraph, question: PathQuestion, function: str
) -> StatePath | None:
    """The cheapest path that passes a function, anywhere among the functions to pass."""
    scenario = question.scenario
    via = question.via or (scenario.via if scenario is not None else ())
    passing = [replace(question, via=(*via[:place], function, *via[place:]))
               for place in range(len(via) + 1)]
    paths = (find_first_path(graph, each, make_search(graph, each)).path for each in passing)
    return min((path for path in paths if path is not None), key=lambda path: path.cost,
               default=None)


def _list_dear_hops(path: StatePath, hops: Iterable[Hop], passed: Iterable[int]) -> list[DearHop]:
    """The hops of a path that cost most, among those to functions that the shown one does not
    pass; in their order.
    """
    known = set(passed)
    priced = [(step.cost, number, hop)
              for number, (step, hop) in enumerate(zip(path.steps, hops, strict=True))
              if step.state.function not in known and step.cost >= HOP + _CHEAP]
    dearest = sorted(priced, key=lambda item: -item[0])[:_MAX_LISTED]
    return [DearHop(hop, round(cost / HOP, 1))
            for cost, _, hop in sorted(dearest, key=lambda item: item[1])]
