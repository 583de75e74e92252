"""The graph in the languages of graph tools, from the command line."""

import io
import json
import re
from pathlib import Path

import networkx
import pytest

from kgraph.graph import CallGraph
from kgraph.graph.nx import GraphPart, to_networkx
from kgraph.report.network import format_network


@pytest.fixture
def export(kgraph, mini_index: Path):
    def run(*arguments: object) -> str:
        answer = kgraph("export", *arguments, "--index", mini_index)
        assert answer.returncode == 0, answer.stderr
        return answer.stdout

    return run


def test_graphml_is_read_by_networkx(export, mini: CallGraph, tmp_path: Path) -> None:
    file = tmp_path / "mini.graphml"
    file.write_text(export("--format", "graphml"), encoding="utf-8")
    network = networkx.read_graphml(file, force_multigraph=True)
    assert len(network) == len(mini)
    assert network.number_of_edges() == len(mini.edge_callee)


def test_networkx_reads_all_attributes_in_the_graphml(mini: CallGraph) -> None:
    whole = to_networkx(mini)
    read = read_graphml(whole)
    assert dict(read.nodes(data=True)) == dict(whole.nodes(data=True))
    assert {(caller, callee, int(key)): data
            for caller, callee, key, data in read.edges(keys=True, data=True)} == {
        (caller, callee, key): data
        for caller, callee, key, data in whole.edges(keys=True, data=True)}


@pytest.mark.parametrize("text", ["a<b>&\"c'", "\x01\ud800\udc80\uffff", "two\nlines\ttab"])
def test_any_text_is_xml(text: str) -> None:
    network = networkx.MultiDiGraph()
    network.add_node(text, name=text)
    network.add_edge(text, text, 7, kind=text)
    [(_, _, key)] = read_graphml(network).edges(keys=True)
    assert key == 7


def test_an_empty_part_is_graphml(mini: CallGraph) -> None:
    assert len(read_graphml(to_networkx(mini, GraphPart(folder="no/such/folder")))) == 0


def read_graphml(network: networkx.MultiDiGraph) -> networkx.MultiDiGraph:
    text = "\n".join(format_network(network, "graphml"))
    return networkx.read_graphml(io.BytesIO(text.encode()), force_multigraph=True)


def test_node_link_is_read_by_networkx(export, mini: CallGraph) -> None:
    network = networkx.node_link_graph(
        json.loads(export("--format", "node-link")), edges="edges")
    assert network.number_of_edges() == len(mini.edge_callee)
    [edge] = network.get_edge_data("__netdev_start_xmit", "veth_xmit").values()
    assert edge["slot"] == "net_device_ops.ndo_start_xmit"


def test_dot_of_a_part(export) -> None:
    text = export("--format", "dot", "--around", "veth_xmit", "--only", "drivers/net/")
    assert text.startswith("digraph kgraph {\n")
    assert text.endswith("}\n")
    assert re.findall(r'^  "(.*)" \[label=', text, re.MULTILINE) == [
        "veth_xmit", "drivers/net/veth.c:xmit_ready"]
    assert '"veth_xmit" -> "drivers/net/veth.c:xmit_ready" [style=solid,' in text


@pytest.mark.parametrize(("arguments", "said"), [
    (("--only", "net"), "need --format"),
    (("--around", "veth_xmit"), "need --format"),
    (("--format", "dot", "--facts"), "cannot be given with"),
    (("--format", "dot", "--around", "nosuch"), "no function `nosuch`"),
    (("--format", "dot", "--only", "nosuch"), "no function is defined in nosuch"),
    (("--format", "dot", "--only", "nosuch", "--around", "veth_xmit"),
     "no function near veth_xmit is defined in nosuch"),
])
def test_what_does_not_go_together_is_refused(
    kgraph, mini_index: Path, arguments: tuple[str, ...], said: str
) -> None:
    answer = kgraph("export", *arguments, "--index", mini_index)
    assert answer.returncode == 2
    assert said in answer.stderr
