"""Tables, their rows, and the elements of arrays."""

import pytest

from kgraph.graph import CallGraph
from kgraph.model.verdicts import Verdict
from tests.support.judging import check_text, last


@pytest.mark.parametrize(("text", "verdict"), [
    ("struct net_device_ops veth_netdev_ops = {\n.ndo_open = veth_open,", Verdict.HOLDS),
    ("struct net_device_ops veth_netdev_ops = {\n.ndo_open = veth_close,", Verdict.REFUTED),
    ("struct net_device_ops veth_netdev_ops = {\n.ndo_none = veth_close,", Verdict.REFUTED),
    ("struct proto_ops veth_netdev_ops = {", Verdict.REFUTED),
    ("struct proto_ops inet_sockraw_ops = { .sendmsg = inet_sendmsg, ... }", Verdict.HOLDS),
    ("struct proto_ops inet_sockraw_ops = { .sendmsg = inet_bind }", Verdict.REFUTED),
    ("struct inet_protosw inetsw_array[] = {\n{ .type = SOCK_DGRAM, .prot = &udp_prot },",
     Verdict.HOLDS),
    ("struct inet_protosw inetsw_array[] = {\n{ .type = SOCK_STREAM, .prot = &udp_prot },",
     Verdict.REFUTED),
])
def test_rows_bind_what_they_say(mini: CallGraph, text: str, verdict: Verdict) -> None:
    found = last(mini, text)
    assert (found.verdict, found.note) == (verdict, found.note)


def test_rows_of_one_element_stand_together(mini: CallGraph) -> None:
    """.prot is raw_prot somewhere in the array, but not in the row of these others."""
    rows = ["{", ".type = SOCK_STREAM,", ".protocol = IPPROTO_TCP,", ".prot = &raw_prot,", "},"]
    check = check_text(mini, "\n".join(["struct inet_protosw inetsw_array[] = {", *rows, "}", ""]))
    claimed = [line.verdict for line in check.lines if line.line.text.startswith(".")]
    assert claimed == [Verdict.HOLDS, Verdict.HOLDS, Verdict.REFUTED]
