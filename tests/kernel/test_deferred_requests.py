"""On real linux-4.6.2: what is asked to be run later has its callees, and only those.

The index is the one of the documented chains; what is no 4.6.2 with VETH is skipped aloud.
"""

import pytest

from kgraph.graph import CallGraph
from kgraph.model.resolution import EdgeKind
from kgraph.query.lookup import find_function
from kgraph.query.neighbours import find_callees

pytestmark = pytest.mark.kernel


@pytest.mark.parametrize("kind", ["irq", "rcu", "softirq", "tasklet", "timer", "wait", "work"])
def test_most_requests_have_a_callee(graph: CallGraph, kind: str) -> None:
    found = graph.reader.coverage.deferred[kind]
    assert found["resolved"] >= 0.8 * found["requests"], found
    assert found["requests"] == found["resolved"] + sum(found["without"].values())


@pytest.mark.parametrize(("caller", "key", "there", "never"), [
    ("____napi_schedule", "softirq 3", "net_rx_action", "blk_done_softirq"),
    ("sock_def_readable", "wait socket_wq.wait", "ep_poll_callback", "wake_bit_function"),
    ("sock_def_readable", "wait socket_wq.wait", "receiver_wake_function", "wake_bit_function"),
    ("ip_rcv", "netfilter 2 0", "ipv4_conntrack_in", "ipv4_conntrack_local"),
    ("raw_send_hdrinc", "netfilter 2 3", "ipv4_conntrack_local", "ipv4_conntrack_in"),
])
def test_a_request_reaches_what_is_registered_under_its_key(
    graph: CallGraph, caller: str, key: str, there: str, never: str
) -> None:
    hops = find_callees(graph, find_function(graph, caller))
    later = {hop.callee.id.name for hop in hops
             if hop.kind is EdgeKind.DEFERRED and hop.evidence[0].holder == key}
    assert there in later
    assert never not in later
