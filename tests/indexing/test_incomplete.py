"""An index of a part of the tree does not prove empty what the rest could fill."""

import contextlib
from pathlib import Path

import pytest

from kgraph.indexing.index_tree import index_tree
from kgraph.indexing.write_index import IndexRequest
from kgraph.resources import find_mini_linux
from kgraph.store.reader import IndexReader

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


HEADER = """
struct shared { int (*cb)(int); int (*other)(int); };
struct row { int (*first)(int); };
struct owner { struct shared *part; };
#define FILL(s, f) SET((s)->cb, f)
#define SET(place, f) place = f
#define NAMED(field) s->c##field = 0
#define UNUSED(s) (s)->cb = 0
void hook(int (*f)(int));
extern struct shared table;
"""
ASKED = """
#include "h.h"
static int two(int x) { return x; }
struct shared table = { .other = two };
int run(struct shared *s) { return s->cb(1); }
int run_row(struct row *r) { return r->first(1); }
int (*get(struct shared *s))(int) { return s->cb; }
int run_result(struct shared *s) { int (*f)(int) = get(s); return f(1); }
int run_other(struct owner *o) { return o->part->other(1); }
void hook(int (*f)(int)) { f(1); }
int (*global)(int);
int run_global(void) { return global(1); }
static int (*own)(int);
int run_own(void) { return own(1); }
"""
CB = {"run", "run_result"}


@pytest.mark.parametrize(("text", "doubtful"), [
    ("", set()),
    ("s->cb = unknown;", CB),
    ("/* s->cb = unknown; */", set()),
    ('print("cb");', set()),
    ("FILL(s, unknown);", CB),  # through two macros
    ("NAMED(b);", CB),  # cb is made of its parts
    ("use(UNUSED);", CB),
    ("struct row r = { unknown };", {"run_row"}),  # by position: the field is not named
    ("use((struct row) { unknown });", {"run_row"}),
    ("struct row *r; use(r);", set()),
    ("hook(unknown);", {"hook"}),
    ("global = unknown;", {"run_global"}),
    ("own = unknown;", set()),  # of another file
    ("nowhere->there = &table;", {"run_other"}),  # a table that may be put somewhere
    ("s->call_hook(unknown);", set()),
])
def test_a_unit_with_errors_fills_only_what_its_text_names(
    tmp_path: Path, text: str, doubtful: set[str]
) -> None:
    found = find_doubtful(tmp_path, text)
    assert found.keys() == doubtful
    assert all(reason.startswith("a unit that did not parse cleanly may fill it; else ")
               for reason in found.values())


def test_an_edit_of_what_was_not_read_counts(tmp_path: Path) -> None:
    assert not find_doubtful(tmp_path, "nowhere->one = 1;")
    assert find_doubtful(tmp_path, "nowhere->cb = 1;").keys() == CB
    assert not find_doubtful(tmp_path, "nowhere->one = 1;")


def find_doubtful(folder: Path, text: str) -> dict[str, str]:
    """The callers in a.c with an unresolved call, and the reason."""
    for name, content in {
        "h.h": HEADER, "a.c": ASKED,
        "b.c": f'#include "h.h"\nvoid b(struct shared *s) {{ s = nowhere; {text} }}\n',
    }.items():
        (folder / name).write_text(content)
    rows = [f'{{"directory": ".", "file": "{n}", "command": "gcc -c {n}"}}' for n in ("a.c", "b.c")]
    commands = folder / "compile_commands.json"
    commands.write_text(f"[{','.join(rows)}]")
    index = folder / "x.kgraph"
    index_tree(IndexRequest(folder, compile_commands=commands, jobs=0, index=index))
    with contextlib.closing(IndexReader(index)) as reader:
        return dict(reader.fetch_rows(
            "SELECT f.name, t.text FROM site s JOIN function f ON f.id = s.caller"
            " JOIN text t ON t.id = s.reason WHERE s.status = 'unresolved' AND f.name != 'b'"))


def test_mini_linux_is_complete(tmp_path: Path) -> None:
    found = index_tree(
        IndexRequest(find_mini_linux(), jobs=0, index=tmp_path / "m.kgraph")
    ).coverage
    assert not [reason for reason in found.unresolved if "may fill it" in reason]


def test_what_others_can_hand_in_is_not_private(tmp_path: Path) -> None:
    """The hook is static, but whoever can call the function that sets it may fill it."""
    kernel = tree(tmp_path / "tree")
    (kernel / "b.c").write_text(
        "static int (*hook)(int);\n"
        "void set_hook(int (*wanted)(int)) { hook = wanted; }\n"
        "static int run(int (*passed)(int)) { return passed(1); }\n"
        "int run_any(int (*wanted)(int)) { return run(wanted) + hook(1); }\n")
    commands = kernel / "compile_commands.json"
    whole = index_tree(IndexRequest(kernel, compile_commands=commands, jobs=0,
                                    index=tmp_path / "whole.kgraph")).coverage
    part = index_tree(IndexRequest(kernel, compile_commands=commands, jobs=0, only=("b.c",),
                                   index=tmp_path / "part.kgraph")).coverage
    assert sum(whole.empty.values()) == 3
    assert not part.empty
