"""A former graph carried over to facts that change little of it.

The tables are copied with the numbers that functions and objects have now, places are moved, and
the functions whose call sites changed are written anew. Owns what stands in which table; which
functions these are, and what their sites call, is told (model/rewriting.py).
"""

import sqlite3
from array import array
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from kgraph.errors import StoreError
from kgraph.model.facts import Function, Object
from kgraph.model.location import Location
from kgraph.model.names import FunctionId, ObjectId
from kgraph.model.rewriting import Change, NewSite, Rewritten
from kgraph.store.arrays import ARRAYS, footprint_arrays, read_array, write_array
from kgraph.store.facts import CitedFiles, FileRow
from kgraph.store.moved import Mover, Moves, Texts
from kgraph.store.renumbering import Renumbering
from kgraph.store.rows import (
    folder_of,
    function_columns,
    guard_text,
    object_columns,
    place_columns,
    site_order,
)
from kgraph.store.splicing import Anew, Run, SplicedSite, Splicing

_TABLES = ("text", "function", "object", "site", "evidence", "bound", "array")


class _Misfit(Exception):
    """The former graph is not what the change is told of."""


def carry_over(
    connection: sqlite3.Connection, former: Path, change: Change, moves: Moves,
    files: CitedFiles, edited: Iterable[str],
) -> bool:
    """Write the graph of the index `former` after a change; `edited` are the paths of files that
    are not what they were. Whether that could be done: a place that no fact tells of, or damage,
    leaves it undone, and the graph's tables empty."""
    connection.execute("COMMIT")  # a database is attached outside of transactions only
    connection.execute("ATTACH ? AS former", (str(former.resolve()),))
    connection.execute("BEGIN")
    try:
        rows = connection.execute("SELECT * FROM former.file ORDER BY id").fetchall()
        numbers = {row[1]: row[0] for row in rows}
        _Patch(connection, change, numbers).write(moves)
        renewed = set(edited)
        files.adopt([_renewed(row, files) if row[1] in renewed else row for row in rows])
    except (_Misfit, KeyError, StoreError, sqlite3.DatabaseError):
        for table in _TABLES:
            connection.execute(f"DELETE FROM main.{table}")  # noqa: S608
        return False
    finally:
        connection.execute("COMMIT")
        connection.execute("DETACH former")
        connection.execute("BEGIN")
    return True


def _renewed(row: FileRow, files: CitedFiles) -> FileRow:
    _, path, lines, digest, generated = files.look(row[1])
    return (row[0], path, lines, digest, generated)


class _Patch:
    """One graph that is carried over. Raises _Misfit or KeyError where it does not fit."""

    def __init__(
        self, connection: sqlite3.Connection, change: Change, files: dict[str, int]
    ) -> None:
        self._connection = connection
        self._change = change
        self._files = files
        self._arrays = {name: read_array(connection, name, "former") for name in ARRAYS}
        self._former_number = {
            rewritten.function: self._find("function", rewritten.function)
            for rewritten in change.rewritten}
        self._lost = self._lost_callees()
        come = self._new_functions()
        places = {function: self._place("function", function) for function in come}
        self._come = sorted(come, key=lambda function: (places[function], function))
        self._functions = Renumbering(
            [self._there(rewritten.function) for rewritten in change.rewritten
             if rewritten.after is None] + list(self._lost),
            [places[function] for function in self._come])
        self._number = {function: self._functions.of_come(position)
                        for position, function in enumerate(self._come)}
        gone = [self._find("object", thing.id) for thing in change.objects_gone]
        self._new_objects = sorted(change.objects_come, key=lambda thing: thing.id)
        if None in gone or any(self._find("object", o.id) is not None for o in self._new_objects):
            raise _Misfit
        self._objects = Renumbering(
            (number for number in gone if number is not None),
            (self._place("object", thing.id) for thing in self._new_objects))

    def write(self, moves: Moves) -> None:
        """Write all tables of the graph."""
        copy = self._connection.execute
        for table in ("text", "evidence"):
            copy(f"INSERT INTO main.{table} SELECT * FROM former.{table}")  # noqa: S608
        copy("INSERT INTO main.object SELECT * FROM former.object" if not self._objects.changes
             else self._copied("object", {"id": self._objects}, self._gone_objects()))
        self._copy_functions()
        copy(self._copied("bound", {"function": self._functions, "object": self._objects,
                                    '"table"': self._objects}))
        pieces = self._pieces()
        self._copy_sites(pieces)
        texts = Texts(self._connection)
        Mover(self._connection, texts).move({
            self._files[path]: points for path, points in moves.points.items()})
        self._write_objects()
        self._write_functions(texts)
        self._write_sites(texts, pieces)

    def _find(self, table: str, identity: FunctionId | ObjectId) -> int | None:
        row = self._connection.execute(
            f"SELECT id FROM former.{table} WHERE name = ? AND scope = ? AND image = ?",  # noqa: S608
            (identity.name, identity.scope, identity.image)).fetchone()
        return None if row is None else int(row[0])

    def _there(self, function: FunctionId) -> int:
        number = self._former_number[function]
        if number is None:
            raise _Misfit
        return number

    def _place(self, table: str, identity: FunctionId | ObjectId) -> int:
        """The number of the former row that a new one stands before."""
        row = self._connection.execute(
            f"SELECT count(*) FROM former.{table} WHERE (name, scope, image) < (?, ?, ?)",  # noqa: S608
            (identity.name, identity.scope, identity.image)).fetchone()
        return int(row[0])

    def _new_functions(self) -> set[FunctionId]:
        """The functions that have no row: defined first, or called first and not defined."""
        come = set()
        for rewritten in self._change.rewritten:
            if rewritten.before is None:
                if self._former_number[rewritten.function] is not None:
                    raise _Misfit
                come.add(rewritten.function)
        for rewritten in self._change.rewritten:
            for site in rewritten.sites:
                if site.callee and site.callee not in come and self._find(
                        "function", site.callee) is None:
                    come.add(site.callee)
        return come

    def _lost_callees(self) -> set[int]:
        """Functions without a definition that only calls that are no more named."""
        starts, edges = self._arrays["site_start"], self._arrays["edge_start"]
        callees = self._arrays["edge_callee"]
        lost: Counter[int] = Counter()
        for rewritten in self._change.rewritten:
            number = self._former_number[rewritten.function]
            if number is None:
                continue
            first, last = starts[number], starts[number + 1]
            lost.update(callees[edges[first]:edges[last]])
            order = _order(rewritten)
            for site in rewritten.sites:
                if site.like is not None:
                    like = first + order[site.like]
                    lost.subtract(set(callees[edges[like]:edges[like + 1]]))
                else:
                    assert site.callee is not None
                    lost[self._find("function", site.callee)] -= 1  # type: ignore[index]
        return {number for number, count in lost.items()
                if count > 0 and self._is_lost(number, count)}

    def _is_lost(self, number: int, count: int) -> bool:
        execute = self._connection.execute
        file, = execute("SELECT file FROM former.function WHERE id = ?", (number,)).fetchone()
        return (
            file is None and self._arrays["edge_callee"].count(number) == count
            and not self._arrays["forward_value"].count(number)
            and execute("SELECT 1 FROM former.bound WHERE function = ?", (number,)
                        ).fetchone() is None)

    def _gone_objects(self) -> list[int]:
        return [number for thing in self._change.objects_gone
                if (number := self._find("object", thing.id)) is not None]

    def _copied(
        self, table: str, numbers: dict[str, Renumbering], without: Iterable[int] = ()
    ) -> str:
        """The statement that copies a table with new numbers."""
        names = [f'"{row[1]}"' for row in self._connection.execute(f"PRAGMA table_info({table})")]
        plain = {name.strip('"'): number for name, number in numbers.items()}
        columns = [plain[name.strip('"')].expression(name) if name.strip('"') in plain else name
                   for name in names]
        left_out = ", ".join(map(str, sorted(without)))
        return (f"INSERT INTO main.{table} SELECT {', '.join(columns)} FROM former.{table}"  # noqa: S608
                f" WHERE id NOT IN ({left_out})")

    def _copy_functions(self) -> None:
        without = {number for number in self._former_number.values() if number is not None}
        self._connection.execute(
            self._copied("function", {"id": self._functions}, without | self._lost))

    def _pieces(self) -> list[Run | tuple[Rewritten | None, int]]:
        """All functions by their new numbers: runs of former ones, and those that are written anew
        (a rewriting, None for one without a definition) with their new numbers."""
        events: list[tuple[int, int, Rewritten | None, int | None]] = []
        for rewritten in self._change.rewritten:
            number = self._former_number[rewritten.function]
            if number is not None:
                events.append((number, len(self._come), rewritten, number))
        by_name = {rewritten.function: rewritten for rewritten in self._change.rewritten}
        for position, function in enumerate(self._come):
            events.append((self._place("function", function), position,
                           by_name.get(function), None))
        events += [(old, len(self._come), None, old) for old in self._lost]
        pieces: list[Run | tuple[Rewritten | None, int]] = []
        cursor = 0
        for place, position, anew, old in sorted(events, key=lambda event: event[:2]):
            if place > cursor:
                pieces.append(Run(cursor, place))
                cursor = place
            if old is None:
                pieces.append((anew, self._functions.of_come(position)))
            else:
                cursor = old + 1
                if anew is not None and anew.after is not None:
                    pieces.append((anew, self._functions.new(old)))
        last = len(self._arrays["site_start"]) - 1
        if last > cursor:
            pieces.append(Run(cursor, last))
        return pieces

    def _copy_sites(self, pieces: list[Run | tuple[Rewritten | None, int]]) -> None:
        starts = self._arrays["site_start"]
        names = [f'"{row[1]}"' for row in self._connection.execute("PRAGMA table_info(site)")]
        caller = self._functions.expression('"caller"')
        columns = ", ".join(caller if name == '"caller"' else name for name in names[1:])
        number = 0
        for piece in pieces:
            if not isinstance(piece, Run):
                number += len(piece[0].sites) if piece[0] else 0
                continue
            first, last = starts[piece.first], starts[piece.last]
            self._connection.execute(
                f"INSERT INTO main.site SELECT id + ?, {columns} FROM former.site"  # noqa: S608
                " WHERE id >= ? AND id < ?", (number - first, first, last))
            number += last - first

    def _file(self, location: Location) -> int:
        return self._files[location.path]

    def _write_objects(self) -> None:
        for position, thing in enumerate(self._new_objects):
            self._insert("object", (
                self._objects.of_come(position), thing.id.name, thing.id.scope, thing.id.image,
                *object_columns(thing, self._file)))

    def _write_functions(self, texts: Texts) -> None:
        """Write the functions that are new, and those whose definition was written anew."""
        for rewritten in self._change.rewritten:
            old = self._former_number[rewritten.function]
            if rewritten.after is None:
                continue
            function = rewritten.after.subject
            assert isinstance(function, Function)
            taken = 0
            if old is not None:
                taken, = self._connection.execute(
                    "SELECT address_taken FROM former.function WHERE id = ?", (old,)).fetchone()
            number = self._number[function.id] if old is None else self._functions.new(old)
            self._write_function(number, function.id, function, texts, taken)
        defined = {rewritten.function for rewritten in self._change.rewritten}
        for name in set(self._come) - defined:
            self._write_function(self._number[name], name, None, texts, 0)

    def _write_function(
        self, number: int, name: FunctionId, function: Function | None, texts: Texts, taken: int
    ) -> None:
        self._insert("function", (number, name.name, name.scope, name.image,
                                  *function_columns(function, self._file, texts.number), taken))

    def _insert(self, table: str, row: tuple[object, ...]) -> None:
        places = ", ".join("?" * len(row))
        self._connection.execute(f"INSERT INTO {table} VALUES ({places})", row)  # noqa: S608

    def _write_sites(
        self, texts: Texts, pieces: list[Run | tuple[Rewritten | None, int]]
    ) -> None:
        """Write the new call sites, and all arrays."""
        spliced: list[Run | Anew] = []
        number = 0
        starts = self._arrays["site_start"]
        for piece in pieces:
            if isinstance(piece, Run):
                spliced.append(piece)
                number += starts[piece.last] - starts[piece.first]
                continue
            rewritten, caller = piece
            after = rewritten.after.subject if rewritten and rewritten.after else None
            assert not isinstance(after, Object)
            anew = Anew(folder_of(after, texts.number))
            if rewritten is not None:
                sites = sorted(rewritten.sites, key=lambda site: site_order(site.call))
                order = _order(rewritten)
                first = self._former_number[rewritten.function]
                for site in sites:
                    like = None
                    if site.like is not None and first is not None:
                        like = starts[first] + order[site.like]
                    anew.sites.append(self._write_site(number, caller, site, like, texts))
                    number += 1
            spliced.append(anew)
        self._write_arrays(spliced)

    def _write_site(
        self, number: int, caller: int, site: NewSite, like: int | None, texts: Texts
    ) -> SplicedSite:
        call = site.call
        verdict: tuple[object, ...] = (
            "direct", None, texts.number("direct"), texts.number(""), None)
        if like is not None:
            verdict = self._connection.execute(
                "SELECT status, holder, rule, reason, callback FROM former.site WHERE id = ?",
                (like,)).fetchone()
        status, holder, rule, reason, callback = verdict
        self._insert("site", (
            number, caller, *place_columns(call, self._file), texts.number(call.expression),
            texts.number(call.macro), status, holder, rule, reason, texts.number(call.signature),
            texts.number(guard_text(call)), callback))
        callee = -1
        if like is None:
            assert site.callee is not None
            callee = self._callee(site.callee)
        return SplicedSite(like, callee, -1 if holder is None else int(str(holder)))

    def _callee(self, function: FunctionId) -> int:
        known = self._number.get(function)
        if known is None:
            old = self._find("function", function)
            if old is None:
                raise _Misfit
            known = self._functions.new(old)
        return known

    def _write_arrays(self, pieces: list[Run | Anew]) -> None:
        marks = self._arrays.pop("footprint_mark")
        weights = dict(zip(marks, self._arrays.pop("footprint_weight"), strict=True))
        for mark, weight in self._change.weights.items():
            weights[mark] = weights.get(mark, 0) + weight
            if not weights[mark]:
                del weights[mark]
        uncited = self._connection.execute(
            "SELECT id FROM evidence WHERE chain = '[]'").fetchone()
        if uncited is None:
            count, = self._connection.execute("SELECT count(*) FROM evidence").fetchone()
            self._insert("evidence", (count, "[]"))
            uncited = (count,)
        numbers = self._functions.all(len(self._arrays["site_start"]) - 1)
        arrays: dict[str, array[int]] = Splicing(self._arrays, numbers, uncited[0]).made(pieces)
        for name, content in (arrays | footprint_arrays(weights)).items():
            write_array(self._connection, name, content)


def _order(rewritten: Rewritten) -> dict[int, int]:
    """For each call of the former definition, which of the function's call sites it is."""
    if rewritten.before is None:
        return {}
    calls = rewritten.before.calls
    ordered = sorted(range(len(calls)), key=lambda position: site_order(calls[position]))
    return {position: place for place, position in enumerate(ordered)}
