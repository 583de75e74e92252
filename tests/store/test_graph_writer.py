"""Holders by name, and the macros of headers that stand for a member."""

import sqlite3
from pathlib import Path

from kgraph.store.graph_writer import write_name_tables
from kgraph.store.schema import read_schema_sql

HEADER = """
#define own_ops    part.deeper.ops   /* the member */
 #  define alone ops
#define ops ops
#define own_ops other.run
#define nothing part.unbound
#define call(x) part.ops
#define number 12
"""


def written(tree: Path, build: Path | None, files: list[tuple[str, int]]) -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:")
    connection.executescript(read_schema_sql())
    connection.executemany("INSERT INTO text VALUES (?, ?)", enumerate(
        ["driver.ops", "driver.part.ops", "call.run", "not a holder"]))
    connection.executemany(
        "INSERT INTO binding VALUES (?, ?, ?, ?, NULL, NULL, NULL, 0, 1, 1, 'assignment')",
        [(0, 0, "driver", "ops"), (1, 1, "driver", "part.ops"), (2, 1, "driver", "part.ops")])
    connection.execute(
        'INSERT INTO site (id, caller, file, line, "column", end_line, end_column, ordinal,'
        " expression, macro, status, holder, rule, reason, signature, guards)"
        " VALUES (0, 0, 0, 1, 1, 1, 1, 0, 3, 3, 'unresolved', 2, 3, 3, 3, 3)")
    connection.executemany("INSERT INTO file VALUES (?, ?, 9, x'', ?)", [
        (number, path, generated) for number, (path, generated) in enumerate(files)])
    write_name_tables(connection, tree, build)
    return connection


def aliases(connection: sqlite3.Connection) -> list[tuple[str, str, str]]:
    return connection.execute("SELECT name, member, slot FROM alias ORDER BY id").fetchall()


def test_holders_are_found_by_their_text(tmp_path: Path) -> None:
    connection = written(tmp_path, None, [])
    assert connection.execute("SELECT * FROM holder ORDER BY 2").fetchall() == [
        ("driver.ops", 0), ("driver.part.ops", 1), ("call.run", 2)]


def test_macros_of_cited_headers_stand_for_the_slots_that_end_with_their_member(
    tmp_path: Path,
) -> None:
    tree, build = tmp_path / "tree", tmp_path / "build"
    for folder in (tree, build):
        folder.mkdir()
        (folder / "a.h").write_text(HEADER)
    (tree / "a.c").write_text("#define in_c part.ops\n")
    (tree / "unused.h").write_text("#define uncited part.ops\n")
    (build / "made.h").write_text("#define made part.ops\n")
    found = [("own_ops", "ops", "driver.ops"), ("own_ops", "ops", "driver.part.ops"),
             ("alone", "ops", "driver.ops"), ("alone", "ops", "driver.part.ops")]
    assert aliases(written(tree, build, [("a.c", 0), ("a.h", 0), ("gone.h", 0)])) == found
    made = [("made", "ops", "driver.ops"), ("made", "ops", "driver.part.ops")]
    assert aliases(written(tree, build, [("a.h", 0), ("made.h", 1)])) == [*found, *made]
    assert aliases(written(tree, None, [("made.h", 1)])) == []
