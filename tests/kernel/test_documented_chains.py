"""On real linux-4.6.2: the hops of the documented chains; each rests on the lines it cites.

The tree has to be 4.6.2 with VETH in its configuration; anything else is skipped aloud.
"""

import re
from pathlib import Path

import pytest

from kgraph.graph import CallGraph
from kgraph.indexing.index_tree import IndexSummary
from kgraph.model.results import Hop
from kgraph.query import PathQuestion, find_paths
from kgraph.query.lookup import find_function
from kgraph.query.neighbours import find_callees, find_callers
from kgraph.store import IndexReader
from tests.support.tree_state import index_parts, linked_copy

pytestmark = pytest.mark.kernel
WAY = ("raw_sendmsg", "ip_push_pending_frames", "neigh_resolve_output")
SENDTO = """
SyS_sendto SYSC_sendto net/socket.c:1616
SYSC_sendto sock_sendmsg net/socket.c:1648
sock_sendmsg sock_sendmsg_nosec net/socket.c:622
sock_sendmsg_nosec inet_sendmsg net/socket.c:612 proto_ops.sendmsg
inet_sendmsg raw_sendmsg net/ipv4/af_inet.c:740 proto.sendmsg
raw_sendmsg ip_push_pending_frames net/ipv4/raw.c:655
ip_push_pending_frames ip_send_skb net/ipv4/ip_output.c:1460
ip_send_skb ip_local_out net/ipv4/ip_output.c:1440
ip_local_out dst_output net/ipv4/ip_output.c:112
dst_output ip_output include/net/dst.h:504 dst_entry.output
ip_output NF_HOOK_COND net/ipv4/ip_output.c:355
NF_HOOK_COND ip_finish_output include/linux/netfilter.h:233
ip_finish_output ip_finish_output2 net/ipv4/ip_output.c:281
ip_finish_output2 dst_neigh_output net/ipv4/ip_output.c:206
dst_neigh_output neigh_resolve_output include/net/dst.h:467 neighbour.output
neigh_resolve_output dev_queue_xmit net/core/neighbour.c:1311
dev_queue_xmit __dev_queue_xmit net/core/dev.c:3392
__dev_queue_xmit dev_hard_start_xmit net/core/dev.c:3358
dev_hard_start_xmit xmit_one net/core/dev.c:2887
xmit_one netdev_start_xmit net/core/dev.c:2871
netdev_start_xmit __netdev_start_xmit include/linux/netdevice.h:3937
__netdev_start_xmit veth_xmit include/linux/netdevice.h:3928 net_device_ops.ndo_start_xmit
"""
RECEIVE = """
veth_xmit dev_forward_skb drivers/net/veth.c:122
dev_forward_skb netif_rx_internal net/core/dev.c:1803
netif_rx_internal enqueue_to_backlog net/core/dev.c:3766
enqueue_to_backlog ____napi_schedule net/core/dev.c:3723
"""
CLONE = """
SyS_clone SYSC_clone kernel/fork.c:1834
SYSC_clone _do_fork kernel/fork.c:1840
_do_fork copy_process kernel/fork.c:1731
copy_process copy_namespaces kernel/fork.c:1459
copy_namespaces create_new_namespaces kernel/nsproxy.c:164
create_new_namespaces copy_net_ns kernel/nsproxy.c:106
copy_net_ns setup_net net/core/net_namespace.c:367
"""


def written(hop: Hop) -> str:
    """A hop as the lists above have it; the slot only where a table or pointer is behind it."""
    slot = f" {hop.site.holder}" if hop.kind in ("ops", "pointer") else ""
    return f"{hop.caller.id} {hop.callee.id} {hop.site.location}{slot}"


def lines(text: str) -> list[str]:
    return text.strip().split("\n")


def test_every_unit_parses(summary: IndexSummary) -> None:
    assert summary.failed_units == ()
    assert summary.units_with_errors == ()
    assert summary.coverage.units == 801


@pytest.mark.parametrize(("caller", "callee", "via", "expected"), [
    ("SyS_sendto", "veth_xmit", WAY, SENDTO),
    ("veth_xmit", "____napi_schedule", (), RECEIVE),
    ("SyS_clone", "setup_net", (), CLONE),
])
def test_documented_hops(
    graph: CallGraph, caller: str, callee: str, via: tuple[str, ...], expected: str
) -> None:
    answer = find_paths(graph, PathQuestion(caller, callee, via=via))
    assert [written(hop) for hop in answer.paths[0].hops] == lines(expected)


def test_every_citation_can_be_opened(graph: CallGraph, tree: Path) -> None:
    """The cited line holds the called name, the called field, or the macro that hides the call."""
    answer = find_paths(graph, PathQuestion("SyS_sendto", "veth_xmit", via=WAY))
    for hop in answer.paths[0].hops:
        place = hop.site.location
        text = (tree / place.path).read_text("utf-8", "replace").split("\n")[place.line - 1]
        seen = hop.site.macro or re.split(r"->|\.", hop.site.expression)[-1]
        assert seen in text, f"{place}: {text}"
        for evidence in hop.evidence:
            file = tree / evidence.location.path
            assert evidence.location.line <= len(file.read_text("utf-8", "replace").split("\n"))


def test_callees_and_callers(graph: CallGraph) -> None:
    protocols = [hop for hop in find_callees(graph, find_function(graph, "inet_sendmsg"))
                 if str(hop.site.holder) == "proto.sendmsg"]
    assert len({hop.callee.id.name for hop in protocols}) == 7
    reached = list(find_callers(graph, find_function(graph, "veth_xmit")))
    assert {str(hop.site.location) for hop in reached} >= {"include/linux/netdevice.h:3928"}


# What one indirect hop of the chain rests on: the file and the line's text, the hop, what else
# has to be read. Each line is deleted in a copy of the tree, all of its occurrences at once.
RESTS_ON = [
    ("drivers/net/veth.c", r"\.ndo_start_xmit\s+= veth_xmit,", "__netdev_start_xmit", "veth_xmit",
     ("net/core/dev.c",)),
    ("drivers/net/veth.c", r"dev->netdev_ops = &veth_netdev_ops;", "__netdev_start_xmit",
     "veth_xmit", ("net/core/dev.c",)),
    ("net/ipv4/raw.c", r"\.sendmsg\s+= raw_sendmsg,", "inet_sendmsg", "raw_sendmsg",
     ("net/ipv4/af_inet.c",)),
    ("net/ipv4/af_inet.c", r"\.prot =\s+&raw_prot,", "inet_sendmsg", "raw_sendmsg",
     ("net/ipv4/raw.c", "net/core/sock.c")),
    ("net/ipv4/af_inet.c", r"\.sendmsg\s+= inet_sendmsg,", "sock_sendmsg_nosec", "inet_sendmsg",
     ("net/socket.c",)),
    ("net/ipv4/arp.c", r"\.(?:connected_)?output =\s+neigh_resolve_output,", "dst_neigh_output",
     "neigh_resolve_output", ("net/core/neighbour.c", "net/ipv4/ip_output.c")),
    ("net/ipv4/route.c", r"(?:rth|rt)->dst\.output = ip_output;", "dst_output", "ip_output",
     ("net/ipv4/ip_output.c",)),
    ("net/bridge/br_if.c", r"netdev_rx_handler_register\(dev, br_handle_frame, p\)",
     "__netif_receive_skb_core", "br_handle_frame", ("net/core/dev.c", "net/bridge/br_input.c")),
]


@pytest.fixture(scope="module")
def copy(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tree again, of hard links where that is possible."""
    target = tmp_path_factory.mktemp("shadow") / "linux"

    linked_copy(tree, target)
    return target


def candidates(index: Path, caller: str, callee: str) -> list[str]:
    """The evidence of each edge between two functions."""
    graph = CallGraph(IndexReader(index))
    found = [str(hop.evidence) for function in graph.find_functions(caller)
             for hop in find_callees(graph, function) if hop.callee.id.name == callee]
    graph.close()
    return sorted(found)


@pytest.mark.parametrize(("path", "pattern", "caller", "callee", "others"), RESTS_ON)
def test_a_hop_rests_on_the_lines_it_cites(
    copy: Path, tmp_path_factory: pytest.TempPathFactory, path: str, pattern: str, caller: str,
    callee: str, others: tuple[str, ...],
) -> None:
    folder = tmp_path_factory.getbasetemp() / "mutations"
    folder.mkdir(exist_ok=True)
    only = (path, *others)
    file = copy / path
    whole = file.read_text()
    before = candidates(index_parts(copy, folder, only).index, caller, callee)
    assert before, f"{caller} -> {callee} is not there to begin with"
    assert re.search(pattern, whole), f"{path} has no line {pattern}"
    try:
        file.unlink()  # a hard link of the real tree's file
        file.write_text(re.sub(pattern, lambda found: "0;" if found[0].endswith(";") else (
            "0" if found[0].endswith(")") else ""), whole))
        after = candidates(index_parts(copy, folder, only).index, caller, callee)
    finally:
        file.unlink()
        file.write_text(whole)
    assert after != before
