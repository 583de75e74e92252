"""The previous index of a tree, read for what of it can be used again.

Also says whether files are still what they were: by size and time where these can be trusted,
else by content.
"""

import contextlib
import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from kgraph.errors import StoreError
from kgraph.model.results import Coverage, IndexDescription
from kgraph.store.codec import unpack_numbers
from kgraph.store.connection import Connection, report_damage
from kgraph.store.reader import IndexReader
from kgraph.textfile import read_regular_file, unescape_name

_TICK = 20_000_000  # ns: two writes within a clock tick of a file system may have one time


@dataclass(frozen=True, slots=True)
class FileState:
    """The state of a file: `stat` as text, and the digest of its bytes. Either is empty where the
    file was written while it was read, so that it equals no other."""

    stat: str
    digest: bytes


class FileStates:
    """The states of files by citation path, now; each is looked at once."""

    def __init__(
        self, root: Path, build: Path | None, started: int, known: Mapping[str, FileState]
    ) -> None:
        """`started` is when reading began, in ns since the epoch: what was written after that may
        not be what was read. `known` are earlier states."""
        self._roots = [str(root)] + ([str(build)] if build is not None else [])
        self._started = started
        self._known = known
        self._now: dict[str, FileState] = {}

    def look_up(self, path: str) -> FileState:
        """The state of the file that a citation path names, in the tree and the build folder."""
        state = self._now.get(path)
        if state is None:
            state = self._now[path] = self._look(path)
        return state

    def has_changed(self, path: str) -> bool:
        """Whether the file is not what it was when its earlier state was taken."""
        before = self._known.get(path)
        return before is None or not before.digest or self.look_up(path).digest != before.digest

    def was_touched(self, path: str) -> bool:
        """Whether the file was written since, be it with the same content."""
        return self._known.get(path) != self.look_up(path)

    def _look(self, path: str) -> FileState:
        names = [f"{root}/{unescape_name(path)}" for root in self._roots]
        stats = [_stat(name) for name in names]
        text = ";".join(f"{s.st_size}:{s.st_mtime_ns}" if s else "-" for s in stats)
        before = self._known.get(path)
        if before is not None and before.stat == text and before.digest:
            return before
        written = max((s.st_mtime_ns for s in stats if s), default=0)
        if written > self._started and before is None:
            return FileState("", b"")  # who knows what of it was read
        return FileState("" if written > self._started - _TICK else text, _digest_files(names))


def _stat(name: str) -> os.stat_result | None:
    try:
        return Path(name).stat()
    except OSError:
        return None


def _digest_files(names: list[str]) -> bytes:
    digest = hashlib.blake2b(digest_size=12)
    for name in names:
        try:
            digest.update(read_regular_file(name))
        except OSError:
            digest.update(b"\0missing\0")
    return digest.digest()


UnitName = tuple[str, str]  # path, object


@dataclass(frozen=True, slots=True)
class PreviousUnit:
    """A unit's row: `command` is the digest of how it was compiled, `row` the whole."""

    command: bytes
    failed: str
    errors: tuple[tuple[str, str], ...]
    definitions: bytes
    files: tuple[int, ...]
    row: tuple[str | bytes, ...]


class PreviousIndex:
    """What an index holds of facts. Checks the whole file at once; raises StoreError where it is
    none, or is damaged."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._identity = _file_identity(path)
        with report_damage(path), contextlib.closing(IndexReader(path)) as reader:
            self.description: IndexDescription = reader.description
            self.coverage: Coverage = reader.coverage
            self.meta: dict[str, str] = dict(reader.fetch_rows("SELECT name, value FROM meta"))
            self.files: dict[str, FileState] = {}
            self.file_ids: dict[str, int] = {}
            for number, name, stat, digest in reader.fetch_rows(
                    "SELECT id, path, stat, digest FROM unit_file ORDER BY id"):
                self.files[name] = FileState(stat, digest)
                self.file_ids[name] = number
            self.units = dict(_decode_unit(row) for row in reader.fetch_rows(
                "SELECT path, object, image, failed, errors, definitions, files, command"
                " FROM unit"))

    def unpack_definition_ids(self, unit: PreviousUnit) -> Iterable[int]:
        """The ids of a unit's definitions, ascending."""
        return unpack_numbers(unit.definitions)

    def _reopen(self) -> IndexReader:
        """The same file; StoreError where another run has put one in its place."""
        reader = IndexReader(self.path, verify=False)
        if _file_identity(self.path) != self._identity:
            reader.close()
            raise StoreError(f"the index {self.path} was replaced meanwhile", "it is left alone")
        return reader

    def read_keys(self) -> set[str]:
        """The keys of all definitions."""
        with contextlib.closing(self._reopen()) as reader:
            return {key for key, in reader.fetch_rows("SELECT key FROM definition")}

    def read_definitions_by_key(self, keys: Iterable[str]) -> list[tuple[str, bytes]]:
        """Key and facts of some definitions."""
        with contextlib.closing(self._reopen()) as reader:
            return [row for key in sorted(keys) for row in reader.fetch_rows(
                "SELECT key, facts FROM definition WHERE key = ?", (key,))]

    def read_definitions(self, units: Iterable[PreviousUnit]) -> list[tuple[int, str, bytes]]:
        """Id, key and facts of the definitions of some units."""
        wanted: set[int] = set()
        for unit in units:
            wanted.update(self.unpack_definition_ids(unit))
        with contextlib.closing(self._reopen()) as reader:
            rows = reader.fetch_rows("SELECT id, key, facts FROM definition")
        return [row for row in rows if row[0] in wanted]


def read_unit_commands(path: Path, facts_version: str) -> dict[UnitName, bytes]:
    """The digest of how each unit of an index is compiled; {} if the index cannot be read, or if
    its facts mean something else than `facts_version`."""
    with contextlib.suppress(StoreError), contextlib.closing(
            IndexReader(path, verify=False)) as reader:
        found = reader.fetch_rows("SELECT value FROM meta WHERE name = 'facts meaning'")
        if found == [(facts_version,)]:
            return {(unit, object_): command for unit, object_, command in reader.fetch_rows(
                "SELECT path, object, command FROM unit")}
    return {}


def write_file_states(connection: Connection, states: FileStates) -> None:
    """Store the states of all files that units read."""
    paths = connection.execute("SELECT id, path FROM unit_file").fetchall()
    connection.executemany(
        "UPDATE unit_file SET stat = ?, digest = ? WHERE id = ?",
        [(states.look_up(path).stat, states.look_up(path).digest, number)
         for number, path in paths])


def _file_identity(path: Path) -> tuple[int, int, int, int] | None:
    with contextlib.suppress(OSError):
        state = path.stat()
        return state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns
    return None


def digest_facts(data: bytes) -> str:
    """The key of a definition: the digest of its encoded facts."""
    return hashlib.blake2b(data, digest_size=12).hexdigest()


def _decode_unit(row: tuple[str | bytes, ...]) -> tuple[UnitName, PreviousUnit]:
    path, object_, _image, failed, errors, definitions, files, command = row
    unit = PreviousUnit(
        bytes(command), str(failed),  # type: ignore[arg-type]
        tuple((where, what) for where, what in json.loads(errors)), bytes(definitions),  # type: ignore[arg-type]
        tuple(unpack_numbers(bytes(files))), row)  # type: ignore[arg-type]
    return (str(path), str(object_)), unit
