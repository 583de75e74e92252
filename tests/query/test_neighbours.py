"""callers, callees, ops and site on mini-linux."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from kgraph.errors import LookupFailed
from kgraph.graph import CallGraph
from kgraph.indexing.index_tree import index_tree
from kgraph.indexing.write_index import IndexRequest
from kgraph.model.location import MAX_GUARDS, Guard
from kgraph.model.resolution import EdgeKind, SiteStatus
from kgraph.query import find_bindings, find_call_sites, find_callees, find_callers, find_function
from kgraph.query.neighbours import CalleeWalk
from kgraph.report.text import format_guards
from kgraph.store import IndexReader
from tests.support.tiny import Tiny


def test_callers_show_the_indirect_call_with_its_evidence(mini: CallGraph) -> None:
    [hop] = find_callers(mini, find_function(mini, "veth_xmit"))
    assert (str(hop.caller), hop.kind) == ("__netdev_start_xmit", EdgeKind.OPS)
    assert hop.site.holder == "net_device_ops.ndo_start_xmit"
    assert "drivers/net/veth.c" in {item.location.path for item in hop.evidence}


def test_callees_list_every_candidate_and_go_deeper(mini: CallGraph) -> None:
    function = find_function(mini, "inet_sendmsg")
    near = find_callees(mini, function)
    assert {str(hop.callee) for hop in near} >= {"raw_sendmsg", "udp_sendmsg", "tcp_sendmsg"}
    deep = find_callees(mini, function, depth=3)
    assert [hop.callee for hop in deep[: len(near)]] == [hop.callee for hop in near]
    assert "ip_push_pending_frames" in {str(hop.callee) for hop in deep}


def make_tree_of_calls(tmp_path: Path, width: int) -> CallGraph:
    tiny = Tiny()
    for number in range(width):
        tiny.calls("root", f"child{number}")
        tiny.calls(f"child{number}", f"leaf{number}")
        tiny.calls(f"leaf{number}", "root", f"leaf{number}", slot=("ops", "run"))
    (folder := tmp_path / str(width)).mkdir()
    return tiny.graph(folder)


def test_a_walk_gives_the_first_calls_before_it_reads_the_others(tmp_path: Path) -> None:
    graph = make_tree_of_calls(tmp_path, 400)
    walk = CalleeWalk(graph, find_function(graph, "root"), depth=9)
    statements: list[str] = []
    graph.reader.connection.set_trace_callback(statements.append)
    hops = iter(walk)
    for number in range(400):
        assert str(next(hops).callee) == f"child{number}"
    before = len(statements)
    assert before < 10
    callers = [str(hop.caller) for hop in hops]
    # Each function's calls once, although the leaves call themselves and the root.
    assert callers == [*(f"child{n}" for n in range(400)),
                       *(f"leaf{n}" for n in range(400) for _ in "ab")]
    assert walk.unfollowed == 0


def test_the_calls_of_many_functions_are_read_together(tmp_path: Path) -> None:
    graph = make_tree_of_calls(tmp_path, 400)
    statements: list[str] = []
    graph.reader.connection.set_trace_callback(statements.append)
    assert len(find_callees(graph, find_function(graph, "root"), depth=2)) == 800
    assert len(statements) < 30


def test_a_walk_counts_the_functions_that_it_does_not_follow(tmp_path: Path) -> None:
    graph = make_tree_of_calls(tmp_path, 7)
    for depth, unfollowed in ((1, 7), (2, 7), (3, 0)):
        walk = CalleeWalk(graph, find_function(graph, "root"), depth=depth)
        assert len(list(walk)) == 7 * min(depth, 2) + 14 * (depth == 3)
        assert walk.unfollowed == unfollowed


def test_candidates_of_a_wide_call_are_counted_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny = Tiny()
    tiny.calls("a", *(f"driver{n}" for n in range(200)), slot=("ops", "run"))
    graph = tiny.graph(tmp_path)
    counted: list[int] = []
    kind = CallGraph.kind
    monkeypatch.setattr(
        CallGraph, "kind", lambda graph, edge: (counted.append(edge), kind(graph, edge))[1])
    hops = find_callees(graph, find_function(graph, "a"))
    assert {hop.candidates for hop in hops} == {200}
    assert len(counted) < 10 * 200


def test_ops_knows_tables_structs_slots_functions(mini: CallGraph) -> None:
    rows = find_bindings(mini, "veth_netdev_ops")
    assert {str(row.bound.id) for row in rows} >= {"veth_xmit", "veth_open", "eth_mac_addr"}
    assert all(row.installs for row in rows)
    slot = find_bindings(mini, "net_device_ops.ndo_start_xmit")
    assert "veth_xmit" in {str(row.bound.id) for row in slot}
    assert set(slot) <= set(find_bindings(mini, "net_device_ops"))
    assert {row.slot for row in find_bindings(mini, "veth_xmit")} == {
        "net_device_ops.ndo_start_xmit"
    }
    with pytest.raises(LookupFailed):
        find_bindings(mini, "no_such_ops")


def test_site_shows_candidates_with_evidence(mini: CallGraph) -> None:
    [hop] = find_callers(mini, find_function(mini, "veth_xmit"))
    [answer] = [
        found for found in find_call_sites(mini, str(hop.site.location)) if found.site.holder
    ]
    assert answer.site.status is SiteStatus.RESOLVED
    assert len(answer.candidates) == hop.candidates
    assert all(candidate.evidence for candidate in answer.candidates)
    name = hop.site.location.path.rpartition("/")[2]
    assert find_call_sites(mini, f"{name}:{hop.site.location.line}")


@pytest.mark.parametrize(("place", "message"), [
    ("net/nosuch.c:3", "no file"), ("net/socket.c:1", "no call"),
])
def test_site_says_what_is_wrong(mini: CallGraph, place: str, message: str) -> None:
    with pytest.raises(LookupFailed, match=message) as raised:
        find_call_sites(mini, place)
    assert raised.value.hint


def test_ops_shows_a_table_as_an_argument_only_if_it_is_put_nowhere(tmp_path: Path) -> None:
    def installs(table: str) -> list[tuple[str, bool]]:
        return sorted((i.holder, i.is_argument) for i in find_bindings(graph, table)[0].installs)

    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "a.c").write_text("""
        struct ops { int (*run)(void); };
        int add(const struct ops *o);
        static int f(void) { return 1; }
        static const struct ops held = { f }, handed = { f };
        static const struct ops idle __attribute__((used)) = { f };
        static const struct ops *current = &held;
        int g(void) { return current->run() + add(&held) + add(&handed); }
    """)
    (tree / "compile_commands.json").write_text(
        '[{"directory": ".", "file": "a.c", "arguments": ["clang", "-c", "a.c"]}]')
    index_tree(IndexRequest(tree, index=tmp_path / "i.kgraph"))
    graph = CallGraph(IndexReader(tmp_path / "i.kgraph"))
    assert installs("held") == [("current", False)]
    assert installs("handed") == [("add(#0)", True)]
    assert installs("idle") == []
    graph.close()


def test_a_call_with_as_many_guards_as_are_kept_says_that_there_may_be_more(
    mini: CallGraph,
) -> None:
    known = mini.find_sites_of(find_function(mini, "sock_sendmsg").number)[0]
    guard = Guard(known.extent, True)
    texts = [
        list(format_guards(replace(known, guards=(guard,) * count), lambda _extent: "x"))
        for count in (MAX_GUARDS - 1, MAX_GUARDS)
    ]
    assert [len(lines) for lines in texts] == [MAX_GUARDS - 1, MAX_GUARDS + 1]
    assert "there may be more" in texts[1][0]
