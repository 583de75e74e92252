"""An index of a part of the tree does not prove empty what the rest could fill."""

from pathlib import Path

from kgraph.indexing.index_tree import index_tree
from kgraph.indexing.write_index import IndexRequest
from kgraph.resources import find_mini_linux

SOURCE = """
struct shared { int (*cb)(int); };
int run(struct shared *s) { return s->cb(1); }
"""
OWN = """
struct own { int (*cb)(int); };
int run_own(struct own *s) { return s->cb(1); }
"""


def tree(folder: Path) -> Path:
    (folder / "include").mkdir(parents=True)
    (folder / "include/s.h").write_text(SOURCE.split("int run", maxsplit=1)[0])
    (folder / "a.c").write_text('#include "include/s.h"\nint run' + SOURCE.split("int run")[1])
    (folder / "b.c").write_text(OWN)
    rows = [f'{{"directory": ".", "file": "{n}", "command": "gcc -c {n}"}}' for n in ("a.c", "b.c")]
    (folder / "compile_commands.json").write_text(f"[{','.join(rows)}]")
    return folder


def test_in_a_part_only_what_is_private_to_a_file_is_empty(tmp_path: Path) -> None:
    kernel = tree(tmp_path / "tree")
    commands = kernel / "compile_commands.json"
    whole = index_tree(IndexRequest(kernel, compile_commands=commands, jobs=0,
                                    index=tmp_path / "whole.kgraph")).coverage
    assert sum(whole.empty.values()) == 2
    part = index_tree(IndexRequest(kernel, compile_commands=commands, jobs=0, only=("a.c", "b.c"),
                                   index=tmp_path / "part.kgraph")).coverage
    assert sum(part.empty.values()) == 1
    assert [reason for reason in part.unresolved if "--only" in reason]


def test_a_unit_that_fails_to_parse_makes_empty_sites_unresolved(tmp_path: Path) -> None:
    kernel = tree(tmp_path / "tree")
    (kernel / "b.c").write_text(OWN + "int broken(void) { return nowhere; }\n")
    found = index_tree(IndexRequest(kernel, compile_commands=kernel / "compile_commands.json",
                                    jobs=0, index=tmp_path / "x.kgraph")).coverage
    assert [reason for reason in found.unresolved if "did not parse" in reason]


def test_mini_linux_is_complete(tmp_path: Path) -> None:
    found = index_tree(
        IndexRequest(find_mini_linux(), jobs=0, index=tmp_path / "m.kgraph")
    ).coverage
    assert not [reason for reason in found.unresolved if "may fill it" in reason]
