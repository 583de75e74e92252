"""Trees of callers and callees, and the system calls that reach a function."""

import pytest

from kgraph import api
from kgraph.graph import CallGraph
from kgraph.query import find_callees, find_callers, find_function
from kgraph.report.tree_text import format_call_tree, format_left_out


def ask(graph: CallGraph, name: str, **question: object):
    return api.call_tree(graph, name, api.CallTreeQuestion(**question))


@pytest.mark.parametrize("callers", [True, False])
def test_one_layer_has_the_calls_of_the_list(mini: CallGraph, *, callers: bool) -> None:
    function = find_function(mini, "dev_queue_xmit")
    find = find_callers if callers else find_callees
    tree = ask(mini, "dev_queue_xmit", callers=callers, depth=1)
    assert list(tree.iter_hops()) == find(mini, function)
    assert tree.left_out == 0


def test_each_hop_leads_to_the_line_above_it(mini: CallGraph) -> None:
    tree = ask(mini, "veth_xmit", callers=True, depth=8)
    waiting = [tree.top]
    while waiting:
        node = waiting.pop()
        for below in node.below:
            assert below.hop.callee == node.function
            assert below.hop.caller == below.function
        assert not (node.is_repeated and node.below)
        waiting += node.below
    expanded = [hop.callee.number for hop in tree.iter_hops()]
    assert len(expanded) == tree.shown
    names = {str(hop.caller) for hop in tree.iter_hops()}
    assert "dev_queue_xmit" in names


def test_a_limit_says_what_it_left_out(mini: CallGraph) -> None:
    whole = ask(mini, "dev_queue_xmit", callers=True, depth=4)
    part = ask(mini, "dev_queue_xmit", callers=True, depth=4, limit=2)
    assert len(list(part.iter_hops())) == part.shown == 2
    assert part.left_out > 0
    assert "2 calls are shown" in format_left_out(part)
    assert format_left_out(whole) == ""


def test_a_folder_leaves_its_own(mini: CallGraph) -> None:
    tree = ask(mini, "dev_queue_xmit", callers=True, depth=1, folder="net/bridge")
    assert tree.shown
    assert all(hop.caller.location.path.startswith("net/bridge/") for hop in tree.iter_hops())
    assert len(list(format_call_tree(tree, callers=True))) == tree.shown + 1


def test_what_is_shown_elsewhere_is_named(mini: CallGraph) -> None:
    lines = list(format_call_tree(ask(mini, "veth_xmit", callers=True, depth=20), callers=True))
    heads = [line.strip(" |-").partition("(")[0] for line in lines]
    for place, line in enumerate(lines):
        if "shown above" in line:
            assert heads[place] in heads[:place]
        if "shown below" in line:
            assert heads[place] in heads[place + 1:]


def test_system_calls_that_reach_a_function(mini: CallGraph) -> None:
    found = api.reaching_syscalls(mini, "sock_sendmsg")
    assert [(str(each.function), each.distance) for each in found[:1]] == [("SyS_sendto", 2)]
    assert all(each.function.macro for each in found)
    assert api.reaching_syscalls(mini, "SyS_sendto")[0].distance == 0
