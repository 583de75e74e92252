"""A graph whose facts only moved: the former index's graph with the places brought up to date.

Most edits of a file change no call and no flow, but the lines of what stands below. Then the graph
is the former one, and resolving it again would find that, at a hundred times the cost.
"""

import json
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path

from kgraph.model.facts import Definition
from kgraph.model.location import Extent, Location
from kgraph.store.facts import CitedFiles, FileRow

Point = tuple[int, int]  # line and column
_TABLES = ("text", "function", "object", "site", "evidence", "bound", "array", "request",
           "later")


class Moves:
    """Where each cited point of each file went. `fits` is false once facts differ in more than
    their places, or places changed their order: then nothing may be concluded."""

    def __init__(self) -> None:
        self.points: dict[str, dict[Point, Point]] = {}
        self.fits = True

    def compare(self, before: Iterable[Definition], after: Iterable[Definition]) -> None:
        """Learn from what was and what is there instead, each once."""
        old, new = sorted(before, key=_order), sorted(after, key=_order)
        self.fits = len(old) == len(new)
        for one, other in zip(old, new, strict=False):
            self._pair((one.subject, one.calls, one.bindings, one.flows),
                       (other.subject, other.calls, other.bindings, other.flows))
            if not self.fits:
                return

    def settle(self, same: Iterable[Definition]) -> None:
        """Learn that the places of `same`, all unchanged definitions that may cite a file whose
        places moved, stay where they are; and see that no two places changed their order."""
        moved_paths = {path for path, points in self.points.items()
                       if any(before != after for before, after in points.items())}
        self.points = {path: self.points[path] for path in moved_paths}
        for definition in same:
            if not moved_paths.isdisjoint(_cited(definition)):
                self._stay(definition)
        for moved in self.points.values():
            targets = [moved[point] for point in sorted(moved)]
            if targets != sorted(targets):
                self.fits = False

    def _pair(self, one: object, other: object) -> None:
        if type(one) is not type(other):
            self.fits = False
        elif isinstance(one, Location) and isinstance(other, Location):
            self.fits &= one.path == other.path
            self._learn(one.path, (one.line, one.column), (other.line, other.column))
        elif isinstance(one, tuple) and isinstance(other, tuple):
            self.fits &= len(one) == len(other)
            for part, counterpart in zip(one, other, strict=False):
                self._pair(part, counterpart)
        elif isinstance(one, Extent) and isinstance(other, Extent):
            self._pair(one.start, other.start)
            self._learn(one.start.path, (one.end_line, one.end_column),
                        (other.end_line, other.end_column))
        elif is_dataclass(one):
            for field in fields(one):
                self._pair(getattr(one, field.name), getattr(other, field.name))
        else:
            self.fits &= one == other

    def _stay(self, part: object) -> None:
        if isinstance(part, Location):
            if part.path in self.points:
                self._learn(part.path, (part.line, part.column), (part.line, part.column))
        elif isinstance(part, tuple):
            for item in part:
                self._stay(item)
        elif is_dataclass(part):
            if isinstance(part, Extent) and part.start.path in self.points:
                end = (part.end_line, part.end_column)
                self._learn(part.start.path, end, end)
            for field in fields(part):
                self._stay(getattr(part, field.name))

    def _learn(self, path: str, before: Point, after: Point) -> None:
        if self.points.setdefault(path, {}).setdefault(before, after) != after:
            self.fits = False


def _cited(definition: Definition) -> set[str]:
    """The paths that a definition's facts stand in."""
    facts = (definition.subject, *definition.calls, *definition.bindings, *definition.flows)
    return {fact.location.path for fact in facts}


def _order(definition: Definition) -> tuple[object, ...]:
    subject = definition.subject
    return (subject.location.path, type(subject).__name__, subject.id.name, subject.id.scope,
            subject.id.image, subject.location)


def carry_over(
    connection: sqlite3.Connection, former: Path, moves: Moves, files: CitedFiles,
    changed: Iterable[str],
) -> bool:
    """Copy the graph of the index `former` and move its places; `changed` are the paths of files
    that are not what they were. Whether that could be done: a place that no fact tells of, or
    damage, leaves it undone, and the graph's tables empty."""
    connection.execute("COMMIT")  # a database is attached outside of transactions only
    connection.execute("ATTACH ? AS former", (str(former.resolve()),))
    connection.execute("BEGIN")
    try:
        for table in _TABLES:
            connection.execute(f"INSERT INTO main.{table} SELECT * FROM former.{table}")  # noqa: S608
        connection.execute("INSERT INTO meta SELECT * FROM former.meta WHERE name = 'coverage'")
        rows = connection.execute("SELECT * FROM former.file ORDER BY id").fetchall()
        numbers = {row[1]: row[0] for row in rows}
        _Mover(connection).move({
            numbers[path]: points for path, points in moves.points.items()})
        renewed = set(changed)
        files.adopt([_renewed(row, files) if row[1] in renewed else row for row in rows])
    except (KeyError, sqlite3.DatabaseError):
        for table in _TABLES:
            connection.execute(f"DELETE FROM main.{table}")  # noqa: S608
        connection.execute("DELETE FROM meta WHERE name = 'coverage'")
        return False
    finally:
        connection.execute("COMMIT")
        connection.execute("DETACH former")
        connection.execute("BEGIN")
    return True


def _renewed(row: FileRow, files: CitedFiles) -> FileRow:
    _, path, lines, digest, generated = files.look(row[1])
    return (row[0], path, lines, digest, generated)


class _Mover:
    """Moves the places of the tables that have some. Raises KeyError at one that is not known."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._texts = dict(connection.execute("SELECT text, id FROM text").fetchall())

    def move(self, moved: Mapping[int, Mapping[Point, Point]]) -> None:
        """Move what is cited of the files with these numbers."""
        for number, points in moved.items():
            for table in ("function", "object"):
                self._extents(table, number, points)
            self._sites(number, points)
            self._bound(number, points)
        self._evidence(moved)

    def _extents(self, table: str, file: int, points: Mapping[Point, Point]) -> None:
        rows = self._connection.execute(
            f'SELECT line, "column", end_line, end_column, id FROM {table} WHERE file = ?',  # noqa: S608
            (file,)).fetchall()
        self._connection.executemany(
            f'UPDATE {table} SET line = ?, "column" = ?, end_line = ?, end_column = ?'  # noqa: S608
            " WHERE id = ?",
            [(*points[row[0], row[1]], *points[row[2], row[3]], row[4]) for row in rows])

    def _sites(self, file: int, points: Mapping[Point, Point]) -> None:
        rows = self._connection.execute(
            'SELECT line, "column", end_line, end_column, t.text, site.id FROM site'
            " JOIN text t ON t.id = guards WHERE file = ?", (file,)).fetchall()
        self._connection.executemany(
            'UPDATE site SET line = ?, "column" = ?, end_line = ?, end_column = ?, guards = ?'
            " WHERE id = ?",
            [(*points[row[0], row[1]], *points[row[2], row[3]], self._guards(row[4], points),
              row[5]) for row in rows])

    def _guards(self, text: str, points: Mapping[Point, Point]) -> int:
        if text:
            text = json.dumps([
                [*points[line, column], *points[end_line, end_column], holds]
                for line, column, end_line, end_column, holds in json.loads(text)])
        number = self._texts.get(text)
        if number is None:
            number = self._texts[text] = len(self._texts)
            self._connection.execute("INSERT INTO text VALUES (?, ?)", (number, text))
        return number

    def _bound(self, file: int, points: Mapping[Point, Point]) -> None:
        rows = self._connection.execute(
            'SELECT line, "column", id FROM bound WHERE file = ?', (file,)).fetchall()
        self._connection.executemany(
            'UPDATE bound SET line = ?, "column" = ? WHERE id = ?',
            [(*points[line, column], number) for line, column, number in rows])

    def _evidence(self, moved: Mapping[int, Mapping[Point, Point]]) -> None:
        changed = []
        for number, chain in self._connection.execute("SELECT id, chain FROM evidence"):
            items = json.loads(chain)
            if any(item[1] in moved for item in items):
                for item in items:
                    if item[1] in moved:
                        item[2:4] = moved[item[1]][item[2], item[3]]
                text = json.dumps(items, separators=(",", ":"), ensure_ascii=False)
                changed.append((text, number))
        self._connection.executemany("UPDATE evidence SET chain = ? WHERE id = ?", changed)
