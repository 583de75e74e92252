from pathlib import Path

import pytest

from kgraph.errors import StoreError
from kgraph.model.facts import Definition, Function, UnitFacts
from kgraph.model.ids import FunctionId
from kgraph.model.location import Extent, Location
from kgraph.store import create_index
from kgraph.store.facts_writer import CitedFiles, FactsWriter, encode_unit


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
