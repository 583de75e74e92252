"""Indexes of one C file, and of small trees."""

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
    with index_files(folder, {"a.c": text}) as graph:
        yield graph


@contextmanager
def index_files(folder: Path, files: dict[str, str]) -> Iterator[CallGraph]:
    """The graph of a tree of these files, path -> text, each `.c` file a unit."""
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    (folder / "compile_commands.json").write_text(json.dumps([
        {"directory": str(folder), "file": path, "arguments": ["cc", "-c", path]}
        for path in files if path.endswith(".c")]))
    with index_tree_at(folder, folder) as graph:
        yield graph


@contextmanager
def index_tree_at(tree: Path, folder: Path) -> Iterator[CallGraph]:
    """The graph of a tree. `folder` gets the index and the cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
        made = index_tree(IndexRequest(tree, index=folder / "a.kgraph", jobs=1))
    graph = CallGraph(IndexReader(made.index))
    yield graph
    graph.close()
