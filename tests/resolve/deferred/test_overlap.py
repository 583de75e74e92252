"""What shares storage with a deferred slot runs under a key that nobody knows; no other does."""

import contextlib
from pathlib import Path

from kgraph.indexing.index_tree import index_tree
from kgraph.indexing.write_index import IndexRequest
from kgraph.store.reader import IndexReader

FIXTURE = Path(__file__).parents[3] / "fixtures/deferred-overlap"


def test_only_what_comes_by_the_other_name_has_no_key(tmp_path: Path) -> None:
    index = tmp_path / "x.kgraph"
    account = index_tree(IndexRequest(FIXTURE, jobs=0, index=index)).coverage
    with contextlib.closing(IndexReader(index)) as reader:
        found = reader.fetch_rows(
            "SELECT f.name, key_unknown FROM deferred_callback d"
            " JOIN function f ON f.id = d.function ORDER BY 1")
    assert found == [("port_flushed", 1), ("port_reset", 0)]
    assert account.deferred["work"] == {
        "requests": 2, "resolved": 1, "without": {"nothing known is registered under its key": 1},
        "untold": 1}
