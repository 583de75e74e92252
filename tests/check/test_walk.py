"""Documents on mini-linux: several claims on a line, and what one line means to the next."""

from pathlib import Path

import msgspec
import pytest

from kgraph.graph import CallGraph
from kgraph.model.verdicts import CitationVerdict, Verdict
from tests.support.judging import check_text, last
from tests.support.tiny import Tiny


@pytest.mark.parametrize(("text", "verdict"), [
    ("SYSC_sendto() -> sock_sendmsg() → sock_sendmsg_nosec()", Verdict.HOLDS),
    ("SyS_sendto() -> sock_sendmsg() -> sock_sendmsg_nosec()", Verdict.GAP),
    ("sock_sendmsg() -> sock_sendmsg_nosec() -> SyS_clone()", Verdict.REFUTED),
    ("sock_sendmsg() -> there_is_no_such() -> sock_sendmsg_nosec()", Verdict.REFUTED),
    ("SYSC_sendto() -> sock_sendmsg()\n|-sock_sendmsg_nosec()", Verdict.HOLDS),
    ("SYSC_sendto()\n|-sock_sendmsg() -> sock_sendmsg_nosec() -> inet_sendmsg()", Verdict.ONE_OF),
    ("ip_output()\n|-what_is_this(a, b) && c_d(e)", Verdict.UNREAD),
    ("__netif_receive_skb_core()\n|-(void)deliver_skb(); kfree_skb(skb);", Verdict.HOLDS),
    ("SYSC_sendto()\n|-sock_sendmsg(); sock_sendmsg()\n  |-sock_sendmsg_nosec()", Verdict.HOLDS),
    ("br_add_if()\n|-netdev_rx_handler_register(dev, br_handle_frame, p); veth_open()",
     Verdict.REFUTED),
])
def test_several_claims_on_one_line(mini: CallGraph, text: str, verdict: Verdict) -> None:
    found = last(mini, text)
    assert (found.verdict, found.note) == (verdict, found.note)


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
    check = check_text(graph, """a()
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
    assert judged == [Verdict.STANDS, holds, holds, gap, gap, gap, Verdict.REFUTED]
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
    check = check_text(mini, text)
    assert check.lines[2].verdict is Verdict.CONTRADICTS
    assert "veth_xmit" in check.lines[2].note
    assert check.lines[8].verdict is Verdict.ONE_OF
    assert [pin.target for pin in check.scenario.pins] == ["veth_netdev_ops", "loopback_xmit"]


def test_a_stack_is_judged_from_its_last_line_up(mini: CallGraph) -> None:
    check = check_text(mini, """Call Trace:
 [<ffffffff81000001>] sock_sendmsg_nosec+0x1/0x30
 [<ffffffff81000002>] ? veth_xmit+0x1/0x30
 [<ffffffff81000003>] sock_sendmsg+0x1/0x30
 [<ffffffff81000004>] veth_xmit+0x1/0x30
""")
    assert [line.verdict for line in check.lines[1:]] == [
        Verdict.HOLDS, Verdict.STANDS, Verdict.REFUTED, Verdict.HOLDS
    ]


def test_a_stack_of_a_debugger(mini: CallGraph) -> None:
    """Innermost first, a frame over two lines, inlined functions left out."""
    check = check_text(mini, """#0  veth_xmit (skb=0x1, dev=0x2) at drivers/net/veth.c:26
#1  0xffffffff81230001 in dev_hard_start_xmit (skb=0x1, dev=<optimized out>,
    txq=0x3) at net/core/dev.c:96
#2  __dev_queue_xmit (skb=0x1) at net/core/dev.c:133
#0  sock_sendmsg () at net/socket.c:1
""")
    lines = [check.lines[place] for place in (0, 1, 3, 4)]
    assert [line.verdict for line in lines] == [
        Verdict.GAP, Verdict.HOLDS, Verdict.STANDS, Verdict.STANDS]
    assert [hop.callee.id.name for hop in lines[0].via] == [
        "xmit_one", "netdev_start_xmit", "__netdev_start_xmit", "veth_xmit"]
    assert [line.citation for line in lines[:3]] == [
        CitationVerdict.EXACT, CitationVerdict.NEAR, CitationVerdict.EXACT]
