"""Writes the facts half of an index: units, their definitions, and the files that they cite.

Workers send their results as EncodedUnit, so that facts travel as bytes. A fact whose location
cannot be opened is refused here.
"""

import hashlib
import json
import sqlite3
from array import array
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from kgraph.errors import StoreError
from kgraph.model.facts import Definition, Diagnostic, UnitFacts
from kgraph.store.codec import FactsEncoder, pack_numbers
from kgraph.store.previous_index import PreviousIndex, PreviousUnit, UnitRow, digest_facts
from kgraph.store.stable_ids import StableIds
from kgraph.textfile import is_link_outside, read_regular_file, split_lines, unescape_name


class EncodedDefinition(NamedTuple):
    """A definition as bytes. `key` is the digest of `facts`; `name` is for messages; `last_lines`
    gives the last line that the facts cite of each path."""

    key: str
    name: str
    facts: bytes
    last_lines: dict[str, int]


@dataclass(frozen=True, slots=True)
class EncodedUnit:
    """UnitFacts with encoded definitions. A worker sends its results in this form."""

    path: str
    object: str
    keys: tuple[str, ...]
    definitions: tuple[EncodedDefinition, ...]
    errors: tuple[Diagnostic, ...]
    files: tuple[str, ...]
    failed: str
    foreign: bool = False


def encode_definitions(
    definitions: Iterable[Definition], known: dict[str, str]
) -> tuple[EncodedDefinition, ...]:
    """Encode definitions. Their keys become digests of their facts, so that equal facts are stored
    once, whichever unit they were read in. `known` (extraction's key -> digest) grows.
    """
    encoded = []
    for definition in definitions:
        encoder = FactsEncoder()
        data = encoder.encode(definition)
        key = digest_facts(data)
        known[definition.key] = key
        encoded.append(
            EncodedDefinition(key, definition.subject.id.name, data, encoder.last_lines))
    return tuple(encoded)


def encode_unit(facts: UnitFacts, known: dict[str, str]) -> EncodedUnit:
    """Encode the facts of a unit for FactsWriter.add_unit. `known` (extraction's key -> digest)
    has all definitions that were encoded before; it grows.
    """
    definitions = encode_definitions(facts.definitions, known)
    keys = tuple(sorted({known.get(key, key) for key in facts.keys}))
    return EncodedUnit(
        facts.path, facts.object, keys, definitions, facts.errors, facts.files, facts.failed,
        facts.foreign,
    )


class InvalidCitation(StoreError):
    """Facts cite a file or a line that is not there: the tree changed while it was indexed."""


class FileRow(NamedTuple):
    """A row of the table `file`."""

    id: int
    path: str
    lines: int
    digest: bytes
    generated: int


class CitedFiles:
    """The files of the tree and the build folder that facts may cite. Reads each file once."""

    def __init__(self, root: Path, build: Path | None) -> None:
        self._roots = [(root, False)] + ([(build, True)] if build is not None else [])
        self._folders = [str(folder) for folder, _ in self._roots]
        self._ids: dict[str, int] = {}
        self._read: dict[str, FileRow | None] = {}  # without their ids
        self.rows: list[FileRow] = []

    def check(self, path: str, line: int = 1, fact: str = "") -> None:
        """Raise InvalidCitation, naming `fact`, if the tree has no file `path` or no such line in
        it."""
        if path not in self._read:
            self._read[path] = self._find(path)
        found = self._read[path]
        if found is None or line > found.lines:
            what = "is not in the tree" if found is None else f"has only {found.lines} lines"
            raise InvalidCitation(
                f"refused the facts of {fact or path}: they cite {path}:{line}, but it {what}",
                "if the tree changed meanwhile, run `kgraph index` again; else report this",
            )

    def assign_id(self, path: str, line: int = 1) -> int:
        """The id of a file; ids follow the order of the first calls. Raises InvalidCitation as
        `check` does."""
        known = self._ids.get(path)
        if known is None:
            known = self._ids[path] = len(self.rows)
            self.rows.append(self._make_row(known, path, line))
        elif line > self.rows[known].lines:
            self.check(path, line)
        return known

    def adopt_rows(self, rows: list[FileRow]) -> None:
        """Replace these files by those of a previous index, with their ids."""
        self.rows = rows
        self._ids = {row.path: row.id for row in rows}

    def read_row(self, path: str) -> FileRow:
        """The row of a file as it is now. Raises InvalidCitation if the tree has no such file."""
        return self._make_row(self._ids.get(path, 0), path, 1)

    def write_rows(self, connection: sqlite3.Connection) -> None:
        """Store the files that have an id."""
        connection.executemany("INSERT INTO file VALUES (?, ?, ?, ?, ?)", self.rows)

    def _make_row(self, number: int, path: str, line: int) -> FileRow:
        self.check(path, line)
        found = self._read[path]
        assert found is not None
        return found._replace(id=number)

    def _find(self, path: str) -> FileRow | None:
        for root, generated in self._roots:
            file = root / unescape_name(path)
            if is_link_outside(str(file), self._folders):
                continue
            try:
                data = read_regular_file(file)
            except OSError:
                continue
            lines = split_lines(data)
            digest = hashlib.blake2b(data, digest_size=12).digest()
            return FileRow(0, path, len(lines) - (not lines[-1]), digest, int(generated))
        return None


@dataclass(frozen=True, slots=True)
class _PendingUnit:
    """A unit whose definitions and files have provisional ids."""

    path: str
    object: str
    image: str
    failed: str
    errors: str
    definitions: "array[int]"
    files: "array[int]"
    command: bytes


class FactsWriter:
    """Adds units to a new index. The order in which they come does not matter: `finish` assigns
    ids in the order of keys and paths."""

    def __init__(self, connection: sqlite3.Connection, files: CitedFiles) -> None:
        self._connection = connection
        self._files = files
        self._definitions = StableIds()
        self._paths = StableIds()
        self._supplied: dict[str, bytes] = {}  # facts that are new
        self._shared: dict[str, EncodedDefinition] = {}
        self._pending: list[_PendingUnit] = []
        self._rows: list[UnitRow] = []
        self.units = self.errors = self.failed = 0

    def keep_units(self, previous: PreviousIndex, units: Iterable[PreviousUnit]) -> None:
        """Take over units from the previous index of the tree, before any other is added. Raises
        StoreError if that index was replaced meanwhile."""
        kept = list(units)
        rows = previous.read_definitions(kept)
        self._connection.executemany("INSERT INTO definition VALUES (?, ?, ?)", rows)
        self._definitions = StableIds({key: number for number, key, _ in rows})
        used = {number for unit in kept for number in unit.files}
        self._paths = StableIds(
            {path: number for path, number in previous.file_ids.items() if number in used})
        for unit in kept:
            self._count(unit.errors, unit.failed)
            self._rows.append(unit.row)

    def borrow_units(
        self, donor: PreviousIndex, units: Iterable[tuple[PreviousUnit, bytes]]
    ) -> None:
        """Add units from the index of another tree or configuration, each with the digest of its
        command here. Raises StoreError if that index was replaced meanwhile, and adds nothing."""
        taken = list(units)
        names, paths = {}, {number: path for path, number in donor.file_ids.items()}
        for number, key, data in donor.read_definitions(unit for unit, _ in taken):
            names[number] = key
            if not self._definitions.is_old(key):
                self._supplied.setdefault(key, data)
        for unit, command in taken:
            self._count(unit.errors, unit.failed)
            row = unit.row
            self._pending.append(_PendingUnit(
                row.path, row.object, row.image, row.failed, row.errors,
                self._definition_ids(names[id_] for id_ in donor.unpack_definition_ids(unit)),
                self._path_ids(paths[id_] for id_ in unit.files), command))

    def add_unit(self, unit: EncodedUnit, image: str, command: bytes) -> None:
        """Add a unit. `command` is the digest of its compile command; it is not stored for a unit
        that depends on files elsewhere, so that every run reads it again. Raises InvalidCitation.
        """
        for definition in unit.definitions:
            self._add(definition, unit.path)
        for key in unit.keys:
            if key in self._shared:
                self._add(self._shared.pop(key), unit.path)
        self._count(unit.errors, unit.failed)
        errors = [
            [str(error.location) if error.location else "", error.message] for error in unit.errors
        ]
        self._pending.append(_PendingUnit(
            unit.path, unit.object, image, unit.failed, json.dumps(errors),
            self._definition_ids(unit.keys), self._path_ids(unit.files),
            b"" if unit.foreign else command))

    def share_definitions(self, definitions: Iterable[EncodedDefinition]) -> None:
        """Supply definitions that units may list without bringing them, as those of precompiled
        headers. They are written only if a unit lists them."""
        for definition in definitions:
            self._shared[definition.key] = definition

    def _add(self, definition: EncodedDefinition, path: str) -> None:
        """Keep the facts of a definition; equal keys mean equal facts."""
        key = definition.key
        if key in self._supplied or self._definitions.is_old(key):
            return
        for cited, line in definition.last_lines.items():
            self._files.check(cited, line, f"{definition.name} ({path})")
        self._supplied[key] = definition.facts

    def _count(self, errors: object, failed: str) -> None:
        self.units += 1
        self.errors += bool(errors)
        self.failed += bool(failed)

    def _definition_ids(self, keys: Iterable[str]) -> "array[int]":
        return array("I", map(self._definitions.assign, keys))

    def _path_ids(self, paths: Iterable[str]) -> "array[int]":
        return array("I", map(self._paths.assign, paths))

    def find_added_keys(self) -> set[str]:
        """The keys of the definitions of all units that were added, not kept."""
        listed = {number for unit in self._pending for number in unit.definitions}
        return self._definitions.find_texts(listed)

    def finish(self) -> None:
        """Write everything that was added. Raises StoreError if a unit lists a definition that
        none has supplied."""
        for key in self._definitions.new_ids():
            if key not in self._supplied:
                raise StoreError(
                    f"a unit names facts that no unit has read (key {key})",
                    "run `kgraph index` again; if that does not help, report it",
                )
        definitions, paths = self._definitions.settle(), self._paths.settle()
        self._connection.executemany(
            "INSERT INTO definition VALUES (?, ?, ?)",
            [(definitions[number], key, self._supplied[key])
             for key, number in sorted(self._definitions.new_ids().items())])
        self._supplied.clear()
        self._shared.clear()
        for unit in self._pending:
            self._rows.append(UnitRow(
                unit.path, unit.object, unit.image, unit.failed, unit.errors,
                pack_numbers({definitions[id_] for id_ in unit.definitions}),
                pack_numbers({paths[id_] for id_ in unit.files}), unit.command))
        self._rows.sort()
        self._connection.executemany(
            "INSERT INTO unit VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [(number, *row) for number, row in enumerate(self._rows)],
        )
        self._connection.executemany(
            "INSERT INTO unit_file VALUES (?, ?, '', x'')",
            sorted((paths[number], path) for path, number in self._paths.all_ids().items()),
        )
