import sqlite3
from pathlib import Path
from random import Random

import pytest

from kgraph.errors import StoreError
from kgraph.store import IndexReader


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
