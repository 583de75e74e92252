"""The numbers that rows of the previous graph have after a change.

Functions and objects are numbered in the order of their names, so each one that comes or goes
moves those behind it. Finds which these are, from what is defined, called and named.
"""

import sqlite3
from array import array
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping

from kgraph.model.ids import FunctionId, ObjectId
from kgraph.model.incremental import GraphChange, RewrittenFunction
from kgraph.store.graph_writer import site_sort_key
from kgraph.store.incremental.array_patch import KeptFunctions


class NumberShift:
    """`gone` are numbers of rows that are no more; `come`, one for each row that came, the number
    of the former row that it stands before; rows that came to one place in their order."""

    def __init__(self, gone: Iterable[int] = (), come: Iterable[int] = ()) -> None:
        self._gone = sorted(gone)
        self._come = sorted(come)

    def map_kept(self, number: int) -> int:
        """The number of a row that stayed."""
        return number + bisect_right(self._come, number) - bisect_left(self._gone, number)

    def map_added(self, position: int) -> int:
        """The number of the position-th row that came."""
        place = self._come[position]
        return place + position - bisect_left(self._gone, place)

    def map_all(self, count: int) -> list[int]:
        """The new numbers of all former rows, `count` of them; those of rows that went are of no
        use."""
        numbers: list[int] = []
        for stop in sorted({*self._come, *(gone + 1 for gone in self._gone), count}):
            start = len(numbers)
            if stop > start:
                first = self.map_kept(start)
                numbers.extend(range(first, first + stop - start))
        return numbers

    def sql_expression(self, column: str) -> str:
        """The new number as SQL; NULL where the column is."""
        shifts = [f" + ({column} >= {place})" for place in self._come]
        shifts += [f" - ({column} > {place})" for place in self._gone]
        return column + "".join(shifts)


Piece = KeptFunctions | tuple[RewrittenFunction | None, int]


class PatchConflict(Exception):
    """The former graph is not what the change is told of."""


class IdRemap:
    """Numbers after `change` of the index attached as former, whose arrays these are. `former` are
    the former numbers of the rewritten functions, `come` the functions that have no former row, in
    order, `of_come` their numbers, `lost` former rows that nothing names any more. Raises Misfit.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        change: GraphChange,
        arrays: "Mapping[str, array[int]]",
    ) -> None:
        self._connection = connection
        self._change = change
        self._arrays = arrays
        self.previous_numbers = {
            rewritten.function: self._find("function", rewritten.function)
            for rewritten in change.rewritten_functions}
        self.dropped_rows = self._lost_callees()
        come = self._new_functions()
        places = {function: self._place("function", function) for function in come}
        self.added_functions = sorted(come, key=lambda function: (places[function], function))
        self.functions = NumberShift(
            [self._there(rewritten.function) for rewritten in change.rewritten_functions
             if rewritten.after is None] + list(self.dropped_rows),
            [places[function] for function in self.added_functions])
        self.added_numbers = {function: self.functions.map_added(position)
                        for position, function in enumerate(self.added_functions)}
        gone = [self._find("object", thing.id) for thing in change.removed_objects]
        self.removed_objects = [number for number in gone if number is not None]
        self.added_objects = sorted(change.added_objects, key=lambda thing: thing.id)
        if None in gone or any(self._find("object", o.id) is not None for o in self.added_objects):
            raise PatchConflict
        self.objects = NumberShift(
            self.removed_objects,
            (self._place("object", thing.id) for thing in self.added_objects))

    def _find(self, table: str, identity: FunctionId | ObjectId) -> int | None:
        row = self._connection.execute(
            f"SELECT id FROM former.{table} WHERE name = ? AND scope = ? AND image = ?",  # noqa: S608
            (identity.name, identity.scope, identity.image)).fetchone()
        return None if row is None else int(row[0])

    def _there(self, function: FunctionId) -> int:
        number = self.previous_numbers[function]
        if number is None:
            raise PatchConflict
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
        for rewritten in self._change.rewritten_functions:
            if rewritten.before is None:
                if self.previous_numbers[rewritten.function] is not None:
                    raise PatchConflict
                come.add(rewritten.function)
        for rewritten in self._change.rewritten_functions:
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
        for rewritten in self._change.rewritten_functions:
            number = self.previous_numbers[rewritten.function]
            if number is None:
                continue
            first, last = starts[number], starts[number + 1]
            lost.update(callees[edges[first]:edges[last]])
            order = rank_sites(rewritten)
            for site in rewritten.sites:
                if site.like is not None:
                    like = first + order[site.like]
                    lost.subtract(callees[edges[like]:edges[like + 1]])
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

    def find_callee(self, function: FunctionId) -> int:
        """The number of a function that is called."""
        known = self.added_numbers.get(function)
        if known is None:
            old = self._find("function", function)
            if old is None:
                raise PatchConflict
            known = self.functions.map_kept(old)
        return known

    def list_pieces(self) -> list[Piece]:
        """All functions by their new numbers: runs of former ones, and those that are written anew
        (a rewriting, None for one without a definition) with their new numbers."""
        events: list[tuple[int, int, RewrittenFunction | None, int | None]] = []
        for rewritten in self._change.rewritten_functions:
            number = self.previous_numbers[rewritten.function]
            if number is not None:
                events.append((number, len(self.added_functions), rewritten, number))
        by_name = {rewritten.function: rewritten for rewritten in self._change.rewritten_functions}
        for position, function in enumerate(self.added_functions):
            events.append((self._place("function", function), position,
                           by_name.get(function), None))
        events += [(old, len(self.added_functions), None, old) for old in self.dropped_rows]
        pieces: list[Piece] = []
        cursor = 0
        for place, position, anew, old in sorted(events, key=lambda event: event[:2]):
            if place > cursor:
                pieces.append(KeptFunctions(cursor, place))
                cursor = place
            if old is None:
                pieces.append((anew, self.functions.map_added(position)))
            else:
                cursor = old + 1
                if anew is not None and anew.after is not None:
                    pieces.append((anew, self.functions.map_kept(old)))
        last = len(self._arrays["site_start"]) - 1
        if last > cursor:
            pieces.append(KeptFunctions(cursor, last))
        return pieces


def rank_sites(rewritten: RewrittenFunction) -> dict[int, int]:
    """For each call of the former definition, which of the function's call sites it is."""
    if rewritten.before is None:
        return {}
    calls = rewritten.before.calls
    ordered = sorted(range(len(calls)), key=lambda position: site_sort_key(calls[position]))
    return {position: place for place, position in enumerate(ordered)}
