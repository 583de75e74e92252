from pathlib import Path

from kgraph.graph import CallGraph
from tests.support.tiny import Tiny


def test_hops_merge_what_a_search_need_not_tell_apart(tmp_path: Path) -> None:
    tiny = Tiny()
    tiny.calls("a", "b")
    tiny.calls("a", "b")
    tiny.calls("a", "b", "c", slot=("ops", "run"))
    tiny.calls("a", "b", hands={0: "c"})
    tiny.calls("a", "b", hands={0: "d"})
    graph = tiny.graph(tmp_path)
    [a] = graph.find_functions("a")
    hops = range(graph.hop_start[a.number], graph.hop_start[a.number + 1])
    callees = [str(graph.function(graph.hop_callee[hop])) for hop in hops]
    assert callees == ["b", "b", "b", "b", "c"]
    assert len(graph.edges_from(a.number)) == 6


def test_every_hop_is_found_from_both_ends(mini: CallGraph) -> None:
    for function in range(len(mini)):
        for hop in range(mini.hop_start[function], mini.hop_start[function + 1]):
            assert mini.hop_caller[hop] == function
            assert mini.edge_callee[mini.hop_edge[hop]] == mini.hop_callee[hop]
            assert mini.site(mini.site_of(mini.hop_edge[hop])).caller == function
            callee = mini.hop_callee[hop]
            back = mini.back_hop[mini.back_start[callee] : mini.back_start[callee + 1]]
            assert hop in back


def test_every_citation_can_be_opened(mini: CallGraph) -> None:
    tree = Path(mini.description.tree)
    for path, lines in mini.reader.fetch_rows("SELECT path, lines FROM file"):
        assert len((tree / path).read_bytes().split(b"\n")) >= lines
    beyond = mini.reader.fetch_rows(
        "SELECT s.line FROM site s JOIN file ON file.id = s.file WHERE s.end_line > lines"
    )
    assert not beyond
