"""The graph in the languages of graph tools, from the command line."""

import json
import re
from pathlib import Path

import networkx
import pytest

from kgraph.graph import CallGraph


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
    (("--format", "dot", "--only", "nosuch"), "no function of the index is defined in nosuch"),
])
def test_what_does_not_go_together_is_refused(
    kgraph, mini_index: Path, arguments: tuple[str, ...], said: str
) -> None:
    answer = kgraph("export", *arguments, "--index", mini_index)
    assert answer.returncode == 2
    assert said in answer.stderr
