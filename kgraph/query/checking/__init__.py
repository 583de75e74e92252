"""Judging documented chains: every line of a document held against the graph and the source.

Owns what a verdict means. Must not know how a document is read from bytes, nor how verdicts are
shown.
"""

from kgraph.query.checking.judge import check_document

__all__ = ["check_document"]
