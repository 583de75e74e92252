"""Reads an open index: its description, totals, evidence, cited files and facts."""

import json
from array import array
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from kgraph.model.facts import Definition
from kgraph.model.location import Location
from kgraph.model.resolution import Evidence, Role
from kgraph.model.results import Coverage, IndexDescription
from kgraph.store.arrays import read_array
from kgraph.store.cache_paths import work_folder
from kgraph.store.call_rows import CallRow, read_call_rows
from kgraph.store.codec import FactsDecoder, unpack_numbers
from kgraph.store.connection import Connection, open_read_only, report_damage
from kgraph.store.metadata import read_coverage, read_description

_BATCH = 1000  # definitions that are fetched at once


class IndexReader:
    """An open index. Every method raises StoreError if the file is damaged."""

    def __init__(self, path: Path, *, verify: bool = True) -> None:
        """`verify` checks the checksum of the whole file; see connection.open_read_only."""
        self.path = path
        self.connection = open_read_only(path, verify=verify)
        self._file_paths: dict[int, str] = {}

    def close(self) -> None:
        """Close the file."""
        self.connection.close()

    def fetch_rows(self, statement: str, values: tuple[object, ...] = ()) -> list[tuple[Any, ...]]:
        """The rows of an SQL statement; [] if a value is a text that the index cannot have (a lone
        surrogate)."""
        with report_damage(self.path):
            try:
                return self.connection.execute(statement, values).fetchall()
            except UnicodeEncodeError:
                return []

    @cached_property
    def description(self) -> IndexDescription:
        """What the index is of."""
        with report_damage(self.path):
            return read_description(self.connection)

    @cached_property
    def build_folder(self) -> str:
        """The folder of generated files, "" for none. The one beside the index comes first, in case
        the cache folder was moved."""
        made_in = self.description.build
        beside = work_folder(self.path) / "build"
        return str(beside) if made_in and beside.is_dir() else made_in

    @cached_property
    def coverage(self) -> Coverage:
        """The totals, which are computed when an index is made."""
        with report_damage(self.path):
            return read_coverage(self.connection)

    @cached_property
    def troubled_units(self) -> list[tuple[str, str]]:
        """(path, reason) of the units that failed or have errors, by path. The reason is the first
        error with its place."""
        rows = self.fetch_rows(
            "SELECT path, failed, errors FROM unit WHERE failed != '' OR errors != '[]'"
            " ORDER BY path, object"
        )
        return [
            (path, failed or ": ".join(part for part in json.loads(errors)[0] if part))
            for path, failed, errors in rows
        ]

    def read_array(self, name: str) -> "array[int]":
        """One of arrays.ARRAYS."""
        with report_damage(self.path):
            return read_array(self.connection, name)

    def read_evidence(self, number: int) -> tuple[Evidence, ...]:
        """A chain of evidence."""
        found = self.fetch_rows("SELECT chain FROM evidence WHERE id = ?", (number,))
        return self.decode_evidence(found[0][0])

    def decode_evidence(self, chain: str) -> tuple[Evidence, ...]:
        """A chain of evidence as the index has it."""
        return tuple(
            Evidence(Role(role), Location(self.find_file_path(file), line, column), holder)
            for role, file, line, column, holder in json.loads(chain)
        )

    def find_file_path(self, number: int) -> str:
        """The path of a cited file."""
        path = self._file_paths.get(number)
        if path is None:
            path = self.fetch_rows("SELECT path FROM file WHERE id = ?", (number,))[0][0]
            self._file_paths[number] = path
        return path

    def find_file(self, path: str) -> tuple[bytes, bool] | None:
        """(digest, generated) of a cited file; None if no fact cites it."""
        found = self.fetch_rows("SELECT digest, generated FROM file WHERE path = ?", (path,))
        return (found[0][0], bool(found[0][1])) if found else None

    def iter_encoded_definitions(self) -> Iterator[tuple[str, bytes]]:
        """Key and facts (for codec.FactsDecoder) of every definition, in the order of keys."""
        with report_damage(self.path):
            yield from iter_encoded_definitions(self.connection)


def iter_encoded_definitions(connection: Connection) -> Iterator[tuple[str, bytes]]:
    """Key and facts of every definition, in the order of keys; the index may be unfinished."""
    found = connection.execute("SELECT key, facts FROM definition ORDER BY key")
    while rows := found.fetchmany(_BATCH):
        yield from rows


class StoredDefinitions:
    """The definitions of an index, which may be unfinished, as resolving reads them.

    Each is decoded whenever it is asked for: that takes less than keeping all of them."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def __iter__(self) -> Iterator[Definition]:
        """All definitions, in the order of keys."""
        decoder = FactsDecoder(is_resolving=True)
        for key, data in iter_encoded_definitions(self._connection):
            yield decoder.decode(key, data)

    def find(self, key: str) -> Definition:
        """The definition of a key."""
        return FactsDecoder(is_resolving=True).decode(key, self._find_encoded(key))

    def find_calls(self, key: str) -> list[CallRow]:
        """The calls of the definition of a key, as the graph shows them."""
        return read_call_rows(self._find_encoded(key))

    def _find_encoded(self, key: str) -> bytes:
        data: bytes = self._connection.execute(
            "SELECT facts FROM definition WHERE key = ?", (key,)).fetchone()[0]
        return data


class ErroneousUnit(NamedTuple):
    """A unit with errors: its path, the files with the errors, and all files that it read."""

    path: str
    erroneous_files: frozenset[str]
    files: tuple[str, ...]


def list_erroneous_units(connection: Connection) -> list[ErroneousUnit]:
    """The units that were parsed with errors; the index may be unfinished."""
    paths = dict(connection.execute("SELECT id, path FROM unit_file"))
    rows = connection.execute(
        "SELECT path, errors, files FROM unit WHERE failed = '' AND errors != '[]'"
        " ORDER BY path, object")
    return [
        ErroneousUnit(
            path, frozenset(cited.rpartition(":")[0] for cited, _ in json.loads(errors) if cited),
            tuple(paths[number] for number in unpack_numbers(files)))
        for path, errors, files in rows
    ]
