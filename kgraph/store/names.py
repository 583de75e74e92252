"""What names mean in the graph of an index: holders by their text, macros that stand for a member.

Written when the graph and the cited files are, and derived from these, so that a question looks a
name up instead of going through all texts and all headers.
"""

import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from kgraph.treefile import file_name, read_regular

_ALIAS = re.compile(
    rb"^[ \t]*#[ \t]*define[ \t]+(\w+)[ \t]+(?:\w+\.)*(\w+)[ \t]*(?:/\*.*)?$", re.MULTILINE
)


def write_names(connection: sqlite3.Connection, root: Path, build: Path | None) -> None:
    """Fill the tables `holder` and `alias`. A header that cannot be read now has no aliases."""
    connection.execute(
        "INSERT INTO holder SELECT text, id FROM text WHERE id IN"
        " (SELECT holder FROM site UNION SELECT holder FROM bound UNION SELECT holder FROM held)"
    )
    fields: dict[str, list[str]] = {}
    for record, field in connection.execute(
        "SELECT * FROM (SELECT record, field FROM bound UNION SELECT record, field FROM held)"
        " ORDER BY record || '.' || field"
    ):
        fields.setdefault(field.rpartition(".")[2], []).append(f"{record}.{field}")
    headers = connection.execute(
        "SELECT path, generated FROM file WHERE path LIKE '%.h' ORDER BY id").fetchall()
    for path, generated in headers:
        folder = build if generated else root
        found = [] if folder is None else list(_aliases(Path(folder, file_name(path))))
        connection.executemany(
            "INSERT OR IGNORE INTO alias (name, member, slot) VALUES (?, ?, ?)",
            [(name, member, slot) for name, member in found for slot in fields.get(member, ())])


def _aliases(header: Path) -> Iterator[tuple[str, str]]:
    """The macros of a header that stand for one name or one path of members: each with the last of
    these."""
    try:
        data = read_regular(header)
    except OSError:
        return
    for name, member in _ALIAS.findall(data):
        if name != member and name.isascii() and member.isascii():
            yield name.decode(), member.decode()
