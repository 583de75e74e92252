"""What a patch touches, against the difference of two indexes made from nothing."""

import difflib
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from kgraph import api
from kgraph.api import CallGraph
from kgraph.errors import DocumentError, TreeError
from kgraph.query.impact.patch import Side, read_patch
from tests.support.one_file import index_tree_at
from tests.support.places import ROOT

HEADER = """
struct ops { int (*read)(int n); int (*write)(int n); };
#define CHECKED(n) check(n)
#define TWICE(n) (CHECKED(n) + CHECKED(n))
int check(int n);
int other(int n);
"""
MAIN = """#include "all.h"
static int do_read(int n)
{
	return check(n);
}

static int do_write(int n)
{
	return other(n);
}

struct ops file_ops = {
	.read = do_read,
	.write = do_write,
};

int run_read(struct ops *ops, int n)
{
	return ops->read(n);
}

int run_write(struct ops *ops, int n)
{
	return ops->write(n);
}

int twice(int n)
{
	return TWICE(n);
}

int sys_read(int n)
{
	return run_read(&file_ops, n);
}
"""
LIB = """#include "all.h"
int check(int n)
{
	return n;
}

int other(int n)
{
	return n;
}
"""
FILES = {"all.h": HEADER, "main.c": MAIN, "lib.c": LIB}

EDITS = {
    "a call more": ("main.c", "\treturn check(n);", "\tother(n);\n\treturn check(n);"),
    "a call less": ("main.c", "\treturn check(n);", "\treturn n;"),
    "another callee": ("main.c", "\treturn other(n);", "\treturn check(n);"),
    "a row": ("main.c", "\t.read = do_read,", "\t.read = do_write,"),
    "a row less": ("main.c", "\t.read = do_read,\n", ""),
    "a macro": ("all.h", "CHECKED(n) check(n)", "CHECKED(n) other(n)"),
    "lines alone": ("main.c", "\nint twice", "\n\n\nint twice"),
}


def write_tree(folder: Path, files: dict[str, str]) -> Path:
    folder.mkdir()
    for name, text in files.items():
        (folder / name).write_text(text)
    (folder / "compile_commands.json").write_text(json.dumps([
        {"directory": str(folder), "file": name, "arguments": ["cc", "-c", name]}
        for name in files if name.endswith(".c")]))
    return folder


def make_patch(old: dict[str, str], new: dict[str, str]) -> str:
    return "".join(
        line for name in old for line in difflib.unified_diff(
            old[name].splitlines(keepends=True), new[name].splitlines(keepends=True),
            f"a/{name}", f"b/{name}"))


def list_calls(graph: CallGraph) -> dict[str, set[tuple[str, str]]]:
    found: dict[str, set[tuple[str, str]]] = {}
    for row in api.export_edges(graph):
        found.setdefault(str(row.caller), set()).add((str(row.callee), row.kind.value))
    return found


@pytest.fixture(params=EDITS)
def edited(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[
        tuple[str, CallGraph, CallGraph, Path]]:
    name, old, new = EDITS[request.param]
    files = FILES | {name: FILES[name].replace(old, new)}
    assert files != FILES
    trees = write_tree(tmp_path / "old", FILES), write_tree(tmp_path / "new", files)
    patch = tmp_path / "x.patch"
    patch.write_text(make_patch(FILES, files))
    with index_tree_at(trees[0], trees[0]) as before, index_tree_at(trees[1], trees[1]) as after:
        yield request.param, before, after, patch


def test_the_impact_is_the_difference_of_two_cold_exports(
    edited: tuple[str, CallGraph, CallGraph, Path]
) -> None:
    edit, before, after, patch = edited
    old, new = list_calls(before), list_calls(after)
    differing = {name for name in old.keys() | new.keys() if old.get(name) != new.get(name)}
    for graph, side in ((before, Side.BEFORE), (after, Side.AFTER)):
        # nothing of a header of macros is cited, so its text is not known to be what was indexed
        given = side.value if edit == "a macro" else None
        found = api.impact(graph, str(patch), side=given).found
        assert found.side is side
        assert [each.fits for each in found.files] == [None if given else True]
        touched = {str(each) for each in (*found.functions, *found.callers)}
        assert differing <= touched
        # what is touched without a difference: the new row's function, and the slot's other calls
        assert touched - differing <= {"do_read", "do_write", "run_read", "run_write"}


def test_what_a_row_touches(tmp_path: Path) -> None:
    new = FILES | {"main.c": MAIN.replace(".read = do_read", ".read = do_write")}
    patch = tmp_path / "x.patch"
    patch.write_text(make_patch(FILES, new))
    tree = write_tree(tmp_path / "tree", FILES)
    with index_tree_at(tree, tree) as graph:
        found = api.impact(graph, str(patch)).found
    assert [each.id.name for each in found.tables] == ["file_ops"]
    assert found.slots == ("ops.read",)
    assert [str(each) for each in found.callers] == ["run_read"]
    assert [str(each.function) for each in found.syscalls] == []
    assert not found.functions


def test_a_line_between_two_functions_touches_neither() -> None:
    [file] = read_patch(make_patch(
        {"a.c": "int f(void)\n{\n}\nint g(void)\n{\n}\n"},
        {"a.c": "int f(void)\n{\n}\n\nint g(void)\n{\n}\n"}), "x")
    assert file.before is not None
    assert not file.before.touches(1, 3)
    assert not file.before.touches(4, 6)
    assert file.before.touches(1, 6)


def test_a_document_that_holds_by_what_is_touched(
    kgraph, mini_index: Path, tmp_path: Path
) -> None:
    text = kgraph("path", "SyS_sendto", "veth_xmit", "--json", "--index", mini_index).stdout
    hop = json.loads(text)["paths"][0]["hops"][0]
    place = hop["caller"]
    patch = tmp_path / "x.patch"
    line = place["line"] + 1
    name = place["file"]
    patch.write_text(f"--- a/{name}\n+++ b/{name}\n@@ -{line},1 +{line},0 @@\n-x\n")
    answer = kgraph("impact", patch, "--index", mini_index)
    assert answer.returncode == 0, answer.stderr
    assert "does not fit" in answer.stdout
    assert f"  {place['name']} (" in answer.stdout
    assert "veth.toml:" in answer.stdout
    record = json.loads(kgraph("impact", patch, "--json", "--index", mini_index).stdout)
    jsonschema = pytest.importorskip("jsonschema")
    schema = json.loads((ROOT / "docs" / "schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(
        {**schema, "anyOf": [{"$ref": "#/$defs/impact"}]}).validate(record)


def test_commits(kgraph, tmp_path: Path) -> None:
    tree = write_tree(tmp_path / "tree", FILES)
    git = ["git", "-C", str(tree), "-c", "user.name=a", "-c", "user.email=a@b"]
    subprocess.run([*git, "init", "-q"], check=True)
    for text in (MAIN, MAIN.replace("return check(n)", "return n")):
        (tree / "main.c").write_text(text)
        subprocess.run([*git, "add", "main.c"], check=True)
        subprocess.run([*git, "commit", "-qm", "x"], check=True)
    with index_tree_at(tree, tmp_path) as graph:
        found = api.impact(graph, "HEAD").found
        assert [str(each) for each in found.functions] == ["do_read"]
        assert found.side is Side.AFTER
        with pytest.raises(TreeError):
            api.impact(graph, "no-such-branch")
        with pytest.raises(DocumentError):
            api.impact(graph, "--output=x")


@pytest.mark.parametrize("text", [
    "", "no diff at all\n", "--- a/x\n+++ b/x\n@@ -1,3 +1,3 @@\n a\n"])
def test_what_is_no_patch(kgraph, mini_index: Path, tmp_path: Path, text: str) -> None:
    (tmp_path / "x").write_text(text)
    answer = kgraph("impact", tmp_path / "x", "--index", mini_index)
    assert answer.returncode == 2
    assert "hint:" in answer.stderr
