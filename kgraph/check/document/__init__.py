"""Documents that hold call chains: from bytes to lines, each with its claim.

Owns the notation, and query files. Knows neither a tree nor an index, nor whether a claim is
true.
"""

from kgraph.check.document.brackets import find_call_arguments, parse_arguments
from kgraph.check.document.citations import find_citations
from kgraph.check.document.claim_parser import parse_claim
from kgraph.check.document.parser import parse_document
from kgraph.check.document.query_files import build_query_document, parse_query, read_query

__all__ = [
    "build_query_document",
    "find_call_arguments",
    "find_citations",
    "parse_arguments",
    "parse_claim",
    "parse_document",
    "parse_query",
    "read_query",
]
