import os
import sqlite3
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest

from kgraph.errors import StoreError
from kgraph.store import IndexReader, create_index
from kgraph.store.checksum import check_checksum, write_checksum


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


def test_a_file_of_another_size_is_damaged_and_not_read(mini_index: Path, tmp_path: Path) -> None:
    sparse = tmp_path / "x.kgraph"
    sparse.write_bytes(mini_index.read_bytes())
    os.truncate(sparse, 1 << 42)  # reading it would take an hour
    with pytest.raises(StoreError, match="damaged"):
        IndexReader(sparse)


def test_an_index_does_not_count_as_memory_of_whoever_opens_it(
    mini_index: Path, tmp_path: Path
) -> None:
    large = tmp_path / "x.kgraph"
    large.write_bytes(mini_index.read_bytes())
    connection = sqlite3.connect(large)
    connection.execute("INSERT INTO array VALUES ('', '', 0, zeroblob(1 << 27))")
    connection.commit()
    connection.close()
    write_checksum(large)
    script = ("import sys; from pathlib import Path; from kgraph.store import IndexReader;"
              " IndexReader(Path(sys.argv[1]));"
              " print(Path('/proc/self/status').read_text().split('VmHWM:')[1].split()[0])")
    done = subprocess.run(
        [sys.executable, "-c", script, str(large)], check=True, capture_output=True, text=True)
    assert int(done.stdout) < 100_000  # KiB


def test_a_file_that_is_mostly_holes_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "a.kgraph"
    with create_index(path):
        pass
    pages = 1 << 27  # a terabyte
    header = bytearray(path.read_bytes()[:8192])
    header[28:32] = pages.to_bytes(4, "big")
    path.write_bytes(header)
    os.truncate(path, pages * 8192)
    with path.open("ab") as file:
        file.write(b"kgraph crc32" + bytes(4))
    with pytest.raises(StoreError, match="damaged"):
        check_checksum(path)
