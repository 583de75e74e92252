"""Opens an index for questions, and completes names from one."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from kgraph.logs import PackageLogger

if TYPE_CHECKING:
    from kgraph.graph import CallGraph

_LOG = PackageLogger("kgraph.api")
Remark = Callable[[str], None]
NameKind = Literal["function", "binding", "file"]


def ignore_remark(_text: str) -> None:
    """Receive a remark and do nothing."""


def open_graph(
    path: Path | str | None = None, *, functions: Sequence[str] = (),
    folder: Path | None = None, remark: Remark = ignore_remark,
) -> "CallGraph":
    """Open an index for questions. Close it when you are done, or say `with use_index()`.

    Without `path` the choice is: KGRAPH_INDEX, else the index of the tree that holds `folder` (by
    default the current one), else the one that was built last, else mini-linux, which is indexed if
    necessary.
    `functions` are the names that you are going to ask for: mini-linux must have them. `remark`
    receives which index was chosen, where you did not choose it.

    Raises StoreError where there is no index, or it is damaged or of another version; LookupFailed
    where mini-linux lacks one of `functions`.
    """
    from kgraph.graph import CallGraph
    from kgraph.indexing.index_choice import ChoiceReason, choose_index, open_bundled_index
    from kgraph.store import IndexReader

    chosen = choose_index(None if path is None else Path(path), folder)
    _LOG.debug("index %s (%s)", chosen.path, chosen.choice)
    if chosen.choice is ChoiceReason.BUNDLED:
        return open_bundled_index(functions, remark)
    graph = CallGraph(IndexReader(chosen.path))
    if chosen.choice is ChoiceReason.LAST:
        remark(f"using the index built last, of {graph.description.tree}")
        if chosen.unindexed is not None:
            remark(f"{chosen.unindexed} has no index: run `kgraph index {chosen.unindexed}`")
    return graph


@contextmanager
def use_index(
    path: Path | str | None = None, *, functions: Sequence[str] = (),
    folder: Path | None = None, remark: Remark = ignore_remark,
) -> "Iterator[CallGraph]":
    """Open an index (see open_graph), and close it at the end of the block. Your own exceptions
    leave the block as they are.
    """
    graph = open_graph(path, functions=functions, folder=folder, remark=remark)
    try:
        yield graph
    finally:
        graph.close()


def complete_name(start: str, kind: NameKind, path: Path | str | None = None) -> list[str]:
    """Names in an index that begin with `start`, the first 200: of functions; of what `ops` takes
    (tables, slots, functions); or of files and folders. Without an index there are none.

    Raises StoreError where the index is damaged or of another version.
    """
    from kgraph.graph import CallGraph
    from kgraph.indexing.index_choice import ChoiceReason, choose_index
    from kgraph.store import IndexReader

    chosen = choose_index(None if path is None else Path(path))
    if chosen.choice is ChoiceReason.BUNDLED:
        return []
    graph = CallGraph(IndexReader(chosen.path))
    try:
        if kind == "file":
            return graph.find_paths_from(start)
        names = graph.find_function_names_from(start, 200)
        return names if kind == "function" else sorted(
            {*names, *graph.find_binding_names_from(start, 200)})
    finally:
        graph.close()
