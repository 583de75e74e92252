"""A part of a modern tree, linux-6.1: parses, and answers the two headline questions.

`KGRAPH_LINUX_MODERN` names the tree, else ~/.cache/kgraph/trees/linux-6.1 is taken; its
configuration is the tree's .config, else the file beside it of its name with `.config` behind.
Both come from Debian's linux-source-6.1 and linux-config-6.1 in CI (see .ci/run).
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from kgraph.graph import CallGraph
from kgraph.indexing.index_tree import IndexSummary, index_tree
from kgraph.indexing.write_index import IndexRequest
from kgraph.query import PathQuestion, find_paths
from kgraph.store import IndexReader

pytestmark = [pytest.mark.kernel, pytest.mark.slow]
PARTS = (
    "net/socket.c", "net/core", "net/ipv4", "net/ethernet", "drivers/net/veth.c", "kernel/fork.c",
    "kernel/nsproxy.c",
)


@pytest.fixture(scope="module")
def tree() -> Path:
    given = os.environ.get("KGRAPH_LINUX_MODERN")
    tree = Path(given) if given else Path.home() / ".cache/kgraph/trees/linux-6.1"
    if not (tree / "Kbuild").is_file():
        pytest.skip(f"no modern kernel tree at {tree} (KGRAPH_LINUX_MODERN names one)")
    return tree


@pytest.fixture(scope="module")
def summary(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> IndexSummary:
    beside = tree.with_name(f"{tree.name}.config")
    if not (tree / ".config").is_file() and not beside.is_file():
        pytest.skip(f"no configuration of {tree}: neither its .config nor {beside}")
    config = None if (tree / ".config").is_file() else beside
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("modern")))
        return index_tree(IndexRequest(tree, config=config, only=PARTS, jobs=os.cpu_count() or 1))


@pytest.fixture(scope="module")
def graph(summary: IndexSummary) -> Iterator[CallGraph]:
    graph = CallGraph(IndexReader(summary.index))
    yield graph
    graph.close()


def test_few_units_have_errors(summary: IndexSummary) -> None:
    assert summary.failed_units == ()
    assert len(summary.units_with_errors) < summary.coverage.units * 0.005


@pytest.mark.parametrize(("caller", "callee"), [
    ("__x64_sys_sendto", "veth_xmit"), ("__x64_sys_clone", "setup_net"),
])
def test_path_with_citations_that_hold(
    graph: CallGraph, tree: Path, caller: str, callee: str
) -> None:
    [path] = find_paths(graph, PathQuestion(caller, callee)).paths
    assert (path.hops[0].caller.id.name, path.hops[-1].callee.id.name) == (caller, callee)
    for hop in path.hops:
        place = hop.site.location
        text = (tree / place.path).read_text("utf-8", "replace").split("\n")[place.line - 1]
        seen = hop.site.macro or hop.site.expression.replace("->", ".").rpartition(".")[2]
        assert seen in text, f"{place}: {text}"
