"""What `check` and `report` are asked about: documents and queries, as a user names them."""

from dataclasses import dataclass
from pathlib import Path

from kgraph.documents import query_document, read_document
from kgraph.errors import DocumentError
from kgraph.model.documents import Document, Query
from kgraph.pipeline.queries import find_query

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
        if not path.is_file() or path.stat().st_size > MOST_BYTES:
            raise DocumentError(
                f"{name}: no file of at most {MOST_BYTES >> 20} MB", "give a Markdown or text file"
            )
        data = path.read_bytes()
    except OSError as error:
        raise DocumentError(f"{name}: {error.strerror}", "give a file that can be read") from error
    return Subject(read_document(name, data), data)
