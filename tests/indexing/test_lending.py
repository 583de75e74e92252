"""Units that other indexes lend: less is read, and the result is that of reading everything."""

import json
import os
import shutil
import sqlite3
from pathlib import Path
from random import Random

import pytest

from kgraph.indexing.index_tree import IndexSummary, index_tree
from kgraph.indexing.write_index import IndexRequest
from kgraph.resources import find_mini_linux
from tests.support.effort import seeds
from tests.support.index_contents import all_tables, contents
from tests.support.tree_edits import EDITS

pytestmark = pytest.mark.reindexing


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache folder without the indexes of other tests."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    return configured(tmp_path / "one/tree", "#define CONFIG_OTHER 1\n")


def configured(copy: Path, symbols: str) -> Path:
    """A copy of mini-linux with additional configuration symbols."""
    shutil.copytree(find_mini_linux(), copy)
    (copy / "include/generated").mkdir()
    kconfig = copy / "include/linux/kconfig.h"
    lines = [line for line in kconfig.read_text().splitlines() if line.startswith("#define CONFIG")]
    (copy / "include/generated/autoconf.h").write_text("\n".join(lines) + f"\n{symbols}")
    kconfig.write_text("#include <generated/autoconf.h>\n")
    for path in (kconfig, copy / "include/generated/autoconf.h"):
        os.utime(path, ns=(1, 10**18))  # long before any index
    return copy


def index(tree: Path, **options: object) -> IndexSummary:
    return index_tree(IndexRequest(tree, **{"jobs": 0, "precompiled": False, **options}))


def test_a_tree_lends_all_units_to_its_copy(tree: Path, tmp_path: Path) -> None:
    first = index(tree)
    copy = Path(shutil.copytree(tree, tmp_path / "two/elsewhere"))
    second = index(copy)
    assert (second.units_read, second.units_lent) == (0, first.units_read)
    assert second.coverage == first.coverage
    tables = all_tables(second.index)
    alone = index(copy, again=True)
    assert (alone.units_read, alone.units_lent) == (first.units_read, 0)
    assert all_tables(alone.index) == tables
    assert index(copy).units_kept == first.units_read  # and it holds as one that was read


def test_another_configuration_reads_the_units_that_mention_changed_symbols(
    tree: Path, tmp_path: Path
) -> None:
    units = index(tree).units_read
    users = [path for path in tree.rglob("*.c") if "CONFIG_IP_MULTICAST" in path.read_text()]
    other = configured(tmp_path / "two/tree", "#define CONFIG_IP_MULTICAST 1\n")
    summary = index(other)
    assert 0 < len(users) <= summary.units_read < units
    assert summary.units_read + summary.units_lent == units
    tables = all_tables(summary.index)
    assert all_tables(index(other, again=True).index) == tables


def test_a_header_found_first_elsewhere_is_read(tree: Path, tmp_path: Path) -> None:
    units = index(tree).units_read
    copy = Path(shutil.copytree(tree, tmp_path / "two/tree"))
    shutil.copy(copy / "include/net/ip.h", copy / "net/ipv4/ip.h")
    summary = index(copy)
    assert 0 < summary.units_read < units
    tables = all_tables(summary.index)
    assert all_tables(index(copy, again=True).index) == tables


@pytest.mark.parametrize("seed", seeds(4))
def test_after_any_edits_of_a_copy_what_is_lent_changes_nothing(
    tree: Path, tmp_path: Path, seed: int
) -> None:
    random = Random(seed)
    index(tree, precompiled=True)
    lent = 0
    for number in range(3):
        copy = Path(shutil.copytree(tree, tmp_path / f"{number}/tree"))
        edits = random.sample(EDITS, 3)
        for edit in edits:
            edit(copy, random)
        summary = index(copy, precompiled=True)
        lent += summary.units_lent
        cold = index(copy, again=True, precompiled=True, index=tmp_path / "cold.kgraph")
        assert contents(summary.index) == contents(cold.index), edits
        assert (summary.coverage, summary.units_with_errors) == (
            cold.coverage,
            cold.units_with_errors,
        )
    assert lent


def test_units_with_errors_are_not_lent(tree: Path, tmp_path: Path) -> None:
    broken = tree / "net/ipv4/raw.c"
    broken.write_text(broken.read_text() + "int wrong(void) { return nowhere; }\n")
    assert [path for path, _ in index(tree).units_with_errors] == ["net/ipv4/raw.c"]
    copy = Path(shutil.copytree(tree, tmp_path / "two/tree"))
    summary = index(copy)
    assert (summary.units_read, [path for path, _ in summary.units_with_errors]) == (
        1,
        ["net/ipv4/raw.c"],
    )


def test_files_that_are_no_index_lend_nothing(tree: Path, tmp_path: Path) -> None:
    first = index(tree)
    copy = Path(shutil.copytree(tree, tmp_path / "two/tree"))
    content = first.index.read_bytes()
    for damage in (content[:len(content) // 2], content[:-1] + bytes([content[-1] ^ 1]), b""):
        first.index.write_bytes(damage)
        summary = index(copy, index=tmp_path / "x.kgraph")
        assert (summary.units_read, summary.units_lent) == (first.units_read, 0)
        assert first.index.read_bytes() == damage
        (tmp_path / "x.kgraph").unlink()


def test_facts_of_another_version_of_kgraph_are_not_lent(tree: Path, tmp_path: Path) -> None:
    first = index(tree)
    from kgraph.store import create_index

    with create_index(first.index, from_copy=True) as connection:
        connection.execute("UPDATE meta SET value = 'other' WHERE name = 'facts meaning'")
    copy = Path(shutil.copytree(tree, tmp_path / "two/tree"))
    assert index(copy).units_lent == 0


def test_a_donor_that_is_replaced_meanwhile_lends_nothing(
    tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from kgraph.indexing import index_tree

    first = index(tree)
    copy = Path(shutil.copytree(tree, tmp_path / "two/tree"))
    usual = index_tree.add_loans

    def and_then_replaced(*arguments):
        fresh = usual(*arguments)
        assert fresh.loans
        shutil.copy(first.index, tmp_path / "new")
        (tmp_path / "new").replace(first.index)
        return fresh

    monkeypatch.setattr(index_tree, "add_loans", and_then_replaced)
    summary = index(copy)
    assert (summary.units_read, summary.units_lent) == (first.units_read, 0)


def test_neither_order_nor_workers_show_in_the_file(tree: Path, tmp_path: Path) -> None:
    found = []
    for seed, jobs in ((0, 1), (1, 2), (2, 3)):
        request = IndexRequest(tree, jobs=jobs, again=True, index=tmp_path / f"{seed}.kgraph")
        found.append(all_tables(index_tree(request, seed=seed).index))
    assert found[0] == found[1] == found[2]


def test_a_matrix_reports_what_it_shares(tree: Path, tmp_path: Path, kgraph, cache: Path) -> None:
    configured(tmp_path / "two/tree", "#define CONFIG_IP_MULTICAST 1\n")
    (tmp_path / "set.toml").write_text(
        '[[tree]]\npath = "one/tree"\n[[tree]]\npath = "two/tree"\n[[configuration]]\n')
    answer = kgraph("index", "--matrix", tmp_path / "set.toml", "--json", "-j1")
    assert answer.returncode == 0, answer.stderr
    first, second = json.loads(answer.stdout)["indexes"]
    assert first["tree"].endswith("one/tree")
    assert (first["units_lent"], second["units_lent"] > 0) == (0, True)
    assert second["units_read"] + second["units_lent"] == first["units_read"]
    with sqlite3.connect(second["index"]) as connection:
        assert connection.execute("SELECT count(*) FROM unit").fetchone()[0] == first["units_read"]
    again = kgraph("index", "--matrix", tmp_path / "set.toml", "-j1")
    assert again.stdout.count("0 read, 63 unchanged") == 2
