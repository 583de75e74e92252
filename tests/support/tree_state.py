"""Real trees: what writing to one would change, a copy to write to, indexes of their parts."""

import os
import shutil
from pathlib import Path

import pytest

from kgraph.indexing.index_tree import IndexSummary, index_tree
from kgraph.indexing.write_index import IndexRequest


def listing(root: Path) -> list[tuple[str, int, int]]:
    """Every entry below `root` with its time and size: what writing to it would change."""
    found = []
    for path in sorted([root, *root.rglob("*")]):
        state = path.lstat()
        found.append((str(path), state.st_mtime_ns, state.st_size))
    return found


def linked_copy(tree: Path, target: Path) -> None:
    """The tree again, without its history, of hard links where that is possible."""
    def link(source: str, name: str) -> None:
        try:
            os.link(source, name, follow_symlinks=False)
        except OSError:
            shutil.copy2(source, name, follow_symlinks=False)

    shutil.copytree(tree, target, copy_function=link, symlinks=True,
                    ignore=shutil.ignore_patterns(".git"))


def index_parts(tree: Path, folder: Path, only: tuple[str, ...]) -> IndexSummary:
    """Index parts of a tree, with a cache folder of their own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder))
        return index_tree(IndexRequest(tree, only=only, jobs=os.cpu_count() or 1))
