"""The user's cache folder: where indexes lie, and which there are."""

import hashlib
import json
import os
import sqlite3
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, TypeVar, get_origin

from kgraph.errors import StoreError
from kgraph.model.answers import Coverage, IndexDescription
from kgraph.store.database import open_for_reading

SUFFIX = ".kgraph"
Record = TypeVar("Record", IndexDescription, Coverage)


def cache_folder() -> Path:
    """$XDG_CACHE_HOME/kgraph, or ~/.cache/kgraph; it need not exist."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(base) if Path(base).is_absolute() else Path.home() / ".cache") / "kgraph"


def index_path(tree: Path, configuration: str) -> Path:
    """Where the index of `tree` (absolute) in `configuration` (what selects it) lies."""
    identity = json.dumps([str(tree), configuration]).encode("utf-8", "surrogateescape")
    digest = hashlib.blake2b(identity, digest_size=6).hexdigest()
    name = "".join(c if c.isalnum() or c in "-._" else "_" for c in tree.name) or "tree"
    return cache_folder() / f"{name}-{digest}{SUFFIX}"


def work_folder(index: Path) -> Path:
    """The folder for what is generated for an index of the cache folder; it need not exist."""
    return index.parent / "build" / index.stem


def write_description(connection: sqlite3.Connection, description: IndexDescription) -> None:
    """Store what the index is of."""
    connection.execute(
        "INSERT OR REPLACE INTO meta VALUES ('description', ?)", (json.dumps(asdict(description)),)
    )


def read_description(connection: sqlite3.Connection) -> IndexDescription:
    """What the index is of. Raises sqlite3.DatabaseError where that is damaged."""
    row = connection.execute("SELECT value FROM meta WHERE name = 'description'").fetchone()
    try:
        values = json.loads(row[0])
        values["only"] = tuple(map(str, values["only"]))
        return _typed(IndexDescription(**values))
    except (TypeError, ValueError, KeyError, RecursionError) as error:
        raise sqlite3.DatabaseError(f"no description: {error}") from None


def _typed(record: Record) -> Record:
    """A record whose fields hold what they are declared to hold; raises TypeError for another."""
    for each in fields(record):
        kind: Any = get_origin(each.type) or each.type
        if not isinstance(getattr(record, each.name), (int, float) if kind is float else kind):
            raise TypeError(f"its {each.name} is none")
    return record


def read_coverage(connection: sqlite3.Connection) -> Coverage:
    """The account of an index. Raises sqlite3.DatabaseError where that is damaged."""
    row = connection.execute("SELECT value FROM meta WHERE name = 'coverage'").fetchone()
    try:
        return _typed(Coverage(**json.loads(row[0])))
    except (TypeError, ValueError, RecursionError) as error:
        raise sqlite3.DatabaseError(f"no account: {error}") from None


def indexes() -> list[tuple[Path, IndexDescription]]:
    """The readable indexes of the cache folder, the last built first."""
    found = []
    for path in sorted(cache_folder().glob(f"*{SUFFIX}")):
        try:
            connection = open_for_reading(path, whole=False)
        except StoreError:
            continue
        try:
            found.append((path, read_description(connection)))
        except sqlite3.DatabaseError:
            continue
        finally:
            connection.close()
    return sorted(found, key=lambda item: -item[1].built)
