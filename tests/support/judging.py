"""Judging a text as a document."""

from kgraph.check.document.parser import parse_document
from kgraph.check.walk import check_document
from kgraph.graph import CallGraph
from kgraph.model.verdicts import ChainCheck, LineVerdict, Verdict


def check_text(graph: CallGraph, text: str) -> ChainCheck:
    """A document of this text, judged."""
    return check_document(graph, parse_document("x.md", text.encode()))


def last(graph: CallGraph, text: str) -> LineVerdict:
    """The verdict of the last line of a chain."""
    check = check_text(graph, f"```\n{text}\n")
    return [line for line in check.lines if line.verdict is not Verdict.PROSE][-1]
