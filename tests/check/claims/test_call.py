"""Claims that one function calls another: directions, declarations, macros, arguments."""

from pathlib import Path

import msgspec
import pytest

from kgraph.graph import CallGraph
from kgraph.model.verdicts import Verdict
from tests.support.judging import last
from tests.support.tiny import Tiny


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
    judged = last(graph, "b()\n|-a()")
    assert judged.verdict is Verdict.UNDECIDED
    assert "b is only declared" in judged.note
    assert last(graph, "a()\n|-b()").verdict is Verdict.HOLDS


def test_an_alias_is_noted(mini: CallGraph) -> None:
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
    judged = last(graph, "a()\n|-b()")
    assert judged.verdict is Verdict.UNDECIDED
    assert "from here it is called only by way of x" in judged.note
    far = last(graph, "a()\n|-b1()")
    assert far.verdict is Verdict.REFUTED
    assert "the other way round" in far.note


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
def test_differences_from_the_source_are_noted(mini: CallGraph, text: str, note: str) -> None:
    judged = last(mini, text)
    assert judged.verdict in (Verdict.HOLDS, Verdict.ONE_OF)
    assert note in judged.note
    assert note or "there" not in judged.note


@pytest.mark.parametrize(("text", "verdict"), [
    ("sock_sendmsg()\n|-sock_sendmsg_nosec()", Verdict.HOLDS),
    ("SyS_sendto()\n|-sock_sendmsg()", Verdict.GAP),
    ("sock_sendmsg_nosec()\n|-inet_sendmsg()", Verdict.ONE_OF),
    ("____napi_schedule()\n|-net_rx_action()", Verdict.DEFERRED),
    ("veth_xmit()\n|-SyS_sendto()", Verdict.REFUTED),
    ("veth_xmit()\n|-there_is_no_such()", Verdict.REFUTED),
    ("there_is_no_such()\n|-veth_xmit()", Verdict.UNDECIDED),
    ("sys_sendto()\n|-SYSC_sendto()", Verdict.HOLDS),
    ("sys_sendto()\n|-sock_sendmsg()", Verdict.GAP),
    ("sys_sendto()\n|-veth_open()", Verdict.REFUTED),
    ("SYSC_send()\n|-sys_sendto()", Verdict.HOLDS),
    ("xmit_one()\n|-dev_hard_start_xmit()", Verdict.REFUTED),
])
def test_calls_gaps_and_aliases(mini: CallGraph, text: str, verdict: Verdict) -> None:
    found = last(mini, text)
    assert (found.verdict, found.note) == (verdict, found.note)
