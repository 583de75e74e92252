"""Calls through a pointer, and their claimed targets."""

import pytest

from kgraph.graph import CallGraph
from kgraph.model.verdicts import Verdict
from tests.support.judging import last


@pytest.mark.parametrize(("text", "verdict"), [
    ("sock_sendmsg_nosec()\n|-sock->ops->sendmsg()  // i.e. inet_sendmsg", Verdict.ONE_OF),
    ("sock_sendmsg_nosec()\n|-sock->ops->sendmsg()  // i.e. veth_xmit", Verdict.REFUTED),
    ("sock_sendmsg_nosec()\n|-sock->ops->recvmsg()", Verdict.REFUTED),
    ("dst_input()\n|-skb_dst(skb)->input()  // i.e. ip_forward", Verdict.ONE_OF),
    ("dst_input()\n|-skb_dst(skb)->input()  // i.e. xmit_one", Verdict.REFUTED),
    ("inet_sendmsg()\n|-sk->__sk_common.skc_prot->sendmsg()  // i.e. raw_sendmsg",
     Verdict.ONE_OF),
])
def test_targets_are_candidates(mini: CallGraph, text: str, verdict: Verdict) -> None:
    found = last(mini, text)
    assert (found.verdict, found.note) == (verdict, found.note)
