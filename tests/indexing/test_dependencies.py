"""Units depend on more than the files of the tree that they read: files elsewhere, and new ones."""

import errno
import json
import os
import shutil
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from kgraph.api import ops
from kgraph.graph import CallGraph
from kgraph.indexing.index_tree import IndexSummary, index_tree
from kgraph.indexing.write_index import IndexRequest
from kgraph.query.neighbours import iter_hops
from kgraph.store import IndexReader

HEADER = "static inline int h(int a)\n{{\n\treturn {callee}(a);\n}}\n"
ONE = "int one(int);\n" + HEADER.format(callee="one")
TWO = "int two(int);\n" + HEADER.format(callee="two")
CALLER = "\nint f(int a)\n{\n\treturn h(a);\n}\n"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache folder without the indexes of other tests."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A folder for sources."""
    folder = tmp_path / "one/tree"
    folder.mkdir(parents=True)
    return folder


def index(
    tree: Path, *flags: object, again: bool = False, jobs: int = 0,
    remark: Callable[[str], None] = lambda _text: None,
) -> IndexSummary:
    """Index a tree of one unit, a.c or a.S."""
    source = "a.S" if (tree / "a.S").exists() else "a.c"
    (tree / "compile_commands.json").write_text(json.dumps([
        {"directory": ".", "file": source,
         "arguments": ["gcc", "-nostdinc", *map(str, flags), "-c", "-o", "a.o", source]}]))
    return index_tree(IndexRequest(tree, jobs=jobs, again=again), remark=remark)


def calls(summary: IndexSummary) -> set[str]:
    """The names of all functions that the index knows."""
    reader = IndexReader(summary.index)
    found = {name for name, in reader.fetch_rows("SELECT name FROM function")}
    reader.close()
    return found - {"f", "h"}


def by_folder(tree: Path, outside: Path) -> tuple[str, list[object]]:
    return "<out.h>", [f"-I{outside}"]


def by_folder_linked(tree: Path, outside: Path) -> tuple[str, list[object]]:
    (tree / "inc").symlink_to(outside)
    return "<out.h>", ["-Iinc"]


def by_link(tree: Path, outside: Path) -> tuple[str, list[object]]:
    (tree / "in.h").symlink_to(outside / "out.h")
    return '"in.h"', []


def by_dots(tree: Path, outside: Path) -> tuple[str, list[object]]:
    return '"../../outside/out.h"', []


def by_name(tree: Path, outside: Path) -> tuple[str, list[object]]:
    return f'"{outside}/out.h"', []


WAYS = [by_folder, by_folder_linked, by_link, by_dots, by_name]


@pytest.mark.parametrize("way", WAYS)
def test_an_edit_of_a_file_elsewhere_is_noticed(
    tree: Path, tmp_path: Path, way: Callable[[Path, Path], tuple[str, list[object]]]
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "out.h").write_text("#define h one\n")
    name, flags = way(tree, outside)
    (tree / "a.c").write_text(f"int one(int), two(int);\n#include {name}\n" + CALLER)
    assert calls(index(tree, *flags)) == {"one"}
    (outside / "out.h").write_text("#define h two\n")
    assert calls(index(tree, *flags)) == {"two"}
    copy = Path(shutil.copytree(tree, tmp_path / "far/off/tree", symlinks=True))
    (tmp_path / "far/outside").mkdir()
    (tmp_path / "far/outside/out.h").write_text("#define h one\n")
    assert index(copy, *flags).units_lent == 0


def test_an_edit_of_a_file_elsewhere_is_noticed_in_assembler(tree: Path, tmp_path: Path) -> None:
    (tmp_path / "out.h").write_text("#define H one\n")
    (tree / "a.S").write_text(f'#include "{tmp_path}/out.h"\n.globl f\nf:\n\tcall H\n\tret\n')
    assert calls(index(tree)) == {"one"}
    (tmp_path / "out.h").write_text("#define H two\n")
    assert calls(index(tree)) == {"two"}


def test_a_new_header_in_a_folder_elsewhere_is_noticed(
    tree: Path, tmp_path: Path
) -> None:
    (tmp_path / "outside").mkdir()
    (tree / "x.h").write_text(ONE)
    (tree / "a.c").write_text("#include <x.h>" + CALLER)
    flags = [f"-I{tmp_path}/outside", "-I."]
    assert "one" in calls(index(tree, *flags))
    (tmp_path / "outside/x.h").write_text("int two(int);\n#define h two\n")
    assert calls(index(tree, *flags)) == {"two"}


def test_a_missing_folder_elsewhere_costs_nothing(tree: Path, tmp_path: Path) -> None:
    (tree / "a.c").write_text("int one(int);\n#define h one\n" + CALLER)
    index(tree, f"-I{tmp_path}/none")
    assert index(tree, f"-I{tmp_path}/none").units_read == 0


def test_dots_behind_a_link_are_followed_as_the_system_does(tree: Path, tmp_path: Path) -> None:
    (tmp_path / "outside/folder").mkdir(parents=True)
    (tmp_path / "outside/x.h").write_text(ONE)
    (tree / "x.h").write_text("/* nothing is read here */\n" * 9)
    (tree / "folder").symlink_to(tmp_path / "outside/folder")
    (tree / "a.c").write_text('#include "folder/../x.h"' + CALLER)
    reader = IndexReader(index(tree).index)
    assert {path for path, in reader.fetch_rows("SELECT path FROM file")} == {"a.c"}
    assert "x.h" not in {path for path, in reader.fetch_rows("SELECT path FROM unit_file")}
    reader.close()


@pytest.mark.parametrize("name", ["x.h", "x.inc", "x.c", "x", "caf\udce9.h"])
def test_a_new_file_that_is_found_first_is_noticed(tree: Path, name: str) -> None:
    for folder in ("first", "second"):
        (tree / folder).mkdir()
    (tree / "second" / name).write_text(ONE)
    (tree / "a.c").write_bytes(f"#include <{name}>{CALLER}".encode("utf-8", "surrogateescape"))
    flags = ["-Ifirst", "-Isecond"]
    assert index(tree, *flags).units_read == 1
    (tree / "first" / f"other-{name}").write_text(TWO)
    assert index(tree, *flags).units_read == 0
    (tree / "first" / name).write_text("int two(int);\n#define h two\n")
    assert calls(index(tree, *flags)) == {"two"}


def test_a_missing_file_that_appears_is_noticed(tree: Path) -> None:
    (tree / "a.c").write_text('#include "x.inc"' + CALLER)
    assert index(tree).units_with_errors
    (tree / "x.inc").write_text("int two(int);\n#define h two\n")
    assert calls(index(tree)) == {"two"}


def test_a_new_source_named_like_a_unit_costs_nothing(tree: Path) -> None:
    (tree / "a.c").write_text("int one(int);\n#define h one\n" + CALLER)
    index(tree)
    (tree / "other").mkdir()
    (tree / "other/a.c").write_text("int a;\n")
    assert index(tree).units_read == 0


@pytest.mark.parametrize("outside", [True, False])
def test_a_new_link_to_a_folder_is_noticed(tree: Path, tmp_path: Path, outside: bool) -> None:
    target = (tmp_path if outside else tree) / "target/deep"
    target.mkdir(parents=True)
    (target / "x.h").write_text("int two(int);\n#define h two\n")
    (tree / "second/deep").mkdir(parents=True)
    (tree / "second/deep/x.h").write_text(ONE)
    (tree / "a.c").write_text("#include <deep/x.h>" + CALLER)
    flags = ["-Ifirst", "-Isecond"]
    (tree / "first").mkdir()
    index(tree, *flags)
    (tree / "first/deep").symlink_to(target)
    assert calls(index(tree, *flags)) == {"two"}


@pytest.mark.parametrize("asked", [
    '__has_include("x.h")', "__has_include(<sub/x.h>)", "__has_include_next(<sub/x.h>)",
    "__has_include(WHICH)"])
def test_a_header_tested_by_has_include_is_noticed(tree: Path, asked: str) -> None:
    text = "#define WHICH <sub/x.h>\nint one(int), two(int);\n#if {}\n#define h two\n#else\n"
    (tree / "a.c").write_text(text.format(asked) + "#define h one\n#endif\n" + CALLER)
    (tree / "sub").mkdir()
    assert calls(index(tree, "-I.")) == {"one"}
    for name in ("x.h", "sub/x.h"):
        (tree / name).write_text("")
    assert calls(index(tree, "-I.")) == {"two"}
    for name in ("x.h", "sub/x.h"):
        (tree / name).unlink()
    assert calls(index(tree, "-I.")) == {"one"}


@pytest.mark.parametrize("source", ["a.c", "a.S"])
def test_header_folders_of_the_environment_are_ignored(
    tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    for folder in ("CPATH", "C_INCLUDE_PATH"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / f"{folder}.h").write_text("#error found\n")
        text = f"#if __has_include(<{folder}.h>)\n#error found\n#endif\n"
        (tree / source).write_text(text)
        for jobs in (0, 1):
            monkeypatch.setenv(folder, str(tmp_path / folder))
            summary = index(tree, again=True, jobs=jobs)
            assert (summary.failed_units, summary.units_with_errors) == ((), ())


def test_a_missing_system_header_is_searched_again(tree: Path) -> None:
    (tree / "a.c").write_text("#include <nobody-has-this.h>\n#define h one\n" + CALLER)
    (tree / "compile_commands.json").write_text(json.dumps([
        {"directory": ".", "file": "a.c", "arguments": ["gcc", "-c", "-o", "a.o", "a.c"]}]))
    for _ in range(2):
        assert index_tree(IndexRequest(tree, jobs=0)).units_read == 1


def test_a_body_from_a_file_elsewhere_is_cited_at_its_function(
    tree: Path, tmp_path: Path
) -> None:
    (tmp_path / "body.inc").write_text("\n\n\nif (a) {\n\tint (*p)(int) = one;\n\treturn p(a); }\n")
    (tmp_path / "table.inc").write_text("\n\n\n.call = two\n")
    for name in ("body.inc", "table.inc"):
        (tree / name).symlink_to(tmp_path / name)
    (tree / "a.c").write_text(
        'int one(int), two(int);\nint f(int a)\n{\n#include "body.inc"\n\treturn two(a);\n}\n'
        'struct ops { int (*call)(int); };\nstruct ops ops = {\n#include "table.inc"\n};\n'
        "int h(struct ops *o)\n{\n\treturn o->call(1);\n}\n")
    summary = index(tree)
    assert (summary.failed_units, summary.units_with_errors) == ((), ())
    with closing(CallGraph(IndexReader(summary.index))) as graph:
        places = {hop.callee.id.name: str(hop.site.location) for hop in iter_hops(graph)}
        assert places == {"one": "a.c:2", "two": "a.c:5"}
        assert [str(row.location) for row in ops(graph, "ops")] == ["a.c:8"]


def test_a_folder_that_cannot_be_read_is_told(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tree / "closed").mkdir()
    (tree / "a.c").write_text("int f(int a)\n{\n\treturn a;\n}\n")
    scan = os.scandir

    def refuse(path: str) -> object:
        if str(path).endswith("/closed"):
            raise PermissionError(errno.EACCES, "Permission denied", path)
        return scan(path)

    monkeypatch.setattr(os, "scandir", refuse)
    told: list[str] = []
    index(tree, remark=told.append)
    assert len(told) == 1
    assert told[0].startswith(f"1 folders of the tree cannot be read, such as {tree}/closed")
