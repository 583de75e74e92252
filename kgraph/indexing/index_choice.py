"""Choose which index answers a question, and open it."""

import contextlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from kgraph.errors import LookupFailed, StoreError
from kgraph.graph import CallGraph
from kgraph.query.lookup import has_function
from kgraph.resources import find_mini_linux
from kgraph.store import IndexReader, cache_folder
from kgraph.store.cache_paths import UnreadableIndex, survey_indexes
from kgraph.store.connection import report_damage


class ChoiceReason(StrEnum):
    """Why an index was chosen."""

    NAMED = "named"  # by --index or KGRAPH_INDEX
    TREE = "tree"  # the current folder is in its tree, or in a module that it holds
    LAST = "last"  # it was built last
    BUNDLED = "bundled"  # no kernel was indexed: mini-linux


@dataclass(frozen=True, slots=True)
class ChosenIndex:
    """The index to open, and why. `unindexed` is the kernel tree of the current folder, if it has
    no index and that of another tree answers.
    """

    path: Path
    choice: ChoiceReason
    unindexed: Path | None = None


def choose_index(named: Path | None = None, folder: Path | None = None) -> ChosenIndex:
    """Choose the index that answers in `folder` (by default the current one); `named` is --index.

    A BUNDLED index may not exist yet: `open_bundled_index` makes it. Raises StoreError in a kernel
    tree without an index where no other kernel was indexed either, and where the last index of the
    tree cannot be read.
    """
    if named is not None:
        return ChosenIndex(named, ChoiceReason.NAMED)
    if os.environ.get("KGRAPH_INDEX"):
        return ChosenIndex(Path(os.environ["KGRAPH_INDEX"]), ChoiceReason.NAMED)
    readable, unreadable = survey_indexes()
    known = [(path, about) for path, about in readable if not about.bundled]
    tree = None
    with contextlib.suppress(FileNotFoundError):  # the current folder was removed
        here = (folder or Path.cwd()).resolve()
        own = next((path for path, about in known if any(
            here.is_relative_to(folder) for folder in (
                about.tree, *(module.path for module in about.modules)))), None)
        _refuse_unreadable(unreadable, here, own)
        if own is not None:
            return ChosenIndex(own, ChoiceReason.TREE)
        tree = _find_kernel_tree(here)
    if known:
        return ChosenIndex(known[0][0], ChoiceReason.LAST, tree)
    if unreadable:
        raise unreadable[0].error
    if tree is not None:
        raise StoreError(f"there is no index of {tree} yet", f"run `kgraph index {tree}`")
    return ChosenIndex(find_bundled_index(), ChoiceReason.BUNDLED)


def _refuse_unreadable(
    unreadable: Sequence[UnreadableIndex], here: Path, own: Path | None
) -> None:
    """Raise StoreError if an index of the tree of a folder cannot be read, and is younger than its
    `own` readable one, if there is one."""
    for index in unreadable:
        tree = next((each for each in (here, *here.parents) if index.may_be_of(each)), None)
        if tree is not None and (own is None or _written(own) <= _written(index.path)):
            raise StoreError(index.error.message, f"run `kgraph index {tree}`")


def _written(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:  # removed just now
        return 0.0


def _find_kernel_tree(folder: Path) -> Path | None:
    """The kernel tree that a folder is in, None if it is in none, or in mini-linux."""
    for each in (*reversed(folder.parents), folder):
        is_top = all((each / name).exists() for name in ("Makefile", "Kconfig", "scripts"))
        if is_top and each != find_mini_linux():
            return each
    return None


def find_bundled_index() -> Path:
    """The path of mini-linux's index, which no index of another tree has."""
    return cache_folder() / "bundled" / "mini-linux.kgraph"


def open_bundled_index(
    asked: Sequence[str], remark: Callable[[str], None] = lambda _text: None
) -> CallGraph:
    """Open the index of mini-linux, making it first if it is missing or out of date.

    `asked` are the function names of the question. Raises LookupFailed if mini-linux lacks one.
    """
    index = find_bundled_index()
    graph = _open_if_current(index)
    if graph is None:
        from kgraph.indexing.index_tree import index_tree
        from kgraph.indexing.write_index import IndexRequest

        remark("there is no index yet: indexing mini-linux, a small kernel that comes with kgraph")
        jobs = min(4, os.cpu_count() or 1)
        index_tree(IndexRequest(find_mini_linux(), index=index, jobs=jobs, bundled=True))
        graph = CallGraph(IndexReader(index))
    for name in asked:
        is_name = name.rpartition(":")[2].removesuffix("()").isidentifier()
        if is_name and not has_function(graph, name) and not graph.find_objects(name):
            graph.close()
            raise LookupFailed(
                f"no kernel was indexed, and mini-linux has no function `{name}`",
                "run `kgraph index TREE` on a kernel tree",
            )
    remark("no index was built: this answer is of mini-linux, the small kernel that comes with"
           " kgraph, not of a real one (`kgraph index TREE` indexes yours)")
    return graph


def _open_if_current(index: Path) -> CallGraph | None:
    """The index of mini-linux; None if it is missing, unusable, or older than its sources."""
    with contextlib.suppress(StoreError), report_damage(index):
        graph = CallGraph(IndexReader(index))
        tree = find_mini_linux()
        newest = max((path.stat().st_mtime for path in tree.rglob("*")), default=0.0)
        if graph.description.tree == str(tree) and newest <= graph.description.built:
            return graph
        graph.close()
    return None
