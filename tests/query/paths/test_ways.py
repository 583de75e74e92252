"""Further ways: what makes them different, that they are the cheapest, and the bound on effort."""

import itertools
import random
from array import array
from pathlib import Path

import networkx
import pytest

from kgraph.graph import CallGraph
from kgraph.model.resolution import EdgeKind
from kgraph.model.results import PathAnswer
from kgraph.query import PathQuestion, find_function, find_paths
from kgraph.query.paths import question as path_question
from kgraph.query.paths import search as path_search
from kgraph.query.paths.constraints import PathConstraints
from kgraph.query.paths.costs import HOP
from kgraph.query.paths.search import PathSearch, StatePath
from kgraph.query.paths.state_space import StateSpace
from kgraph.query.paths.ways import DETOUR, MARGIN, WaySearch
from kgraph.report.text import format_frontier, format_other_paths
from tests.support.tiny import Tiny


def ask(graph: CallGraph, caller: str, callee: str, count: int = 9) -> list[list[str]]:
    answer = find_paths(graph, PathQuestion(caller, callee, count=count))
    return [[str(hop.callee) for hop in path.hops[:-1]] for path in answer.paths]


def find_ways(graph: CallGraph, source: str, target: str) -> list[StatePath]:
    space = StateSpace(graph, PathConstraints())
    start, end = (find_function(graph, name).number for name in (source, target))
    search = PathSearch(space, space.make_start_state(start), end)
    first = search.find_first()
    return [] if first is None else [first, *WaySearch(search, first).iter_ways()]


def test_a_choice_that_was_shown_is_not_shown_again_with_another_wrapper(tmp_path: Path) -> None:
    tiny = Tiny()
    for number in range(4):
        tiny.calls("read", f"wrap{number}")
        tiny.calls(f"wrap{number}", "dispatch")
    tiny.calls("dispatch", "fat", "ext", slot=("ops", "read"))
    for name in ("fat", "ext"):
        tiny.calls(name, "submit")
    # Each wrapper and both candidates are passed once, not each with each; candidates first.
    ways = ask(tiny.graph(tmp_path), "read", "submit")
    assert len(ways) == 5
    assert {way[-1] for way in ways[:2]} == {"fat", "ext"}
    assert [way[0] for way in ways[:2]] == ["wrap0", "wrap0"]
    assert {way[0] for way in ways[2:]} == {"wrap1", "wrap2", "wrap3"}


@pytest.mark.parametrize("turn", ["candidate", "deferred", "folder", "row"])
def test_ways_with_a_turn_come_before_cheaper_detours(tmp_path: Path, turn: str) -> None:
    tiny = Tiny(files={"turn": "b/b.c"} if turn == "folder" else {})
    tiny.calls("a", "first")
    tiny.calls("a", "wrapper")
    tiny.calls("first", "z")
    tiny.calls("wrapper", "z")
    if turn == "candidate":
        tiny.calls("a", "turn", "other", slot=("ops", "run"))
    elif turn == "deferred":
        tiny.calls("a", "turn", slot=("work", "func"), kind=EdgeKind.DEFERRED)
    elif turn == "row":
        tiny.calls("a", "x1")
        tiny.calls("x1", "x2")
        tiny.calls("x2", "turn")
    else:
        tiny.calls("a", "turn")
    tiny.calls("turn", "y")
    tiny.calls("y", "z")
    first, second, third = ask(tiny.graph(tmp_path), "a", "z")
    assert "turn" in second
    assert {*first, *third} == {"first", "wrapper"}


def test_a_detour_is_a_way_once_others_are_much_dearer(tmp_path: Path) -> None:
    tiny = Tiny()
    for name in ("first", "wrapper"):
        tiny.calls("a", name)
        tiny.calls(name, "z")
    far = [f"x{number}" for number in range(2 * DETOUR // HOP)]
    for caller, callee in itertools.pairwise(["a", *far, "z"]):
        tiny.calls(caller, callee)
    assert [len(way) for way in ask(tiny.graph(tmp_path), "a", "z")] == [1, 1, len(far)]


def test_a_diagnostic_helper_is_passed_once_however_many_call_it(tmp_path: Path) -> None:
    tiny = Tiny(files={"print": "printk/printk.c"})
    names = ["a", *(f"step{number}" for number in range(6)), "z"]
    for caller, callee in itertools.pairwise(names):
        tiny.calls(caller, callee)
        tiny.calls(caller, "print")
    flush = [f"flush{number}" for number in range(9)]
    for caller, callee in itertools.pairwise(["print", *flush, "z"]):
        tiny.calls(caller, callee)
    assert sum("print" in way for way in ask(tiny.graph(tmp_path), "a", "z")) == 1


@pytest.mark.parametrize("seed", range(60))
def test_ways_are_the_cheapest_over_each_call_that_differ(seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)
    functions = [f"f{number}" for number in range(12)]
    tiny = Tiny(files={name: f"{chance.choice('ab')}/x.c" for name in functions})
    between = chance.sample(functions[1:-1], chance.randint(1, 5))
    chain = set(itertools.pairwise(["f0", *between, "f11"]))  # there is always a way
    for caller in functions:
        drawn = chance.sample(functions, chance.randint(0, 3))
        for callee in functions:
            if callee != caller and (callee in drawn or (caller, callee) in chain):
                others = [f"x{n}" for n in range(chance.choice([0, 0, 1, 3]))]
                tiny.calls(caller, callee, *others, slot=("ops", "run") if others else None)
    graph = tiny.graph(tmp_path)
    # Prices without ties, so that there is one cheapest path.
    graph.__dict__["hop_cost"] = array("I", (
        HOP + chance.randrange(4 * HOP) for _ in graph.hop_cost))
    steps = StateSpace(graph, PathConstraints())
    oracle = networkx.DiGraph()
    for function in range(len(graph)):
        for step in steps.iter_steps(steps.make_start_state(function)):
            known = oracle.get_edge_data(function, step.state.function, {"weight": 1 << 60})
            if step.cost < known["weight"]:
                oracle.add_edge(
                    function, step.state.function, weight=step.cost, is_choice=step.width > 1)
    ends = [function.number for name in ("f0", "f11") for function in graph.find_functions(name)]
    ways = find_ways(graph, "f0", "f11")
    shortest = next(networkx.shortest_simple_paths(oracle, *ends, weight="weight"))
    assert ways[0].functions() == tuple(shortest)
    for way in ways:
        assert way.cost == networkx.path_weight(oracle, way.functions(), "weight")
        assert len(set(way.functions())) == len(way.functions())
    assert [way.functions() for way in ways] == list(_iter_expected(graph, oracle, *ends))


def _iter_expected(
    graph: CallGraph, oracle: "networkx.DiGraph[int]", source: int, target: int
) -> "itertools.Iterator[tuple[int, ...]]":
    """The ways by networkx: the cheapest path over each edge, and the rule of ways.py."""
    onward = [edge for edge in oracle.edges if edge[0] != target]  # a path ends at its target
    before = networkx.single_source_dijkstra_path(oracle.edge_subgraph(onward), source)
    after = networkx.single_source_dijkstra_path(oracle.reverse(), target)
    found = {
        (*before[caller], *reversed(after[callee])) for caller, callee in oracle.edges
        if caller in before and callee in after and caller != target}
    most = 2 * networkx.dijkstra_path_length(oracle, source, target) + MARGIN
    paths = {path for path in found if len(set(path)) == len(path)
             and networkx.path_weight(oracle, path, "weight") <= most}

    def rate(path: tuple[int, ...]) -> int:
        row = 0
        for caller, callee in itertools.pairwise(path):
            is_new = caller not in last_callers if callee == target else callee not in passed
            row = row + 1 if is_new else 0
            if is_new and ((row == 3 and callee != target) or graph.folder[callee] not in folders
                           or oracle.edges[caller, callee]["is_choice"]):
                return 0
        return DETOUR

    passed: set[int] = set()
    last_callers: set[int] = set()
    folders: set[int] = set()
    while paths:
        best = min(paths, key=lambda path: (
            networkx.path_weight(oracle, path, "weight") + rate(path)))
        yield best
        passed.update(best)
        last_callers.add(best[-2])
        folders.update(graph.folder[function] for function in best)
        paths = {path for path in paths
                 if not passed.issuperset(path) or path[-2] not in last_callers}


def make_maze(tmp_path: Path) -> CallGraph:
    """Layers where each function calls each of the next, and all calls back to the first layer; an
    end that is reached only by a callback which none of them hands on.
    """
    tiny = Tiny()
    tiny.calls("a", "hook", hands={0: "done"})
    tiny.calls("a", "f0_0")
    for layer in range(30):
        for number in range(6):
            for callee in range(6):
                tiny.calls(f"f{layer}_{number}", f"f{layer + 1}_{callee}")
            tiny.calls(f"f{layer}_{number}", "f0_0")
    tiny.calls("f30_0", "hook", hands={0: "never"})
    tiny.calls("hook", "done", "never", parameter=0)
    tiny.calls("done", "z")
    return tiny.graph(tmp_path)


def test_that_there_is_no_further_way_is_found_without_walking_each_path(tmp_path: Path) -> None:
    graph = make_maze(tmp_path)
    space = StateSpace(graph, PathConstraints())
    start, end = (find_function(graph, name).number for name in ("a", "z"))
    search = PathSearch(space, space.make_start_state(start), end)
    first = search.find_first()
    assert first is not None
    assert list(WaySearch(search, first).iter_ways()) == []
    assert not search.has_stopped
    assert search.measure_effort() < 10 * len(graph.hop_callee)


@pytest.mark.parametrize("count", [2, 1000])
def test_a_search_that_is_stopped_shows_what_it_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    graph = make_maze(tmp_path)
    monkeypatch.setattr(path_question, "_WAYS_EFFORT", 500)
    answer = find_paths(graph, PathQuestion("a", "z", count=count))
    assert len(answer.paths) == 1
    assert answer.others_at_least
    assert format_other_paths(answer, count) == "1 way shown; there may be more"


def test_a_path_that_was_not_found_when_the_search_stopped_is_not_denied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    graph = make_maze(tmp_path)
    # Few states are left without the rules, so this is known although the first search stopped.
    monkeypatch.setattr(path_question, "_TRIAL_EFFORT", 500)
    assert _explain(find_paths(graph, PathQuestion("f0_0", "z")))[0] == "no path from f0_0 to z"
    monkeypatch.setattr(path_question, "_FIRST_EFFORT", 200)
    monkeypatch.setattr(path_search, "MAX_EFFORT", 500)
    answer = find_paths(graph, PathQuestion("f0_0", "z"))
    assert answer.frontier is not None
    assert answer.frontier.is_open
    after = answer.frontier.stopped_after
    assert 700 < after < 900
    assert _explain(answer)[0] == (
        f"no path found from f0_0 to z: stopped looking after {after} calls")


def test_a_search_goes_on_where_it_was_stopped(tmp_path: Path) -> None:
    graph = make_maze(tmp_path)
    space = StateSpace(graph, PathConstraints())
    start, end = (find_function(graph, name).number for name in ("a", "f30_0"))
    search = PathSearch(space, space.make_start_state(start), end)
    stops = 0
    search.allow_effort(20)
    while (path := search.find_first()) is None:
        assert search.has_stopped
        stops += 1
        search.allow_effort(20)
    assert stops > 5
    assert len(path.steps) == 31


def _explain(answer: PathAnswer) -> list[str]:
    assert answer.frontier is not None
    return list(format_frontier(answer.frontier))
