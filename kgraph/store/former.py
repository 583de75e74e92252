"""The index that a tree had before, for what of it can be used again."""

import contextlib
import hashlib
import json
import sqlite3
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

from kgraph.errors import StoreError
from kgraph.model.answers import Coverage, IndexDescription
from kgraph.store.encoding import packed_steps
from kgraph.store.reading import IndexReader
from kgraph.store.states import FileState

UnitName = tuple[str, str]  # path, object


@dataclass(frozen=True, slots=True)
class FormerUnit:
    """A unit's row: `command` is the digest of how it was compiled, `row` the whole."""

    command: bytes
    failed: str
    errors: tuple[tuple[str, str], ...]
    definitions: bytes
    files: tuple[int, ...]
    row: tuple[str | bytes, ...]


class FormerIndex:
    """What an index holds of facts. Checks the whole file at once; raises StoreError where it is
    none, or is damaged."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._identity = _identity(path)
        reader = IndexReader(path)
        try:
            self.description: IndexDescription = reader.description
            self.coverage: Coverage = reader.coverage
            self.meta: dict[str, str] = dict(reader.rows("SELECT name, value FROM meta"))
            self._definitions = reader.rows("SELECT count(*) FROM definition")[0][0]
            self.files: dict[str, FileState] = {}
            self.numbers: dict[str, int] = {}
            paths: list[str] = []
            for number, name, stat, digest in reader.rows(
                    "SELECT id, path, stat, digest FROM unit_file ORDER BY id"):
                self.files[name] = FileState(stat, digest)
                self.numbers[name] = number
                paths.append(name)
            most = len(paths)
            self.units = dict(_unit(row, most) for row in reader.rows(
                "SELECT path, object, image, failed, errors, definitions, files, command"
                " FROM unit"))
        except (KeyError, ValueError, zlib.error, sqlite3.Error) as error:
            raise StoreError(f"the index {path} is damaged ({error})", "it is made anew") from None
        finally:
            reader.close()

    def numbers_of(self, unit: FormerUnit) -> Iterable[int]:
        """The numbers of a unit's definitions. Raises StoreError where they are damaged."""
        try:
            return accumulate(packed_steps(unit.definitions, self._definitions))
        except (ValueError, zlib.error) as error:
            raise StoreError(f"the index {self.path} is damaged ({error})", "it is made anew"
                             ) from None

    def _reopened(self) -> IndexReader:
        """The same file; StoreError where another run has put one in its place."""
        reader = IndexReader(self.path, whole=False)
        if _identity(self.path) != self._identity:
            reader.close()
            raise StoreError(f"the index {self.path} was replaced meanwhile", "it is left alone")
        return reader

    def keys(self) -> set[str]:
        """The keys of all definitions."""
        reader = self._reopened()
        try:
            return {key for key, in reader.rows("SELECT key FROM definition")}
        finally:
            reader.close()

    def definitions_named(self, keys: Iterable[str]) -> list[tuple[str, bytes]]:
        """Key and facts of some definitions. Raises StoreError where one is damaged."""
        reader = self._reopened()
        try:
            found = [row for key in sorted(keys) for row in reader.rows(
                "SELECT key, facts FROM definition WHERE key = ?", (key,))]
        finally:
            reader.close()
        if any(fact_key(data) != key for key, data in found):
            raise StoreError(f"the index {self.path} is damaged (facts)", "it is made anew")
        return found

    def definitions(self, units: Iterable[FormerUnit]) -> list[tuple[int, str, bytes]]:
        """Number, key and facts of the definitions of some units. Raises StoreError where the facts
        are not what was written."""
        wanted: set[int] = set()
        for unit in units:
            wanted.update(self.numbers_of(unit))
        reader = self._reopened()
        try:
            rows = reader.rows("SELECT id, key, facts FROM definition")
        finally:
            reader.close()
        found = [row for row in rows if row[0] in wanted]
        if len(found) != len(wanted) or any(fact_key(data) != key for _, key, data in found):
            raise StoreError(f"the index {self.path} is damaged (facts)", "it is made anew")
        return found


def _identity(path: Path) -> tuple[int, int, int, int] | None:
    with contextlib.suppress(OSError):
        state = path.stat()
        return state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns
    return None


def fact_key(data: bytes) -> str:
    """The key of a definition: the digest of its encoded facts."""
    return hashlib.blake2b(data, digest_size=12).hexdigest()


def _unit(row: tuple[str | bytes, ...], most: int) -> tuple[UnitName, FormerUnit]:
    path, object_, _image, failed, errors, definitions, files, command = row
    unit = FormerUnit(
        bytes(command), str(failed),  # type: ignore[arg-type]
        tuple((where, what) for where, what in json.loads(errors)), bytes(definitions),  # type: ignore[arg-type]
        tuple(accumulate(packed_steps(bytes(files), most))), row)  # type: ignore[arg-type]
    return (str(path), str(object_)), unit
