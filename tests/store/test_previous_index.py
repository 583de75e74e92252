import os
import time
from pathlib import Path

import pytest

from kgraph.errors import StoreError
from kgraph.store.previous_index import FileState, FileStates, PreviousIndex, read_unit_commands

HOUR = 3_600_000_000_000


def write(file: Path, content: str, age: int = HOUR) -> None:
    """Write a file as if that was `age` ns ago."""
    file.write_text(content)
    written = time.time_ns() - age
    os.utime(file, ns=(written, written))


def states(tree: Path, known: dict[str, FileState] | None = None) -> FileStates:
    return FileStates(tree, None, time.time_ns() + HOUR // 2, known or {})


def test_content_decides_whether_a_file_has_changed(tmp_path: Path) -> None:
    write(tmp_path / "same.c", "1")
    write(tmp_path / "touched.c", "1")
    write(tmp_path / "edited.c", "1")
    names = ["same.c", "touched.c", "edited.c", "gone.c"]
    before = {name: states(tmp_path).look_up(name) for name in names}
    write(tmp_path / "touched.c", "1", 2 * HOUR)
    write(tmp_path / "edited.c", "2", 2 * HOUR)
    now = states(tmp_path, before)
    assert [name for name in names if now.has_changed(name)] == ["edited.c"]
    assert [name for name in names if now.was_touched(name)] == ["touched.c", "edited.c"]
    assert now.has_changed("new.c")


def test_what_is_written_while_it_is_read_equals_nothing(tmp_path: Path) -> None:
    write(tmp_path / "a.c", "1", -HOUR)
    state = states(tmp_path).settle("a.c")
    assert state == FileState("", b"")
    assert states(tmp_path, {"a.c": state}).has_changed("a.c")


def test_the_units_of_an_index(mini_index: Path) -> None:
    previous = PreviousIndex(mini_index)
    assert set(previous.units) == {
        (row.path, row.object) for row in (unit.row for unit in previous.units.values())}
    unit = previous.units["net/socket.c", "net/socket.o"]
    paths = {number: path for path, number in previous.file_ids.items()}
    assert "net/socket.c" in {paths[number] for number in unit.files}
    definitions = previous.read_definitions([unit])
    assert [id_ for id_, _, _ in definitions] == list(previous.unpack_definition_ids(unit))
    keys = {key for _, key, _ in definitions}
    assert keys <= previous.read_keys()
    assert dict(previous.read_definitions_by_key(keys)) == {
        key: facts for _, key, facts in definitions}
    commands = read_unit_commands(mini_index, previous.meta["facts meaning"])
    assert commands["net/socket.c", "net/socket.o"] == unit.command
    assert read_unit_commands(mini_index, "another version") == {}


def test_an_index_that_was_replaced_is_not_read_further(
    mini_index: Path, tmp_path: Path
) -> None:
    index = tmp_path / "x.kgraph"
    index.write_bytes(mini_index.read_bytes())
    previous = PreviousIndex(index)
    index.unlink()
    index.write_bytes(mini_index.read_bytes())
    with pytest.raises(StoreError, match="was replaced meanwhile"):
        previous.read_keys()
