"""Checked documents and answered path questions, as a report takes them."""

from kgraph import api
from kgraph.check.document.parser import parse_document
from kgraph.check.document.subjects import Subject
from kgraph.graph import CallGraph


def check_text(graph: CallGraph, name: str, text: bytes) -> api.CheckResult:
    """The check of a document with this name and text."""
    return api.check(graph, Subject(parse_document(name, text)))


def answer_path(
    graph: CallGraph, caller: str, callee: str, count: int = 2
) -> api.PathResult:
    """The paths without the scenario that documents them."""
    question = api.PathQuestion(caller, callee, count=count)
    return api.path(graph, question, documented=False)
