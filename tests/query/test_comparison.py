"""What differs between two indexes: of two releases, or two configurations, of a small tree."""

import json
import re
from pathlib import Path

import pytest

from kgraph import api
from kgraph.api import CallGraph
from kgraph.model.comparison import Change, Comparison
from tests.support.one_file import index_tree_at

OPS = """
struct ops { int (*read)(int n); int (*write)(int n); };
int lock(int n);
int copy(int n);
int finish(int n);
int unlock(int n);
int log_it(int n);
"""

BEFORE = {
    "main.c": """
static int do_read(int fd, int count) { lock(fd); copy(count); finish(fd); return unlock(fd); }
static int do_write(int n) { return n; }
struct ops file_ops = { .read = do_write, .write = do_write };
int sys_read(int fd, int count) { return do_read(fd, count); }
int run(struct ops *ops, int n) { return ops->read(n); }
int start(int n) { return run(&file_ops, n); }
""",
    "lib.c": """
int lock(int n) { return n; }
int copy(int n) { return n; }
int finish(int n) { return n; }
int unlock(int n) { return n; }
int log_it(int n) { return n; }
""",
}
AFTER = {
    "main.c": """
static int __read_file(int fd, int count)
{ lock(fd); copy(count); finish(fd); log_it(fd); return unlock(fd); }
static int do_write(int n) { return n; }
static int ro_write(int n) { return n; }
struct ops file_ops = { .read = do_write, .write = ro_write };
int sys_read(int fd, int count, int flags) { return __read_file(fd, count) + flags; }
int run(struct ops *ops, int n) { return ops->read(n); }
int start(int n) { return log_it(run(&file_ops, n)); }
""",
    "lib.c": """
int lock(int n) { return n; }
int finish(int n) { return n; }
int unlock(int n) { return n; }
int log_it(int n) { return n; }
""",
    "copy.c": "int copy(int n) { return n; }\n",
}


def make_tree(folder: Path, files: dict[str, str]) -> Path:
    folder.mkdir()
    for name, text in files.items():
        (folder / name).write_text(OPS + text)
    (folder / "compile_commands.json").write_text(json.dumps([
        {"directory": str(folder), "file": name, "arguments": ["cc", "-c", name]}
        for name in files]))
    return folder


@pytest.fixture
def graphs(tmp_path: Path):
    trees = make_tree(tmp_path / "old", BEFORE), make_tree(tmp_path / "new", AFTER)
    with index_tree_at(trees[0], trees[0]) as old, index_tree_at(trees[1], trees[1]) as new:
        yield old, new


def list_functions(found: Comparison, change: Change) -> list[tuple[str, str]]:
    return [(str(each.before or ""), str(each.after or "")) for each in found.functions
            if each.change is change]


def test_functions_that_came_went_moved_and_were_renamed(
    graphs: tuple[CallGraph, CallGraph]
) -> None:
    found = api.diff(*graphs)
    assert list_functions(found, Change.RENAMED) == [("do_read", "__read_file")]
    assert list_functions(found, Change.MOVED) == [("copy", "copy")]
    assert list_functions(found, Change.NEW) == [("", "ro_write")]
    assert list_functions(found, Change.GONE) == []
    assert list_functions(found, Change.CHANGED) == [("sys_read", "sys_read")]
    assert (found.functions_before, found.functions_after, found.same) == (10, 11, 8)


def test_edges_of_functions_that_stayed(graphs: tuple[CallGraph, CallGraph]) -> None:
    found = api.diff(*graphs)
    edges = [(each.change, str(each.caller), str(each.callee)) for each in found.edges]
    assert edges == [(Change.NEW, "__read_file", "log_it"), (Change.NEW, "start", "log_it")]
    assert found.with_functions == 0


def test_bindings_follow_what_was_renamed(graphs: tuple[CallGraph, CallGraph]) -> None:
    found = api.diff(*graphs)
    assert [(each.change, each.slot, each.value, each.table) for each in found.bindings] == [
        (Change.GONE, "ops.write", "do_write", "file_ops"),
        (Change.NEW, "ops.write", "ro_write", "file_ops")]
    assert found.slots == ()


def test_the_other_way_round_it_is_the_reverse(graphs: tuple[CallGraph, CallGraph]) -> None:
    there, back = api.diff(*graphs), api.diff(*reversed(graphs))
    assert list_functions(back, Change.RENAMED) == [("__read_file", "do_read")]
    assert list_functions(back, Change.GONE) == [("ro_write", "")]
    assert {(str(each.caller), str(each.callee)) for each in back.edges} == {
        ("do_read", "log_it"), ("start", "log_it")}
    assert len(there.bindings) == len(back.bindings)


def test_nothing_differs_from_itself(graphs: tuple[CallGraph, CallGraph]) -> None:
    assert api.diff(graphs[0], graphs[0]).is_empty


def test_a_folder(graphs: tuple[CallGraph, CallGraph]) -> None:
    found = api.diff(*graphs, folder="copy.c")
    assert [each.change for each in found.functions] == [Change.MOVED]
    assert not found.edges


def test_a_way_side_by_side(graphs: tuple[CallGraph, CallGraph]) -> None:
    ways = api.diff_ways(*graphs, "sys_read", "unlock").ways
    assert [(step.change, step.was, step.name) for step in ways.steps] == [
        (None, "sys_read", "sys_read"), (Change.RENAMED, "do_read", "__read_file"),
        (None, "unlock", "unlock")]
    assert str(ways.steps[1].before) != str(ways.steps[1].after)


def test_a_way_that_is_there_in_one_only(graphs: tuple[CallGraph, CallGraph]) -> None:
    ways = api.diff_ways(*graphs, "sys_read", "log_it").ways
    assert ways.before is None
    assert ways.after is not None
    assert ways.is_open == (False, False)


def test_the_command_line(kgraph, graphs: tuple[CallGraph, CallGraph]) -> None:
    old, new = (graph.path for graph in graphs)
    answer = kgraph("diff", old, new)
    assert answer.returncode == 1
    place = r"\(main.c:\d+\)"
    assert re.search(rf"do_read {place} -> __read_file {place}, \d\d% alike", answer.stdout)
    assert re.search(rf"\+ start -> log_it \[direct\] {place}", answer.stdout)
    assert kgraph("diff", old, old).returncode == 0
    assert kgraph("diff", old, new, "--between", "sys_read", "unlock").returncode == 1
    assert kgraph("diff", old, new, "--folder", "nowhere").returncode == 2
    assert kgraph("diff", old, new.parent / "missing").returncode == 2
    record = json.loads(kgraph("diff", old, new, "--json").stdout)
    assert record["format"] == "kgraph-diff/1"
    assert {each["change"] for each in record["functions"]} == {
        "renamed", "moved", "new", "changed"}


def test_a_document_with_both(kgraph, graphs: tuple[CallGraph, CallGraph], tmp_path: Path) -> None:
    notes = tmp_path / "notes.txt"
    notes.write_text(
        "sys_read(fd, count)\n|-do_read(fd, count)\n  |-unlock(fd)\nstart(n)\n|-run()\n")
    both = ("--index", graphs[0].path, "--index", graphs[1].path)
    answer = kgraph("check", notes, *both)
    assert answer.returncode == kgraph("check", notes, "--index", graphs[1].path).returncode != 0
    rows = {line.split()[0]: line.split()[1:3] for line in answer.stdout.splitlines()
            if line.lstrip()[:1].isdigit() and "claims" not in line}
    assert rows["2"] == ["holds", "refuted"]
    assert rows["5"] == ["holds", "holds"]
    assert "do_read seems to be __read_file(fd, count) (main.c:" in answer.stdout
    assert "and are wrong in" in answer.stdout
    record = json.loads(kgraph("check", notes, *both, "--json").stdout)
    assert record["format"] == "kgraph-check-columns/1"
    assert [column["check"]["format"] for column in record["columns"]] == ["kgraph-check/1"] * 2
    [successors] = record["successors"]
    assert successors["lines"][0]["after"]["name"] == "__read_file"
    assert kgraph("check", notes, *both, "--fix").returncode == 2
    assert notes.read_text().startswith("sys_read")
