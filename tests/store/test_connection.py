import os
import sqlite3
from pathlib import Path

import pytest

from kgraph.errors import StoreError
from kgraph.store import IndexReader, create_index
from kgraph.store.connection import open_read_only, report_damage
from kgraph.store.schema import SCHEMA_VERSION


def test_an_index_is_written_whole(tmp_path: Path) -> None:
    target = tmp_path / "new" / "x.kgraph"
    with create_index(target) as connection:
        connection.execute("INSERT INTO meta VALUES ('a', 'b')")
        assert not target.exists()
    assert open_read_only(target).execute("SELECT * FROM meta").fetchall() == [("a", "b")]
    assert os.listdir(target.parent) == ["x.kgraph"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError, StoreError])
def test_or_not_at_all(tmp_path: Path, error: type[BaseException]) -> None:
    target = tmp_path / "x.kgraph"
    target.write_bytes(b"previous")
    with pytest.raises(error), create_index(target):
        raise error("in the middle")
    assert target.read_bytes() == b"previous"
    assert os.listdir(tmp_path) == ["x.kgraph"]


def test_what_killed_runs_left_is_removed_but_not_what_living_ones_write(tmp_path: Path) -> None:
    target = tmp_path / "x.kgraph"
    left = tmp_path / ".x.kgraph.99999-0.unfinished"
    left.write_bytes(b"half")
    with create_index(target):
        assert not left.exists()
        with create_index(target):
            pass
        assert len(list(tmp_path.glob(".*.unfinished"))) == 1
    assert os.listdir(tmp_path) == ["x.kgraph"]


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot write the index") as raised:
        with create_index(tmp_path / "file" / "x.kgraph"):
            pass
    assert "--index" in raised.value.hint


def test_no_index(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="there is no index"):
        IndexReader(tmp_path / "none.kgraph")


def test_another_version_is_refused(tmp_path: Path) -> None:
    target = tmp_path / "x.kgraph"
    with create_index(target):
        pass
    connection = sqlite3.connect(target)
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    connection.close()
    with pytest.raises(StoreError, match="written by another version") as raised:
        IndexReader(target)
    assert "kgraph index" in raised.value.hint


@pytest.mark.parametrize("content", [b"", b"SQLite format 3\x00" + b"\xff" * 500, b"text" * 999])
def test_another_file_is_refused(tmp_path: Path, content: bytes) -> None:
    target = tmp_path / "x.kgraph"
    target.write_bytes(content)
    with pytest.raises(StoreError):
        IndexReader(target)


@pytest.mark.parametrize("error", [KeyError("x"), sqlite3.DatabaseError("y"), ValueError("z")])
def test_what_goes_wrong_while_an_index_is_open_names_it(error: Exception) -> None:
    with pytest.raises(StoreError, match=r"the index x\.kgraph may be damaged") as raised:
        with report_damage(Path("x.kgraph")):
            raise error
    assert raised.value.__cause__ is error
    assert "kgraph index TREE --again" in raised.value.hint


def test_other_errors_pass_the_boundary() -> None:
    with pytest.raises(StoreError, match="told already"), report_damage(Path("x.kgraph")):
        raise StoreError("told already", "a hint")
