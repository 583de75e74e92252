"""Linux 4.6.2 as the documented chains need it, and an index of a good part of it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from kgraph.build import open_tree
from kgraph.graph import CallGraph
from kgraph.indexing.index_tree import IndexSummary
from kgraph.store import IndexReader
from tests.support.made_once import make_once
from tests.support.tree_state import index_parts

PARTS = ("net", "drivers/net", "kernel", "fs")


@pytest.fixture(scope="session")
def tree(linux: Path) -> Path:
    """The real tree, if it is the one that the chains were written down on."""
    config = linux / ".config"
    veth = config.is_file() and "CONFIG_VETH=y" in config.read_text()
    if open_tree(linux).release != "4.6.2" or not veth:
        pytest.skip(f"{linux} is not linux-4.6.2 with CONFIG_VETH=y in its .config")
    return linux


@pytest.fixture(scope="session")
def summary(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> IndexSummary:
    return make_once(
        tmp_path_factory, "linux-4.6.2", lambda folder: index_parts(tree, folder, PARTS))


@pytest.fixture(scope="session")
def graph(summary: IndexSummary) -> Iterator[CallGraph]:
    graph = CallGraph(IndexReader(summary.index))
    yield graph
    graph.close()
