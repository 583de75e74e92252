from pathlib import Path

from kgraph.graph import CallGraph
from kgraph.model.location import ParameterTest
from tests.support.one_file import index_text
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


CONDITIONS = """
void go(void); void other(void);
static int last(int flags, int unused) { if (flags & 4) go(); return unused; }
static int middle(int flags, int twice) { return last(flags, 7) + last(twice + 1, 8); }
static int alone(int flags) { return flags; }
int first(int own) { return middle(3, 5) + alone(6) + middle(own, 5); }
int again(int own) { return middle(4, 4) + (own == 1 ? middle(4, 6) : middle(5, 5)); }
"""


def test_tests_of_guards_and_the_constants_that_lead_to_them(tmp_path: Path) -> None:
    with index_text(tmp_path, CONDITIONS) as graph:
        def sites(name: str) -> range:
            [function] = graph.find_functions(name)
            return range(graph.site_start[function.number], graph.site_start[function.number + 1])

        def constants(name: str) -> list[list[tuple[int, str, int]]]:
            return [[(item.parameter, item.kind.name, item.value)
                     for item in graph.constants_of(site)] for site in sites(name)]

        [test] = [test for site in sites("last") for test in graph.tests_of(site)]
        assert test == ParameterTest(0, 4, 0, False)
        assert constants("middle") == [[(0, "PARAMETER", 0)], []]
        assert constants("first") == [[(0, "NUMBER", 3)], [], [(0, "PARAMETER", 0)]]
        assert [graph.find_tested_parameters(graph.find_functions(name)[0].number)
                for name in ("last", "middle", "alone", "first")] == [{0}, {0}, set(), {0}]
        # middle(4, 6) asks for more than middle(4, 4) does.
        [again] = graph.find_functions("again")
        assert graph.hop_start[again.number + 1] - graph.hop_start[again.number] == 2
        guards = [guard for site in sites("last") for guard in graph.site(site).guards]
        assert [guard.tests for guard in guards] == [(test,)]
