"""Judging a text as a document."""

from kgraph.documents import read_document
from kgraph.graph import CallGraph
from kgraph.model.documents import ChainCheck, LineVerdict, Verdict
from kgraph.query.checking import check_document


def checked(graph: CallGraph, text: str) -> ChainCheck:
    """A document of this text, judged."""
    return check_document(graph, read_document("x.md", text.encode()))


def last(graph: CallGraph, text: str) -> LineVerdict:
    """The verdict of the last line of a chain."""
    check = checked(graph, f"```\n{text}\n")
    return [line for line in check.lines if line.verdict is not Verdict.PROSE][-1]
