"""What `check` and `report` are asked about: documents and queries, as a user names them."""

from dataclasses import dataclass
from pathlib import Path

from kgraph.documents import query_document, read_document
from kgraph.errors import DocumentError
from kgraph.model.documents import Document, Query
from kgraph.pipeline.queries import find_query
from kgraph.treefile import read_regular

MOST_BYTES = 64 * 2**20


@dataclass(frozen=True, slots=True)
class Subject:
    """A document with its bytes, or a query (then `data` is empty)."""

    document: Document
    data: bytes = b""
    query: Query | None = None


def read_subject(name: str) -> Subject:
    """The document or query that a FILE or QUERY argument means.

    Raises DocumentError where there is none, or it cannot be read.
    """
    path = Path(name)
    if name.endswith(".toml") or not path.exists():
        query = find_query(name)
        return Subject(query_document(query), query=query)
    try:
        data = read_regular(path, MOST_BYTES)
    except OSError as error:
        hint = f"give a Markdown or text file of at most {MOST_BYTES >> 20} MB"
        raise DocumentError(f"{name}: {error.strerror}", hint) from error
    return Subject(read_document(name, data), data)
