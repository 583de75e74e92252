"""The user's cache folder: where each index lies, and which there are."""

import hashlib
import json
import os
import sqlite3
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any, TypeVar

from kgraph.errors import StoreError
from kgraph.model.results import Coverage, IndexDescription
from kgraph.store.connection import open_read_only

INDEX_SUFFIX = ".kgraph"
_LAST = 1 << 37  # no number of an account or a time, in seconds since the epoch, is larger
_FIGURES = dict.fromkeys(("mean", "p50", "p90", "p99", "by_type_mean"), float)
_COUNTS = {...: int}
_SHAPES: dict[str, object] = {  # for _fits, of fields whose type does not say it
    "only": [str],
    "resolved": _COUNTS, "empty": _COUNTS, "unresolved": _COUNTS,
    "candidates": ({}, _FIGURES),
    "holders": {...: ({"holders": 0, "left_out?": [str]},
                      {"holders": int, **_FIGURES, "ratio": float, "left_out?": [str]})},
    "deferred": {...: {"requests": int, "resolved": int, "untold": int, "without": _COUNTS}},
}
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
    return cache_folder() / f"{name}-{digest}{INDEX_SUFFIX}"


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
        description = _typed(IndexDescription(**json.loads(row[0])))
        return replace(description, only=tuple(description.only))
    except (TypeError, ValueError, KeyError, RecursionError) as error:
        raise sqlite3.DatabaseError(f"no description: {error}") from None


def _typed(record: Record) -> Record:
    """A record whose fields hold what they are declared to hold; raises TypeError for another."""
    for each in fields(record):
        if not _fits(getattr(record, each.name), _SHAPES.get(each.name, each.type)):
            raise TypeError(f"its {each.name} is none")
    return record


def read_coverage(connection: sqlite3.Connection) -> Coverage:
    """The account of an index. Raises sqlite3.DatabaseError where that is damaged."""
    row = connection.execute("SELECT value FROM meta WHERE name = 'coverage'").fetchone()
    try:
        return _typed(Coverage(**json.loads(row[0])))
    except (TypeError, ValueError, RecursionError) as error:
        raise sqlite3.DatabaseError(f"no account: {error}") from None


def _fits(value: Any, shape: Any) -> bool:
    """Whether a value that JSON told has a shape: a type, one value, several shapes of which it has
    one (a tuple), [that of each item], or {name: shape} with "name?" for one that may be left out
    and ... for any other.
    """
    if isinstance(shape, tuple):
        return any(_fits(value, each) for each in shape)
    if isinstance(shape, list):
        return isinstance(value, list) and all(_fits(item, shape[0]) for item in value)
    if isinstance(shape, dict):
        return (isinstance(value, dict)
                and all(name in value for name in shape
                        if name is not ... and not name.endswith("?"))
                and all(_fits(name, str) and _fits(item, _of_name(shape, name))
                        for name, item in value.items()))
    if shape is bool:
        return isinstance(value, bool)
    if shape is str:
        return isinstance(value, str) and b"\0" not in value.encode("utf-8", "surrogateescape")
    if shape is float:
        return type(value) in (int, float) and 0 <= value < _LAST
    return (type(value) is int and 0 <= value < _LAST) if shape is int else value == shape


def _of_name(shape: dict[Any, Any], name: str) -> Any:
    return shape.get(name, shape.get(f"{name}?", shape.get(..., ())))


def list_indexes() -> list[tuple[Path, IndexDescription]]:
    """The readable indexes of the cache folder, the last built first."""
    found = []
    for path in sorted(cache_folder().glob(f"*{INDEX_SUFFIX}")):
        try:
            connection = open_read_only(path, verify=False)
        except StoreError:
            continue
        try:
            found.append((path, read_description(connection)))
        except sqlite3.DatabaseError:
            continue
        finally:
            connection.close()
    return sorted(found, key=lambda item: -item[1].built)
