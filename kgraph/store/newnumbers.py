"""The numbers that the rows of a former graph have after a change.

Functions and objects lie in the order of their names, so that each one that comes or goes moves
those behind it. Owns which these are, by what is defined, called and named.
"""

import sqlite3
from array import array
from collections import Counter
from collections.abc import Mapping

from kgraph.model.names import FunctionId, ObjectId
from kgraph.model.rewriting import Change, Rewritten
from kgraph.store.renumbering import Renumbering
from kgraph.store.rows import site_order
from kgraph.store.splicing import Run

Piece = Run | tuple[Rewritten | None, int]


class Misfit(Exception):
    """The former graph is not what the change is told of."""


class NewNumbers:
    """Numbers after `change` of the index attached as former, whose arrays these are. `former` are
    the former numbers of the rewritten functions, `come` the functions that have no former row, in
    order, `of_come` their numbers, `lost` former rows that nothing names any more. Raises Misfit.
    """

    def __init__(
        self, connection: sqlite3.Connection, change: Change, arrays: "Mapping[str, array[int]]"
    ) -> None:
        self._connection = connection
        self._change = change
        self._arrays = arrays
        self.former = {
            rewritten.function: self._find("function", rewritten.function)
            for rewritten in change.rewritten}
        self.lost = self._lost_callees()
        come = self._new_functions()
        places = {function: self._place("function", function) for function in come}
        self.come = sorted(come, key=lambda function: (places[function], function))
        self.functions = Renumbering(
            [self._there(rewritten.function) for rewritten in change.rewritten
             if rewritten.after is None] + list(self.lost),
            [places[function] for function in self.come])
        self.of_come = {function: self.functions.of_come(position)
                        for position, function in enumerate(self.come)}
        gone = [self._find("object", thing.id) for thing in change.objects_gone]
        self.gone_objects = [number for number in gone if number is not None]
        self.new_objects = sorted(change.objects_come, key=lambda thing: thing.id)
        if None in gone or any(self._find("object", o.id) is not None for o in self.new_objects):
            raise Misfit
        self.objects = Renumbering(
            self.gone_objects,
            (self._place("object", thing.id) for thing in self.new_objects))

    def _find(self, table: str, identity: FunctionId | ObjectId) -> int | None:
        row = self._connection.execute(
            f"SELECT id FROM former.{table} WHERE name = ? AND scope = ? AND image = ?",  # noqa: S608
            (identity.name, identity.scope, identity.image)).fetchone()
        return None if row is None else int(row[0])

    def _there(self, function: FunctionId) -> int:
        number = self.former[function]
        if number is None:
            raise Misfit
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
                if self.former[rewritten.function] is not None:
                    raise Misfit
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
            number = self.former[rewritten.function]
            if number is None:
                continue
            first, last = starts[number], starts[number + 1]
            lost.update(callees[edges[first]:edges[last]])
            order = site_places(rewritten)
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

    def callee(self, function: FunctionId) -> int:
        """The number of a function that is called."""
        known = self.of_come.get(function)
        if known is None:
            old = self._find("function", function)
            if old is None:
                raise Misfit
            known = self.functions.new(old)
        return known

    def pieces(self) -> list[Piece]:
        """All functions by their new numbers: runs of former ones, and those that are written anew
        (a rewriting, None for one without a definition) with their new numbers."""
        events: list[tuple[int, int, Rewritten | None, int | None]] = []
        for rewritten in self._change.rewritten:
            number = self.former[rewritten.function]
            if number is not None:
                events.append((number, len(self.come), rewritten, number))
        by_name = {rewritten.function: rewritten for rewritten in self._change.rewritten}
        for position, function in enumerate(self.come):
            events.append((self._place("function", function), position,
                           by_name.get(function), None))
        events += [(old, len(self.come), None, old) for old in self.lost]
        pieces: list[Piece] = []
        cursor = 0
        for place, position, anew, old in sorted(events, key=lambda event: event[:2]):
            if place > cursor:
                pieces.append(Run(cursor, place))
                cursor = place
            if old is None:
                pieces.append((anew, self.functions.of_come(position)))
            else:
                cursor = old + 1
                if anew is not None and anew.after is not None:
                    pieces.append((anew, self.functions.new(old)))
        last = len(self._arrays["site_start"]) - 1
        if last > cursor:
            pieces.append(Run(cursor, last))
        return pieces


def site_places(rewritten: Rewritten) -> dict[int, int]:
    """For each call of the former definition, which of the function's call sites it is."""
    if rewritten.before is None:
        return {}
    calls = rewritten.before.calls
    ordered = sorted(range(len(calls)), key=lambda position: site_order(calls[position]))
    return {position: place for place, position in enumerate(ordered)}
