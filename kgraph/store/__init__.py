"""The index file: facts and graph of one tree and one configuration, in SQLite.

Owns the schema, the encoding of facts, writing whole or not at all, and the cache folder. Must not
know how facts are made, what a path is, or a terminal.
"""

from kgraph.store.database import new_database
from kgraph.store.places import cache_folder, index_path, indexes, write_description
from kgraph.store.reading import IndexReader

__all__ = [
    "IndexReader", "cache_folder", "index_path", "indexes", "new_database", "write_description",
]
