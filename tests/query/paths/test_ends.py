"""Ends of a path that are several functions."""

from pathlib import Path

import pytest

from kgraph import api
from kgraph.errors import LookupFailed
from kgraph.graph import CallGraph
from kgraph.query.paths.ends import find_end
from tests.support.tiny import Tiny


def ask(graph: CallGraph, caller: str, callee: str, count: int = 1) -> list[tuple[str, str]]:
    """The ends of the paths."""
    result = api.path(graph, api.PathQuestion(caller, callee, count=count))
    return [(str(path.hops[0].caller), str(path.hops[-1].callee)) for path in result.answer.paths]


@pytest.fixture
def graph(tmp_path: Path) -> CallGraph:
    tiny = Tiny()
    tiny.files = {"far": "b/b.c", "near": "b/b.c", "sys_one": "s.c", "sys_two": "s.c"}
    tiny.calls("start", "middle")
    tiny.calls("start", "near")
    tiny.calls("middle", "far")
    tiny.calls("sys_one", "start")
    tiny.calls("sys_two", "middle")
    tiny.calls("lonely", "elsewhere")
    return tiny.graph(tmp_path)


def test_a_file_a_folder_and_a_pattern(graph: CallGraph) -> None:
    for end in ("b/b.c", "b.c", "b/", "*ar"):
        assert ask(graph, "start", end) == [("start", "near")], end
        assert ask(graph, "start", end, 2) == [("start", "near"), ("start", "far")], end
    assert ask(graph, "*i*", "far") == [("middle", "far")]
    assert set(ask(graph, "s.c", "b/b.c", 5)) == {("sys_one", "near"), ("sys_two", "far")}


def test_all_system_calls(graph: CallGraph) -> None:
    assert ask(graph, "syscall:*", "far", 5) == [("sys_two", "far"), ("sys_one", "far")]
    assert ask(graph, "syscall:two", "far") == [("sys_two", "far")]


def test_slots_and_tables(mini: CallGraph) -> None:
    for end in ("net_device_ops.ndo_start_xmit", "veth_netdev_ops"):
        end_functions = find_end(mini, end)
        assert end_functions is not None
        [(first, last)] = ask(mini, "SyS_sendto", end)
        assert first == "SyS_sendto"
        assert last in {str(each) for each in end_functions.functions}
    remarks = api.path(mini, api.PathQuestion("SyS_sendto", "veth_netdev_ops")).remarks
    assert remarks[0].startswith("`veth_netdev_ops` means ")


def test_without_a_path_it_says_why(graph: CallGraph) -> None:
    result = api.path(graph, api.PathQuestion("lonely", "b/b.c"))
    assert result.answer.paths == ()
    assert result.answer.frontier is not None
    with pytest.raises(LookupFailed, match="means no function"):
        ask(graph, "start", "zzz*")
    assert find_end(graph, "start") is None
    assert find_end(graph, "b/b.c:near") is None
