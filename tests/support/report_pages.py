"""Checked queries and answered path questions, as a report takes them."""

from kgraph.check.document.subjects import read_subject
from kgraph.check.walk import check_document
from kgraph.graph import CallGraph
from kgraph.query import PathQuestion, find_paths
from kgraph.report.html import AnsweredPath, CheckedChain


def check_query(graph: CallGraph, name: str) -> CheckedChain:
    subject = read_subject(name)
    assert subject.query is not None
    return CheckedChain(
        check_document(graph, subject.document, subject.query.scenario), subject.query
    )


def answer_path(graph: CallGraph, caller: str, callee: str, count: int = 2) -> AnsweredPath:
    answer = find_paths(graph, PathQuestion(caller, callee, count=count))
    return AnsweredPath(caller, callee, answer)
