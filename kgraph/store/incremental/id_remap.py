"""The numbers that rows of the previous graph have after a change.

Functions and objects are numbered in the order of their names, so each one that comes or goes
moves those behind it. Finds which these are, from what is defined, called and named.
"""

import sqlite3
from array import array
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from kgraph.model.ids import FunctionId, ObjectId
from kgraph.model.incremental import GraphChange, RewrittenFunction
from kgraph.store.call_rows import make_call_row
from kgraph.store.incremental.array_patch import KeptFunctions, PatchConflict


class NumberShift:
    """The numbers of rows after some were removed and others added.

    `removed` are the numbers of removed rows. `added` has for each added row the number of the
    previous row that it goes before; rows that go to one place keep their order.
    """

    def __init__(self, removed: Iterable[int] = (), added: Iterable[int] = ()) -> None:
        self._removed = sorted(removed)
        self._added = sorted(added)

    def map_kept(self, number: int) -> int:
        """The number of a row that stays."""
        return number + bisect_right(self._added, number) - bisect_left(self._removed, number)

    def map_added(self, position: int) -> int:
        """The number of the position-th added row."""
        place = self._added[position]
        return place + position - bisect_left(self._removed, place)

    def map_all(self, count: int) -> list[int | None]:
        """The numbers of all `count` previous rows; None for removed ones."""
        numbers: list[int | None] = []
        for stop in sorted({*self._added, *(number + 1 for number in self._removed), count}):
            start = len(numbers)
            if stop > start:
                first = self.map_kept(start)
                numbers.extend(range(first, first + stop - start))
        for number in self._removed:
            numbers[number] = None
        return numbers

    def sql_expression(self, column: str) -> str:
        """The number of the row in a column, as SQL; NULL where the column is."""
        shifts = [f" + ({column} >= {place})" for place in self._added]
        shifts += [f" - ({column} > {number})" for number in self._removed]
        return column + "".join(shifts)


@dataclass(frozen=True, slots=True)
class ChangedFunction:
    """A function that is added or written again, with its name and its new number.

    `rewritten` is None for a function without a definition.
    """

    rewritten: RewrittenFunction | None
    name: str
    number: int


Piece = KeptFunctions | ChangedFunction


class IdRemap:
    """The numbers of functions and objects after `change`.

    The previous index is attached as `previous`, and these are its arrays. `previous_numbers` are
    the previous numbers of the rewritten functions, None for added ones; `added_functions` the
    functions that have no previous row, in order, with `added_numbers`; `dropped_rows` are previous
    rows that nothing names any more. Raises PatchConflict.
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
            rewritten.function: self._find_row("function", rewritten.function)
            for rewritten in change.rewritten_functions}
        self.dropped_rows = self._find_dropped_callees()
        added = self._find_added_functions()
        places = {function: self._find_place("function", function) for function in added}
        self.added_functions = sorted(added, key=lambda function: (places[function], function))
        removed = [self._get_previous(rewritten.function)
                   for rewritten in change.rewritten_functions if rewritten.after is None]
        self.functions = NumberShift(
            [*removed, *self.dropped_rows],
            [places[function] for function in self.added_functions])
        self.added_numbers = {
            function: self.functions.map_added(position)
            for position, function in enumerate(self.added_functions)}
        self.removed_objects = self._find_removed_objects()
        self.added_objects = sorted(change.added_objects, key=lambda thing: thing.id)
        self.objects = NumberShift(
            self.removed_objects,
            (self._find_place("object", thing.id) for thing in self.added_objects))

    def _find_row(self, table: str, identity: FunctionId | ObjectId) -> int | None:
        row = self._connection.execute(
            f"SELECT id FROM previous.{table} WHERE name = ? AND scope = ? AND image = ?",  # noqa: S608
            (identity.name, identity.scope, identity.image)).fetchone()
        return None if row is None else int(row[0])

    def _find_place(self, table: str, identity: FunctionId | ObjectId) -> int:
        """The number of the previous row that an added one goes before."""
        row = self._connection.execute(
            f"SELECT count(*) FROM previous.{table} WHERE (name, scope, image) < (?, ?, ?)",  # noqa: S608
            (identity.name, identity.scope, identity.image)).fetchone()
        return int(row[0])

    def _get_previous(self, function: FunctionId) -> int:
        number = self.previous_numbers[function]
        if number is None:
            raise PatchConflict
        return number

    def _find_removed_objects(self) -> list[int]:
        """The rows of the removed objects; an added object has none yet."""
        removed = [self._find_row("object", thing.id) for thing in self._change.removed_objects]
        added = [self._find_row("object", thing.id) for thing in self._change.added_objects]
        if None in removed or any(row is not None for row in added):
            raise PatchConflict
        return [number for number in removed if number is not None]

    def _find_added_functions(self) -> set[FunctionId]:
        """The functions that have no row: now defined, or now called without a definition."""
        added = set()
        for rewritten in self._change.rewritten_functions:
            if rewritten.before is None:
                if self.previous_numbers[rewritten.function] is not None:
                    raise PatchConflict
                added.add(rewritten.function)
        for rewritten in self._change.rewritten_functions:
            for site in rewritten.sites:
                if site.callee and site.callee not in added and self._find_row(
                        "function", site.callee) is None:
                    added.add(site.callee)
        return added

    def _find_dropped_callees(self) -> set[int]:
        """The functions without a definition that only removed calls name."""
        starts, edges = self._arrays["site_start"], self._arrays["edge_start"]
        callees = self._arrays["edge_callee"]
        removed: Counter[int] = Counter()  # calls that are gone, less those in their place
        for rewritten in self._change.rewritten_functions:
            number = self.previous_numbers[rewritten.function]
            if number is None:
                continue
            first, last = starts[number], starts[number + 1]
            removed.update(callees[edges[first]:edges[last]])
            ranks = rank_sites(rewritten)
            for site in rewritten.sites:
                if site.like is not None:
                    like = first + ranks[site.like]
                    removed.subtract(callees[edges[like]:edges[like + 1]])
                else:
                    assert site.callee is not None
                    removed[self._find_row("function", site.callee)] -= 1  # type: ignore[index]
        return {number for number, count in removed.items()
                if count > 0 and self._is_dropped(number, count)}

    def _is_dropped(self, number: int, calls: int) -> bool:
        """Whether a function has no definition, and nothing names it but these calls."""
        execute = self._connection.execute
        file, = execute("SELECT file FROM previous.function WHERE id = ?", (number,)).fetchone()
        return (
            file is None and self._arrays["edge_callee"].count(number) == calls
            and not self._arrays["forward_value"].count(number)
            and execute("SELECT 1 FROM previous.binding WHERE function = ?", (number,)
                        ).fetchone() is None)

    def find_callee(self, function: FunctionId) -> int:
        """The number of a function that is called."""
        known = self.added_numbers.get(function)
        if known is None:
            previous = self._find_row("function", function)
            if previous is None:
                raise PatchConflict
            known = self.functions.map_kept(previous)
        return known

    def list_pieces(self) -> list[Piece]:
        """All functions in the order of their new numbers: runs of kept ones, and changed ones."""
        pieces: list[Piece] = []
        cursor = 0
        for place, previous, changed in self._list_events():
            if place > cursor:
                pieces.append(KeptFunctions(cursor, place))
                cursor = place
            if previous is not None:
                cursor = previous + 1
            if changed is not None:
                pieces.append(changed)
        last = len(self._arrays["site_start"]) - 1
        if last > cursor:
            pieces.append(KeptFunctions(cursor, last))
        return pieces

    def _list_events(self) -> list[tuple[int, int | None, ChangedFunction | None]]:
        """What happens, in order: at which previous row, which previous row ends there, if any, and
        which function stands there now, if any. Added functions come first."""
        events: list[tuple[int, int, int | None, ChangedFunction | None]] = []
        behind = len(self.added_functions)
        by_function = {each.function: each for each in self._change.rewritten_functions}
        for rewritten in self._change.rewritten_functions:
            previous = self.previous_numbers[rewritten.function]
            if previous is not None:
                changed = None
                if rewritten.after is not None:
                    changed = ChangedFunction(
                        rewritten, rewritten.function.name, self.functions.map_kept(previous))
                events.append((previous, behind, previous, changed))
        for position, function in enumerate(self.added_functions):
            added = ChangedFunction(
                by_function.get(function), function.name, self.functions.map_added(position))
            events.append((self._find_place("function", function), position, None, added))
        events += [(row, behind, row, None) for row in self.dropped_rows]
        events.sort(key=lambda event: event[:2])
        return [(place, previous, changed) for place, _, previous, changed in events]


def rank_sites(rewritten: RewrittenFunction) -> dict[int, int]:
    """For each call of the previous definition, its rank among the function's call sites."""
    if rewritten.before is None:
        return {}
    places = [make_call_row(call).place for call in rewritten.before.calls]
    ordered = sorted(range(len(places)), key=places.__getitem__)
    return {position: rank for rank, position in enumerate(ordered)}
