"""On real linux-4.6.2: the queries that come with kgraph hold, and so does a written chain.

The index is the one of the documented chains; what is no 4.6.2 with VETH is skipped aloud.
"""

import pytest

from kgraph.check.document.parser import parse_document
from kgraph.check.document.query_files import read_shipped_queries
from kgraph.check.document.subjects import build_query_document
from kgraph.check.walk import check_document
from kgraph.graph import CallGraph, SourceText
from kgraph.model.verdicts import CitationVerdict, Verdict
from kgraph.query import PathQuestion, find_bindings, find_paths
from kgraph.query.scenarios import restrict_scenario

pytestmark = pytest.mark.kernel
WRONG = {Verdict.REFUTED, Verdict.CONTRADICTS, Verdict.UNDECIDED, Verdict.UNREAD, Verdict.GAP}
QUERIES = {query.name: query for query in read_shipped_queries()}
# Lines that are one or two past the call, as return addresses are, and one wrong target.
NOTES = r"""
dev_queue_xmit(skb) (linux-4.6.2\net\core\dev.c:3394)
|-__dev_queue_xmit(skb, NULL) (net/core/dev.c:3360)
  |-dev_hard_start_xmit(skb, dev, txq, &rc) (net/core/dev.c:2888)
    |-xmit_one() (net/core/dev.c:2871)
      |-netdev_start_xmit() (include/linux/netdevice.h:3937)
        |-__netdev_start_xmit() (include/linux/netdevice.h:3928)
          |-ops->ndo_start_xmit(skb, dev)  // i.e. loopback_xmit

struct net_device_ops veth_netdev_ops = {
    .ndo_start_xmit = veth_xmit,
}
"""


@pytest.mark.parametrize("name", sorted(QUERIES))
def test_every_line_of_a_query_holds(graph: CallGraph, name: str) -> None:
    query = QUERIES[name]
    checked = check_document(graph, build_query_document(query), query.scenario)
    wrong = [
        f"{line.line.number}: {line.verdict}: {line.line.text}: {line.note}"
        for line in checked.lines if line.verdict in WRONG
    ]
    assert wrong == []


@pytest.mark.parametrize("name", sorted(QUERIES))
def test_the_way_of_a_query_is_found_under_its_scenario(
    graph: CallGraph, name: str
) -> None:
    query = QUERIES[name]
    scenario = restrict_scenario(query, query.caller, query.callee)
    question = PathQuestion(query.caller, query.callee, scenario=scenario)
    [path] = find_paths(graph, question).paths
    passed = [hop.callee.id.name for hop in path.hops]
    claimed = [line.claim.name for line in build_query_document(query).lines if line.claim.name]
    assert set(query.scenario.via) <= {query.caller, *passed}
    missing = [name for name in passed if name not in claimed]
    assert len(missing) <= len(passed) // 2, missing


def test_near_lines_and_a_wrong_target_are_found(graph: CallGraph) -> None:
    checked = check_document(graph, parse_document("notes.txt", NOTES.encode()))
    lines = {line.line.claim.name: line for line in checked.lines}
    for name, right in (("dev_queue_xmit", 3392), ("__dev_queue_xmit", 3358),
                        ("dev_hard_start_xmit", 2887)):
        found = lines[name]
        assert found.citation is CitationVerdict.NEAR
        assert found.found is not None
        assert found.found.line == right
    verdicts = [line.verdict for line in checked.lines]
    assert verdicts.count(Verdict.CONTRADICTS) == 1
    assert Verdict.REFUTED not in verdicts


@pytest.mark.parametrize(("text", "verdict"), [
    ("open_softirq(NET_RX_SOFTIRQ, net_rx_action)", Verdict.HOLDS),
    ("net_dev_init()\n|-open_softirq(NET_TX_SOFTIRQ, net_rx_action)", Verdict.REFUTED),
    ("module_init(veth_init)", Verdict.HOLDS), ("module_init(veth_xmit)", Verdict.REFUTED),
    ("SYSCALL_DEFINE4(sendto)", Verdict.REFUTED),
    ("inet_init()\n|-proto_register(&tcp_prot, 1); proto_register(&udp_prot, 1);", Verdict.HOLDS),
    ("copy_net_ns()\n|-if (flags & CLONE_NEWNET) setup_net(net, user_ns)", Verdict.HOLDS),
    ("tcp_rcv_state_process()\n|-if (th->syn) tcp_v4_conn_request(sk, skb)", Verdict.ONE_OF),
    ("tcp_rcv_state_process()\n|-if (th->fin) tcp_v4_conn_request(sk, skb)", Verdict.REFUTED),
    ("dst_input()\n|-skb_dst(skb)->input(skb)  // i.e. ip_forward", Verdict.ONE_OF),
    ("struct inet_protosw inetsw_array[] = {\n{ .type = SOCK_RAW, .prot = &raw_prot },",
     Verdict.HOLDS),
    ("struct inet_protosw inetsw_array[] = {\n{ .type = SOCK_RAW, .prot = &tcp_prot },",
     Verdict.REFUTED),
])
def test_forms_of_claims(graph: CallGraph, text: str, verdict: Verdict) -> None:
    checked = check_document(graph, parse_document("x.md", f"```\n{text}\n".encode()))
    last = [line for line in checked.lines if line.verdict is not Verdict.PROSE][-1]
    assert (last.verdict, last.note) == (verdict, last.note)


def test_the_tables_that_sk_prot_holds_by_way_of_copies(graph: CallGraph) -> None:
    """inetsw_array, inet_create, sk_alloc: each step is cited."""
    rows = {row.bound.id.name: row for row in find_bindings(graph, "sock.sk_prot")}
    assert {"tcp_prot", "udp_prot", "raw_prot", "ping_prot"} <= rows.keys()
    raw = rows["raw_prot"].evidence
    assert [item.holder for item in raw] == [
        "inetsw_array.prot", "answer_prot", "sk_alloc(#3)", "sock_common.skc_prot"]
    text = SourceText(graph)
    for item, word in zip(raw, ("raw_prot", "answer->prot", "sk_alloc", "sk->sk_prot"),
                          strict=True):
        assert word in text.read_line(item.location)


@pytest.mark.parametrize(("text", "verdict"), [
    ("sk_alloc()\n|-sk->sk_prot = sk->sk_prot_creator = prot", Verdict.HOLDS),
    ("sk_alloc()\n|-sk->__sk_common.skc_prot = sk->sk_prot_creator = prot", Verdict.HOLDS),
    ("sk_alloc()\n|-sk->__sk_common.skc_net = sk->sk_prot_creator = prot", Verdict.REFUTED),
    ("inet_create()\n|-if (sk->__sk_common.skc_prot->init) err = sk->sk_prot->init(sk)",
     Verdict.HOLDS),
    ("inet_create()\n|-if (sk->__sk_common.skc_prot->hash) sk->sk_prot->hash(sk)",
     Verdict.REFUTED),
    ("struct sock {\n struct proto *sk_prot;", Verdict.HOLDS),
    ("struct net_device_ops {\n int (*ndo_open)(struct net_device *other);", Verdict.HOLDS),
])
def test_fields_by_the_names_of_their_macros(
    graph: CallGraph, text: str, verdict: Verdict
) -> None:
    lines = check_document(graph, parse_document("x.md", f"```\n{text}\n".encode())).lines
    assert [line.verdict for line in lines if line.verdict is not Verdict.PROSE][-1] is verdict
