import os
import sqlite3
from pathlib import Path
from random import Random

import pytest

from kgraph.errors import StoreError
from kgraph.model.facts import Definition, Function, UnitFacts
from kgraph.model.ids import FunctionId
from kgraph.model.location import Extent, Location
from kgraph.store import IndexReader, create_index
from kgraph.store.connection import open_read_only, report_damage
from kgraph.store.facts_writer import CitedFiles, FactsWriter, encode_unit
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
    target.write_bytes(b"former")
    with pytest.raises(error), create_index(target):
        raise error("in the middle")
    assert target.read_bytes() == b"former"
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


def test_a_damaged_array_is_reported(mini_index: Path, tmp_path: Path) -> None:
    copy = tmp_path / "x.kgraph"
    copy.write_bytes(mini_index.read_bytes())
    connection = sqlite3.connect(copy)
    data = bytearray(connection.execute(
        "SELECT data FROM array WHERE name = 'edge_callee'").fetchone()[0])
    data[Random(1).randrange(len(data))] ^= 1
    connection.execute("UPDATE array SET data = ? WHERE name = 'edge_callee'", (bytes(data),))
    connection.commit()
    connection.close()
    with pytest.raises(StoreError, match="damaged"):
        IndexReader(copy).read_array("edge_callee")


def unit(path: str, line: int) -> UnitFacts:
    place = Location(path, line, 1)
    function = Function(FunctionId("f"), place, Extent(place, line, 9), "void (void)")
    return UnitFacts("a.c", "a.o", ("k",), (Definition("k", function),))


@pytest.mark.parametrize(("path", "line", "message"), [
    ("gone.c", 1, "is not in the tree"),
    ("../out.c", 1, "is not in the tree"),
    ("/etc/passwd", 1, "is not in the tree"),
    ("a.c", 3, "has only 2 lines"),
])
def test_a_fact_that_cannot_be_opened_is_refused(
    tmp_path: Path, path: str, line: int, message: str
) -> None:
    (tmp_path / "out.c").write_text("x\n")
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "a.c").write_text("1\n2")
    with create_index(tmp_path / "x.kgraph") as connection:
        writer = FactsWriter(connection, CitedFiles(tree, None))
        writer.add_unit(encode_unit(unit("a.c", 2), {}), "vmlinux", b"")
    with pytest.raises(StoreError, match=message) as raised:
        with create_index(tmp_path / "y.kgraph") as connection:
            writer = FactsWriter(connection, CitedFiles(tree, None))
            writer.add_unit(encode_unit(unit(path, line), {}), "vmlinux", b"")
    assert f"f (a.c): they cite {path}:{line}" in raised.value.message


def test_a_unit_whose_facts_nobody_supplied_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.c").write_text("1\n")
    with pytest.raises(StoreError, match="no unit has read"):
        with create_index(tmp_path / "x.kgraph") as connection:
            writer = FactsWriter(connection, CitedFiles(tmp_path, None))
            facts = UnitFacts("b.c", "b.o", ("k",), ())
            writer.add_unit(encode_unit(facts, {}), "vmlinux", b"")
            writer.finish()


@pytest.mark.parametrize("seed", range(20))
def test_a_changed_bit_is_found_when_the_index_is_opened(
    mini_index: Path, tmp_path: Path, seed: int
) -> None:
    content = bytearray(mini_index.read_bytes())
    content[Random(seed).randrange(len(content))] ^= 1 << Random(seed).randrange(8)
    damaged = tmp_path / "x.kgraph"
    damaged.write_bytes(content)
    with pytest.raises(StoreError):
        IndexReader(damaged)


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
