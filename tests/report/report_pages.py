"""Checked queries and answered path questions, as a report takes them."""

from kgraph.graph import CallGraph
from kgraph.pipeline.subjects import read_subject
from kgraph.query import PathQuestion, find_paths
from kgraph.query.checking import check_document
from kgraph.report.site import Chain, Way


def check(graph: CallGraph, name: str) -> Chain:
    subject = read_subject(name)
    assert subject.query is not None
    return Chain(check_document(graph, subject.document, subject.query.scenario), subject.query)


def way(graph: CallGraph, caller: str, callee: str, count: int = 2) -> Way:
    answer = find_paths(graph, PathQuestion(caller, callee, count=count))
    return Way(caller, callee, answer)
