"""What `check` and `report` are asked about: documents, and the chains of query files."""

from dataclasses import dataclass, replace
from pathlib import Path

from kgraph.check.document.parser import parse_document
from kgraph.check.document.query_files import find_query
from kgraph.errors import DocumentError
from kgraph.model.document import Document, Query
from kgraph.textfile import read_regular_file

MAX_DOCUMENT_BYTES = 64 * 2**20


@dataclass(frozen=True, slots=True)
class Subject:
    """A document with its bytes, or a query with its chain as the document, without bytes."""

    document: Document
    data: bytes = b""
    query: Query | None = None

    def with_data(self, data: bytes) -> "Subject":
        """The same document with other bytes."""
        return Subject(parse_document(self.document.file, data), data)


def read_subject(name: str) -> Subject:
    """The document or query that a FILE or QUERY argument means.

    Raises DocumentError if there is none, or it cannot be read.
    """
    path = Path(name)
    if name.endswith(".toml") or not path.exists():
        query = find_query(name)
        return Subject(build_query_document(query), query=query)
    try:
        data = read_regular_file(path, MAX_DOCUMENT_BYTES)
    except OSError as error:
        hint = f"give a Markdown or text file of at most {MAX_DOCUMENT_BYTES >> 20} MB"
        raise DocumentError(f"{name}: {error.strerror}", hint) from error
    return Subject(parse_document(name, data), data)


def build_query_document(query: Query) -> Document:
    """The chain of a query as a document whose lines are numbered as in its file."""
    shift = query.chain_line - 1
    document = parse_document(query.file, f"```\n{query.chain}".encode())
    lines = tuple(
        replace(line, number=line.number - 1 + shift,
                parent=line.parent - 1 + shift if line.parent else 0,
                one_line=query.chain_line if query.one_line else 0)
        for line in document.lines[1:]
    )
    return Document(query.file, lines)
