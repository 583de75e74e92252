"""Reads an open index: its description, totals, evidence, cited files and facts."""

import json
from array import array
from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

from kgraph.model.ids import FunctionId, ObjectId
from kgraph.model.location import Extent, Guard, Location
from kgraph.model.resolution import Evidence, Role, SiteStatus
from kgraph.model.results import Coverage, IndexDescription, KnownFunction, KnownObject, KnownSite
from kgraph.store.arrays import read_array
from kgraph.store.cache_paths import read_coverage, read_description, work_folder
from kgraph.store.connection import damage_reported, open_read_only

_FUNCTION = (
    'SELECT f.id, name, scope, image, path, line, "column", parameters, alias_of, t.text,'
    " address_taken, end_line FROM function f LEFT JOIN file ON file.id = f.file"
    " LEFT JOIN text t ON t.id = f.macro "
)
_OBJECT = (
    'SELECT o.id, name, scope, image, path, line, "column", type FROM object o'
    " LEFT JOIN file ON file.id = o.file "
)
_SITE = (
    'SELECT s.id, caller, path, line, "column", end_line, end_column, ordinal, e.text, m.text,'
    " status, h.text, r.text, w.text, g.text, callback, proof FROM site s"
    " JOIN file ON file.id = s.file"
    " JOIN text e ON e.id = s.expression JOIN text m ON m.id = s.macro"
    " LEFT JOIN text h ON h.id = s.holder JOIN text r ON r.id = s.rule"
    " JOIN text w ON w.id = s.reason JOIN text g ON g.id = s.guards "
)
_PLACE = 'SELECT path, s.line, s."column" FROM site s JOIN file ON file.id = s.file'
BOUND = (
    'SELECT h.text, b.function, b.object, b."table", path, b.line, b."column", how FROM bound b'
    " JOIN text h ON h.id = b.holder JOIN file ON file.id = b.file "
)
_PORTION = 1000


class IndexReader:
    """An open index. Every method may raise StoreError where the file is damaged."""

    def __init__(self, path: Path, *, verify: bool = True) -> None:
        """`whole`: check all of the file, which takes longer the larger it is."""
        self.path = path
        self.connection = open_read_only(path, verify=verify)

    def close(self) -> None:
        """Close the file."""
        self.connection.close()

    def fetch_rows(self, statement: str, values: tuple[object, ...] = ()) -> list[tuple[Any, ...]]:
        """The rows of an SQL statement; none where a value is no text, as no name is."""
        with damage_reported(self.path):
            try:
                return self.connection.execute(statement, values).fetchall()
            except UnicodeEncodeError:
                return []

    @cached_property
    def description(self) -> IndexDescription:
        """What the index is of."""
        with damage_reported(self.path):
            return read_description(self.connection)

    @cached_property
    def build_folder(self) -> str:
        """The folder of generated files, "" for none: the one beside the index, as where a cache
        folder was moved with all that is in it, else the one that it was made in."""
        made_in = self.description.build
        beside = work_folder(self.path) / "build"
        return str(beside) if made_in and beside.is_dir() else made_in

    @cached_property
    def coverage(self) -> Coverage:
        """The account that was made when the index was."""
        with damage_reported(self.path):
            return read_coverage(self.connection)

    @cached_property
    def troubled_units(self) -> list[tuple[str, str]]:
        """The units that failed or have errors, each with its reason (of several errors the first,
        behind its place), by path.
        """
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
        with damage_reported(self.path):
            return read_array(self.connection, name)

    def functions(self, where: str, values: tuple[object, ...] = ()) -> list[KnownFunction]:
        """Functions by an SQL condition over function f and file, in the order of numbers."""
        rows = self.fetch_rows(f"{_FUNCTION} WHERE {where} ORDER BY f.id", values)
        return [
            KnownFunction(
                row[0], FunctionId(row[1], row[2], row[3]), _location(row, 4),
                tuple(json.loads(row[7])) if row[7] else (), row[8] or "", row[9] or "",
                bool(row[10]), row[11] or 0,
            )
            for row in rows
        ]

    def objects(self, where: str, values: tuple[object, ...] = ()) -> list[KnownObject]:
        """Objects by an SQL condition over object o and file, in the order of numbers."""
        rows = self.fetch_rows(f"{_OBJECT} WHERE {where} ORDER BY o.id", values)
        return [
            KnownObject(row[0], ObjectId(row[1], row[2], row[3]), _location(row, 4), row[7] or "")
            for row in rows
        ]

    def sites(self, where: str, values: tuple[object, ...] = ()) -> list[KnownSite]:
        """Call sites by an SQL condition over site s and file, in the order of numbers."""
        rows = self.fetch_rows(f"{_SITE} WHERE {where} ORDER BY s.id", values)
        return [_site(row) for row in rows]

    def functions_numbered(self, numbers: Iterable[int]) -> list[KnownFunction]:
        """The functions of these numbers."""
        return [known for some in _iter_id_lists(numbers)
                for known in self.functions(f"f.id IN ({some})")]

    def sites_numbered(self, numbers: Iterable[int]) -> list[KnownSite]:
        """The call sites of these numbers."""
        return [
            known for some in _iter_id_lists(numbers) for known in self.sites(f"s.id IN ({some})")
        ]

    def site_places(self, numbers: Iterable[int]) -> tuple[Location, ...]:
        """Where the call sites of these numbers are, in their order."""
        return tuple(
            Location(*row) for some in _iter_id_lists(numbers)
            for row in self.fetch_rows(f"{_PLACE} WHERE s.id IN ({some}) ORDER BY s.id")
        )

    def read_evidence(self, number: int) -> tuple[Evidence, ...]:
        """A chain of evidence."""
        found = self.fetch_rows("SELECT chain FROM evidence WHERE id = ?", (number,))
        return tuple(
            Evidence(Role(role), Location(self.find_file_path(file), line, column), holder)
            for role, file, line, column, holder in json.loads(found[0][0])
        )

    def find_file_path(self, number: int) -> str:
        """The path of a cited file."""
        path: str = self.fetch_rows("SELECT path FROM file WHERE id = ?", (number,))[0][0]
        return path

    def find_file(self, path: str) -> tuple[bytes, bool] | None:
        """(digest, generated) of a cited file, None where no fact cites it."""
        found = self.fetch_rows("SELECT digest, generated FROM file WHERE path = ?", (path,))
        return (found[0][0], bool(found[0][1])) if found else None

    def iter_encoded_definitions(self) -> Iterator[tuple[str, bytes]]:
        """Key and facts (for decoding.decode) of every definition, in the order of keys."""
        with damage_reported(self.path):
            found = self.connection.execute("SELECT key, facts FROM definition ORDER BY key")
        while True:
            with damage_reported(self.path):
                rows = found.fetchmany(_PORTION)
            if not rows:
                return
            yield from rows


def _iter_id_lists(numbers: Iterable[int]) -> Iterator[str]:
    """Numbers as SQL writes them, ascending, some at a time."""
    ordered = sorted(numbers)
    for first in range(0, len(ordered), _PORTION):
        yield ", ".join(map(str, ordered[first:first + _PORTION]))


def _location(row: tuple[Any, ...], at: int) -> Location | None:
    return None if row[at] is None else Location(row[at], row[at + 1], row[at + 2])


def _site(row: tuple[Any, ...]) -> KnownSite:
    path = row[2]
    return KnownSite(
        number=row[0], caller=row[1], location=Location(path, row[3], row[4]),
        extent=Extent(Location(path, row[3], row[4]), row[5], row[6]), ordinal=row[7],
        expression=row[8], macro=row[9], status=SiteStatus(row[10]), holder=row[11] or "",
        rule=row[12], reason=row[13], callback=row[15], proof=row[16],
        guards=tuple(
            Guard(Extent(Location(path, line, column), end_line, end_column), bool(holds))
            for line, column, end_line, end_column, holds in json.loads(row[14] or "[]")
        ),
    )
