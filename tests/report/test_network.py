"""The graph in the languages of graph tools, from the command line."""

import csv
import io
import json
import re
import shutil
import subprocess
from pathlib import Path
from xml.etree import ElementTree

import networkx
import pytest

from kgraph.graph import CallGraph
from kgraph.graph.nx import to_networkx
from kgraph.graph.parts import GraphPart
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
    (("--depth", "2"), "needs --around or --between"),
    (("--facts", "--folder", "net"), "goes with no part"),
    (("--between", "veth_xmit", "SyS_sendto"), "no way leads from veth_xmit to SyS_sendto"),
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


PARTS = [
    ("--folder", "net/ipv4"),
    ("--around", "veth_xmit", "--depth", "2"),
    ("--between", "SyS_sendto", "veth_xmit"),
]


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part[0])
def test_each_form_has_the_same_part(export, part: tuple[str, ...]) -> None:
    node_link = json.loads(export("--format", "node-link", *part))
    network = networkx.node_link_graph(node_link, edges="edges")
    names = {(data["name"], data.get("file")) for _, data in network.nodes(data=True)}
    pairs = {(network.nodes[a]["name"], network.nodes[b]["name"]) for a, b in network.edges()}
    assert pairs
    rows = list(csv.DictReader(io.StringIO(export("--format", "csv", *part))))
    assert {(row["caller"], row["callee"]) for row in rows} == pairs
    assert {(row["caller"], row["caller_file"]) for row in rows} <= names
    for more in ((), ("--edges-only",)):
        lines = map(json.loads, export(*more, *part).splitlines())
        assert {(hop["caller"]["name"], hop["callee"]["name"]) for hop in lines} == pairs


def test_graphviz_draws_a_part(export) -> None:
    if shutil.which("dot") is None:
        pytest.skip("needs Graphviz")
    text = export("--format", "dot", "--between", "SyS_sendto", "veth_xmit")
    drawn = json.loads(subprocess.run(
        ["dot", "-Tjson0"], input=text, text=True, capture_output=True, check=True).stdout)
    assert {"SyS_sendto", "veth_xmit"} <= {each["name"] for each in drawn["objects"]}


GRAPHML = "{http://graphml.graphdrawing.org/xmlns}"


def test_graphml_keeps_to_its_schema(export) -> None:
    """What yEd and Gephi rely on (graphml.xsd, graphml-attributes.xsd): keys come first and are
    unique, their types are those of the schema, data names a key of its element, ends are nodes.
    """
    root = ElementTree.fromstring(export("--format", "graphml", "--folder", "net"))
    kinds = [child.tag for child in root]
    assert root.tag == f"{GRAPHML}graphml"
    assert kinds == [f"{GRAPHML}key"] * (len(kinds) - 1) + [f"{GRAPHML}graph"]
    keys = {key.attrib["id"]: key.attrib for key in root.findall(f"{GRAPHML}key")}
    assert len(keys) == len(kinds) - 1
    types = {"boolean", "int", "long", "float", "double", "string"}
    assert {key["attr.type"] for key in keys.values()} <= types
    [graph] = root.findall(f"{GRAPHML}graph")
    assert graph.attrib["edgedefault"] == "directed"
    nodes = {node.attrib["id"] for node in graph.findall(f"{GRAPHML}node")}
    assert len(nodes) == len(graph.findall(f"{GRAPHML}node"))
    for kind in ("node", "edge"):
        for element in graph.findall(f"{GRAPHML}{kind}"):
            for data in element:
                key = keys[data.attrib["key"]]
                assert (data.tag, key["for"]) == (f"{GRAPHML}data", kind)
                assert key["attr.type"] != "int" or data.text.isdigit()
    for edge in graph.findall(f"{GRAPHML}edge"):
        assert {edge.attrib["source"], edge.attrib["target"]} <= nodes
