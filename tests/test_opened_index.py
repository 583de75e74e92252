"""kgraph.Index: what Python users get."""

import doctest
import pydoc
from collections.abc import Iterator
from pathlib import Path

import networkx
import pytest

import kgraph
from kgraph.api import opened_index
from kgraph.graph import CallGraph
from kgraph.model.results import Finding
from tests.support.tiny import Tiny


@pytest.fixture(scope="module")
def index(mini_index: Path) -> Iterator[kgraph.Index]:
    with kgraph.open_index(mini_index) as opened:
        yield opened


def test_the_examples_are_true(index: kgraph.Index) -> None:
    result = doctest.testmod(opened_index, extraglobs={"index": index})
    assert result.attempted >= 16
    assert result.failed == 0


def test_the_package_shows_what_it_has() -> None:
    assert {"Index", "open_index", "KgraphError", "LookupFailed", "api"} <= set(dir(kgraph))
    assert set(kgraph.api.__all__) <= set(dir(kgraph.api))
    shown = pydoc.plain(pydoc.render_doc(kgraph))
    assert "open_index" in shown
    assert "reachable(self, caller: str, callee: str" in shown


def test_every_question_says_what_it_takes_and_has_an_example() -> None:
    methods = [value for name, value in vars(kgraph.Index).items()
               if callable(value) and not name.startswith("_") and name != "close"]
    assert len(methods) > 12
    for method in methods:
        assert ">>>" in method.__doc__, method


def test_reaching_tells_proved_none_from_could_not_tell(tmp_path: Path) -> None:
    tiny = Tiny(signatures={"late": "int (int)", "far": "void (void)"}, taken={"late"})
    tiny.calls("start", "middle")
    tiny.calls("middle", slot=("ops", "run"), signature="int (int)")
    index = kgraph.Index(tiny.graph(tmp_path))
    assert index.reachable("start", "middle")
    assert index.reachable("start", "late").finding is Finding.OPEN
    assert index.reachable("middle", "start").finding is Finding.NONE
    assert not index.reachable("start", "late")


def test_reached_is_what_networkx_reaches(index: kgraph.Index) -> None:
    whole = index.to_networkx()
    lengths = networkx.single_source_shortest_path_length(whole, "SyS_sendto")
    reached = index.reached("SyS_sendto")
    distances = sorted(each.distance for each in reached)
    assert distances == sorted(lengths.values())
    assert [each.distance for each in reached] == distances
    above = index.reached("veth_xmit", upwards=True, depth=3)
    assert len(above) == len(
        networkx.single_source_shortest_path_length(whole.reverse(), "veth_xmit", 3))


def test_the_arrays_are_the_graph(index: kgraph.Index) -> None:
    calls, graph = index.arrays(), index.graph
    assert len(calls) == len(graph)
    for number in range(len(graph)):
        assert sorted(set(calls.callees_of(number))) == graph.callees_of(number)
        assert sorted(set(calls.callers_of(number))) == graph.callers_of(number)
    assert sorted(calls.iter_pairs()) == sorted(
        (caller, callee) for caller in range(len(graph)) for callee in calls.callees_of(caller))


def test_what_lies_between_is_on_a_short_way(index: kgraph.Index) -> None:
    whole = index.to_networkx()
    for depth in (None, 16):
        part = index.to_networkx(between=("sock_sendmsg", "veth_xmit"), depth=depth)
        most = depth or networkx.shortest_path_length(whole, "sock_sendmsg", "veth_xmit")
        there = networkx.single_source_shortest_path_length(whole, "sock_sendmsg")
        back = networkx.single_source_shortest_path_length(whole.reverse(), "veth_xmit")
        assert set(part) == {name for name, length in there.items()
                             if length + back.get(name, most + 1) <= most}
    with pytest.raises(kgraph.LookupFailed, match="no way of at most 2 calls"):
        index.to_networkx(between=("sock_sendmsg", "veth_xmit"), depth=2)


def test_every_path_passes_what_is_required(index: kgraph.Index) -> None:
    required = [str(each.function) for each in index.required("SyS_sendto", "veth_xmit").functions]
    assert required[0] == "SyS_sendto"
    assert required[-1] == "veth_xmit"
    assert "__netdev_start_xmit" in required
    result = index.paths("SyS_sendto", "veth_xmit", count=8)
    assert len(result.answer.paths) > 1
    for path in result.answer.paths:
        passed = ["SyS_sendto", *(str(hop.callee) for hop in path.hops)]
        assert [name for name in passed if name in required] == required


def diamond() -> Tiny:
    tiny = Tiny(signatures={"end": "int (int)"})
    tiny.calls("start", "gate")
    tiny.calls("gate", "left", "right", slot=("ops", "run"))
    tiny.calls("left", "end")
    tiny.calls("right", "end")
    return tiny


def name_required(graph: CallGraph, **constraints: object) -> list[tuple[str, bool]]:
    found = kgraph.Index(graph).required("start", "end", **constraints)  # type: ignore[arg-type]
    return [(str(each.function), each.is_certain) for each in found.functions]


def test_a_choice_is_not_required_unless_the_other_is_avoided(tmp_path: Path) -> None:
    graph = diamond().graph(tmp_path)
    assert name_required(graph) == [("start", True), ("gate", True), ("end", True)]
    assert ("right", True) in name_required(graph, avoid=("left",))


def test_an_unresolved_call_might_lead_around(tmp_path: Path) -> None:
    tiny = diamond()
    tiny.taken.add("end")
    tiny.calls("start", slot=("other", "run"), signature="int (int)")
    assert name_required(tiny.graph(tmp_path)) == [
        ("start", True), ("gate", False), ("end", True)]


def test_without_any_way_the_frontier_says_why(tmp_path: Path) -> None:
    graph = diamond().graph(tmp_path)
    found = kgraph.Index(graph).required("end", "start")
    assert not found.functions
    assert found.frontier is not None
    assert not found.frontier.is_open


def test_a_function_passes_itself(tmp_path: Path) -> None:
    found = kgraph.Index(diamond().graph(tmp_path)).required("gate", "gate")
    assert [str(each.function) for each in found.functions] == ["gate"]


def test_paths_are_a_graph(index: kgraph.Index) -> None:
    result = index.paths("SyS_sendto", "veth_xmit", count=3)
    network = index.paths_to_networkx(result)
    whole = index.to_networkx()
    assert set(network) <= set(whole)
    for caller, callee, data in network.edges(data=True):
        assert any(data["line"] == other["line"]
                   for other in whole.get_edge_data(caller, callee).values())


@pytest.mark.parametrize(("arguments", "status", "said"), [
    (("SyS_sendto", "veth_xmit"), 0, "__netdev_start_xmit (include/linux/netdevice.h:"),
    (("veth_xmit", "SyS_sendto"), 1, "no path from veth_xmit to SyS_sendto"),
    (("SyS_sendto", "veth_xmit", "--via", "raw_sendmsg"), 2, "--must goes with"),
    (("SyS_sendto", "veth_xmit", "--format", "dot"), 2, "cannot be given with"),
])
def test_must_on_the_command_line(
    kgraph, mini_index: Path, arguments: tuple[str, ...], status: int, said: str
) -> None:
    answer = kgraph("path", *arguments, "--must", "--index", mini_index)
    assert answer.returncode == status
    assert said in answer.stdout + answer.stderr
