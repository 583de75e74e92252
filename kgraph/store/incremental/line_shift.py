"""Where positions went when the lines of a file moved, and the update of the tables that hold
them.

Most of what an edit changes is the lines on which the rest of its file stands. A position that
no fact tells of, or two that changed their order, mean that the graph cannot be patched.
"""

import json
import sqlite3
from collections.abc import Iterable, Mapping
from itertools import pairwise

from msgspec import Struct

from kgraph.model.facts import Definition
from kgraph.model.incremental import GraphChange
from kgraph.model.location import Extent, Location

Point = tuple[int, int]  # line and column


class LineShift:
    """Where each cited point of each file went.

    `is_consistent` is false once facts differ in more than their positions, or positions changed
    their order: then the graph cannot be patched.
    """

    def __init__(self, change: GraphChange) -> None:
        self.change = change
        self.points: dict[str, dict[Point, Point]] = {}
        self.is_consistent = True
        for one, other in change.moved_definitions:
            self._compare((one.subject, one.calls, one.bindings, one.flows),
                       (other.subject, other.calls, other.bindings, other.flows))
        for before, after in change.moved_locations:
            self._compare(before, after)

    def confirm_unmoved(self, same: Iterable[Definition]) -> None:
        """Enter that the positions of `same` stay, and check that no two positions changed order.

        `same` are all unchanged definitions that may cite a file of which positions moved.
        """
        moved_paths = {path for path, points in self.points.items()
                       if any(before != after for before, after in points.items())}
        self.points = {path: self.points[path] for path in moved_paths}
        for definition in same:
            if not moved_paths.isdisjoint(_cited_paths(definition)):
                self._enter_unmoved(definition)
        for moved in self.points.values():
            targets = [moved[point] for point in sorted(moved)]
            if any(one >= other for one, other in pairwise(targets)):
                self.is_consistent = False

    def _compare(self, one: object, other: object) -> None:
        """Enter where the positions of one fact are in its counterpart."""
        if type(one) is not type(other):
            self.is_consistent = False
        elif isinstance(one, Location) and isinstance(other, Location):
            self.is_consistent &= one.path == other.path
            self._enter(one.path, (one.line, one.column), (other.line, other.column))
        elif isinstance(one, tuple) and isinstance(other, tuple):
            self.is_consistent &= len(one) == len(other)
            for part, counterpart in zip(one, other, strict=False):
                self._compare(part, counterpart)
        elif isinstance(one, Extent) and isinstance(other, Extent):
            self._compare(one.start, other.start)
            self._enter(one.start.path, (one.end_line, one.end_column),
                        (other.end_line, other.end_column))
        elif isinstance(one, Struct):
            for name in one.__struct_fields__:
                self._compare(getattr(one, name), getattr(other, name))
        else:
            self.is_consistent &= one == other

    def _enter_unmoved(self, part: object) -> None:
        if isinstance(part, Location):
            if part.path in self.points:
                self._enter(part.path, (part.line, part.column), (part.line, part.column))
        elif isinstance(part, tuple):
            for item in part:
                self._enter_unmoved(item)
        elif isinstance(part, Struct):
            if isinstance(part, Extent) and part.start.path in self.points:
                end = (part.end_line, part.end_column)
                self._enter(part.start.path, end, end)
            for name in part.__struct_fields__:
                self._enter_unmoved(getattr(part, name))

    def _enter(self, path: str, before: Point, after: Point) -> None:
        if self.points.setdefault(path, {}).setdefault(before, after) != after:
            self.is_consistent = False


def _cited_paths(definition: Definition) -> set[str]:
    """The files that a definition's facts stand in."""
    facts = (definition.subject, *definition.calls, *definition.bindings, *definition.flows)
    return {fact.location.path for fact in facts}


class TextTable:
    """The ids of the graph's texts; new texts are added."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._numbers = dict(connection.execute("SELECT text, id FROM text").fetchall())

    def assign_id(self, text: str) -> int:
        """The id of a text."""
        number: int | None = self._numbers.get(text)
        if number is None:
            number = self._numbers[text] = len(self._numbers)
            self._connection.execute("INSERT INTO text VALUES (?, ?)", (number, text))
        return number


class LocationUpdater:
    """Updates the positions in all tables. Raises KeyError at a position that is not known."""

    def __init__(self, connection: sqlite3.Connection, texts: TextTable) -> None:
        self._connection = connection
        self._texts = texts

    def update_tables(self, moved: Mapping[int, Mapping[Point, Point]]) -> None:
        """Update the positions in the files with these ids."""
        for number, points in moved.items():
            for table in ("function", "object"):
                self._update_extents(table, number, points)
            self._update_sites(number, points)
            self._update_bindings(number, points)
        self._update_evidence(moved)

    def _update_extents(self, table: str, file: int, points: Mapping[Point, Point]) -> None:
        rows = self._connection.execute(
            f'SELECT line, "column", end_line, end_column, id FROM {table} WHERE file = ?',  # noqa: S608
            (file,)).fetchall()
        self._connection.executemany(
            f'UPDATE {table} SET line = ?, "column" = ?, end_line = ?, end_column = ?'  # noqa: S608
            " WHERE id = ?",
            [(*points[row[0], row[1]], *points[row[2], row[3]], row[4]) for row in rows])

    def _update_sites(self, file: int, points: Mapping[Point, Point]) -> None:
        rows = self._connection.execute(
            'SELECT line, "column", end_line, end_column, t.text, site.id FROM site'
            " JOIN text t ON t.id = guards WHERE file = ?", (file,)).fetchall()
        self._connection.executemany(
            'UPDATE site SET line = ?, "column" = ?, end_line = ?, end_column = ?, guards = ?'
            " WHERE id = ?",
            [(*points[row[0], row[1]], *points[row[2], row[3]], self._move_guards(row[4], points),
              row[5]) for row in rows])

    def _move_guards(self, text: str, points: Mapping[Point, Point]) -> int:
        if text:
            text = json.dumps([
                [*points[line, column], *points[end_line, end_column], *truths]
                for line, column, end_line, end_column, *truths in json.loads(text)])
        return self._texts.assign_id(text)

    def _update_bindings(self, file: int, points: Mapping[Point, Point]) -> None:
        rows = self._connection.execute(
            'SELECT line, "column", id FROM binding WHERE file = ?', (file,)).fetchall()
        self._connection.executemany(
            'UPDATE binding SET line = ?, "column" = ? WHERE id = ?',
            [(*points[line, column], number) for line, column, number in rows])

    def _update_evidence(self, moved: Mapping[int, Mapping[Point, Point]]) -> None:
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
