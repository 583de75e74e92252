"""Reads trees, and looks after the cache folder of their indexes."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from kgraph.api.opening import Remark, ignore_remark

if TYPE_CHECKING:
    from kgraph.indexing.index_tree import IndexSummary
    from kgraph.indexing.matrix import MatrixOutcome
    from kgraph.indexing.write_index import IndexRequest, Progress
    from kgraph.model.results import CacheInventory


def _ignore_progress(_done: int, _total: int, _what: str) -> None:
    """Receive progress and do nothing."""


def index(
    request: "IndexRequest", *, progress: "Progress" = _ignore_progress,
    remark: Remark = ignore_remark, is_last: bool = False,
) -> "IndexSummary":
    """Read a kernel tree and write its index. `is_last`: the process ends afterwards, so memory
    need not be freed.

    Raises KgraphError. Whatever is raised, an earlier index stays as it was.
    """
    from kgraph.indexing.index_tree import index_tree

    return index_tree(request, progress=progress, remark=remark, is_last=is_last)


def index_matrix(
    file: Path, request: "IndexRequest", *, progress: "Progress" = _ignore_progress,
    remark: Remark = ignore_remark,
) -> "Iterator[MatrixOutcome]":
    """Index the trees and configurations that a TOML file lists, one after the other. `request`
    has what they share.
    """
    from kgraph.indexing.matrix import index_matrix, read_matrix

    return index_matrix(read_matrix(file, request), progress=progress, remark=remark)


def list_cache() -> "CacheInventory":
    """Every index in the cache folder, and the files that no index uses."""
    from kgraph.indexing.cache_inventory import list_cache

    return list_cache()


def prune_cache() -> "CacheInventory":
    """Remove the files in the cache folder that no index uses; returns what was removed."""
    from kgraph.indexing.cache_inventory import prune_cache

    return prune_cache()
