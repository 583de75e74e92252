"""kgraph: a static call-graph analyser for Linux kernel source.

    import kgraph
    graph = kgraph.open_index()            # the index that the command line would open

`kgraph.api` has the questions: paths, callers, callees, ops, site, check.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kgraph.indexing import open_index

__all__ = [
    "open_index",
]


def __getattr__(name: str) -> Any:
    if name == "open_index":
        from kgraph.indexing import open_index

        return open_index
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
