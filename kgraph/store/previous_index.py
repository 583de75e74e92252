"""The previous index of a tree, read for what of it can be used again.

Also says whether files are still what they were: by size, times and inode where these can be
trusted, else by content.
"""

import contextlib
import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import NamedTuple

from kgraph.errors import StoreError
from kgraph.model.results import Coverage, IndexDescription
from kgraph.store.codec import unpack_numbers
from kgraph.store.connection import Connection, report_damage
from kgraph.store.reader import IndexReader
from kgraph.textfile import is_file, read_regular_file, unescape_name

_TICK = 20_000_000  # ns: two writes within a clock tick of a file system may have one time


@dataclass(frozen=True, slots=True)
class FileState:
    """The state of a file: size, times and inode (`stat`), and the digest of its bytes. Either is
    empty if the file was written while it was read, so that it equals no other state."""

    stat: str
    digest: bytes


class FileStates:
    """The present states of files, by citation path. Looks at each file once."""

    def __init__(
        self, root: Path, build: Path | None, started: int, known: Mapping[str, FileState]
    ) -> None:
        """`known` are earlier states. `started` (ns since the epoch) is when reading began: what
        was written after that may not be what was read."""
        self._roots = [str(root)] + ([str(build)] if build is not None else [])
        self._started = started
        self._known = known
        self._now: dict[str, FileState] = {}
        self._found: dict[str, str] = {}  # how the files were described, by path

    def look_up(self, path: str) -> FileState:
        """The state of the files that a citation path names in the tree and the build folder."""
        state = self._now.get(path)
        if state is None:
            state = self._now[path] = self._look(path)
        return state

    def has_changed(self, path: str) -> bool:
        """Whether the content of a file differs from its earlier state."""
        before = self._known.get(path)
        return before is None or not before.digest or self.look_up(path).digest != before.digest

    def was_touched(self, path: str) -> bool:
        """Whether a file was written since its earlier state, even with the same content."""
        return self._known.get(path) != self.look_up(path)

    def settle(self, path: str) -> FileState:
        """The state of a file that was read after it was looked up, if it was. Its digest is empty
        if the file was written meanwhile: nobody knows which content was read."""
        before = self._now.get(path)
        if before is None:
            before = self.look_up(path)
            if self._find_last_change(path) > self._started:
                return FileState("", b"")
        elif self._describe(path) != self._found.get(path):
            return FileState("", b"")
        return before

    def _look(self, path: str) -> FileState:
        text = self._found[path] = self._describe(path)
        before = self._known.get(path)
        if before is not None and before.stat == text and before.digest:
            return before
        digest = _digest_files(self._name(path))
        recent = self._find_last_change(path) > self._started - _TICK
        return FileState("" if recent else text, digest)

    def _name(self, path: str) -> list[str]:
        return [f"{root}/{unescape_name(path)}" for root in self._roots]

    def _describe(self, path: str) -> str:
        """Which files a path names: size, times, inode. A file that is put in the place of another
        may have size and time of that."""
        return ";".join(
            f"{s.st_size}:{s.st_mtime_ns}:{s.st_ctime_ns}:{s.st_ino}" if s else "-"
            for s in map(_stat, self._name(path)))

    def _find_last_change(self, path: str) -> int:
        """When the files that a path names were last written or moved, or links to them turned."""
        states = [state for name in self._name(path) for state in (_stat(name), _lstat(name))]
        return max((max(s.st_mtime_ns, s.st_ctime_ns) for s in states if s), default=0)


def _stat(name: str) -> os.stat_result | None:
    try:
        return Path(name).stat()
    except OSError:
        return None


def _lstat(name: str) -> os.stat_result | None:
    try:
        return Path(name).lstat()
    except OSError:
        return None


def _digest_files(names: list[str]) -> bytes:
    """A digest of which files there are, and what is in them. One that is missing at the end does
    not count: that there is a build folder changes nothing for a file of the tree."""
    digest = hashlib.blake2b(digest_size=12)
    while len(names) > 1 and not is_file(names[-1]):
        names = names[:-1]
    for name in names:
        try:
            digest.update(read_regular_file(name))
        except OSError:
            digest.update(b"\0missing\0")
    return digest.digest()


UnitName = tuple[str, str]  # path, object


class UnitRow(NamedTuple):
    """A row of the table `unit`, without its id; see schema.sql."""

    path: str
    object: str
    image: str
    failed: str
    errors: str
    definitions: bytes
    files: bytes
    command: bytes


@dataclass(frozen=True, slots=True)
class PreviousUnit:
    """A unit of a previous index. `errors` are (citation or "", message); `files` the ids of the
    files that it read."""

    row: UnitRow
    errors: tuple[tuple[str, str], ...]
    files: tuple[int, ...]

    @property
    def command(self) -> bytes:
        """The digest of the compile command; empty if the unit must be read again."""
        return self.row.command

    @property
    def failed(self) -> str:
        """Why the unit could not be parsed, "" if it could."""
        return self.row.failed


class PreviousIndex:
    """The facts of an index that is already there. Raises StoreError if there is none, or it is
    damaged; methods also if another run has replaced it meanwhile.

    `file_ids` has the ids of the files that units read, `files` their states at that time.
    """

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
            rows = reader.fetch_rows(
                "SELECT path, object, image, failed, errors, definitions, files, command FROM unit")
            self.units: dict[UnitName, PreviousUnit] = {
                (row[0], row[1]): _decode_unit(UnitRow(*row)) for row in rows}

    def unpack_definition_ids(self, unit: PreviousUnit) -> Iterable[int]:
        """The ids of a unit's definitions, ascending."""
        return unpack_numbers(unit.row.definitions)

    def _reopen(self) -> IndexReader:
        """A reader of the same file."""
        reader = IndexReader(self.path, verify=False)
        if _file_identity(self.path) != self._identity:
            reader.close()
            raise StoreError(f"the index {self.path} was replaced meanwhile", "try again")
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
        [(*settled, number) for number, path in paths
         for settled in (astuple(states.settle(path)),)])


def _file_identity(path: Path) -> tuple[int, int, int, int] | None:
    with contextlib.suppress(OSError):
        state = path.stat()
        return state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns
    return None


def digest_facts(data: bytes) -> str:
    """The key of a definition: the digest of its encoded facts."""
    return hashlib.blake2b(data, digest_size=12).hexdigest()


def _decode_unit(row: UnitRow) -> PreviousUnit:
    errors = tuple((where, what) for where, what in json.loads(row.errors))
    return PreviousUnit(row, errors, tuple(unpack_numbers(row.files)))
