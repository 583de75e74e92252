"""Which index answers, and opening it."""

import contextlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from kgraph.errors import LookupFailed, StoreError
from kgraph.graph import CallGraph
from kgraph.resources import mini_linux
from kgraph.store import IndexReader, cache_folder, indexes
from kgraph.store.soundness import doubted


class Choice(StrEnum):
    """How an index was chosen."""

    NAMED = "named"  # by --index or KGRAPH_INDEX
    TREE = "tree"  # it is of the tree that holds the current folder
    LAST = "last"  # it was built last
    BUNDLED = "bundled"  # there is none: mini-linux


@dataclass(frozen=True, slots=True)
class Chosen:
    """The index to open and how it was chosen."""

    path: Path
    choice: Choice


def choose_index(named: Path | None = None, folder: Path | None = None) -> Chosen:
    """The index that answers in `folder` (default: the current one); `named` is --index.

    A BUNDLED index need not exist yet: open_index makes it.
    """
    if named is not None:
        return Chosen(named, Choice.NAMED)
    if os.environ.get("KGRAPH_INDEX"):
        return Chosen(Path(os.environ["KGRAPH_INDEX"]), Choice.NAMED)
    known = [(path, about) for path, about in indexes() if not about.bundled]
    with contextlib.suppress(FileNotFoundError):  # the current folder was removed
        here = (folder or Path.cwd()).resolve()
        for path, about in known:
            if here == Path(about.tree) or Path(about.tree) in here.parents:
                return Chosen(path, Choice.TREE)
    if known:
        return Chosen(known[0][0], Choice.LAST)
    return Chosen(bundled_index(), Choice.BUNDLED)


def bundled_index() -> Path:
    """Where the index of mini-linux lies; a file name that no tree's index has."""
    return cache_folder() / "bundled" / "mini-linux.kgraph"


def open_index(path: Path | str | None = None) -> CallGraph:
    """Open an index for questions; None for the one that the command line would take.

    Raises StoreError where there is none, or it is damaged or of another version. A closed graph
    can no longer be asked. Questions to an index that somebody altered and sealed again may raise
    anything, unless they are asked in a block of kgraph.store.soundness.doubted.
    """
    chosen = choose_index(None if path is None else Path(path))
    if chosen.choice is Choice.BUNDLED:
        return open_bundled(())
    return CallGraph(IndexReader(chosen.path))


def open_bundled(
    asked: Sequence[str], remark: Callable[[str], None] = lambda _text: None
) -> CallGraph:
    """The graph of mini-linux, which is indexed first where that was not done or is out of date.

    `asked` are function names of the question: StoreError where mini-linux has not all of them.
    """
    index = bundled_index()
    graph = _fresh(index)
    if graph is None:
        from kgraph.pipeline.indexing import IndexRequest, index_tree

        remark("there is no index yet: reading mini-linux, the small kernel that comes with kgraph")
        jobs = min(4, os.cpu_count() or 1)
        index_tree(IndexRequest(mini_linux(), index=index, jobs=jobs, bundled=True))
        graph = CallGraph(IndexReader(index))
    for name in asked:
        if not graph.functions_named(name.rpartition(":")[2]):
            graph.close()
            raise LookupFailed(
                f"no kernel was indexed, and mini-linux has no function `{name}`",
                "run `kgraph index TREE` on a kernel tree",
            )
    remark("no index was built: this answer is of mini-linux, the small kernel that comes with"
           " kgraph, not of a real one (`kgraph index TREE` indexes yours)")
    return graph


def _fresh(index: Path) -> CallGraph | None:
    """The index of mini-linux, unless it is missing, unusable, or older than its sources."""
    with contextlib.suppress(StoreError), doubted(index):
        graph = CallGraph(IndexReader(index))
        tree = mini_linux()
        newest = max((path.stat().st_mtime for path in tree.rglob("*")), default=0.0)
        if graph.description.tree == str(tree) and newest <= graph.description.built:
            return graph
        graph.close()
    return None
