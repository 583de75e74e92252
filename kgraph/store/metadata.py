"""What an index says of itself: what it is of, its totals, and the fingerprint of the run.

Owns the table `meta`. Must not know what a fingerprint is made of.
"""

import json
import sqlite3
from collections.abc import Iterable
from typing import TypeVar

import msgspec

from kgraph.model.results import Coverage, IndexDescription

Record = TypeVar("Record", IndexDescription, Coverage)


def write_description(connection: sqlite3.Connection, description: IndexDescription) -> None:
    """Store what the index is of."""
    _write(connection, [("description", json.dumps(msgspec.to_builtins(description)))])


def write_coverage(connection: sqlite3.Connection, coverage: Coverage) -> None:
    """Store the totals of the index."""
    _write(connection, [("coverage", json.dumps(msgspec.to_builtins(coverage)))])


def write_fingerprint(connection: sqlite3.Connection, rows: Iterable[tuple[str, str]]) -> None:
    """Store what the next run compares its own fingerprint with: names and texts."""
    _write(connection, rows)


def read_description(connection: sqlite3.Connection) -> IndexDescription:
    """What the index is of. Raises ValueError or sqlite3.Error where the index is damaged."""
    return _read(connection, "description", IndexDescription)


def read_coverage(connection: sqlite3.Connection) -> Coverage:
    """The totals of the index. Raises ValueError or sqlite3.Error where the index is damaged."""
    return _read(connection, "coverage", Coverage)


def _write(connection: sqlite3.Connection, rows: Iterable[tuple[str, str]]) -> None:
    connection.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", rows)


def _read(connection: sqlite3.Connection, name: str, record: type[Record]) -> Record:
    row = connection.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
    if row is None:
        raise ValueError(f"it has no {name}")
    # Paths of the tree need not be UTF-8; json, unlike msgspec, reads their lone surrogates.
    return msgspec.convert(json.loads(row[0]), record)
