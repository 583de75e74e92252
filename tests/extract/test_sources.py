"""Citations of what clang read: paths relative to the tree, lines that a reader sees."""

import os
from pathlib import Path

import pytest

from kgraph.extract.sources import SourceMap, clear_source_caches, has_line
from tests.support.shorthand import Facts


@pytest.fixture
def sources(tmp_path: Path) -> SourceMap:
    clear_source_caches()
    (tmp_path / "tree/net").mkdir(parents=True)
    (tmp_path / "tree/net/dev.c").write_text("one\ntwo\n")
    (tmp_path / "other.h").write_text("")
    (tmp_path / "tree/out.h").symlink_to(tmp_path / "other.h")
    return SourceMap((str(tmp_path / "tree"),))


@pytest.mark.parametrize(("name", "cited"), [
    ("tree/net/dev.c", "net/dev.c"), ("tree/net/../net/./dev.c", "net/dev.c"), ("other.h", ""),
    ("tree/out.h", ""), ("tree2/net/dev.c", ""),
])
def test_citation_paths_are_relative_to_the_tree(
    tmp_path: Path, sources: SourceMap, name: str, cited: str
) -> None:
    assert sources.find_citation_path(f"{tmp_path}/{name}") == cited
    assert sources.is_foreign(f"{tmp_path}/{name}") is not bool(cited)


def test_lines_of_a_file(tmp_path: Path, sources: SourceMap) -> None:
    name = f"{tmp_path}/tree/net/dev.c"
    assert [has_line(name, line) for line in (0, 1, 2, 4)] == [False, True, True, False]
    assert not has_line(os.fspath(tmp_path), 1)


def test_names_of_the_tree_are_masked(tmp_path: Path, sources: SourceMap) -> None:
    assert sources.mask_roots(f'f("{tmp_path}/tree/net/dev.c")') == 'f("@/net/dev.c")'


def test_an_unnamed_record_is_spelled_by_the_file_that_holds_it(facts: Facts) -> None:
    reading = facts("struct { int (*cb)(int); } t;")
    assert reading.definition("t").subject.type == "struct (unnamed struct in unit.c)"
