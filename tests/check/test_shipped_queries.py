"""The queries that come with kgraph, on mini-linux."""

from dataclasses import replace

import pytest

from kgraph.check.document.query_files import find_query, read_shipped_queries
from kgraph.check.document.subjects import build_query_document
from kgraph.check.walk import check_document
from kgraph.graph import CallGraph
from kgraph.model.document import Query
from kgraph.model.verdicts import Verdict
from kgraph.query import PathQuestion, find_paths
from kgraph.query.scenarios import restrict_scenario

QUERIES = read_shipped_queries()


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query.name)
def test_shipped_queries_hold(mini: CallGraph, query: Query) -> None:
    check = check_document(mini, build_query_document(query), query.scenario)
    wrong = {Verdict.REFUTED, Verdict.CONTRADICTS, Verdict.UNDECIDED, Verdict.UNREAD, Verdict.GAP}
    assert not [line for line in check.lines if line.verdict in wrong]
    assert sum(line.verdict in (Verdict.HOLDS, Verdict.STANDS) for line in check.lines) > 8


def find_path_names(graph: CallGraph, query: Query, avoid: tuple[str, ...] = ()) -> tuple[str, ...]:
    scenario = restrict_scenario(query, query.caller, query.callee)
    question = PathQuestion(query.caller, query.callee, scenario=scenario, avoid=avoid)
    paths = find_paths(graph, question).paths
    return tuple(hop.callee.id.name for hop in paths[0].hops) if paths else ()


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query.name)
def test_the_path_is_searched_and_not_copied(mini: CallGraph, query: Query) -> None:
    """Without any one of its functions the answer is another, or there is none."""
    found = find_path_names(mini, query)
    lines = build_query_document(query).lines
    claimed = {line.claim.name for line in lines} | {line.claim.target for line in lines}
    assert set(found) - claimed <= {"NF_HOOK_THRESH"}
    for name in set(found[:-1]):
        assert name not in find_path_names(mini, query, avoid=(name,))


def test_a_part_of_a_documented_path(mini: CallGraph) -> None:
    query = find_query("veth")
    part = restrict_scenario(query, "SyS_sendto", "veth_xmit")
    assert part is not None
    assert part.via == query.scenario.via[:-1]
    assert restrict_scenario(query, "veth_xmit", "SyS_sendto") is None


def test_a_pin_for_a_part_of_the_path(mini: CallGraph) -> None:
    query = find_query("veth")
    pins = tuple(
        replace(pin, start="neigh_resolve_output", end="veth_xmit")
        if pin.target == "veth_netdev_ops" else pin for pin in query.scenario.pins
    )
    limited = replace(query, scenario=replace(query.scenario, pins=pins))
    assert find_path_names(mini, limited) == find_path_names(mini, query)
