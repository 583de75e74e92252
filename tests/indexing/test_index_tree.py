"""Indexing mini-linux: order, workers, crashes; the tree is only read."""

import os
import shutil
import time
from pathlib import Path

import pytest

from kgraph.build import UnitRequest, list_translation_units, open_tree
from kgraph.graph import CallGraph
from kgraph.indexing.index_tree import index_tree
from kgraph.indexing.workers import unit_reading
from kgraph.indexing.workers.pool import Limits
from kgraph.indexing.write_index import IndexRequest
from kgraph.model.units import TranslationUnit
from kgraph.resources import find_mini_linux
from kgraph.store import IndexReader
from tests.support.index_contents import contents


def test_neither_the_order_of_units_nor_the_workers_matter(tmp_path: Path) -> None:
    results = []
    for seed, jobs in ((0, 0), (1, 0), (2, 1), (3, 3)):
        request = IndexRequest(find_mini_linux(), index=tmp_path / f"{seed}.kgraph", jobs=jobs)
        results.append(contents(index_tree(request, seed=seed).index))
    assert all(result == results[0] for result in results[1:])


def state_of(tree: Path) -> dict[str, tuple[object, ...]]:
    return {
        str(path): (path.lstat().st_mtime_ns, path.lstat().st_mode, path.lstat().st_size)
        for path in (tree, *tree.rglob("*"))
    }


def test_the_tree_is_only_read(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    shutil.copytree(find_mini_linux(), tree)
    for path in (*tree.rglob("*"), tree):
        path.chmod(path.stat().st_mode & ~0o222)
    before = state_of(tree)
    index_tree(IndexRequest(tree, index=tmp_path / "x.kgraph", jobs=1))
    assert state_of(tree) == before
    for path in (tree, *tree.rglob("*")):
        path.chmod(path.stat().st_mode | 0o200)


class Crashing(unit_reading.UnitReader):
    """Crashes on one unit, raises on another."""

    def __call__(self, unit: TranslationUnit) -> unit_reading.EncodedUnit:
        if unit.path == "net/ipv4/raw.c":
            os.abort()
        if unit.path == "net/ipv4/udp.c":
            self._extractor = Raising()  # type: ignore[assignment]
        return super().__call__(unit)


class Raising:
    def extract(self, unit: TranslationUnit) -> None:
        raise RecursionError("too deep")


@pytest.mark.parametrize("jobs", [1, 3])
def test_a_worker_that_dies_costs_its_unit_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, jobs: int
) -> None:
    monkeypatch.setattr(unit_reading, "READER", Crashing)
    summary = index_tree(IndexRequest(find_mini_linux(), index=tmp_path / "x.kgraph", jobs=jobs))
    assert dict(summary.failed_units) == {
        "net/ipv4/raw.c": "the worker process died on it (SIGABRT)",
        "net/ipv4/udp.c": "RecursionError: too deep",
    }
    assert summary.coverage.failed == 2
    graph = CallGraph(IndexReader(summary.index))
    names = {
        row[0] for row in graph.reader.fetch_rows("SELECT name FROM function WHERE file NOT NULL")
    }
    assert "raw_sendmsg" not in names
    assert {"SYSC_sendto", "veth_xmit", "ip_output", "dst_output"} <= names
    graph.close()


class CrashingOnce(unit_reading.UnitReader):
    """Crashes the first time that it gets a certain unit."""

    def __call__(self, unit: TranslationUnit) -> unit_reading.EncodedUnit:
        marker = Path(os.environ["KGRAPH_TEST_MARKER"])
        if unit.path == "net/ipv4/raw.c" and not marker.exists():
            marker.touch()
            os.abort()
        return super().__call__(unit)


def test_a_unit_that_was_lost_is_read_again_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = index_tree(IndexRequest(find_mini_linux(), index=tmp_path / "plain.kgraph", jobs=2))
    monkeypatch.setattr(unit_reading, "READER", CrashingOnce)
    monkeypatch.setenv("KGRAPH_TEST_MARKER", str(tmp_path / "marker"))
    said: list[str] = []
    summary = index_tree(
        IndexRequest(find_mini_linux(), index=tmp_path / "x.kgraph", jobs=2), remark=said.append)
    [text] = said
    assert text.startswith("net/ipv4/raw.c: the worker process died on it (SIGABRT)")
    assert text.endswith("read again, alone")
    assert summary.failed_units == ()
    assert contents(summary.index) == contents(plain.index)


class Greedy(unit_reading.UnitReader):
    """Hangs on one unit, eats memory on another."""

    def __call__(self, unit: TranslationUnit) -> unit_reading.EncodedUnit:
        if unit.path == "net/ipv4/raw.c":
            time.sleep(600)
        if unit.path == "net/ipv4/udp.c":
            self.hoard = bytearray(8 << 30)
        return super().__call__(unit)


def test_a_unit_has_limits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unit_reading, "READER", Greedy)
    summary = index_tree(IndexRequest(
        find_mini_linux(), index=tmp_path / "x.kgraph", jobs=2, limits=Limits(5, 2 << 30)))
    assert dict(summary.failed_units) == {
        "net/ipv4/raw.c": "it took more than 5 seconds", "net/ipv4/udp.c": "MemoryError",
    }
    assert summary.coverage.units == 63


def test_only_restricts_the_units_and_is_remembered(tmp_path: Path) -> None:
    request = IndexRequest(
        find_mini_linux(),
        index=tmp_path / "x.kgraph",
        jobs=0,
        only=("net/ipv4", "drivers/net/veth.c"),
    )
    summary = index_tree(request)
    reader = IndexReader(summary.index)
    paths = [row[0] for row in reader.fetch_rows("SELECT path FROM unit")]
    assert "drivers/net/veth.c" in paths
    assert all(path.startswith(("net/ipv4/", "drivers/net/veth.c")) for path in paths)
    assert reader.description.only == ("net/ipv4", "drivers/net/veth.c")
    reader.close()


def test_units_come_back_whatever_the_number_of_workers(tmp_path: Path) -> None:
    tree = open_tree(find_mini_linux())
    units = list_translation_units(tree, UnitRequest(only=("net/core",)), work=tmp_path).units
    for jobs in (0, 1, 2, 40):
        results = unit_reading.extract_units(
            units,
            unit_reading.ReadingContext(tree.root, None),
            unit_reading.read_in_processes(jobs),
        )
        found = [unit for unit, _ in results]
        assert sorted(unit.path for unit in found) == [unit.path for unit in units]
