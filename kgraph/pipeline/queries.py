"""The queries that come with kgraph, and those that a user names."""

from functools import cache
from pathlib import Path

from kgraph.documents import read_query
from kgraph.errors import DocumentError
from kgraph.model.documents import Query
from kgraph.resources import resource


@cache
def shipped_queries() -> tuple[Query, ...]:
    """The queries that come with kgraph, by name."""
    return tuple(read_query(path) for path in sorted(resource("queries").glob("*.toml")))


def find_query(name: str) -> Query:
    """The query that a user names: a file, or one that comes with kgraph.

    Raises DocumentError where there is none, or its file is not understood.
    """
    if Path(name).is_file():
        return read_query(Path(name))
    for query in shipped_queries():
        if query.name == name:
            return query
    known = ", ".join(query.name for query in shipped_queries())
    raise DocumentError(f"{name}: no such file, and no query of that name",
                        f"the queries that come with kgraph are {known}")
