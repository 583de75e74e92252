"""Calls that pass on a function or a table, within a function and at file scope."""

import pytest

from kgraph.graph import CallGraph
from kgraph.model.verdicts import Verdict
from tests.support.judging import last


@pytest.mark.parametrize(("text", "verdict"), [
    ("net_dev_init()\n|-open_softirq(NET_RX_SOFTIRQ, net_rx_action)", Verdict.HOLDS),
    ("net_dev_init()\n|-open_softirq(NET_TX_SOFTIRQ, net_rx_action)", Verdict.REFUTED),
    ("open_softirq(NET_RX_SOFTIRQ, net_rx_action)", Verdict.HOLDS),
    ("open_softirq(NET_TX_SOFTIRQ, net_rx_action)", Verdict.REFUTED),
    ("module_init(br_init)", Verdict.HOLDS),
    ("subsys_initcall(br_init)", Verdict.REFUTED),
    ("module_init(br_handle_frame)", Verdict.REFUTED),
    ("EXPORT_SYMBOL(dev_open)", Verdict.REFUTED),
    ("EXPORT_SYMBOL(register_netdevice)", Verdict.HOLDS),
    ("SYSCALL_DEFINE6(sendto)", Verdict.STANDS),
    ("SYSCALL_DEFINE4(sendto)", Verdict.REFUTED),
    ("br_add_if()\n|-netdev_rx_handler_register(dev, bond_handle_frame, p)", Verdict.REFUTED),
])
def test_what_is_passed_on_is_the_claim(mini: CallGraph, text: str, verdict: Verdict) -> None:
    found = last(mini, text)
    assert (found.verdict, found.note) == (verdict, found.note)
