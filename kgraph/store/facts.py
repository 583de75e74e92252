"""The facts half of an index: units, their definitions, the files that they cite.

What a worker hands over (EncodedUnit) is made here too, so that facts travel as bytes. A fact
whose location cannot be opened is refused here, at the merge.
"""

import hashlib
import json
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from kgraph.errors import StoreError
from kgraph.model.facts import Definition, Diagnostic, UnitFacts
from kgraph.store.encoding import Encoder, pack_numbers
from kgraph.store.former import FormerIndex, FormerUnit, fact_key
from kgraph.treefile import file_name, leads_out, read_regular

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


def encode_definitions(
    definitions: Iterable[Definition], known: dict[str, str]
) -> tuple[EncodedDefinition, ...]:
    """Definitions in the form that the writer takes. Their keys become digests of their facts, so
    that equal facts are stored once, whoever read them and however; `known` learns which.
    """
    encoded = []
    for definition in definitions:
        encoder = Encoder()
        data = encoder.encode(definition)
        key = fact_key(data)
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
    )


FileRow = tuple[int, str, int, bytes, int]  # of the table file


class CitedFiles:
    """The files of the tree and the build folder that facts may cite; reads each once."""

    def __init__(self, root: Path, build: Path | None) -> None:
        self._roots = [(root, False)] + ([(build, True)] if build is not None else [])
        self._folders = [str(folder) for folder, _ in self._roots]
        self._known: dict[str, tuple[int, int]] = {}
        self.rows: list[FileRow] = []

    def number(self, path: str, line: int = 1, fact: str = "") -> int:
        """The id of the file `path`. Raises StoreError, naming `fact`, where the tree has no such
        file or fewer than `line` lines in it.
        """
        number, lines = self._known.get(path) or self._read(path)
        if number < 0 or line > lines:
            what = "is not in the tree" if number < 0 else f"has only {lines} lines"
            raise StoreError(
                f"refused the facts of {fact or path}: they cite {path}:{line}, but it {what}",
                "if the tree changed meanwhile, run `kgraph index` again; else report this",
            )
        return number

    def adopt(self, rows: list[FileRow]) -> None:
        """Take over the files of an earlier index, with their numbers, instead of these."""
        self.rows = rows
        self._known = {path: (number, lines) for number, path, lines, _, _ in rows}

    def look(self, path: str) -> FileRow:
        """The row of a file as it is now. Raises StoreError where the tree has no such file."""
        return self.rows[self.number(path)]

    def _read(self, path: str) -> tuple[int, int]:
        known = (-1, 0)
        for root, generated in self._roots:
            file = root / file_name(path)
            if leads_out(str(file), self._folders):
                continue
            try:
                data = read_regular(file)
            except OSError:
                continue
            lines = data.count(b"\n") + (not data.endswith(b"\n"))
            known = (len(self.rows), lines)
            digest = hashlib.blake2b(data, digest_size=12).digest()
            self.rows.append((known[0], path, lines, digest, int(generated)))
            break
        self._known[path] = known
        return known


class FactsWriter:
    """Adds units to an index under construction, in any order."""

    def __init__(self, connection: sqlite3.Connection, files: CitedFiles) -> None:
        self._connection = connection
        self._files = files
        self._numbers: dict[str, int] = {}  # of definitions, by key, from their first mention on
        self._listed: set[int] = set()  # by units that were read
        self._supplied: set[int] = set()
        self._shared: dict[str, EncodedDefinition] = {}
        self._paths: dict[str, int] = {}
        self._next = self._next_path = 0
        self._rows: list[tuple[str | bytes, ...]] = []
        self.units = self.errors = self.failed = 0

    def keep(self, former: FormerIndex, units: Iterable[FormerUnit]) -> None:
        """Take over units from an earlier index; before any is added. Raises StoreError where that
        is damaged."""
        kept = list(units)
        rows = former.definitions(kept)
        self._connection.executemany("INSERT INTO definition VALUES (?, ?, ?)", rows)
        self._numbers = {key: number for number, key, _ in rows}
        self._supplied = set(self._numbers.values())
        self._next = max(self._supplied, default=-1) + 1
        used = {number for unit in kept for number in unit.files}
        self._paths = {path: number for path, number in former.numbers.items() if number in used}
        self._next_path = max(used, default=-1) + 1
        for unit in kept:
            self.units += 1
            self.errors += bool(unit.errors)
            self.failed += bool(unit.failed)
            self._rows.append(unit.row)

    def add_unit(self, unit: EncodedUnit, image: str, command: bytes) -> None:
        """Add a unit; `command` is the digest of how it is compiled. Of definitions with one key
        the first comes in: equal keys, equal facts."""
        for definition in unit.definitions:
            self._add(definition, unit.path)
        for key in unit.keys:
            if key in self._shared:
                self._add(self._shared.pop(key), unit.path)
        self.units += 1
        self.errors += bool(unit.errors)
        self.failed += bool(unit.failed)
        self._rows.append(self._row(unit, image, command))

    def share(self, definitions: Iterable[EncodedDefinition]) -> None:
        """Supply definitions that units may name without bringing them. Those that none names are
        not written."""
        for definition in definitions:
            self._shared[definition[0]] = definition

    def _add(self, definition: EncodedDefinition, path: str) -> None:
        key, name, data, last_lines = definition
        number = self._number(key)
        if number in self._supplied:
            return
        for cited, line in last_lines.items():
            self._files.number(cited, line, f"{name} ({path})")
        self._supplied.add(number)
        self._connection.execute("INSERT INTO definition VALUES (?, ?, ?)", (number, key, data))

    def _number(self, key: str) -> int:
        number = self._numbers.get(key)
        if number is None:
            number = self._numbers[key] = self._next
            self._next += 1
        return number

    def _path(self, path: str) -> int:
        number = self._paths.get(path)
        if number is None:
            number = self._paths[path] = self._next_path
            self._next_path += 1
        return number

    def _row(self, unit: EncodedUnit, image: str, command: bytes) -> tuple[str | bytes, ...]:
        errors = [
            [str(error.location) if error.location else "", error.message] for error in unit.errors
        ]
        held = set(map(self._number, unit.keys))
        self._listed |= held
        read = set(map(self._path, unit.files))
        return (
            unit.path, unit.object, image, unit.failed, json.dumps(errors), pack_numbers(held),
            pack_numbers(read), command,
        )

    def read_keys(self) -> set[str]:
        """The keys of the definitions in units that were added, not kept."""
        return {key for key, number in self._numbers.items() if number in self._listed}

    def finish(self) -> None:
        """Write the units themselves, sorted, and the paths that they read. Raises StoreError where
        one lists a definition that no unit has supplied.
        """
        for key, number in self._numbers.items():
            if number in self._listed and number not in self._supplied:
                raise StoreError(
                    f"a unit names facts that no unit has read (key {key})",
                    "run `kgraph index` again; if it says so again, report it",
                )
        self._rows.sort()
        self._connection.executemany(
            "INSERT INTO unit VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [(number, *row) for number, row in enumerate(self._rows)],
        )
        self._connection.executemany(
            "INSERT INTO unit_file VALUES (?, ?, '', x'')",
            [(number, path) for path, number in self._paths.items()],
        )
