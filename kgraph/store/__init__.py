"""The index file: the facts and the graph of one tree in one configuration, in SQLite.

Owns the schema, the encoding of facts, writing an index whole or not at all, and the cache
folder. Must not know how facts are extracted, what a path is, or a terminal.
"""

from kgraph.store.cache_paths import cache_folder, index_path, list_indexes
from kgraph.store.connection import Connection, create_index
from kgraph.store.metadata import write_description
from kgraph.store.reader import IndexReader

__all__ = [
    "Connection",
    "IndexReader",
    "cache_folder",
    "create_index",
    "index_path",
    "list_indexes",
    "write_description",
]
