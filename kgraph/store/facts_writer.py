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

from kgraph.errors import StoreError
from kgraph.model.facts import Definition, Diagnostic, UnitFacts
from kgraph.store.codec import FactsEncoder, pack_numbers
from kgraph.store.previous_index import PreviousIndex, PreviousUnit, digest_facts
from kgraph.store.stable_ids import StableIds
from kgraph.textfile import is_link_outside, read_regular_file, split_lines, unescape_name

# key, name, bytes, last line cited of each path
EncodedDefinition = tuple[str, str, bytes, dict[str, int]]


@dataclass(frozen=True, slots=True)
class EncodedUnit:
    """UnitFacts with its definitions encoded."""

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
    """Definitions in the form that the writer takes. Their keys become digests of their facts, so
    that equal facts are stored once, whoever read them and however; `known` learns which.
    """
    encoded = []
    for definition in definitions:
        encoder = FactsEncoder()
        data = encoder.encode(definition)
        key = digest_facts(data)
        known[definition.key] = key
        encoded.append((key, definition.subject.id.name, data, encoder.last_lines))
    return tuple(encoded)


def encode_unit(facts: UnitFacts, known: dict[str, str]) -> EncodedUnit:
    """The facts of a unit in the form that add_unit takes. `known` maps the keys of extraction to
    those of the store, for all definitions that were encoded before; it grows.
    """
    definitions = encode_definitions(facts.definitions, known)
    keys = tuple(sorted({known.get(key, key) for key in facts.keys}))
    return EncodedUnit(
        facts.path, facts.object, keys, definitions, facts.errors, facts.files, facts.failed,
        facts.foreign,
    )


class InvalidCitation(StoreError):
    """Facts cite what is not there: the tree changed meanwhile, or they were of an index that
    somebody altered."""


FileRow = tuple[int, str, int, bytes, int]  # of the table file


class CitedFiles:
    """The files of the tree and the build folder that facts may cite; reads each once."""

    def __init__(self, root: Path, build: Path | None) -> None:
        self._roots = [(root, False)] + ([(build, True)] if build is not None else [])
        self._folders = [str(folder) for folder, _ in self._roots]
        self._numbers: dict[str, int] = {}
        self._seen: dict[str, tuple[int, bytes, int] | None] = {}  # lines, digest, generated
        self.rows: list[FileRow] = []

    def check(self, path: str, line: int = 1, fact: str = "") -> None:
        """Raises StoreError, naming `fact`, where the tree has no file `path` or fewer than `line`
        lines in it.
        """
        if path not in self._seen:
            self._seen[path] = self._read(path)
        seen = self._seen[path]
        if seen is None or line > seen[0]:
            what = "is not in the tree" if seen is None else f"has only {seen[0]} lines"
            raise InvalidCitation(
                f"refused the facts of {fact or path}: they cite {path}:{line}, but it {what}",
                "if the tree changed meanwhile, run `kgraph index` again; else report this",
            )

    def assign_id(self, path: str, line: int = 1) -> int:
        """The id of a file, given in the order of asking. Raises StoreError as `check` does."""
        number = self._numbers.get(path)
        if number is None:
            self.check(path, line)
            number = self._numbers[path] = len(self.rows)
            self.rows.append(self._row(number, path))
        elif line > self.rows[number][2]:
            self.check(path, line)
        return number

    def adopt_rows(self, rows: list[FileRow]) -> None:
        """Take over the files of an earlier index, with their numbers, instead of these."""
        self.rows = rows
        self._numbers = {path: number for number, path, *_ in rows}

    def read_row(self, path: str) -> FileRow:
        """The row of a file as it is now. Raises StoreError where the tree has no such file."""
        self.check(path)
        return self._row(self._numbers.get(path, 0), path)

    def write_rows(self, connection: sqlite3.Connection) -> None:
        """Store the files that have an id."""
        connection.executemany("INSERT INTO file VALUES (?, ?, ?, ?, ?)", self.rows)

    def _row(self, number: int, path: str) -> FileRow:
        lines, digest, generated = self._seen[path] or (0, b"", 0)
        return number, path, lines, digest, generated

    def _read(self, path: str) -> tuple[int, bytes, int] | None:
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
            return len(lines) - (not lines[-1]), digest, int(generated)
        return None


@dataclass(frozen=True, slots=True)
class _PendingUnit:
    """A unit that waits for its numbers: the columns around them, its definitions and files."""

    head: tuple[str, ...]
    definitions: "array[int]"
    files: "array[int]"
    command: bytes


class FactsWriter:
    """Adds units to an index under construction, in any order, which the index does not show:
    numbers are given at the end, in the order of keys and paths."""

    def __init__(self, connection: sqlite3.Connection, files: CitedFiles) -> None:
        self._connection = connection
        self._files = files
        self._definitions = StableIds()
        self._paths = StableIds()
        self._supplied: dict[str, bytes] = {}  # facts that are new
        self._shared: dict[str, EncodedDefinition] = {}
        self._listed: list[_PendingUnit] = []
        self._rows: list[tuple[str | bytes, ...]] = []
        self.units = self.errors = self.failed = 0

    def keep_units(self, former: PreviousIndex, units: Iterable[PreviousUnit]) -> None:
        """Take over units from an earlier index; before any is added. Raises StoreError where that
        is damaged."""
        kept = list(units)
        rows = former.read_definitions(kept)
        self._connection.executemany("INSERT INTO definition VALUES (?, ?, ?)", rows)
        self._definitions = StableIds({key: number for number, key, _ in rows})
        used = {number for unit in kept for number in unit.files}
        self._paths = StableIds(
            {path: number for path, number in former.file_ids.items() if number in used})
        for unit in kept:
            self._count(unit.errors, unit.failed)
            self._rows.append(unit.row)

    def borrow_units(
        self, donor: PreviousIndex, units: Iterable[tuple[PreviousUnit, bytes]]
    ) -> None:
        """Add units as the index of another tree or configuration has them, each with the digest of
        its command here. Raises StoreError where that is damaged, and then adds nothing."""
        taken = list(units)
        names, paths = {}, {number: path for path, number in donor.file_ids.items()}
        for number, key, data in donor.read_definitions(unit for unit, _ in taken):
            names[number] = key
            if not self._definitions.is_old(key):
                self._supplied.setdefault(key, data)
        for unit, command in taken:
            self._count(unit.errors, unit.failed)
            path, object_, image, failed, errors, *_ = map(str, unit.row)
            self._list((path, object_, image, failed, errors),
                       (names[number] for number in donor.unpack_definition_ids(unit)),
                       (paths[number] for number in unit.files), command)

    def add_unit(self, unit: EncodedUnit, image: str, command: bytes) -> None:
        """Add a unit; `command` is the digest of how it is compiled, which a unit that depends on
        files elsewhere goes without: no run may keep it. Of definitions with one key the first
        comes in: equal keys, equal facts."""
        for definition in unit.definitions:
            self._add(definition, unit.path)
        for key in unit.keys:
            if key in self._shared:
                self._add(self._shared.pop(key), unit.path)
        self._count(unit.errors, unit.failed)
        errors = [
            [str(error.location) if error.location else "", error.message] for error in unit.errors
        ]
        self._list((unit.path, unit.object, image, unit.failed, json.dumps(errors)), unit.keys,
                   unit.files, b"" if unit.foreign else command)

    def share_definitions(self, definitions: Iterable[EncodedDefinition]) -> None:
        """Supply definitions that units may name without bringing them. Those that none names are
        not written."""
        for definition in definitions:
            self._shared[definition[0]] = definition

    def _add(self, definition: EncodedDefinition, path: str) -> None:
        key, name, data, last_lines = definition
        if key in self._supplied or self._definitions.is_old(key):
            return
        for cited, line in last_lines.items():
            self._files.check(cited, line, f"{name} ({path})")
        self._supplied[key] = data

    def _count(self, errors: object, failed: str) -> None:
        self.units += 1
        self.errors += bool(errors)
        self.failed += bool(failed)

    def _list(self, head: tuple[str, ...], keys: Iterable[str], files: Iterable[str],
              command: bytes) -> None:
        self._listed.append(_PendingUnit(
            head, array("I", map(self._definitions.assign, keys)),
            array("I", map(self._paths.assign, files)), command))

    def find_added_keys(self) -> set[str]:
        """The keys of the definitions in units that were added, not kept."""
        listed = {number for unit in self._listed for number in unit.definitions}
        return self._definitions.find_texts(listed)

    def finish(self) -> None:
        """Write what was added, sorted, and the paths that were read. Raises StoreError where a
        unit lists a definition that no unit has supplied.
        """
        for key in self._definitions.new_ids():
            if key not in self._supplied:
                raise StoreError(
                    f"a unit names facts that no unit has read (key {key})",
                    "run `kgraph index` again; if it says so again, report it",
                )
        definitions, paths = self._definitions.settle(), self._paths.settle()
        self._connection.executemany(
            "INSERT INTO definition VALUES (?, ?, ?)",
            [(definitions[number], key, self._supplied[key])
             for key, number in sorted(self._definitions.new_ids().items())])
        self._supplied.clear()
        for unit in self._listed:
            held = pack_numbers({definitions[number] for number in unit.definitions})
            read = pack_numbers({paths[number] for number in unit.files})
            self._rows.append((*unit.head, held, read, unit.command))
        self._rows.sort()
        self._connection.executemany(
            "INSERT INTO unit VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [(number, *row) for number, row in enumerate(self._rows)],
        )
        self._connection.executemany(
            "INSERT INTO unit_file VALUES (?, ?, '', x'')",
            sorted((paths[number], path) for path, number in self._paths.all_ids().items()),
        )
