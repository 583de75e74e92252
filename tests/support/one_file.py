"""Indexes of one C file."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from kgraph.graph import CallGraph
from kgraph.indexing.index_tree import index_tree
from kgraph.indexing.write_index import IndexRequest
from kgraph.store import IndexReader


@contextmanager
def index_text(folder: Path, text: str) -> Iterator[CallGraph]:
    """The graph of a tree with this one file, a.c."""
    (folder / "a.c").write_text(text)
    (folder / "compile_commands.json").write_text(json.dumps(
        [{"directory": str(folder), "file": "a.c", "arguments": ["cc", "-c", "a.c"]}]))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
        made = index_tree(IndexRequest(folder, index=folder / "a.kgraph", jobs=1))
    graph = CallGraph(IndexReader(made.index))
    yield graph
    graph.close()
