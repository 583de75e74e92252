"""Writes the graph of the previous index after a change.

Copies the tables with the numbers that functions and objects have now, updates positions, and
writes the functions whose call sites changed. A GraphChange (model/incremental.py) says which
these are and what their sites call.
"""

import sqlite3
from array import array
from collections.abc import Iterable
from pathlib import Path

from kgraph.errors import StoreError
from kgraph.model.facts import Function, Object
from kgraph.model.ids import FunctionId
from kgraph.model.incremental import GraphChange, RewrittenSite
from kgraph.model.location import Location
from kgraph.store.arrays import ARRAYS, build_footprint_arrays, read_array, write_array
from kgraph.store.facts_writer import CitedFiles, FileRow
from kgraph.store.graph_writer import (
    encode_guards,
    find_folder,
    function_columns,
    object_columns,
    place_columns,
    site_sort_key,
)
from kgraph.store.incremental.array_patch import (
    ArrayPatch,
    KeptFunctions,
    PatchedFunction,
    PatchedSite,
)
from kgraph.store.incremental.id_remap import IdRemap, NumberShift, PatchConflict, Piece, rank_sites
from kgraph.store.incremental.line_shift import LineShift, LocationUpdater, TextTable

_GRAPH_TABLES = (
    "text",
    "function",
    "object",
    "site",
    "evidence",
    "bound",
    "held",
    "array",
    "request",
    "later",
)


def patch_graph(
    connection: sqlite3.Connection, former: Path, change: GraphChange, moves: LineShift,
    files: CitedFiles, edited: Iterable[str],
) -> bool:
    """Write the graph of the index `former` after a change; `edited` are the paths of files that
    are not what they were. Whether that could be done: a place that no fact tells of, or damage,
    leaves it undone, and the graph's tables empty."""
    connection.execute("COMMIT")  # a database is attached outside of transactions only
    connection.execute("ATTACH ? AS former", (str(former.resolve()),))
    connection.execute("BEGIN")
    try:
        rows = [FileRow(*row)
                for row in connection.execute("SELECT * FROM former.file ORDER BY id")]
        numbers = {row.path: row.id for row in rows}
        _GraphPatch(connection, change, numbers).write(moves)
        renewed = set(edited)
        files.adopt_rows([_read_again(row, files) if row.path in renewed else row for row in rows])
    except (PatchConflict, KeyError, StoreError, sqlite3.DatabaseError):
        for table in _GRAPH_TABLES:
            connection.execute(f"DELETE FROM main.{table}")  # noqa: S608
        return False
    finally:
        connection.execute("COMMIT")
        connection.execute("DETACH former")
        connection.execute("BEGIN")
    return True


def _read_again(row: FileRow, files: CitedFiles) -> FileRow:
    return files.read_row(row.path)._replace(id=row.id)


class _GraphPatch:
    """One graph that is carried over. Raises Misfit or KeyError where it does not fit."""

    def __init__(
        self, connection: sqlite3.Connection, change: GraphChange, files: dict[str, int]
    ) -> None:
        self._connection = connection
        self._change = change
        self._files = files
        self._arrays = {name: read_array(connection, name, "former") for name in ARRAYS}
        self._numbers = IdRemap(connection, change, self._arrays)

    def write(self, moves: LineShift) -> None:
        """Write all tables of the graph."""
        copy = self._connection.execute
        for table in ("text", "evidence"):
            copy(f"INSERT INTO main.{table} SELECT * FROM former.{table}")  # noqa: S608
        numbers = self._numbers
        functions, objects = numbers.functions, numbers.objects
        rewritten = {number for number in numbers.previous_numbers.values() if number is not None}
        copy(self._copied("object", {"id": objects}, numbers.removed_objects))
        copy(self._copied("function", {"id": functions}, rewritten | numbers.dropped_rows))
        copy(self._copied(
            "bound", {"function": functions, "object": objects, "table": objects}))
        copy(self._copied("held", {"object": objects}))
        copy(self._copied("later", {"function": functions}))
        pieces = numbers.list_pieces()
        self._copy_sites(pieces)
        texts = TextTable(self._connection)
        LocationUpdater(self._connection, texts).update_tables({
            self._files[path]: points for path, points in moves.points.items()})
        self._write_objects()
        self._write_functions(texts)
        self._write_sites(texts, pieces)

    def _copied(
        self, table: str, numbers: dict[str, NumberShift], without: Iterable[int] = ()
    ) -> str:
        """The statement that copies a table with new numbers."""
        names = [row[1] for row in self._connection.execute(f"PRAGMA table_info({table})")]
        columns = [numbers[name].sql_expression(f'"{name}"') if name in numbers else f'"{name}"'
                   for name in names]
        left_out = ", ".join(map(str, sorted(without)))
        return (f"INSERT INTO main.{table} SELECT {', '.join(columns)} FROM former.{table}"  # noqa: S608
                f" WHERE id NOT IN ({left_out})")

    def _copy_sites(self, pieces: list[Piece]) -> None:
        starts = self._arrays["site_start"]
        names = [f'"{row[1]}"' for row in self._connection.execute("PRAGMA table_info(site)")]
        caller = self._numbers.functions.sql_expression('"caller"')
        columns = ", ".join(caller if name == '"caller"' else name for name in names[1:])
        number = 0
        for piece in pieces:
            if not isinstance(piece, KeptFunctions):
                number += len(piece[0].sites) if piece[0] else 0
                continue
            first, last = starts[piece.first], starts[piece.last]
            self._connection.execute(
                f"INSERT INTO main.site SELECT id + ?, {columns} FROM former.site"  # noqa: S608
                " WHERE id >= ? AND id < ?", (number - first, first, last))
            self._copy_requests(first, last, number)
            number += last - first

    def _copy_requests(self, first: int, last: int, number: int) -> None:
        """Copy the requests of the former sites from `first` to `last`, the first of which has
        this number now."""
        self._connection.execute(
            "INSERT INTO main.request SELECT id, site + ?, kind, reason, asked, untold"
            " FROM former.request WHERE site >= ? AND site < ?", (number - first, first, last))

    def _file(self, location: Location) -> int:
        return self._files[location.path]

    def _write_objects(self) -> None:
        for position, thing in enumerate(self._numbers.added_objects):
            self._insert("object", (
                self._numbers.objects.map_added(position), thing.id.name, thing.id.scope,
                thing.id.image, *object_columns(thing, self._file)))

    def _write_functions(self, texts: TextTable) -> None:
        """Write the functions that are new, and those whose definition was written anew."""
        for rewritten in self._change.rewritten_functions:
            old = self._numbers.previous_numbers[rewritten.function]
            if rewritten.after is None:
                continue
            function = rewritten.after.subject
            assert isinstance(function, Function)
            taken = 0
            if old is not None:
                taken, = self._connection.execute(
                    "SELECT address_taken FROM former.function WHERE id = ?", (old,)).fetchone()
            number = (self._numbers.added_numbers[function.id] if old is None
                      else self._numbers.functions.map_kept(old))
            self._write_function(number, function.id, function, texts, taken)
        defined = {rewritten.function for rewritten in self._change.rewritten_functions}
        for name in set(self._numbers.added_functions) - defined:
            self._write_function(self._numbers.added_numbers[name], name, None, texts, 0)

    def _write_function(
        self, number: int, name: FunctionId, function: Function | None, texts: TextTable, taken: int
    ) -> None:
        self._insert("function", (number, name.name, name.scope, name.image,
                                  *function_columns(function, self._file, texts.assign_id), taken))

    def _insert(self, table: str, row: tuple[object, ...]) -> None:
        places = ", ".join("?" * len(row))
        self._connection.execute(f"INSERT INTO {table} VALUES ({places})", row)  # noqa: S608

    def _write_sites(
        self, texts: TextTable, pieces: list[Piece]
    ) -> None:
        """Write the new call sites, and all arrays."""
        spliced: list[KeptFunctions | PatchedFunction] = []
        number = 0
        starts = self._arrays["site_start"]
        for piece in pieces:
            if isinstance(piece, KeptFunctions):
                spliced.append(piece)
                number += starts[piece.last] - starts[piece.first]
                continue
            rewritten, caller = piece
            after = rewritten.after.subject if rewritten and rewritten.after else None
            assert not isinstance(after, Object)
            anew = PatchedFunction(find_folder(after, texts.assign_id))
            if rewritten is not None:
                sites = sorted(rewritten.sites, key=lambda site: site_sort_key(site.call))
                order = rank_sites(rewritten)
                first = self._numbers.previous_numbers[rewritten.function]
                for site in sites:
                    like = None
                    if site.like is not None and first is not None:
                        like = starts[first] + order[site.like]
                    anew.sites.append(self._write_site(number, caller, site, like, texts))
                    number += 1
            spliced.append(anew)
        self._write_arrays(spliced)

    def _write_site(
        self, number: int, caller: int, site: RewrittenSite, like: int | None, texts: TextTable
    ) -> PatchedSite:
        call = site.call
        verdict: tuple[object, ...] = (
            "direct", None, texts.assign_id("direct"), texts.assign_id(""), None, None)
        if like is not None:
            verdict = self._connection.execute(
                "SELECT status, holder, rule, reason, callback, proof FROM former.site"
                " WHERE id = ?", (like,)).fetchone()
            self._copy_requests(like, like + 1, number)
        status, holder, rule, reason, callback, proof = verdict
        self._insert(
            "site",
            (
                number,
                caller,
                *place_columns(call, self._file),
                texts.assign_id(call.expression),
                texts.assign_id(call.macro),
                status,
                holder,
                rule,
                reason,
                texts.assign_id(call.signature),
                texts.assign_id(encode_guards(call)),
                callback,
                proof,
            ),
        )
        callee = -1
        if like is None:
            assert site.callee is not None
            callee = self._numbers.find_callee(site.callee)
        return PatchedSite(like, callee, -1 if holder is None else int(str(holder)))

    def _write_arrays(self, pieces: list[KeptFunctions | PatchedFunction]) -> None:
        marks = self._arrays.pop("footprint_mark")
        weights = dict(zip(marks, self._arrays.pop("footprint_weight"), strict=True))
        for mark, weight in self._change.weight_changes.items():
            weights[mark] = weights.get(mark, 0) + weight
            if not weights[mark]:
                del weights[mark]
        uncited = self._connection.execute(
            "SELECT id FROM evidence WHERE chain = '[]'").fetchone()
        if uncited is None:
            count, = self._connection.execute("SELECT count(*) FROM evidence").fetchone()
            self._insert("evidence", (count, "[]"))
            uncited = (count,)
        numbers = self._numbers.functions.map_all(len(self._arrays["site_start"]) - 1)
        arrays: dict[str, array[int]] = ArrayPatch(self._arrays, numbers, uncited[0]).build(pieces)
        for name, content in (arrays | build_footprint_arrays(weights)).items():
            write_array(self._connection, name, content)
