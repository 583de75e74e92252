import itertools
import random
from pathlib import Path

import pytest

from kgraph.errors import LookupFailed
from kgraph.graph import CallGraph
from kgraph.model.resolution import EdgeKind, Role
from kgraph.model.results import PathAnswer
from kgraph.query import PathQuestion, find_callees, find_callers, find_function, find_paths
from kgraph.query.ops import find_bindings
from kgraph.query.paths.constraints import PathConstraints
from kgraph.query.paths.costs import HOP, hop_cost
from kgraph.query.paths.question import MAX_OTHERS
from kgraph.query.paths.search import PathSearch, get_visit_key
from kgraph.query.paths.state_space import State, StateSpace
from kgraph.query.paths.ways import WaySearch
from kgraph.store.arrays import FLAG_INDIRECT
from tests.support.tiny import Tiny


def names(answer: PathAnswer) -> list[list[str]]:
    return [[str(path.hops[0].caller), *(str(hop.callee) for hop in path.hops)]
            for path in answer.paths]


def make_search(graph: CallGraph, source: int, target: int) -> PathSearch:
    space = StateSpace(graph, PathConstraints())
    return PathSearch(space, space.make_start_state(source), target)


def ask(graph: CallGraph, caller: str, callee: str, **more: object) -> list[list[str]]:
    return names(find_paths(graph, PathQuestion(caller, callee, **more)))  # type: ignore[arg-type]


def test_a_choice_among_many_costs_more_than_direct_hops(tmp_path: Path) -> None:
    tiny = Tiny()
    tiny.calls("a", "b", *(f"driver{n}" for n in range(15)), slot=("ops", "run"))
    tiny.calls("a", "c1")
    tiny.calls("c1", "c2")
    tiny.calls("c2", "b")
    graph = tiny.graph(tmp_path)
    assert ask(graph, "a", "b") == [["a", "c1", "c2", "b"]]  # the choice is worth three hops more
    first, second = find_paths(graph, PathQuestion("a", "b", count=2)).paths
    assert (len(first.hops), second.hops[0].candidates) == (3, 16)
    assert ask(graph, "a", "b", max_hops=2) == [["a", "b"]]


def test_costs_grow_with_candidates_and_one_candidate_is_a_direct_call() -> None:
    costs = [hop_cost(width, FLAG_INDIRECT) for width in range(1, 40)]
    assert costs == sorted(set(costs))
    assert hop_cost(1, FLAG_INDIRECT) == hop_cost(1, 0) == HOP
    assert hop_cost(16, FLAG_INDIRECT) == 4 * HOP


def test_ties_prefer_the_same_folder_then_functions_with_few_callees(
    tmp_path: Path,
) -> None:
    tiny = Tiny(files={"a": "net/a/x.c", "far": "net/b/y.c", "thick": "net/a/x.c",
                       "thin": "net/a/x.c", "z": "net/a/x.c", "inline": "include/i.h"})
    tiny.calls("a", "inline")
    tiny.calls("inline", "far", "thick", "thin", slot=("ops", "run"))
    for name in ("far", "thick", "thin"):
        tiny.calls(name, "z")
    tiny.calls("thick", "other")
    graph = tiny.graph(tmp_path)
    found = ask(graph, "a", "z", count=3)
    assert [path[2] for path in found] == ["thin", "thick", "far"]


def test_via_is_ordered_and_avoid_is_avoided(tmp_path: Path) -> None:
    tiny = Tiny()
    for caller, callee in ("ab", "ac", "bd", "cd", "bc", "cb", "de"):
        tiny.calls(caller, callee)
    graph = tiny.graph(tmp_path)
    assert ask(graph, "a", "e", via=("b", "c")) == [["a", "b", "c", "d", "e"]]
    assert ask(graph, "a", "e", via=("c", "b")) == [["a", "c", "b", "d", "e"]]
    assert ask(graph, "a", "e", avoid=("b",)) == [["a", "c", "d", "e"]]
    assert ask(graph, "a", "e", via=("b",), avoid=("c", )) == [["a", "b", "d", "e"]]
    assert ask(graph, "a", "e", avoid=("d",)) == []


def forwarding(tmp_path: Path) -> CallGraph:
    """send and receive both hand a callback through two wrappers; so does done1, again."""
    tiny = Tiny()
    tiny.calls("send", "hook", hands={1: "done1"})
    tiny.calls("receive", "hook", hands={1: "done2"})
    tiny.calls("hook", "thresh", hands={0: 1})
    tiny.calls("thresh", "done1", "done2", "done3", parameter=0)
    tiny.calls("done1", "hook", hands={1: "done3"})
    tiny.calls("blind", "thresh")
    return tiny.graph(tmp_path)


def test_a_forwarded_callback_belongs_to_its_call_site(tmp_path: Path) -> None:
    graph = forwarding(tmp_path)
    assert ask(graph, "receive", "done2") == [["receive", "hook", "thresh", "done2"]]
    assert ask(graph, "receive", "done1") == []
    assert ask(graph, "send", "done2") == []
    gap = find_paths(graph, PathQuestion("send", "done2")).frontier
    assert gap is not None
    assert gap.is_connected
    assert not gap.by_type
    hops = find_paths(graph, PathQuestion("send", "done1")).paths[0].hops
    assert (hops[-1].candidates, hops[-1].kind) == (1, EdgeKind.CALLBACK)
    handed = [item.location for item in hops[-1].evidence]
    assert handed == [hop.site.location for hop in hops[:-1]]


def test_a_function_recurs_in_a_path_with_other_bindings(tmp_path: Path) -> None:
    graph = forwarding(tmp_path)
    assert ask(graph, "send", "done3") == [
        ["send", "hook", "thresh", "done1", "hook", "thresh", "done3"]
    ]


def test_an_unbound_parameter_has_all_candidates(tmp_path: Path) -> None:
    graph = forwarding(tmp_path)
    for callee in ("done1", "done2", "done3"):
        assert ask(graph, "blind", callee) == [["blind", "thresh", callee]]
    hop = find_paths(graph, PathQuestion("blind", "done2")).paths[0].hops[-1]
    assert hop.candidates == 3


def test_bind_leaves_one_candidate_to_a_slot_and_no_other(tmp_path: Path) -> None:
    tiny = Tiny()
    tiny.calls("a", "x", "y", slot=("ops", "run"))
    tiny.calls("a", "x", "z", slot=("ops", "stop"))
    for name in "xyz":
        tiny.calls(name, "end")
    graph = tiny.graph(tmp_path)
    assert ask(graph, "a", "end", bind=("ops.run=y",), avoid=("z", "x")) == [["a", "y", "end"]]
    through = find_paths(graph, PathQuestion("a", "x", bind=("ops.run=y",))).paths[0].hops[0]
    assert through.site.holder == "ops.stop"
    assert ask(graph, "a", "x", bind=("ops.run=y", "ops.stop=z")) == []
    with pytest.raises(LookupFailed, match=r"not a candidate of ops\.run") as raised:
        ask(graph, "a", "x", bind=("ops.run=z",))
    assert "x, y" in raised.value.hint
    with pytest.raises(LookupFailed, match="no call goes through"):
        ask(graph, "a", "x", bind=("ops.none=z",))


def test_paths_differ_in_functions_not_in_call_sites(tmp_path: Path) -> None:
    tiny = Tiny()
    tiny.calls("a", "b")
    tiny.calls("a", "b")
    tiny.calls("a", "b", "c", slot=("ops", "run"))
    tiny.calls("b", "z")
    tiny.calls("b", "z")
    graph = tiny.graph(tmp_path)
    answer = find_paths(graph, PathQuestion("a", "z", count=5))
    assert names(answer) == [["a", "b", "z"]]
    assert answer.others == 0
    assert len(answer.paths[0].hops[0].sites) == 2


@pytest.mark.parametrize(("paths", "count", "others", "at_least"), [
    (1, 1, 0, False), (2, 1, 1, False), (5, 1, 4, False), (5, 2, 3, False), (5, 9, 0, False),
    (MAX_OTHERS + 1, 1, MAX_OTHERS, False), (MAX_OTHERS + 2, 1, MAX_OTHERS, True),
    (60, 30, MAX_OTHERS, True),
])
def test_other_paths_are_counted_up_to_a_limit(
    tmp_path: Path, paths: int, count: int, others: int, at_least: bool
) -> None:
    tiny = Tiny()
    for number in range(paths):
        tiny.calls("a", f"b{number}")
        tiny.calls(f"b{number}", "z")
    answer = find_paths(tiny.graph(tmp_path), PathQuestion("a", "z", count=count))
    assert len(answer.paths) == min(paths, count)
    assert (answer.others, answer.others_at_least) == (others, at_least)


def test_as_many_other_paths_are_counted_as_can_be_found(mini: CallGraph) -> None:
    answer = find_paths(mini, PathQuestion("sock_sendmsg", "ip_send_skb"))
    asked = find_paths(mini, PathQuestion("sock_sendmsg", "ip_send_skb", count=MAX_OTHERS))
    assert answer.others == len(asked.paths) - 1 > 0
    assert not answer.others_at_least


def test_deferred_calls_can_be_left_out(tmp_path: Path) -> None:
    tiny = Tiny()
    tiny.calls("a", "b", slot=("work", "func"), kind=EdgeKind.DEFERRED)
    graph = tiny.graph(tmp_path)
    assert ask(graph, "a", "b") == [["a", "b"]]
    assert ask(graph, "a", "b", deferred=False) == []


def test_types_are_followed_only_on_request_and_make_the_answer_undecided(tmp_path: Path) -> None:
    tiny = Tiny(signatures={"b": "int (int)", "c": "int (int)"}, taken={"b"})
    tiny.calls("a", slot=("ops", "run"), signature="int (int)")
    tiny.calls("b", "end")
    tiny.calls("c", "other")
    graph = tiny.graph(tmp_path)
    gap = find_paths(graph, PathQuestion("a", "end")).frontier
    assert gap is not None
    assert gap.by_type
    assert [site.reason for site in gap.forward.unresolved] == ["lost"]
    answer = find_paths(graph, PathQuestion("a", "end", types=True))
    assert names(answer) == [["a", "b", "end"]]
    assert answer.paths[0].hops[0].kind is EdgeKind.TYPE
    gap = find_paths(graph, PathQuestion("a", "other")).frontier
    assert gap is not None
    assert not gap.by_type  # the address of c is never taken


def test_callers_and_callees_by_type_only_on_request(tmp_path: Path) -> None:
    tiny = Tiny(signatures={"b": "int (int)", "c": "int (int)"}, taken={"b"})
    tiny.calls("a", slot=("ops", "run"), signature="int (int)")
    tiny.calls("b", "end")
    tiny.calls("c", "b")
    graph = tiny.graph(tmp_path)
    start, taken = find_function(graph, "a"), find_function(graph, "b")
    assert find_callees(graph, start) == []
    found = find_callees(graph, start, depth=2, types=True)
    assert [(str(hop.callee), hop.kind) for hop in found] == [
        ("b", EdgeKind.TYPE), ("end", EdgeKind.DIRECT)
    ]
    assert [str(hop.caller) for hop in find_callers(graph, taken)] == ["c"]
    assert [(str(hop.caller), hop.kind) for hop in find_callers(graph, taken, types=True)] == [
        ("c", EdgeKind.DIRECT), ("a", EdgeKind.TYPE)
    ]


def test_a_call_of_unknown_type_never_allows_the_answer_no(tmp_path: Path) -> None:
    tiny = Tiny(signatures={"end": "void (void)"})
    tiny.calls("a", slot=("ops", "run"))
    gap = find_paths(tiny.graph(tmp_path), PathQuestion("a", "end")).frontier
    assert gap is not None
    assert gap.by_type


def test_the_frontier_shows_how_far_each_end_came(tmp_path: Path) -> None:
    tiny = Tiny()
    for caller, callee in ("ab", "bc", "yz", "xy"):
        tiny.calls(caller, callee)
    gap = find_paths(tiny.graph(tmp_path), PathQuestion("a", "z")).frontier
    assert gap is not None
    assert [str(function) for function in gap.forward.deepest] == ["c"]
    assert [str(function) for function in gap.backward.deepest] == ["x"]
    assert (gap.forward.functions, gap.backward.functions, gap.by_type) == (3, 3, False)


def test_the_frontier_is_of_the_leg_that_fails(tmp_path: Path) -> None:
    tiny = Tiny()
    for caller, callee in ("ab", "az", "bc"):
        tiny.calls(caller, callee)
    gap = find_paths(tiny.graph(tmp_path), PathQuestion("a", "z", via=("b",))).frontier
    assert gap is not None
    assert (str(gap.caller), str(gap.callee)) == ("b", "z")


def test_a_pinned_call_is_justified_by_the_pinned_table(mini: CallGraph) -> None:
    question = PathQuestion(
        "sock_sendmsg_nosec", "inet_sendmsg", bind=("socket.ops=inet_sockraw_ops",)
    )
    [path] = find_paths(mini, question).paths
    rows = [
        row for row in find_bindings(mini, "inet_sockraw_ops") if row.slot == "proto_ops.sendmsg"
    ]
    binding, install = path.hops[0].evidence
    assert (binding.role, binding.location) == (Role.BINDING, rows[0].location)
    assert binding.holder == "inet_sockraw_ops.sendmsg"
    assert install.role is Role.INSTALL
    assert install.location in {found.location for found in rows[0].installs}


def find_every_path(
    steps: StateSpace, start: int, end: int, max_hops: int
) -> dict[tuple[int, ...], int]:
    """Every path that visits nothing twice, by its functions: the cost of the cheapest of each."""
    every: dict[tuple[int, ...], int] = {}

    def walk(state: State, passed: list[State], cost: int) -> None:
        for step in steps.iter_steps(state):
            visited = [get_visit_key(other) for other in passed]
            if len(passed) > max_hops or get_visit_key(step.state) in visited:
                continue
            path = [*passed, step.state]
            if step.state.function == end:
                key = tuple(each.function for each in path)
                every[key] = min(every.get(key, 1 << 60), cost + step.cost)
            else:
                walk(step.state, path, cost + step.cost)

    walk(steps.make_start_state(start), [steps.make_start_state(start)], 0)
    return every


@pytest.mark.parametrize("seed", range(40))
def test_with_forwarded_callbacks_the_best_path_is_that_of_a_search_without_bounds(
    seed: int, tmp_path: Path
) -> None:
    chance = random.Random(seed)
    functions = [f"f{number}" for number in range(8)]
    tiny = Tiny()
    for caller in functions:
        for callee in chance.sample(functions, chance.randint(1, 3)):
            hands: dict[int, str | int] = {}
            if chance.random() < 0.5:
                hands[0] = chance.choice([0, *functions])
            tiny.calls(caller, callee, hands=hands)
        if chance.random() < 0.5:
            tiny.calls(caller, *chance.sample(functions, chance.randint(2, 5)), parameter=0)
    graph = tiny.graph(tmp_path)
    start, end = (find_function(graph, name).number for name in ("f0", "f7"))
    steps = StateSpace(graph, PathConstraints())
    every = find_every_path(steps, start, end, 6)
    search = PathSearch(steps, steps.make_start_state(start), end, max_hops=6)
    first = search.find_first()
    assert (first.cost if first else None) == min(every.values(), default=None)
    if first is None:
        return
    for way in WaySearch(search, first).iter_ways():
        assert every[way.functions()] <= way.cost
    # Without a limit of hops tails are kept, from one way to the next.
    search = PathSearch(steps, steps.make_start_state(start), end)
    assert search.find_first() == first
    for way in WaySearch(search, first).iter_ways():
        assert every.get(way.functions(), 0) <= way.cost


def test_no_search_goes_further_than_the_next_path_requires(tmp_path: Path) -> None:
    tiny = Tiny()
    for number in range(300):  # a ladder with a rung at each step, and much that leads nowhere
        tiny.calls(f"a{number}", f"a{number + 1}", f"b{number}", slot=("ops", "run"))
        tiny.calls(f"b{number}", f"a{number + 1}", *(f"x{number}_{n}" for n in range(9)),
                   slot=("ops", "stop"))
    graph = tiny.graph(tmp_path)
    ends = [find_function(graph, name).number for name in ("a0", "a300")]
    search = make_search(graph, *ends)
    first = search.find_first()
    assert first is not None
    assert len(first.steps) == 300
    before = search.measure_effort()
    assert len(list(itertools.islice(WaySearch(search, first).iter_ways(), 3))) == 3
    assert search.measure_effort() - before < 3 * before


def test_a_path_that_is_much_dearer_is_no_way(tmp_path: Path) -> None:
    for length, count in ((15, 2), (25, 1), (2000, 1)):
        tiny = Tiny()
        tiny.calls("a", "b")
        tiny.calls("b", "z")
        far = [f"x{number}" for number in range(length)]
        for caller, callee in itertools.pairwise(["a", *far, "z"]):
            tiny.calls(caller, callee)
        (folder := tmp_path / str(length)).mkdir()
        graph = tiny.graph(folder)
        answer = find_paths(graph, PathQuestion("a", "z"))
        assert (answer.others, answer.others_at_least) == (count - 1, count == 1)
        answer = find_paths(graph, PathQuestion("a", "z", count=2))
        assert len(answer.paths) == count


def test_no_path_is_found_quickly_if_the_caller_reaches_little(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny = Tiny()
    tiny.calls("leaf", "end")
    for number in range(2500):
        tiny.calls(f"caller{number // 100}", f"caller{number}")
    tiny.calls("caller2499", "z")
    graph = tiny.graph(tmp_path)
    ends = [find_function(graph, name).number for name in ("leaf", "z")]
    reversed_order = [find_function(graph, name).number for name in ("caller0", "end")]
    assert make_search(graph, *ends).measure_effort() < 1000
    assert make_search(graph, *ends).find_first() is None
    assert make_search(graph, *reversed_order).find_first() is None


def test_a_function_reaches_itself_where_it_recurs(tmp_path: Path) -> None:
    tiny = Tiny()
    tiny.calls("a", "b")
    tiny.calls("b", "a", "c", slot=("ops", "run"))
    graph = tiny.graph(tmp_path)
    assert ask(graph, "a", "a") == [["a", "b", "a"]]
    assert ask(graph, "c", "c") == []


@pytest.mark.parametrize("through", [None, ("ops", "run")])
def test_the_number_of_statements_does_not_depend_on_the_number_of_calls(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, through: tuple[str, str] | None
) -> None:
    asked = []
    for calls in (50, 900):
        tiny = Tiny()
        for _ in range(calls):
            tiny.calls("a", "b", slot=through)
        (folder := tmp_path / str(calls)).mkdir()
        graph = tiny.graph(folder)
        statements: list[str] = []
        graph.reader.connection.set_trace_callback(statements.append)
        [hop] = find_callers(graph, find_function(graph, "b"))
        assert len(hop.sites) == calls - 1
        assert find_callees(graph, find_function(graph, "a")) == [hop]
        asked.append(len(statements))
    assert asked[0] == asked[1]


def test_a_cost_limit_excludes_calls_through_an_unbound_parameter(tmp_path: Path) -> None:
    tiny = Tiny()
    tiny.calls("hook", *(f"done{number}" for number in range(99)), parameter=0)
    tiny.calls("done7", "z")
    graph = tiny.graph(tmp_path)
    hook, done, end = (find_function(graph, name).number for name in ("hook", "done7", "z"))
    steps = StateSpace(graph, PathConstraints())
    for start, found in ((State(hook, ((0, done),)), [2]), (State(hook), [])):
        search = PathSearch(steps, start, end, max_cost=4 * HOP)
        path = search.find_first()
        assert ([len(path.steps)] if path else []) == found
