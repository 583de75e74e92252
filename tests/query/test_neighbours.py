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
from kgraph.report.text import format_guards
from kgraph.store import IndexReader


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
    ("net/socket.c", "not a place"), ("net/nosuch.c:3", "no file"), ("net/socket.c:1", "no call"),
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
