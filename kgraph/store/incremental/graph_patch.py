"""Writes the graph of the previous index after a change.

Copies the tables with the numbers that functions and objects have now, updates positions, and
writes the functions whose call sites changed. A GraphChange (model/incremental.py) says which
these are and what their sites call.
"""

import sqlite3
from array import array
from collections.abc import Iterable, Iterator
from pathlib import Path

from kgraph.errors import StoreError
from kgraph.model.facts import Function, Object
from kgraph.model.ids import FunctionId
from kgraph.model.incremental import GraphChange, RewrittenSite
from kgraph.model.location import Location
from kgraph.store.arrays import ARRAYS, build_footprint_arrays, read_array, write_array
from kgraph.store.call_rows import CallRow, make_call_row
from kgraph.store.facts_writer import CitedFiles, FileRow
from kgraph.store.graph_writer import (
    find_folder,
    function_columns,
    object_columns,
    place_columns,
)
from kgraph.store.hop_costs import price_function
from kgraph.store.incremental.array_patch import (
    ArrayPatch,
    KeptFunctions,
    PatchConflict,
    PatchedFunction,
    PatchedSite,
)
from kgraph.store.incremental.id_remap import (
    ChangedFunction,
    IdRemap,
    NumberShift,
    Piece,
    rank_sites,
)
from kgraph.store.incremental.line_shift import LineShift, LocationUpdater, TextTable

_GRAPH_TABLES = (
    "text", "function", "object", "site", "evidence", "binding", "copied_table", "array", "request",
    "deferred_callback",
)


def patch_graph(
    connection: sqlite3.Connection, previous: Path, shift: LineShift, files: CitedFiles,
    edited: Iterable[str],
) -> bool:
    """Write the graph of the index `previous` after a change; whether that could be done.

    `shift` is that of the change. `edited` are the paths of files whose content changed. A position
    that no fact tells of, or damage, leaves the graph's tables empty.
    """
    connection.execute("COMMIT")  # a database is attached outside of transactions only
    connection.execute("ATTACH ? AS previous", (str(previous.resolve()),))
    connection.execute("BEGIN")
    try:
        rows = [FileRow(*row)
                for row in connection.execute("SELECT * FROM previous.file ORDER BY id")]
        ids = {row.path: row.id for row in rows}
        _GraphPatch(connection, shift.change, ids).write(shift)
        changed = set(edited)
        files.adopt_rows([_read_again(row, files) if row.path in changed else row for row in rows])
    except (PatchConflict, KeyError, StoreError, sqlite3.DatabaseError):
        for table in _GRAPH_TABLES:
            connection.execute(f"DELETE FROM main.{table}")  # noqa: S608
        return False
    finally:
        connection.execute("COMMIT")
        connection.execute("DETACH previous")
        connection.execute("BEGIN")
    return True


def _read_again(row: FileRow, files: CitedFiles) -> FileRow:
    """The row of a cited file as it is now, with its previous id."""
    return files.read_row(row.path)._replace(id=row.id)


class _GraphPatch:
    """One graph that is patched. Raises PatchConflict or KeyError where it does not fit."""

    def __init__(
        self, connection: sqlite3.Connection, change: GraphChange, files: dict[str, int]
    ) -> None:
        self._connection = connection
        self._change = change
        self._files = files
        self._arrays = {name: read_array(connection, name, "previous") for name in ARRAYS}
        self._ids = IdRemap(connection, change, self._arrays)
        self._texts: TextTable

    def write(self, shift: LineShift) -> None:
        """Write all tables of the graph."""
        execute, ids = self._connection.execute, self._ids
        for table in ("text", "evidence"):
            execute(f"INSERT INTO main.{table} SELECT * FROM previous.{table}")  # noqa: S608
        functions, objects = ids.functions, ids.objects
        rewritten = {number for number in ids.previous_numbers.values() if number is not None}
        self._copy_table("object", {"id": objects}, without=ids.removed_objects)
        self._copy_table("function", {"id": functions}, without=rewritten | ids.dropped_rows)
        self._copy_table("binding", {"function": functions, "object": objects, "table": objects})
        self._copy_table("copied_table", {"object": objects})
        self._copy_table("deferred_callback", {"function": functions})
        pieces = ids.list_pieces()
        self._copy_sites(pieces)
        self._texts = TextTable(self._connection)
        LocationUpdater(self._connection, self._texts).update_tables({
            self._files[path]: points for path, points in shift.points.items()})
        self._write_objects()
        self._write_functions()
        self._write_arrays([self._write_piece(piece) for piece in self._iter_numbered(pieces)])

    def _copy_table(
        self, table: str, shifts: dict[str, NumberShift], without: Iterable[int] = ()
    ) -> None:
        """Copy a table with new numbers in the columns that have a shift."""
        names = [row[1] for row in self._connection.execute(f"PRAGMA table_info({table})")]
        columns = [shifts[name].sql_expression(f'"{name}"') if name in shifts else f'"{name}"'
                   for name in names]
        left_out = ", ".join(map(str, sorted(without)))
        self._connection.execute(
            f"INSERT INTO main.{table} SELECT {', '.join(columns)} FROM previous.{table}"  # noqa: S608
            f" WHERE id NOT IN ({left_out})")

    def _copy_sites(self, pieces: list[Piece]) -> None:
        """Copy the call sites of kept functions."""
        starts = self._arrays["site_start"]
        names = [f'"{row[1]}"' for row in self._connection.execute("PRAGMA table_info(site)")]
        caller = self._ids.functions.sql_expression('"caller"')
        columns = ", ".join(caller if name == '"caller"' else name for name in names[1:])
        for number, piece in self._iter_numbered(pieces):
            if isinstance(piece, KeptFunctions):
                first, last = starts[piece.first], starts[piece.last]
                self._connection.execute(
                    f"INSERT INTO main.site SELECT id + ?, {columns} FROM previous.site"  # noqa: S608
                    " WHERE id >= ? AND id < ?", (number - first, first, last))
                self._copy_requests(first, last, number)

    def _iter_numbered(self, pieces: Iterable[Piece]) -> Iterator[tuple[int, Piece]]:
        """Pieces with the new number of their first call site."""
        starts = self._arrays["site_start"]
        number = 0
        for piece in pieces:
            yield number, piece
            if isinstance(piece, KeptFunctions):
                number += starts[piece.last] - starts[piece.first]
            elif piece.rewritten is not None:
                number += len(piece.rewritten.sites)

    def _copy_requests(self, first: int, last: int, number: int) -> None:
        """Copy the requests of the previous call sites from `first` up to `last`, without this.

        `number` is the new number of the first.
        """
        self._connection.execute(
            "INSERT INTO main.request SELECT id, site + ?, kind, reason, requested, key_unknown"
            " FROM previous.request WHERE site >= ? AND site < ?", (number - first, first, last))

    def _file_id(self, location: Location) -> int:
        return self._files[location.path]

    def _find_file(self, path: str, _line: int) -> int:
        return self._files[path]

    def _insert(self, table: str, row: tuple[object, ...]) -> None:
        places = ", ".join("?" * len(row))
        self._connection.execute(f"INSERT INTO {table} VALUES ({places})", row)  # noqa: S608

    def _write_objects(self) -> None:
        for position, thing in enumerate(self._ids.added_objects):
            self._insert("object", (
                self._ids.objects.map_added(position), thing.id.name, thing.id.scope,
                thing.id.image, *object_columns(thing, self._file_id)))

    def _write_functions(self) -> None:
        """Write the functions that are new, and those with another definition."""
        for rewritten in self._change.rewritten_functions:
            if rewritten.after is None:
                continue
            function = rewritten.after.subject
            assert isinstance(function, Function)
            previous = self._ids.previous_numbers[rewritten.function]
            if previous is None:
                self._write_function(
                    self._ids.added_numbers[function.id], function.id, function, is_taken=0)
                continue
            is_taken, = self._connection.execute(
                "SELECT address_taken FROM previous.function WHERE id = ?", (previous,)).fetchone()
            self._write_function(
                self._ids.functions.map_kept(previous), function.id, function, is_taken)
        defined = {rewritten.function for rewritten in self._change.rewritten_functions}
        for name in set(self._ids.added_functions) - defined:
            self._write_function(self._ids.added_numbers[name], name, None, is_taken=0)

    def _write_function(
        self, number: int, name: FunctionId, function: Function | None, is_taken: int
    ) -> None:
        columns = function_columns(function, self._file_id, self._texts.assign_id)
        self._insert("function", (number, name.name, name.scope, name.image, *columns, is_taken))

    def _write_piece(self, numbered: tuple[int, Piece]) -> KeptFunctions | PatchedFunction:
        """Write the call sites of a changed function; what its arrays are made of."""
        number, piece = numbered
        if isinstance(piece, KeptFunctions):
            return piece
        rewritten = piece.rewritten
        after = rewritten.after.subject if rewritten and rewritten.after else None
        assert not isinstance(after, Object)
        price = price_function(piece.name, after)
        previous = None if rewritten is None else self._ids.previous_numbers[rewritten.function]
        if previous is not None and price != self._arrays["function_price"][previous]:
            raise PatchConflict  # hops of its callers cost something else
        patched = PatchedFunction(find_folder(after, self._texts.assign_id), price)
        if rewritten is not None:
            ranks = rank_sites(rewritten)
            first = self._ids.previous_numbers[rewritten.function]
            sites = sorted(rewritten.sites, key=lambda site: make_call_row(site.call).place)
            for position, site in enumerate(sites, start=number):
                like = None
                if site.like is not None and first is not None:
                    like = self._arrays["site_start"][first] + ranks[site.like]
                patched.sites.append(self._write_site(position, piece, site, like))
        return patched

    def _write_site(
        self, number: int, caller: ChangedFunction, site: RewrittenSite, like: int | None
    ) -> PatchedSite:
        """Write a call site; `like` is the number of the previous one that it is like."""
        call = make_call_row(site.call)
        if like is None:
            assert site.callee is not None
            text = self._texts.assign_id
            self._write_site_row(
                number, caller, call, ("direct", None, text("direct"), text(""), None, None))
            return PatchedSite(call, None, self._ids.find_callee(site.callee), -1)
        found = self._connection.execute(
            "SELECT status, holder, rule, reason, callback, proof FROM previous.site"
            " WHERE id = ?", (like,)).fetchone()
        self._copy_requests(like, like + 1, number)
        self._write_site_row(number, caller, call, found)
        holder = found[1]
        return PatchedSite(call, like, -1, -1 if holder is None else int(holder))

    def _write_site_row(
        self, number: int, caller: ChangedFunction, call: CallRow, found: tuple[object, ...]
    ) -> None:
        status, holder, rule, reason, callback, proof = found
        text = self._texts.assign_id
        self._insert("site", (
            number, caller.number, *place_columns(call, self._find_file), text(call.expression),
            text(call.macro), status, holder, rule, reason, text(call.signature),
            text(call.guards), callback, proof))

    def _write_arrays(self, pieces: list[KeptFunctions | PatchedFunction]) -> None:
        marks = self._arrays.pop("footprint_mark")
        weights = dict(zip(marks, self._arrays.pop("footprint_weight"), strict=True))
        for mark, weight in self._change.weight_changes.items():
            weights[mark] = weights.get(mark, 0) + weight
            if not weights[mark]:
                del weights[mark]
        numbers = self._ids.functions.map_all(len(self._arrays["site_start"]) - 1)
        count, = self._connection.execute("SELECT count(*) FROM previous.object").fetchone()
        arrays: dict[str, array[int]] = ArrayPatch(
            self._arrays, numbers, self._ids.objects.map_all(count), self._find_empty_evidence()
        ).build(pieces)
        for name, content in (arrays | build_footprint_arrays(weights)).items():
            write_array(self._connection, name, content)

    def _find_empty_evidence(self) -> int:
        """The id of the evidence of a call that needs none; added where there is none."""
        found = self._connection.execute("SELECT id FROM evidence WHERE chain = '[]'").fetchone()
        if found is not None:
            return int(found[0])
        count, = self._connection.execute("SELECT count(*) FROM evidence").fetchone()
        self._insert("evidence", (count, "[]"))
        return int(count)
