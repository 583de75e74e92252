"""Places, as people write them."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from kgraph.errors import LookupFailed
from kgraph.graph import CallGraph
from kgraph.model.location import Extent
from kgraph.query import find_call_sites
from kgraph.query.call_site import Place, find_file
from tests.support.one_file import index_text
from tests.support.tiny import Tiny


@pytest.fixture
def graph(tmp_path: Path) -> CallGraph:
    tiny = Tiny()
    tiny.files = {"one": "net/a.c", "two": "fs/a.c", "three": "net/sub/b.c"}
    tiny.calls("one", "two")
    tiny.calls("one", "three")
    tiny.calls("two", "three")
    tiny.calls("three", "one")
    return tiny.graph(tmp_path, {"net/only.h": ""})


@pytest.fixture
def tree(graph: CallGraph) -> Path:
    return Path(graph.description.tree)


def test_a_line_with_and_without_a_column(graph: CallGraph) -> None:
    for place in ("net/a.c:2", "net/a.c:2:2", "net/a.c:2:9", "net/a.c:2:", "(net/a.c:2)"):
        sites = find_call_sites(graph, place)
        assert [str(site.site.location) for site in sites] == ["net/a.c:2"], place
    assert Place.parse("a.c:15:3") == Place("a.c", 15, 3)


def test_the_innermost_call_at_a_column(mini: CallGraph) -> None:
    lines = {}
    for site in mini.load_sites(range(len(mini.edge_start) - 1)):
        lines.setdefault((site.location.path, site.location.line), []).append(site)
    nested = next(sites for sites in lines.values() if len({each.location for each in sites}) > 1)
    for site in nested:
        found = find_call_sites(mini, f"{site.location}:{site.location.column}")
        assert {each.site.location for each in found} == {site.location}


def test_all_calls_of_a_file_and_of_a_function(graph: CallGraph) -> None:
    assert [str(each.site.location) for each in find_call_sites(graph, "net/a.c")] == [
        "net/a.c:2", "net/a.c:3"]
    assert [str(each.site.location) for each in find_call_sites(graph, "one()")] == [
        "net/a.c:2", "net/a.c:3"]
    assert [each.caller.id.name for each in find_call_sites(graph, "net/sub/b.c:three")] == [
        "three"]


def test_paths_absolute_and_relative(
    graph: CallGraph, tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tree / "net")
    for written in ("a.c", "./a.c", str(tree / "net" / "a.c"), "../net/a.c", "net/a.c"):
        assert find_file(graph, written) == "net/a.c", written
    assert find_file(graph, "b.c") == find_file(graph, "sub/b.c") == "net/sub/b.c"
    assert find_file(graph, "../fs/a.c") == find_file(graph, "fs/a.c") == "fs/a.c"
    monkeypatch.chdir(tree / "fs")
    assert find_file(graph, "a.c") == "fs/a.c"
    monkeypatch.chdir(tree.parent)
    assert find_file(graph, f"{tree.name}/fs/a.c") == "fs/a.c"
    with pytest.raises(LookupFailed, match="is ambiguous"):
        find_file(graph, "a.c")


def test_a_tree_behind_a_link(
    graph: CallGraph, tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = tmp_path / "link"
    link.symlink_to(tree)
    assert find_file(graph, str(link / "net" / "a.c")) == "net/a.c"
    monkeypatch.chdir(link / "net")
    assert find_file(graph, "./a.c") == "net/a.c"


def test_a_file_without_calls_says_why(graph: CallGraph, tree: Path) -> None:
    (tree / "net" / "off.c").touch()
    for name, hint in (("net/only.h", "neither a function nor a call"),
                       ("net/off.c", "no unit that was indexed reads it"),
                       ("net/none.c", "from the top of the tree")):
        with pytest.raises(LookupFailed, match="the index has no file") as raised:
            find_file(graph, name)
        assert hint in raised.value.hint


def test_a_line_in_the_middle_of_a_call(tmp_path: Path) -> None:
    tiny = Tiny()
    tiny.calls("one", "two")
    call = tiny.calls_of["one"][0]
    tiny.calls_of["one"][0] = replace(call, extent=Extent(call.location, 4, 5))
    graph = tiny.graph(tmp_path)
    assert [each.site.number for each in find_call_sites(graph, "a.c:3")] == [0]
    with pytest.raises(LookupFailed, match="no call starts at a"):
        find_call_sites(graph, "a.c:5")


def test_the_calls_of_one_line_cost_what_they_are(tmp_path: Path) -> None:
    def listed(count: int) -> int:
        calls = " ".join(["g();"] * count)
        with index_text(tmp_path, f"void g(void);\nvoid f(void)\n{{\n{calls}\n}}\n") as graph:
            answers = find_call_sites(graph, "a.c:4")
            assert len(answers) == count
            return sum(1 + len(hop.sites) for answer in answers for hop in answer.candidates)

    assert listed(40) < 3 * 40
    assert listed(400) < 3 * 400
