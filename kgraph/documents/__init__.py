"""Documents that hold call chains: from bytes to lines, each with what it claims.

Owns the notation. Must not know a tree, an index, or whether a claim is true.
"""

from kgraph.documents.citations import find_citations
from kgraph.documents.claims import read_claim
from kgraph.documents.queries import parse_query, query_document, read_query
from kgraph.documents.reading import read_document
from kgraph.documents.scanning import call_arguments, split_arguments

__all__ = [
    "call_arguments", "find_citations", "parse_query", "query_document", "read_claim",
    "read_document", "read_query", "split_arguments",
]
