"""Path answers come from the graph: without any one edge of an answer, the answer differs.

For each query, each hop of its answer is taken out of the graph, and the question asked again as
the command line asks it. The graph without an edge is made from the index's own arrays.
"""

from array import array
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from kgraph import api
from kgraph.check.document.query_files import read_shipped_queries
from kgraph.graph import CallGraph
from kgraph.model.document import Query
from kgraph.model.results import Hop
from kgraph.query import PathQuestion
from kgraph.query.scenarios import restrict_scenario
from kgraph.store import IndexReader
from kgraph.store.arrays import ARRAYS
from kgraph.store.hop_arrays import build_hop_arrays

QUERIES = read_shipped_queries()
EDGES = ("edge_callee", "edge_kind", "edge_evidence")
KEPT = [name for name in ARRAYS if not name.startswith(("hop_", "back_", "edge_", "footprint_"))]


class WithoutEdges(IndexReader):
    """An index some of whose edges are not there; all else is."""

    def __init__(self, path: Path, removed: set[int]) -> None:
        super().__init__(path)
        kept = {name: super(WithoutEdges, self).read_array(name) for name in KEPT}
        old = super().read_array("edge_start")
        start = array("I", [0])
        for site in range(len(old) - 1):
            gone = len(removed.intersection(range(old[site], old[site + 1])))
            start.append(start[-1] + old[site + 1] - old[site] - gone)
        for name in EDGES:
            edges = super().read_array(name)
            numbers = [number for edge, number in enumerate(edges) if edge not in removed]
            kept[name] = array(edges.typecode, numbers)
        kept["edge_start"] = start
        holders = [-1 if row[0] is None else row[0]
                   for row in self.fetch_rows("SELECT holder FROM site ORDER BY id")]
        self._arrays = {**kept, **build_hop_arrays(kept, holders)}

    def read_array(self, name: str) -> "array[int]":
        return self._arrays[name]


@pytest.fixture
def without(mini_index: Path) -> Iterator[Callable[[set[int]], CallGraph]]:
    """Makes the graph of mini-linux without some edges."""
    opened: list[CallGraph] = []

    def make(removed: set[int]) -> CallGraph:
        opened.append(CallGraph(WithoutEdges(mini_index, removed)))
        return opened[-1]

    yield make
    for graph in opened:
        graph.close()


def hops(graph: CallGraph, query: Query) -> tuple[Hop, ...]:
    """The hops that `kgraph path` answers with for the ends of a query."""
    question = PathQuestion(query.caller, query.callee, count_others=False)
    paths = api.path(graph, question).answer.paths
    return paths[0].hops if paths else ()


def calls(found: tuple[Hop, ...]) -> list[tuple[str, str, int]]:
    return [(str(hop.caller.id), str(hop.callee.id), hop.site.number) for hop in found]


def edges_of(graph: CallGraph, hop: Hop, *, everywhere: bool) -> set[int]:
    """The edge of a hop; with `everywhere` all edges between its two functions."""
    edges = graph.edges_from(hop.caller.number) if everywhere else graph.edges_of(hop.site.number)
    return {edge for edge in edges if graph.edge_callee[edge] == hop.callee.number
            and (everywhere or graph.kind(edge) is hop.kind)}


def test_a_graph_that_lacks_no_edge_is_the_same(mini: CallGraph, without) -> None:
    for query in QUERIES:
        assert calls(hops(without(set()), query)) == calls(hops(mini, query)) != []


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query.name)
def test_without_any_one_edge_the_answer_differs(
    mini: CallGraph, without, query: Query
) -> None:
    answer = hops(mini, query)
    for hop in answer:
        removed = edges_of(mini, hop, everywhere=False)
        assert removed, hop
        assert calls(hops(without(removed), query)) != calls(answer), hop


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query.name)
def test_without_the_calls_between_two_functions_the_path_differs(
    mini: CallGraph, without, query: Query
) -> None:
    for hop in hops(mini, query):
        pair = hop.caller.number, hop.callee.number
        other = hops(without(edges_of(mini, hop, everywhere=True)), query)
        assert pair not in [(each.caller.number, each.callee.number) for each in other], hop


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query.name)
def test_the_chain_of_a_query_is_no_part_of_the_question(query: Query) -> None:
    other = replace(query, chain="one()\n|-two()\n")
    ends = query.caller, query.callee
    assert restrict_scenario(query, *ends) is not None
    assert restrict_scenario(other, *ends) == restrict_scenario(query, *ends)
