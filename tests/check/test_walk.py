"""Documents on mini-linux: each form of claim, and what one line means to the next."""

from pathlib import Path

import msgspec
import pytest

from kgraph.graph import CallGraph
from kgraph.model.verdicts import CitationVerdict, Verdict
from tests.support.judging import checked, last
from tests.support.tiny import Tiny


@pytest.mark.parametrize(("text", "verdict"), [
    ("sock_sendmsg()\n|-sock_sendmsg_nosec()", Verdict.HOLDS),
    ("SyS_sendto()\n|-sock_sendmsg()", Verdict.GAP),
    ("sock_sendmsg_nosec()\n|-inet_sendmsg()", Verdict.ONE_OF),
    ("sock_sendmsg_nosec()\n|-sock->ops->sendmsg()  // i.e. inet_sendmsg", Verdict.ONE_OF),
    ("sock_sendmsg_nosec()\n|-sock->ops->sendmsg()  // i.e. veth_xmit", Verdict.REFUTED),
    ("sock_sendmsg_nosec()\n|-sock->ops->recvmsg()", Verdict.REFUTED),
    ("____napi_schedule()\n|-net_rx_action()", Verdict.DEFERRED),
    ("veth_xmit()\n|-SyS_sendto()", Verdict.REFUTED),
    ("veth_xmit()\n|-there_is_no_such()", Verdict.REFUTED),
    ("there_is_no_such()\n|-veth_xmit()", Verdict.UNDECIDED),
    ("__br_forward()\n|-skb->dev = to->dev", Verdict.HOLDS),
    ("__br_forward()\n|-skb->dev = from->dev", Verdict.REFUTED),
    ("copy_net_ns()\n|-if !(flags & CLONE_NEWNET) return get_net(old_net)", Verdict.HOLDS),
    ("copy_net_ns()\n|-if !(flags & CLONE_NEWPID) return get_net(old_net)", Verdict.REFUTED),
    ("copy_net_ns()\n|-if !(flags & CLONE_NEWNET) return put_net(old_net)", Verdict.REFUTED),
    ("sock_def_readable()\n|-wake_up_interruptible_sync_poll()", Verdict.HOLDS),
    ("struct net_device_ops veth_netdev_ops = {\n.ndo_open = veth_open,", Verdict.HOLDS),
    ("struct net_device_ops veth_netdev_ops = {\n.ndo_open = veth_close,", Verdict.REFUTED),
    ("struct net_device_ops veth_netdev_ops = {\n.ndo_none = veth_close,", Verdict.REFUTED),
    ("struct proto_ops veth_netdev_ops = {", Verdict.REFUTED),
    ("struct proto {", Verdict.HOLDS),
    ("struct no_such_record {", Verdict.REFUTED),
    ("ip_output()\n|-NF_HOOK_COND()\n  |-ip_finish_output()", Verdict.HOLDS),
    ("ip_output()\n|-NF_HOOK_COND()\n  |-okfn()  // i.e. arp_xmit_finish", Verdict.REFUTED),
    ("SYSC_sendto() -> sock_sendmsg() → sock_sendmsg_nosec()", Verdict.HOLDS),
    ("SyS_sendto() -> sock_sendmsg() -> sock_sendmsg_nosec()", Verdict.GAP),
    ("sock_sendmsg() -> sock_sendmsg_nosec() -> SyS_clone()", Verdict.REFUTED),
    ("sock_sendmsg() -> there_is_no_such() -> sock_sendmsg_nosec()", Verdict.REFUTED),
    ("SYSC_sendto() -> sock_sendmsg()\n|-sock_sendmsg_nosec()", Verdict.HOLDS),
    ("SYSC_sendto()\n|-sock_sendmsg() -> sock_sendmsg_nosec() -> inet_sendmsg()", Verdict.ONE_OF),
    ("ip_output()\n|-what_is_this(a, b) && c_d(e)", Verdict.UNREAD),
    # several claims on one line, and what a call returns
    ("br_add_if()\n|-netdev_rx_handler_register(dev, br_handle_frame, p); veth_open()",
     Verdict.REFUTED),
    ("__netif_receive_skb_core()\n|-(void)deliver_skb(); kfree_skb(skb);", Verdict.HOLDS),
    ("SYSC_sendto()\n|-sock_sendmsg(); sock_sendmsg()\n  |-sock_sendmsg_nosec()", Verdict.HOLDS),
    ("dst_input()\n|-skb_dst(skb)->input()  // i.e. ip_forward", Verdict.ONE_OF),
    ("dst_input()\n|-skb_dst(skb)->input()  // i.e. xmit_one", Verdict.REFUTED),
    # registrations
    ("net_dev_init()\n|-open_softirq(NET_RX_SOFTIRQ, net_rx_action)", Verdict.HOLDS),
    ("net_dev_init()\n|-open_softirq(NET_TX_SOFTIRQ, net_rx_action)", Verdict.REFUTED),
    ("open_softirq(NET_RX_SOFTIRQ, net_rx_action)", Verdict.HOLDS),
    ("open_softirq(NET_TX_SOFTIRQ, net_rx_action)", Verdict.REFUTED),
    ("module_init(br_init)", Verdict.HOLDS), ("subsys_initcall(br_init)", Verdict.REFUTED),
    ("module_init(br_handle_frame)", Verdict.REFUTED), ("EXPORT_SYMBOL(dev_open)", Verdict.REFUTED),
    ("EXPORT_SYMBOL(register_netdevice)", Verdict.HOLDS),
    ("SYSCALL_DEFINE6(sendto)", Verdict.HOLDS), ("SYSCALL_DEFINE4(sendto)", Verdict.REFUTED),
    ("br_add_if()\n|-netdev_rx_handler_register(dev, bond_handle_frame, p)", Verdict.REFUTED),
    # conditions, and what they lead to
    ("copy_net_ns()\n|-if (flags & CLONE_NEWNET) setup_net(net, user_ns)", Verdict.HOLDS),
    ("copy_net_ns()\n|-if !(flags & CLONE_NEWNET) setup_net(net, user_ns)", Verdict.REFUTED),
    ("copy_net_ns()\n|-if (((flags & CLONE_NEWNET)) == 0) return get_net(old_net)", Verdict.HOLDS),
    ("copy_net_ns()\n|-if (NULL != net)\n  |-setup_net(net, user_ns)", Verdict.HOLDS),
    ("copy_net_ns()\n|-if (!net)\n  |-setup_net(net, user_ns)", Verdict.REFUTED),
    ("copy_net_ns()\n|-if (failed >= 0)\n  |-setup_net(net, user_ns)", Verdict.REFUTED),
    ("copy_net_ns()\n|-if (0 > failed) return net", Verdict.REFUTED),
    ("copy_net_ns()\n|-if (0 <= failed) return net", Verdict.HOLDS),
    ("process_backlog()\n|-while (work < quota) __netif_receive_skb(skb)", Verdict.HOLDS),
    ("__netif_receive_skb_core()\n|-else kfree_skb(skb)", Verdict.HOLDS),
    ("__netif_receive_skb_core()\n|-switch (rx_handler(&skb))", Verdict.HOLDS),
    ("__netif_receive_skb_core()\n|-case RX_HANDLER_EXACT: exact = true;", Verdict.HOLDS),
    ("__netif_receive_skb_core()\n|-case RX_HANDLER_NONE:", Verdict.REFUTED),
    ("__netif_receive_skb_core()\n|-if (pt_prev) pt_prev->func(skb)  // i.e. ip_rcv",
     Verdict.ONE_OF),
    ("__netif_receive_skb_core()\n|-if (pt_prev) pt_prev->func(skb)  // i.e. veth_xmit",
     Verdict.REFUTED),
    ("__netif_receive_skb_core()\n|-if (!pt_prev)\n  |-pt_prev->func(skb)", Verdict.REFUTED),
    # tables of several rows, and on one line
    ("struct proto_ops inet_sockraw_ops = { .sendmsg = inet_sendmsg, ... }", Verdict.HOLDS),
    ("struct proto_ops inet_sockraw_ops = { .sendmsg = inet_bind }", Verdict.REFUTED),
    ("struct inet_protosw inetsw_array[] = {\n{ .type = SOCK_DGRAM, .prot = &udp_prot },",
     Verdict.HOLDS),
    ("struct inet_protosw inetsw_array[] = {\n{ .type = SOCK_STREAM, .prot = &udp_prot },",
     Verdict.REFUTED),
    ("struct proto_ops {\n int (*sendmsg)(struct socket *sock,\n struct msghdr *msg, size_t len);",
     Verdict.HOLDS),
    ("struct proto_ops {\n int (*sendmsg)(struct socket *s, int n);", Verdict.REFUTED),
    # a macro that starts a chain
    ("wake_up_interruptible_sync_poll(x)\n|-__wake_up_sync_key()", Verdict.HOLDS),
    ("wake_up_interruptible_sync_poll(x)\n|-veth_xmit()", Verdict.REFUTED),
    ("wake_up_interruptible_sync_poll(&wq->wait, POLLOUT)", Verdict.HOLDS),
    ("wake_up_interruptible_sync_poll(x, m)", Verdict.HOLDS),
    ("wake_up_interruptible_sync_poll(...)", Verdict.HOLDS),
    ("wake_up_interruptible_sync_poll(&sk->wait, POLLIN)", Verdict.UNDECIDED),
    ("wake_up_interruptible_sync_poll(&there_is_no_such, POLLIN)", Verdict.REFUTED),
    # macros and pointers that a function nearby uses
    ("process_backlog()\n|-rx_handler = rcu_dereference(skb->dev->rx_handler)", Verdict.GAP),
    ("process_backlog()\n|-rcu_dereference(skb->dev->other)", Verdict.UNDECIDED),
    ("process_backlog()\n|-rx_handler(&skb)  // i.e. br_handle_frame", Verdict.GAP),
    ("process_backlog()\n|-rx_handler(&skb)  // i.e. br_handle_frame\n  |-NF_HOOK()",
     Verdict.HOLDS),
    ("process_backlog()\n|-rx_handler(&skb)  // i.e. veth_xmit", Verdict.REFUTED),
    ("br_handle_frame()\n|-okfn()  // i.e. br_handle_frame_finish", Verdict.GAP),
    ("SyS_clone()\n|-rx_handler(&skb)  // i.e. br_handle_frame", Verdict.UNDECIDED),
    ("__netif_receive_skb_core()\n|-rx_handler = rcu_dereference(skb->dev->rx_handler)",
     Verdict.HOLDS),
    ("__netif_receive_skb_core()\n|-rx_handler = rcu_dereference(dev->rx_handler)", Verdict.HOLDS),
    ("__netif_receive_skb_core()\n|-rx_handler = rcu_dereference(skb->dev->ip_ptr)",
     Verdict.REFUTED),
    # members of records, and what their parameters are called
    ("struct proto_ops {\n int (*sendmsg)(struct socket *s, struct msghdr *, size_t n);",
     Verdict.HOLDS),
    ("struct proto_ops {\n int (*sendmsg)(struct socket *s, struct msghdr *m, int n);",
     Verdict.REFUTED),
    ("struct proto_ops {\n long (*sendmsg)(struct socket *sock, struct msghdr *msg, size_t len);",
     Verdict.REFUTED),
    ("struct sock {\n struct proto *sk_prot;", Verdict.HOLDS),
    ("struct sock {\n struct net *sk_prot;", Verdict.REFUTED),
    ("struct sock {\n struct proto *skc_prot;", Verdict.REFUTED),
    ("struct sock_common {\n struct proto *skc_prot;", Verdict.HOLDS),
    # macros that stand for members: one writes them, another what they stand for
    ("sk_alloc()\n|-sk->__sk_common.skc_family = family", Verdict.HOLDS),
    ("sk_alloc()\n|-sk->__sk_common.skc_family = priority", Verdict.REFUTED),
    ("sk_alloc()\n|-sk->__sk_common.skc_net = family", Verdict.REFUTED),
    ("inet_create()\n|-if (sk->__sk_common.skc_prot->hash) sk->sk_prot->hash(sk)",
     Verdict.HOLDS),
    ("inet_create()\n|-if (sk->__sk_common.skc_net->hash) sk->sk_prot->hash(sk)",
     Verdict.REFUTED),
    ("inet_sendmsg()\n|-sk->__sk_common.skc_prot->sendmsg()  // i.e. raw_sendmsg",
     Verdict.ONE_OF),
    # an alias is what it stands for
    ("sys_sendto()\n|-SYSC_sendto()", Verdict.HOLDS),
    ("sys_sendto()\n|-sock_sendmsg()", Verdict.GAP),
    ("sys_sendto()\n|-veth_open()", Verdict.REFUTED),
    ("SYSC_send()\n|-sys_sendto()", Verdict.HOLDS),
    # the other way round
    ("xmit_one()\n|-dev_hard_start_xmit()", Verdict.REFUTED),
])
def test_verdicts(mini: CallGraph, text: str, verdict: Verdict) -> None:
    found = last(mini, text)
    assert (found.verdict, found.note) == (verdict, found.note)


def test_conditions_that_the_index_did_not_keep(
    mini: CallGraph, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of more than it keeps nobody can tell, but for what is contrary to one of those it has."""
    text = "copy_net_ns()\n|-if (failed >= 0)\n  |-setup_net(net, user_ns)"
    assert last(mini, text).verdict is Verdict.REFUTED
    monkeypatch.setattr("kgraph.model.results.MAX_GUARDS", 1)
    judged = last(mini, text)
    assert judged.verdict is Verdict.UNDECIDED
    assert "the index has only the innermost" in judged.note
    assert last(mini, text.replace("failed >= 0", "!net")).verdict is Verdict.REFUTED
    assert last(mini, text.replace("failed >= 0", "net")).verdict is Verdict.HOLDS


@pytest.mark.parametrize("text", [
    "ndo_start_xmit()", "struct no_such ndo_start_xmit = {",
    "sock_sendmsg_nosec()\n|-sock->ops->sendmsg()  // i.e. ndo_start_xmit",
])
def test_an_index_of_a_part_cannot_tell_what_is_not_configured(
    mini: CallGraph, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    """The name stands in the tree, and is no function of the index."""
    assert last(mini, text).note.endswith("is not in this configuration")
    part = msgspec.structs.replace(mini.description, only=("net",))
    monkeypatch.setattr(mini.reader, "description", part)
    found = last(mini, text)
    assert found.verdict is Verdict.UNDECIDED
    assert found.note.endswith("this configuration, or not in the part that was indexed")


def test_a_root_that_goes_on_from_a_leaf_may_be_meant_by_itself(tmp_path: Path) -> None:
    """hook is handed `one` by a, `two` by b: the second chain says what b has it call."""
    tiny = Tiny()
    tiny.calls("a", "hook", hands={0: "one"})
    tiny.calls("b", "hook", hands={0: "two"})
    tiny.calls("hook", "inner", hands={0: 0})
    tiny.calls("inner", "one", "two", parameter=0)
    tiny.calls("c", "a")
    graph = tiny.graph(tmp_path)
    check = checked(graph, """a()
|-hook()

# other
hook()
|-one()
|-two()
|-one()
|-c()
""")
    judged = [line.verdict for line in check.lines if line.verdict is not Verdict.PROSE]
    holds, gap = Verdict.HOLDS, Verdict.GAP
    assert judged == [holds, holds, holds, gap, gap, gap, Verdict.REFUTED]
    assert "not if the chain above continues here" in check.lines[6].note
    assert "not if the chain above" not in check.lines[7].note


def test_a_table_in_the_section_is_its_scenario(mini: CallGraph) -> None:
    text = """# one
__netdev_start_xmit()
|-ops->ndo_start_xmit()  // i.e. loopback_xmit
struct net_device_ops veth_netdev_ops = {
 .ndo_start_xmit = veth_xmit,
}
# two
__netdev_start_xmit()
|-ops->ndo_start_xmit()  // i.e. loopback_xmit
"""
    check = checked(mini, text)
    assert check.lines[2].verdict is Verdict.CONTRADICTS
    assert "veth_xmit" in check.lines[2].note
    assert check.lines[8].verdict is Verdict.ONE_OF
    assert [pin.target for pin in check.scenario.pins] == ["veth_netdev_ops", "loopback_xmit"]


def test_a_stack_is_judged_from_its_last_line_up(mini: CallGraph) -> None:
    check = checked(mini, """Call Trace:
 [<ffffffff81000001>] sock_sendmsg_nosec+0x1/0x30
 [<ffffffff81000002>] ? veth_xmit+0x1/0x30
 [<ffffffff81000003>] sock_sendmsg+0x1/0x30
 [<ffffffff81000004>] veth_xmit+0x1/0x30
""")
    assert [line.verdict for line in check.lines[1:]] == [
        Verdict.HOLDS, Verdict.HOLDS, Verdict.REFUTED, Verdict.HOLDS
    ]


def test_rows_of_one_element_stand_together(mini: CallGraph) -> None:
    """.prot is raw_prot somewhere in the array, but not in the row of these others."""
    rows = ["{", ".type = SOCK_STREAM,", ".protocol = IPPROTO_TCP,", ".prot = &raw_prot,", "},"]
    check = checked(mini, "\n".join(["struct inet_protosw inetsw_array[] = {", *rows, "}", ""]))
    claimed = [line.verdict for line in check.lines if line.line.text.startswith(".")]
    assert claimed == [Verdict.HOLDS, Verdict.HOLDS, Verdict.REFUTED]


def test_a_stack_of_a_debugger(mini: CallGraph) -> None:
    """Innermost first, a frame over two lines, inlined functions left out."""
    check = checked(mini, """#0  veth_xmit (skb=0x1, dev=0x2) at drivers/net/veth.c:26
#1  0xffffffff81230001 in dev_hard_start_xmit (skb=0x1, dev=<optimized out>,
    txq=0x3) at net/core/dev.c:96
#2  __dev_queue_xmit (skb=0x1) at net/core/dev.c:133
#0  sock_sendmsg () at net/socket.c:1
""")
    lines = [check.lines[place] for place in (0, 1, 3, 4)]
    assert [line.verdict for line in lines] == [Verdict.GAP] + [Verdict.HOLDS] * 3
    assert [hop.callee.id.name for hop in lines[0].via] == [
        "xmit_one", "netdev_start_xmit", "__netdev_start_xmit", "veth_xmit"]
    assert [line.citation for line in lines[:3]] == [
        CitationVerdict.EXACT, CitationVerdict.NEAR, CitationVerdict.EXACT]
