"""The composition root: index a tree, choose and open an index.

Knows every layer below it and joins them. Must not print or know a terminal: progress and remarks
go to functions that the caller gives. Indexing is imported only when something is indexed.
"""

from kgraph.pipeline.opening import Choice, Chosen, choose_index, open_bundled, open_index

__all__ = ["Choice", "Chosen", "choose_index", "open_bundled", "open_index"]
