"""Verdicts on mini-linux: each kind of claim, true and false."""

from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from kgraph.check.document.parser import parse_document
from kgraph.check.document.query_files import build_query_document, find_query, read_shipped_queries
from kgraph.check.walk import check_document
from kgraph.errors import LookupFailed
from kgraph.graph import CallGraph
from kgraph.model.document import Pin, Query, Scenario
from kgraph.model.verdicts import CitationVerdict, LineVerdict, Verdict
from kgraph.query import PathQuestion, find_bindings, find_paths
from kgraph.query.ops import iter_calls_through
from kgraph.query.pins import find_pinned_sites, find_row_partners, parse_pin, propose_partners
from kgraph.query.scenarios import resolve_pins, restrict_scenario
from kgraph.report.check_text import describe_citation
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
    told = last(mini, text)
    assert told.verdict is Verdict.UNDECIDED
    assert "the index has the innermost" in told.note
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


def test_what_a_mere_declaration_calls_nobody_can_tell(tmp_path: Path) -> None:
    tiny = Tiny()
    tiny.calls("a", "b")
    tiny.calls("c", "a")
    graph = tiny.graph(tmp_path)
    assert last(graph, "b()\n|-a()").verdict is Verdict.REFUTED
    number = graph.find_functions("b")[0].number
    known = msgspec.structs.replace(graph.function(number), location=None)
    graph.find_functions = (  # type: ignore[method-assign]
        lambda name: [known] if name == "b" else CallGraph.find_functions(graph, name))
    function = graph.function
    graph.function = (  # type: ignore[method-assign]
        lambda asked: known if asked == number else function(asked))
    told = last(graph, "b()\n|-a()")
    assert told.verdict is Verdict.UNDECIDED
    assert "b is only declared" in told.note
    assert last(graph, "a()\n|-b()").verdict is Verdict.HOLDS


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
    told = [line.verdict for line in check.lines if line.verdict is not Verdict.PROSE]
    holds, gap = Verdict.HOLDS, Verdict.GAP
    assert told == [holds, holds, holds, gap, gap, gap, Verdict.REFUTED]
    assert "not as the chain above goes on" in check.lines[6].note
    assert "not as the chain above" not in check.lines[7].note


def test_what_the_users_of_a_macro_do_besides_says_nothing_of_it(mini: CallGraph) -> None:
    """rcu_read_lock() is called beside it, and sock_queue_rcv_skb() leads to its user."""
    root = "wake_up_interruptible_sync_poll(&wq->wait, POLLIN)\n|-"
    users = mini.find_functions("sock_def_readable")
    callers = {caller for each in users for caller in mini.callers_of(each.number)}
    assert callers
    for caller in callers:
        told = last(mini, f"{root}{mini.function(caller).id.name}()")
        assert told.verdict is Verdict.REFUTED
        assert "other way round" not in told.note
    own = [site for each in users for site in mini.find_sites_of(each.number) if not site.macro]
    beside = {mini.function(mini.edge_callee[edge]).id.name
              for site in own for edge in mini.edges_of(site.number)}
    assert beside
    for name in beside:
        told = last(mini, f"{root}{name}()")
        assert told.verdict is Verdict.REFUTED or len(told.via) > 1
    assert last(mini, f"{root}__wake_up_sync_key()").verdict is Verdict.HOLDS


def test_an_alias_is_told(mini: CallGraph) -> None:
    assert last(mini, "sys_sendto()").note == "sys_sendto is an alias of SyS_sendto"
    assert last(mini, "SyS_sendto()").note == ""


def test_both_ways_round(tmp_path: Path) -> None:
    """b calls a for sure; a may reach b by one candidate of four, which is more than a gap."""
    tiny = Tiny()
    tiny.calls("b", "a")
    tiny.calls("a", "x", "p", "q", "r", slot=("ops", "run"))
    tiny.calls("x", "b")
    tiny.calls("p", "p1")
    tiny.calls("p1", "p2")
    tiny.calls("p2", "p3")
    tiny.calls("p3", "b1")
    tiny.calls("b1", "a")
    graph = tiny.graph(tmp_path)
    told = last(graph, "a()\n|-b()")
    assert told.verdict is Verdict.UNDECIDED
    assert "only by way of x is it called from here" in told.note
    far = last(graph, "a()\n|-b1()")
    assert far.verdict is Verdict.REFUTED
    assert "the other way round" in far.note


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


def cited(graph: CallGraph, shift: int) -> LineVerdict:
    """sock_sendmsg, cited `shift` lines after its call of sock_sendmsg_nosec."""
    line = find_paths(graph, PathQuestion("sock_sendmsg", "sock_sendmsg_nosec"))
    place = line.paths[0].hops[0].site.location
    text = f"sock_sendmsg() (k\\{place.path.replace('/', chr(92))}:{place.line + shift})\n"
    return checked(graph, f"```\n{text}|-sock_sendmsg_nosec()\n```\n").lines[1]


@pytest.mark.parametrize(("shift", "verdict"), [
    (0, CitationVerdict.EXACT), (1, CitationVerdict.NEAR), (2, CitationVerdict.NEAR),
    (-6, CitationVerdict.OUTSIDE), (-3, CitationVerdict.DEFINITION),
    (10**5, CitationVerdict.MISSING),
])
def test_citations(mini: CallGraph, shift: int, verdict: CitationVerdict) -> None:
    found = cited(mini, shift)
    assert found.citation is verdict
    right = cited(mini, 0).found
    assert (found.found and str(found.found)) == str(right)
    assert found.distance == (shift if verdict is CitationVerdict.NEAR else 0)


def test_a_citation_past_another_call_says_so(mini: CallGraph) -> None:
    """Of copy_net_ns, behind what it calls before the call that stands under it."""
    function, = mini.find_functions("copy_net_ns")
    first, *_, last_call = mini.find_sites_of(function.number)
    place = first.location
    assert place.line + 1 < last_call.location.line
    text = f"copy_net_ns() ({place.path}:{place.line + 1})\n|-{last_call.expression}()"
    line = checked(mini, f"```\n{text}\n```\n").lines[1]
    assert line.citation is CitationVerdict.NEAR
    assert describe_citation(line) == (
        f"citation near, 1 line after another call: the one below is at {last_call.location}")


def test_parameters_and_arguments_are_compared(mini: CallGraph) -> None:
    assert "not `message`" in last(mini, "sock_sendmsg(struct socket *sock, struct msghdr *message)"
                                   ).note
    assert "2 parameters" in last(mini, "sock_sendmsg(struct socket *sock)").note
    assert last(mini, "sock_sendmsg(struct socket * sock, struct msghdr * msg)").note == ""
    wrong = last(mini, "copy_net_ns()\n|-setup_net(net, other_ns)")
    assert wrong.verdict is Verdict.HOLDS
    assert "its arguments are (net, user_ns) there" in wrong.note


@pytest.mark.parametrize(("text", "note"), [
    ("sk_alloc()\n|-get_net(sk->__sk_common.skc_net)", ""),
    ("sk_alloc()\n|-get_net(sk->sk_family)", "its arguments are (sk->sk_net) there"),
    ("inet_sendmsg()\n|-sk->__sk_common.skc_prot->sendmsg(sk, msg, size)  // i.e. raw_sendmsg", ""),
    ("inet_sendmsg()\n|-sk->sk_prot->sendmsg(sk, msg, len)  // i.e. raw_sendmsg",
     "its arguments are (sk, msg, size) there"),
    ("inet_sendmsg()\n|-sk->other->sendmsg(sk, msg, size)  // i.e. raw_sendmsg",
     "the call is written sk->sk_prot->sendmsg() there"),
    ("dst_input()\n|-skb_dst(skb)->input(sk)  // i.e. ip_forward",
     "its arguments are (skb) there"),
    # a macro whose site has no extent
    ("__netif_receive_skb_core()\n|-list_for_each_entry_rcu(ptype, &ptype_all, list)", ""),
    ("__netif_receive_skb_core()\n|-list_for_each_entry_rcu(ptype, &ptype_base, list)",
     "its arguments are (ptype, &ptype_all, list) there"),
    ("struct proto_ops {\n int (*sendmsg)(struct socket *s, struct msghdr *, size_t len);",
     "parameter 1 is `sock`, not `s`"),
    ("struct net_device {\n struct net_device_ops *netdev_ops;",
     "its type is `const struct net_device_ops *`"),
])
def test_differences_from_the_source_are_told(mini: CallGraph, text: str, note: str) -> None:
    told = last(mini, text)
    assert told.verdict in (Verdict.HOLDS, Verdict.ONE_OF)
    assert note in told.note
    assert note or "there" not in told.note


QUERIES = read_shipped_queries()


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query.name)
def test_shipped_queries_hold(mini: CallGraph, query: Query) -> None:
    check = check_document(mini, build_query_document(query), query.scenario)
    wrong = {Verdict.REFUTED, Verdict.CONTRADICTS, Verdict.UNDECIDED, Verdict.UNREAD, Verdict.GAP}
    assert not [line for line in check.lines if line.verdict in wrong]
    assert sum(line.verdict is Verdict.HOLDS for line in check.lines) > 8


def way(graph: CallGraph, query: Query, avoid: tuple[str, ...] = ()) -> tuple[str, ...]:
    scenario = restrict_scenario(query, query.caller, query.callee)
    question = PathQuestion(query.caller, query.callee, scenario=scenario, avoid=avoid)
    paths = find_paths(graph, question).paths
    return tuple(hop.callee.id.name for hop in paths[0].hops) if paths else ()


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query.name)
def test_the_path_is_searched_and_not_copied(mini: CallGraph, query: Query) -> None:
    """Without any one of its functions the answer is another, or there is none."""
    found = way(mini, query)
    lines = build_query_document(query).lines
    claimed = {line.claim.name for line in lines} | {line.claim.target for line in lines}
    assert set(found) - claimed <= {"NF_HOOK_THRESH"}
    for name in set(found[:-1]):
        assert name not in way(mini, query, avoid=(name,))


def test_a_part_of_a_documented_way(mini: CallGraph) -> None:
    query = find_query("veth")
    part = restrict_scenario(query, "SyS_sendto", "veth_xmit")
    assert part is not None
    assert part.via == query.scenario.via[:-1]
    assert restrict_scenario(query, "veth_xmit", "SyS_sendto") is None


def through(graph: CallGraph, slot: str) -> set[int]:
    return set(graph.find_sites_through(slot))


def test_the_field_that_a_call_reads_its_table_from(tmp_path: Path) -> None:
    """`a->this->run` says it; `t->run` may go through whatever."""
    tiny = Tiny()
    written = {"a->this->run": "this", "(a->b->that)->run": "that", "t->run": "", "a->b.run": "",
               "f(a)->this->run": "this", "run": ""}
    for number, expression in enumerate(written):
        tiny.calls(f"f{number}", "x", "y", slot=("ops", "run"), expression=expression)
    graph = tiny.graph(tmp_path)
    assert {graph.site(site).expression: base for site, _, base in iter_calls_through(
        graph, ("",), ())} == written


def test_a_pin_limited_on_the_command_line(mini: CallGraph) -> None:
    """One slot holds two values on one way."""
    slot = "net_device.netdev_ops"
    question = PathQuestion(
        "dev_queue_xmit", "e1000_xmit_frame", via=("veth_xmit",),
        bind=(f"{slot}=veth_netdev_ops@..veth_xmit", f"{slot}=e1000_netdev_ops@veth_xmit.."))
    names = [hop.callee.id.name for hop in find_paths(mini, question).paths[0].hops]
    assert names.count("__netdev_start_xmit") == 2
    with pytest.raises(LookupFailed, match="need not pass"):
        find_paths(mini, replace(question, bind=(f"{slot}=veth_netdev_ops@..sock_sendmsg",)))


@pytest.mark.parametrize(("text", "pin"), [
    ("a.b = c", Pin("a.b", "c")), ("a.b=c@f..g", Pin("a.b", "c", "f", "g")),
    ("a.b = x/y.c:c @ ..g", Pin("a.b", "x/y.c:c", "", "g")), ("a.b=c@f..", Pin("a.b", "c", "f")),
    ("a.b", None), ("a.b=", None), ("=c", None), ("a=b=c", None), ("a=b@", None),
    ("a=b@f", None), ("a=b@..", None),
])
def test_pins_as_they_are_written(text: str, pin: Pin | None) -> None:
    assert Pin.parse(text) == pin
    assert pin is None or Pin.parse(str(pin)) == pin


def test_pins(mini: CallGraph) -> None:
    table = find_pinned_sites(mini, parse_pin("net_device.netdev_ops = veth_netdev_ops"))
    names = {mini.function(callee).id.name for callees in table.values() for callee in callees}
    assert "veth_xmit" in names
    assert not any(name.startswith("loopback") for name in names)
    assert not any(through(mini, "socket.ops") & table.keys())
    place = str(mini.site(min(through(mini, "net_device_ops.ndo_start_xmit"))).location)
    (only,) = find_pinned_sites(mini, parse_pin(f"{place} = veth_netdev_ops")).values()
    assert {mini.function(callee).id.name for callee in only} == {"veth_xmit"}
    with pytest.raises(LookupFailed) as refused:
        find_pinned_sites(mini, parse_pin("sock.sk_prot = veth_netdev_ops"))
    assert "raw_prot" in refused.value.hint
    for wrong in ("net/socket.c:1 = inet_sendmsg", "net_device.netdev_ops = raw_prot",
                  "no.slot = veth_netdev_ops", "neighbour.output = veth_xmit", "x",
                  "neighbour.output = nothing_here"):
        with pytest.raises(LookupFailed):
            find_pinned_sites(mini, parse_pin(wrong))


def test_a_pin_that_nothing_supports_is_told_with_its_line(mini: CallGraph) -> None:
    pin = Pin("sock.sk_prot", "no_such", where="q.toml:9")
    scenario = Scenario("q", (pin,), origin="query q")
    with pytest.raises(LookupFailed, match=r"^q\.toml:9: the pin sock\.sk_prot=no_such: "):
        check_document(mini, parse_document("x.md", b"sock_sendmsg()\n"), scenario)
    with pytest.raises(LookupFailed, match=r"^q\.toml:9: "):
        resolve_pins(mini, [pin])


def test_what_stands_beside_a_pinned_table_in_its_row(mini: CallGraph) -> None:
    partners = find_row_partners(mini, parse_pin("sock.sk_prot = raw_prot"))
    assert [partner.pin.target for partner in partners] == ["inet_sockraw_ops"]
    both = [parse_pin("sock.sk_prot = raw_prot"), parse_pin("socket.ops = inet_sockraw_ops")]
    assert propose_partners(mini, both) == []
    assert propose_partners(mini, both[:1]) == partners


def test_a_pin_for_a_part_of_the_way(mini: CallGraph) -> None:
    query = find_query("veth")
    pins = tuple(
        replace(pin, start="neigh_resolve_output", end="veth_xmit")
        if pin.target == "veth_netdev_ops" else pin for pin in query.scenario.pins
    )
    limited = replace(query, scenario=replace(query.scenario, pins=pins))
    assert way(mini, limited) == way(mini, query)


def test_ops_of_a_field_has_the_tables_that_come_by_copies(mini: CallGraph) -> None:
    """With the row that each is put into, the local, the parameter and the field."""
    rows = {row.bound.id.name: row for row in find_bindings(mini, "sock.sk_prot")}
    assert {"tcp_prot", "udp_prot", "raw_prot", "ping_prot"} == set(rows)
    raw = rows["raw_prot"]
    assert raw.slot == "sock_common.skc_prot"
    assert [(item.role.value, item.holder) for item in raw.evidence] == [
        ("binding", "inetsw_array.prot"), ("flow", "answer_prot"), ("argument", "sk_alloc(#3)"),
        ("flow", "sock_common.skc_prot")]
    assert raw.location == raw.evidence[-1].location
    assert [install.holder for install in find_bindings(mini, "raw_prot")[0].installs] == [
        "inet_protosw.prot", "sock_common.skc_prot"]
    put = find_bindings(mini, "net_device.netdev_ops")
    assert put
    assert not any(row.evidence for row in put)


def test_ops_of_a_slot_that_only_copies_fill_says_so(mini: CallGraph, tmp_path: Path) -> None:
    tiny = Tiny()
    tiny.calls("f", "x", "y", slot=("ops", "run"), expression="a->this->run")
    with pytest.raises(LookupFailed) as told:
        find_bindings(tiny.graph(tmp_path), "thing.this")
    assert "by way of copies" in told.value.message
    assert "kgraph ops ops`" in told.value.hint
    with pytest.raises(LookupFailed) as unknown:
        find_bindings(mini, "net_device.netdev_op")
    assert "`net_device.netdev_ops`" in unknown.value.hint
