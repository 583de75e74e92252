from pathlib import Path

import pytest

from kgraph.errors import StoreError
from kgraph.model.results import Coverage, IndexDescription
from kgraph.store import IndexReader, create_index, write_description
from kgraph.store.metadata import write_coverage


def test_what_is_written_is_read(tmp_path: Path) -> None:
    about = IndexDescription("/tree/\udcff", "4.6.2", "defconfig", only=("net",), built=1.5)
    totals = Coverage(3, 1, 0, 9, 8, 2, resolved={"slot": 2}, candidates={"mean": 1.5, "p50": 3})
    with create_index(tmp_path / "x.kgraph") as connection:
        write_description(connection, about)
        write_coverage(connection, totals)
    reader = IndexReader(tmp_path / "x.kgraph")
    assert reader.description == about
    assert reader.coverage == totals
    assert repr(reader.coverage.candidates) == "{'mean': 1.5, 'p50': 3}"


@pytest.mark.parametrize("value", ["", "{", "[]", '{"tree": 1}', '{"tree": "t"}'])
def test_a_record_of_another_form_is_reported(tmp_path: Path, value: str) -> None:
    with create_index(tmp_path / "x.kgraph") as connection:
        connection.execute("INSERT INTO meta VALUES ('description', ?)", (value,))
    with pytest.raises(StoreError, match="may be damaged"):
        _ = IndexReader(tmp_path / "x.kgraph").description


def test_a_record_that_is_not_there_is_reported(tmp_path: Path) -> None:
    with create_index(tmp_path / "x.kgraph"):
        pass
    with pytest.raises(StoreError, match="it has no coverage"):
        _ = IndexReader(tmp_path / "x.kgraph").coverage
