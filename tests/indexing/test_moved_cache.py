"""A cache folder that is copied, moved or reached through a link: facts depend neither on its place
nor on the tree's, and what does depend on it is made again."""

import shutil
from pathlib import Path

import pytest

from kgraph.graph import CallGraph
from kgraph.graph.text import SourceText
from kgraph.indexing.cache_inventory import prune_cache
from kgraph.indexing.index_tree import IndexSummary, index_tree
from kgraph.indexing.write_index import IndexRequest
from kgraph.store import IndexReader
from tests.support.index_contents import all_tables
from tests.support.kbuild_tree import make_kbuild_tree

pytestmark = pytest.mark.usefixtures("tools")
# A record without a name, and a text that names its own file: in the tree and in what is generated.
NAMELESS = """\
static struct { int (*run)(int); const char *from; } table[] = { { NAME, __FILE__ } };
int NAME(int a) { return a; }
int call_NAME(int a, int n) { return table[n].run(a) + (__FILE__)[0]; }
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    return make_kbuild_tree(tmp_path / "tree")


@pytest.fixture
def nameless(tree: Path) -> Path:
    """The tree with a generated unit and another, both NAMELESS."""
    rules = tree / "rules.mk"
    rules.write_text(rules.read_text().replace(
        "echo 'int made;' > net/made.c", "cat $(SRC)/net/made.in > net/made.c"))
    (tree / "net/made.in").write_text("int made(int a);\n" + NAMELESS.replace("NAME", "made"))
    (tree / "net/core/dev.c").write_text("int dev(int a);\n" + NAMELESS.replace("NAME", "dev"))
    return tree


def index(tree: Path, cache: Path, said: list[str] | None = None, **options: object
          ) -> IndexSummary:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(cache))
        return index_tree(IndexRequest(tree, jobs=0, **options),
                          remark=(said if said is not None else []).append)


def all_but_times(index: Path) -> dict[str, list[tuple[object, ...]]]:
    """All tables of an index, without the times of files."""
    found = all_tables(index)
    found["unit_file"] = [(number, path, digest) for number, path, _, digest in found["unit_file"]]
    return found


def texts(summary: IndexSummary, function: str) -> list[tuple[str, str]]:
    """The citations and source lines of the calls that a function makes."""
    graph = CallGraph(IndexReader(summary.index))
    text = SourceText(graph)
    [found] = graph.find_functions(function)
    lines = [
        (str(site.location), text.read_line(site.location))
        for site in graph.find_sites_of(found.number)
    ]
    graph.close()
    return lines


def test_facts_do_not_depend_on_where_tree_and_cache_folder_lie(
    nameless: Path, tmp_path: Path
) -> None:
    first = index(nameless, tmp_path / "cache", again=True)
    assert (first.coverage.units, first.failed_units) == (4, ())
    found = all_but_times(first.index)
    types = {row[9] for row in found["object"]}
    assert "struct (unnamed struct in net/core/dev.c)[1]" in types
    assert "struct (unnamed struct in net/made.c)[1]" in types
    copy = shutil.copytree(nameless, tmp_path / "a/longer/name/of/tree", symlinks=True)
    second = index(Path(copy), tmp_path / "another/cache/folder", again=True)
    assert all_but_times(second.index) == found


@pytest.mark.parametrize("moved", [True, False])
def test_a_folder_that_was_moved_or_copied_is_made_again(
    nameless: Path, tmp_path: Path, moved: bool
) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    before = index(nameless, one)
    found, said = all_but_times(before.index), texts(before, "call_made")
    assert said == [("net/made.c:4", NAMELESS.replace("NAME", "made").splitlines()[2])]
    shutil.copytree(one, other, symlinks=True)
    if moved:
        shutil.rmtree(one)
    else:
        [made] = one.rglob("build/net/made.c")
        made.write_text("int made(int a) { return 0; }\n")
    remarks: list[str] = []
    graph = CallGraph(IndexReader(other / before.index.relative_to(one)))
    [function] = graph.find_functions("call_made")
    [site] = graph.find_sites_of(function.number)
    assert SourceText(graph).read_line(site.location) == said[0][1]  # before it is indexed again
    graph.close()
    after = index(nameless, other, remarks)
    assert any("was copied or moved" in remark and str(one) in remark for remark in remarks)
    assert (after.failed_units, after.units_with_errors) == ((), ())
    assert texts(after, "call_made") == said
    assert all_but_times(after.index) == found
    remarks.clear()
    again = index(nameless, other, remarks)
    assert (again.units_read, remarks) == (0, [])


def test_a_cache_folder_behind_a_link(nameless: Path, tmp_path: Path) -> None:
    real = index(nameless, tmp_path / "real")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    remarks: list[str] = []
    linked = index(nameless, tmp_path / "link", remarks)
    assert (linked.units_read, linked.units_kept, remarks) == (0, real.units_read, [])
    assert texts(linked, "call_made") == texts(real, "call_made") != []


def test_what_a_moved_index_uses_is_not_pruned(
    nameless: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    index(nameless, one, index=one / "kgraph/mine.kgraph")
    one.rename(other)
    monkeypatch.setenv("XDG_CACHE_HOME", str(other))
    assert prune_cache().unused == ()
    (other / "kgraph/mine.kgraph").unlink()
    assert [spare.path.parent.name for spare in prune_cache().unused] == ["build"]
