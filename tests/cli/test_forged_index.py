"""An index that somebody altered and sealed again: it may say anything, but nothing fails on it
otherwise than by saying that it is damaged."""

import json
import shutil
import sqlite3
import zlib
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from kgraph.cli.entry import cli
from kgraph.errors import KgraphError, StoreError
from kgraph.indexing import write_index
from kgraph.indexing.index_tree import index_tree
from kgraph.indexing.write_index import IndexRequest
from kgraph.resources import find_mini_linux
from kgraph.store import IndexReader
from kgraph.store.checksum import write_checksum
from kgraph.store.codec import compress_facts, decompress_facts
from kgraph.store.previous_index import digest_facts
from kgraph.store.soundness import flaw, report_damage
from tests.support.forging import forged

DOCUMENT = """\
SyS_sendto(fd) (net/socket.c:82)
  |-sock_sendmsg(sock) (net/socket.c:26)
    |-sock->ops->sendmsg()  // i.e. inet_sendmsg
"""


def ask(index: Path, *arguments: object) -> Result:
    """The answer of the command line, which is run in this process."""
    answer = CliRunner().invoke(
        cli, [*map(str, arguments), "--index", str(index)], standalone_mode=False)
    error = answer.exception
    if error is not None and not isinstance(error, (KgraphError, click.ClickException)):
        raise error
    return answer


def questions(folder: Path) -> list[tuple[object, ...]]:
    document = folder / "chain.txt"
    document.write_text(DOCUMENT)
    return [
        ("status",), ("status", "--json"), ("path", "SyS_sendto", "veth_xmit"),
        ("path", "SyS_sendto", "netif_rx", "--types", "--json"), ("callers", "veth_xmit"),
        ("callees", "netif_receive_skb", "--json"), ("ops", "net_device_ops"),
        ("site", "net/socket.c:26"), ("check", document), ("check", document, "--json"),
        ("export",), ("export", "--facts"), ("report", "--output", folder / "report"),
    ]


@pytest.mark.parametrize("part", range(3))
def test_questions_to_forged_indexes(mini_index: Path, tmp_path: Path, part: int) -> None:
    asked = questions(tmp_path)
    said = 0
    for seed in range(50 * part, 50 * part + 50):
        random = Random(seed)
        index = tmp_path / "x.kgraph"
        what = forged(mini_index, index, random)
        for question in [("path", "SyS_sendto", "veth_xmit"), *random.sample(asked, 2)]:
            try:
                answer = ask(index, *question)
            except Exception as error:
                raise AssertionError(f"seed {seed}: {what}: {question}") from error
            if answer.exception is not None:
                assert "damaged" in str(answer.exception), (seed, what, question)
                said += 1
    assert said


@pytest.fixture
def edited(tmp_path: Path) -> tuple[Path, Path]:
    """A tree that was edited after it was indexed, and its index."""
    tree = shutil.copytree(find_mini_linux(), tmp_path / "tree")
    index = index_tree(IndexRequest(tree, index=tmp_path / "base.kgraph", jobs=0)).index
    with (tree / "net/socket.c").open("a") as file:
        file.write("int sent_twice(struct socket *sock)\n{\n\treturn sock_sendmsg(sock, 0);\n}\n")
    return tree, index


def test_indexing_over_forged_indexes(edited: tuple[Path, Path], tmp_path: Path) -> None:
    tree, base = edited
    index = tmp_path / "x.kgraph"
    unsound = 0
    for seed in range(1000, 1025):
        what = forged(base, index, Random(seed))
        try:
            assert ask(index, "index", tree, "-j1").exception is None
            if flaw(index):  # a part of it that was carried over
                unsound += 1
                assert ask(index, "index", tree, "-j1", "--again").exception is None
                assert flaw(index) == ""
        except Exception as error:
            raise AssertionError(f"seed {seed}: {what}") from error
    assert unsound


def test_forged_facts_are_read_again(edited: tuple[Path, Path]) -> None:
    """Under the key that they have: it is only when the graph is made that they turn out to be
    none."""
    tree, index = edited
    (tree / "net/core/dev.c").write_text("int nothing;\n")  # no graph is carried over
    with closing(sqlite3.connect(index)) as connection:
        rows = connection.execute("SELECT id, facts FROM definition").fetchall()
        kept = next(number for number, data in rows if "e1000_open" in decompress_facts(data)[0])
        none = compress_facts(b'[["a"], [[7]], [], [], [], []]')
        connection.execute("UPDATE definition SET key = ?, facts = ? WHERE id = ?",
                           (digest_facts(none), none, kept))
        connection.commit()
    write_checksum(index)
    told: list[str] = []
    summary = index_tree(IndexRequest(tree, index=index, jobs=1), remark=told.append)
    assert [text for text in told if "is damaged (facts" in text and "read again" in text]
    assert summary.units_kept == 0
    assert flaw(index) == ""


def kind_of(form: Any, kind: int) -> Any:
    """The first value of a kind in the pool of some facts."""
    return next(row for row in form[1] if row[0] == kind)


# what stands where something else should; the last value of the pool is a constant
FORGED: dict[str, Callable[[Any], None]] = {
    "a parameter of no number": lambda form: kind_of(form, 5).__setitem__(2, -5),
    "a place in a constant": lambda form: kind_of(form, 8).__setitem__(1, len(form[1]) - 1),
    "a caller that is none": lambda form: form[3][0].__setitem__(0, len(form[1]) - 1),
    "a file that is none": lambda form: form[0].__setitem__(form[3][0][1], "nowhere.c"),
}


@pytest.mark.parametrize("what", FORGED)
def test_forged_kinds_of_facts(edited: tuple[Path, Path], what: str) -> None:
    """They decode, and encode again to the same bytes."""
    tree, index = edited
    (tree / "net/core/dev.c").write_text("int nothing;\n")
    with closing(sqlite3.connect(index)) as connection:
        for number, data in connection.execute("SELECT id, facts FROM definition").fetchall():
            form = decompress_facts(data)
            if form[3] and "e1000_main.c" in form[0][0] and {5, 8} <= {row[0] for row in form[1]}:
                form[1].append([11, 7])
                FORGED[what](form)
                data = compress_facts(json.dumps(form, separators=(",", ":")).encode())  # noqa: PLW2901
                connection.execute("UPDATE definition SET key = ?, facts = ? WHERE id = ?",
                                   (digest_facts(data), data, number))
                break
        else:
            raise AssertionError("no function to forge")
        connection.commit()
    write_checksum(index)
    told: list[str] = []
    made = index_tree(IndexRequest(tree, index=index, jobs=1), remark=told.append)
    assert [text for text in told if text.endswith("every unit is read again")], what
    assert (made.units_kept, flaw(index)) == (0, "")


@pytest.mark.parametrize("column", ["definitions", "files"])
def test_numbers_of_a_unit_without_end(
    edited: tuple[Path, Path], tmp_path: Path, column: str
) -> None:
    tree, index = edited
    with closing(sqlite3.connect(index)) as connection:
        packed = zlib.compress(bytes([1, 0, 0, 0]) * (1 << 24), 9)
        connection.execute(f"UPDATE unit SET {column} = ?", (packed,))
        connection.commit()
    write_checksum(index)
    made = index_tree(IndexRequest(tree, index=index, jobs=1))
    assert (made.units_kept, flaw(index)) == (0, "")


@pytest.mark.parametrize("table", ["site", "function", "bound"])
def test_lines_that_no_file_has(mini_index: Path, tmp_path: Path, table: str) -> None:
    index = tmp_path / "x.kgraph"
    shutil.copyfile(mini_index, index)
    with closing(sqlite3.connect(index)) as connection:
        connection.execute(f"UPDATE {table} SET line = 1000000 WHERE file IS NOT NULL")
        connection.commit()
    write_checksum(index)
    assert f"(lines of table {table})" in flaw(index)
    for question in questions(tmp_path):
        ask(index, *question)


def test_deep_expressions_make_a_sound_index(tmp_path: Path) -> None:
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
    assert flaw(made.index) == ""
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


def test_places_in_several_files_are_sound(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    for name, text in SPREAD.items():
        (tree / name).write_text(text)
    (tree / "compile_commands.json").write_text(json.dumps([
        {"directory": ".", "file": "a.c", "arguments": ["gcc", "-I.", "-c", "a.c"]}]))
    made = index_tree(IndexRequest(tree, index=tmp_path / "x.kgraph", jobs=0))
    assert (made.failed_units, made.units_with_errors, made.coverage.direct) == ((), (), 3)
    assert flaw(made.index) == ""
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
    assert flaw(made.index) == ""


def test_a_mistake_is_not_blamed_on_what_was_read_before(
    edited: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    tree, index = edited
    before, told = index.read_bytes(), list[str]()
    monkeypatch.setattr(write_index, "patch_previous_graph", lambda *_: {}["a mistake"])
    with pytest.raises(KeyError, match="a mistake"):
        index_tree(IndexRequest(tree, index=index, jobs=0), remark=told.append)
    assert not told
    assert index.read_bytes() == before


def test_an_index_that_was_carried_over_has_no_flaw(edited: tuple[Path, Path]) -> None:
    tree, index = edited
    assert flaw(index) == ""
    summary = index_tree(IndexRequest(tree, index=index, jobs=1))
    assert summary.units_kept
    assert flaw(index) == ""


def test_a_view_in_the_place_of_a_table(mini_index: Path, tmp_path: Path) -> None:
    index = tmp_path / "x.kgraph"
    shutil.copyfile(mini_index, index)
    with closing(sqlite3.connect(index)) as connection:
        connection.executescript(
            "DROP TABLE later; CREATE VIEW later AS WITH RECURSIVE c(x) AS"
            " (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT x AS id, x AS kind, x AS function,"
            " 0 AS untold FROM c;")
    write_checksum(index)
    with pytest.raises(StoreError, match="its tables are not its version's"):
        IndexReader(index)


def test_what_is_wrong_with_the_code_is_not_said_to_be_the_index(mini_index: Path) -> None:
    with pytest.raises(KeyError), report_damage(mini_index):
        raise KeyError("a mistake of ours")
