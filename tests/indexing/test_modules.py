"""An out-of-tree module in the index of its kernel: what is found, cited, opened and read again."""

import json
import re
import shutil
from pathlib import Path

import pytest

from kgraph.graph import CallGraph
from kgraph.indexing.index_tree import IndexSummary, index_tree
from kgraph.indexing.write_index import IndexRequest
from kgraph.resources import find_mini_linux
from kgraph.store import IndexReader
from tests.support.command_line import Answer, answer_here
from tests.support.fixture_notation import expectations
from tests.support.index_contents import contents
from tests.support.places import FIXTURES
from tests.support.tree_state import listing

COUNTER = FIXTURES / "modules/packet-counter"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("KGRAPH_INDEX", raising=False)
    return tmp_path / "cache"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    return Path(shutil.copytree(find_mini_linux(), tmp_path / "fixtures/mini-linux"))


@pytest.fixture
def module(tmp_path: Path, tree: Path) -> Path:
    return Path(shutil.copytree(COUNTER, tmp_path / "fixtures/modules/packet-counter"))


def index(tree: Path, *modules: Path, **options: object) -> IndexSummary:
    return index_tree(IndexRequest(
        tree, modules=modules, **{"jobs": 0, "precompiled": False, **options}))


def ask(folder: Path, *words: str, **variables: str) -> Answer:
    return answer_here(list(words), folder, variables)


def test_a_system_call_reaches_the_module(tree: Path, module: Path) -> None:
    before = listing(tree), listing(module)
    index(tree, module)
    answer = ask(module, "path", "SyS_sendto", "counter_xmit")
    assert answer.returncode == 0
    assert ("net_device_ops.ndo_start_xmit, 1 of 9 candidates, bound at packet-counter/main.c:14,"
            " installed at packet-counter/main.c:20") in answer.stdout
    assert "by default" not in answer.stderr  # the folder of the module chooses the index
    assert (listing(tree), listing(module)) == before


def test_what_the_fixture_says_is_found(tree: Path, module: Path) -> None:
    graph = CallGraph(IndexReader(index(tree, module).index))
    calls = {(line.path, line.line, name) for file in ("main.c", "count.c")
             for line in expectations(module) if line.form == "direct" for name in line.names}
    assert len(calls) == 5
    for file, line, name in calls:
        answer = json.loads(ask(module, "site", f"packet-counter/{file}:{line}", "--json").stdout)
        found = {hop["callee"]["name"] for site in answer["sites"] for hop in site["candidates"]}
        assert name in found, (file, line)
    graph.close()


def test_functions_in_headers_of_the_kernel_have_bodies(tree: Path, module: Path) -> None:
    index(tree, module)
    assert "dev->priv" in (tree / "include/linux/netdevice.h").read_text()
    answer = json.loads(ask(module, "callees", "counter_add", "--json").stdout)
    places = {edge["callee"]["name"]: edge["callee"]["file"] for edge in answer["edges"]}
    assert places == {"netdev_priv": "include/linux/netdevice.h",
                      "counter_twice": "packet-counter/counter.h"}


def test_only_a_module_with_what_it_calls(tree: Path, module: Path) -> None:
    summary = index(tree, module, only=("packet-counter",))
    assert summary.coverage.units == 2
    assert index(tree, module, only=("net/core",)).coverage.units > 2


def test_places_open_the_module_itself(tree: Path, module: Path, tmp_path: Path) -> None:
    index(tree, module)
    line = ask(tmp_path, "callees", "counter_add", "--format", "quickfix").stdout.splitlines()[0]
    assert line.startswith("fixtures/modules/packet-counter/count.c:5:")
    for place in ("./count.c:5", str(module / "count.c:5"), "packet-counter/count.c:5"):
        assert "netdev_priv" in ask(module, "site", place).stdout
    status = json.loads(ask(module, "status", "--json").stdout)
    assert status["modules"] == [{"name": "packet-counter", "folder": str(module)}]
    assert f"module         {module}, cited as packet-counter/" in ask(module, "status").stdout


def test_a_report_shows_the_source_of_the_module(
    tree: Path, module: Path, tmp_path: Path
) -> None:
    index(tree, module)
    out = tmp_path / "report"
    answer = ask(module, "report", "--path", "SyS_sendto", "counter_xmit", "-o", str(out))
    assert answer.returncode == 0, answer.stderr
    pages = [page.read_text() for page in (out / "source").glob("*counter*main*")]
    assert len(pages) == 1
    assert ".ndo_start_xmit = counter_xmit" in re.sub("<[^>]*>", "", pages[0])


def test_an_edited_module_is_read_again(tree: Path, module: Path) -> None:
    first = index(tree, module)
    assert (first.units_read, first.units_kept) == (first.coverage.units, 0)
    again = index(tree, module)
    assert (again.units_read, again.units_kept) == (0, first.coverage.units)
    count = module / "count.c"
    count.write_text(count.read_text().replace("return *bytes", "counter_twice(1);\n\treturn 0"))
    changed = ask(module, "path", "counter_xmit", "counter_twice", "--json").stderr
    assert "packet-counter/count.c" in changed
    edited = index(tree, module)
    assert (edited.units_read, edited.units_kept) == (1, first.coverage.units - 1)
    tables = contents(edited.index)
    assert "count.c:8" in ask(module, "callees", "counter_add").stdout
    assert contents(index(tree, module, again=True).index) == tables
    header = module / "counter.h"
    header.write_text(header.read_text().replace("n + n", "2 * n"))
    assert index(tree, module).units_read == 2
    (module / "linux").mkdir()
    (module / "linux/types.h").write_text("#error not found first: the module has no -I\n")
    assert index(tree, module).coverage.errors == 0


def test_the_kernel_lends_its_units(tree: Path, module: Path, tmp_path: Path) -> None:
    alone = index(tree)
    both = index(tree, module, index=tmp_path / "both.kgraph")
    assert (both.units_read, both.units_lent) == (2, alone.coverage.units)
    kept = index(tree, module)
    assert (kept.units_read, kept.units_kept) == (2, alone.coverage.units)
    without = index(tree)
    assert without.coverage == alone.coverage
    assert ask(tree, "callees", "counter_add").returncode == 2


def test_a_module_alone_says_where_its_kernel_is(
    tree: Path, module: Path, tmp_path: Path
) -> None:
    (tree / "Makefile").write_text("")  # a kernel, as flags see it
    said: list[str] = []
    index_tree(IndexRequest(module, jobs=0), remark=said.append)
    assert any(f"`kgraph index {tree} --module {module}`" in text for text in said)


def test_a_copy_is_of_the_cache_alone(tree: Path, module: Path, cache: Path) -> None:
    link = module / "secret.h"
    secret = cache.parent / "secret.h"
    secret.write_text("static inline int secret(void) { return 1; }\n")
    link.symlink_to(secret)
    (module / "count.c").write_text('#include "secret.h"\nint counter_add(void) { return 0; }\n')
    summary = index(tree, module)
    assert summary.coverage.errors == 0
    assert ask(module, "callers", "secret").returncode == 2  # links that lead out are not followed
    assert not [path for path in cache.rglob("secret.h") if not path.is_symlink()]
