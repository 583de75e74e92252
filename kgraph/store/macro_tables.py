"""Fills the tables `macro` and `macro_use`: where the macros that hide calls are defined.

Reads the text of headers, and of the sources that use a macro which no header defines. Both
branches of an `#if` count.
"""

import re
import sqlite3
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from kgraph.textfile import read_regular_file, unescape_name

# Parameters and body; a line may go on behind a backslash.
_DEFINITION = re.compile(
    rb"^[ \t]*#[ \t]*define[ \t]+([A-Za-z_]\w*)(\((?:[^)\\\n]|\\\r?\n)*\))?"
    rb"((?:[^\n\\]|\\\r\n|\\.|\\\n)*)",
    re.MULTILINE | re.ASCII,
)
_NAME_OR_CALL = re.compile(rb"[ \t(]*[A-Za-z_]\w*[ \t]*(?:\(|\)*[ \t\r]*$)", re.ASCII)
_WORD = re.compile(rb"[A-Za-z_]\w*", re.ASCII)
_FOLDED = re.compile(r"[\s\\]+")
_MAX_TEXT = 300  # characters of a definition


class _Definition(NamedTuple):
    file: int
    line: int
    name: bytes
    parameters: bytes
    body: bytes

    @property
    def text(self) -> str:
        """The definition on one line, cut off if it is long."""
        written = (self.name + self.parameters + self.body).decode("utf-8", "replace")
        text = _FOLDED.sub(" ", written).strip()
        return text if len(text) <= _MAX_TEXT else f"{text[:_MAX_TEXT]} ..."


def write_macro_tables(
    connection: sqlite3.Connection, root: Path, build: Path | None
) -> None:
    """Fill the tables. A file that cannot be read now has no macros.

    A macro without parameters counts if it stands for a name or a call, or makes calls: numbers are
    no business of a call graph.
    """
    folders = [root] if build is None else [root, build]
    used = {name.encode() for name, in connection.execute(
        "SELECT text FROM text WHERE id IN (SELECT macro FROM site)")}
    headers = connection.execute(
        "SELECT id, path FROM unit_file WHERE path NOT LIKE '%.c' AND path NOT LIKE '%.S'"
        " ORDER BY id")
    found = list(_iter_definitions(headers, folders, used))
    known = {each.name for each in found}
    sources = connection.execute(
        "SELECT DISTINCT unit_file.id, unit_file.path, m.text FROM site"
        " JOIN text m ON m.id = site.macro JOIN file ON file.id = site.file"
        " JOIN unit_file ON unit_file.path = file.path WHERE m.text <> '' ORDER BY unit_file.id")
    missing = {number: path for number, path, name in sources if name.encode() not in known}
    found += _iter_definitions(missing.items(), folders, used)
    connection.executemany(
        "INSERT INTO macro (name, file, line, text) VALUES (?, ?, ?, ?)",
        [(each.name.decode(), each.file, each.line, each.text) for each in found])
    connection.executemany("INSERT INTO macro_use (mentioned, macro) VALUES (?, ?)",
                           sorted(_find_uses(found)))


def _iter_definitions(
    files: Iterable[tuple[int, str]], folders: Iterable[Path], used: Collection[bytes]
) -> Iterator[_Definition]:
    for number, path in files:
        for folder in folders:
            try:
                data = read_regular_file(folder / unescape_name(path))
            except OSError:
                continue
            line = place = 0
            for match in _DEFINITION.finditer(data):
                name, parameters, body = match.groups(b"")
                if parameters or name in used or _NAME_OR_CALL.match(body):
                    line += data.count(b"\n", place, match.start())
                    place = match.start()
                    yield _Definition(number, line + 1, name, parameters, body)
            break


def _find_uses(found: Iterable[_Definition]) -> set[tuple[str, str]]:
    """(macro, another macro whose definition mentions it)."""
    found = list(found)
    known = {each.name for each in found}
    return {
        (word.decode(), each.name.decode()) for each in found
        for word in known.intersection(_WORD.findall(each.body))
        - {each.name, *_WORD.findall(each.parameters)}
    }
