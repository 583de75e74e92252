import json

import networkx as nx
import pytest

from kgraph.graph import CallGraph
from kgraph.graph.nx import make_node_link, to_networkx
from kgraph.graph.parts import GraphPart


@pytest.fixture(scope="module")
def whole(mini: CallGraph) -> nx.MultiDiGraph:
    return to_networkx(mini)


def test_the_graph_has_every_function_and_every_edge(
    mini: CallGraph, whole: nx.MultiDiGraph
) -> None:
    assert len(whole) == len(mini)
    assert {key for _, _, key in whole.edges(keys=True)} == set(range(len(mini.edge_callee)))
    for caller, callee, key in whole.edges(keys=True):
        hop = mini.hop(key)
        assert (whole.nodes[caller]["name"], whole.nodes[callee]["name"]) == (
            hop.caller.id.name, hop.callee.id.name)


def test_an_edge_says_where_it_is_and_why(whole: nx.MultiDiGraph) -> None:
    [attributes] = whole.get_edge_data("sock_sendmsg_nosec", "inet_sendmsg").values()
    evidence = attributes.pop("evidence").split("; ")
    assert attributes == {
        "kind": "ops", "file": "net/socket.c", "line": 12, "column": 12, "ordinal": 0,
        "text": "sock->ops->sendmsg", "slot": "proto_ops.sendmsg", "candidates": 5}
    assert [item.split()[0::2] for item in evidence] == [
        ["binding", "inet_stream_ops.sendmsg"], ["install", "inetsw_array.ops"]]


def test_nodes_are_named_as_commands_take_them(mini: CallGraph, whole: nx.MultiDiGraph) -> None:
    shared = mini.find_shared_names()
    assert shared
    for node, data in whole.nodes(data=True):
        assert (node == data["name"]) != (data["name"] in shared and ":" in node)
    assert nx.has_path(whole, "SyS_sendto", "veth_xmit")


def test_a_folder_is_a_part(mini: CallGraph, whole: nx.MultiDiGraph) -> None:
    part = to_networkx(mini, GraphPart(folder="drivers/net"))
    assert 0 < len(part) < len(whole)
    assert all(data["file"].startswith("drivers/net/") for _, data in part.nodes(data=True))
    assert nx.utils.graphs_equal(part, whole.subgraph(part.nodes))


@pytest.mark.parametrize("depth", [0, 1, 3])
def test_what_is_around_a_function_is_a_part(
    mini: CallGraph, whole: nx.MultiDiGraph, depth: int
) -> None:
    [centre] = mini.find_functions("veth_xmit")
    part = to_networkx(mini, GraphPart(around=(centre.number,), depth=depth))
    near = {"veth_xmit",
            *nx.single_source_shortest_path_length(whole, "veth_xmit", depth),
            *nx.single_source_shortest_path_length(whole.reverse(), "veth_xmit", depth)}
    assert set(part) == near
    assert nx.utils.graphs_equal(part, whole.subgraph(near))


def test_functions_are_a_part(mini: CallGraph) -> None:
    numbers = frozenset(function.number for name in ("SyS_sendto", "SYSC_sendto")
                        for function in mini.find_functions(name))
    part = to_networkx(mini, GraphPart(functions=numbers))
    assert list(part.edges()) == [("SyS_sendto", "SYSC_sendto")]


def test_networkx_reads_the_node_link_form(whole: nx.MultiDiGraph) -> None:
    text = json.dumps(make_node_link(whole))
    read = nx.node_link_graph(json.loads(text), edges="edges")
    assert nx.utils.graphs_equal(read, whole)


def test_an_empty_part(mini: CallGraph) -> None:
    assert len(to_networkx(mini, GraphPart(folder="no/such/folder"))) == 0
