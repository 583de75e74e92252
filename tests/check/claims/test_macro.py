"""Macros, and pointers in locals, that a function nearby uses."""

import pytest

from kgraph.graph import CallGraph
from kgraph.model.verdicts import Verdict
from tests.support.judging import last


@pytest.mark.parametrize(("text", "verdict"), [
    ("sock_def_readable()\n|-wake_up_interruptible_sync_poll()", Verdict.HOLDS),
    ("ip_output()\n|-NF_HOOK_COND()\n  |-ip_finish_output()", Verdict.HOLDS),
    ("ip_output()\n|-NF_HOOK_COND()\n  |-okfn()  // i.e. arp_xmit_finish", Verdict.REFUTED),
    ("wake_up_interruptible_sync_poll(x)\n|-__wake_up_sync_key()", Verdict.HOLDS),
    ("wake_up_interruptible_sync_poll(x)\n|-veth_xmit()", Verdict.REFUTED),
    ("wake_up_interruptible_sync_poll(&wq->wait, POLLOUT)", Verdict.STANDS),
    ("wake_up_interruptible_sync_poll(x, m)", Verdict.STANDS),
    ("wake_up_interruptible_sync_poll(...)", Verdict.STANDS),
    ("wake_up_interruptible_sync_poll(&sk->wait, POLLIN)", Verdict.UNDECIDED),
    ("wake_up_interruptible_sync_poll(&there_is_no_such, POLLIN)", Verdict.REFUTED),
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
])
def test_uses_of_macros_and_of_local_pointers(mini: CallGraph, text: str, verdict: Verdict) -> None:
    found = last(mini, text)
    assert (found.verdict, found.note) == (verdict, found.note)


def test_what_the_users_of_a_macro_do_besides_says_nothing_of_it(mini: CallGraph) -> None:
    """rcu_read_lock() is called beside it, and sock_queue_rcv_skb() leads to its user."""
    root = "wake_up_interruptible_sync_poll(&wq->wait, POLLIN)\n|-"
    users = mini.find_functions("sock_def_readable")
    callers = {caller for each in users for caller in mini.callers_of(each.number)}
    assert callers
    for caller in callers:
        judged = last(mini, f"{root}{mini.function(caller).id.name}()")
        assert judged.verdict is Verdict.REFUTED
        assert "other way round" not in judged.note
    own = [site for each in users for site in mini.find_sites_of(each.number) if not site.macro]
    beside = {mini.function(mini.edge_callee[edge]).id.name
              for site in own for edge in mini.edges_of(site.number)}
    assert beside
    for name in beside:
        judged = last(mini, f"{root}{name}()")
        assert judged.verdict is Verdict.REFUTED or len(judged.via) > 1
    assert last(mini, f"{root}__wake_up_sync_key()").verdict is Verdict.HOLDS
