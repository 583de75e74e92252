"""Sources that nobody writes, but that compile, are indexed and answer questions."""

import json
from pathlib import Path

from click.testing import CliRunner, Result

from kgraph.cli.entry import cli
from kgraph.indexing.index_tree import index_tree
from kgraph.indexing.write_index import IndexRequest


def ask(index: Path, *arguments: object) -> Result:
    """The answer of the command line, which is run in this process."""
    return CliRunner().invoke(
        cli, [*map(str, arguments), "--index", str(index)], standalone_mode=False)


def test_deep_expressions_are_indexed(tmp_path: Path) -> None:
    """What is reached through many pointers is not followed: whoever follows it has less room."""
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "d.c").write_text(
        "struct a { struct a *n; struct a *m[2]; void (*f)(struct a *); };\n"
        f"void deep(struct a *p) {{ p{'->n' * 3000}->f(p); (*p->m){'->m[1]' * 2000}->f(p); }}\n"
        "void near(struct a *p) { p->n->n->n->f(p); }\n")
    (tree / "compile_commands.json").write_text(json.dumps([
        {"directory": ".", "file": "d.c", "arguments": ["gcc", "-c", "d.c"]}]))
    made = index_tree(IndexRequest(tree, index=tmp_path / "x.kgraph", jobs=2))
    assert (made.failed_units, made.coverage.indirect) == ((), 3)
    assert ask(made.index, "export", "--facts").exception is None


SPREAD = {
    # places whose parts are in several files, or not in the order of lines
    "a.c": """struct ops { void (*run)(int); };
void g(int a);
void h(int a)
{
\tif (a > 3) {
#include "calls.h"
\t}
}
struct ops
#include "oname.h"
= { .run = g };
static void
#include "fname.h"
(int a)
{
\tg(a);
}
#define WRAPPED(body, name) void name(int a) body
WRAPPED({ static_(a); },
\twrapped)
""",
    "calls.h": "g(a);\n", "oname.h": "table\n", "fname.h": "static_\n",
}


def test_places_in_several_files_are_indexed(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    for name, text in SPREAD.items():
        (tree / name).write_text(text)
    (tree / "compile_commands.json").write_text(json.dumps([
        {"directory": ".", "file": "a.c", "arguments": ["gcc", "-I.", "-c", "a.c"]}]))
    made = index_tree(IndexRequest(tree, index=tmp_path / "x.kgraph", jobs=0))
    assert (made.failed_units, made.units_with_errors, made.coverage.direct) == ((), (), 3)
    for question in (("export",), ("site", "calls.h:1"), ("callees", "wrapped", "--json")):
        assert ask(made.index, *question).exception is None


def test_functions_of_very_many_parameters(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    parameters = ", ".join(f"void (*p{number})(int)" for number in range(300))
    (tree / "a.c").write_text(
        f"void done(int a) {{ }}\nvoid many({parameters})\n{{\n\tp299(1);\n}}\n"
        f"void other(void)\n{{\n\tmany({', '.join(['done'] * 300)});\n}}\n")
    (tree / "compile_commands.json").write_text(json.dumps([
        {"directory": ".", "file": "a.c", "arguments": ["gcc", "-c", "a.c"]}]))
    made = index_tree(IndexRequest(tree, index=tmp_path / "x.kgraph", jobs=0))
    assert made.coverage.resolved == {"parameter": 1}
    assert "done() (a.c:1)" in ask(made.index, "path", "other", "done").output
