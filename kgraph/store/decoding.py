"""Bytes of encoding.py as a Definition again. Decoding is what resolving waits for, so it is
written for speed: each pooled value is made once, and identities are shared between definitions.
"""

from typing import Any

from kgraph.model.facts import Binding, CallSite, Definition, Flow, Function, Object
from kgraph.model.holders import (
    Address,
    CallResult,
    Constant,
    How,
    Load,
    Named,
    ObjectField,
    Opaque,
    Parameter,
    Place,
    ReturnValue,
    Slot,
    Symbol,
    Variable,
)
from kgraph.model.location import Extent, Guard, Location
from kgraph.model.names import FunctionId, ObjectId
from kgraph.store.encoding import inflate

_HOWS = tuple(How)
_NAMED = tuple(Named)


class Decoder:
    """Decodes definitions; equal functions, objects and slots of all of them are one object."""

    def __init__(self) -> None:
        self._shared: dict[tuple[int, str, str, str], FunctionId | ObjectId | Slot] = {}
        self._strings: dict[str, str] = {}

    def decode(self, key: str, data: bytes) -> Definition:
        """The definition of these bytes. Raises ValueError, zlib.error or IndexError on damage."""
        pool, rows, subject, calls, bindings, flows = inflate(data)
        share = self._strings.setdefault
        strings = [share(text, text) for text in pool]  # type: ignore[arg-type]
        values = self._pooled(rows, strings)
        return Definition(
            key,
            _subject(subject, strings, values),
            tuple([_call(row, strings, values) for row in calls]),
            tuple([_binding(row, strings, values) for row in bindings]),
            tuple([_flow(row, strings, values) for row in flows]),
        )

    def _pooled(self, rows: Any, strings: list[str]) -> list[Any]:
        values: list[Any] = []
        add = values.append
        for row in rows:
            if row[0] > 2:
                add(_MAKERS[row[0]](row, strings, values))
                continue
            name = (row[0], strings[row[1]], strings[row[2]], strings[row[3]])
            known = self._shared.get(name)
            if known is None:
                known = self._shared[name] = _IDENTITIES[row[0]](*name[1:])
            add(known)
        return values


_IDENTITIES: tuple[type[FunctionId] | type[ObjectId] | type[Slot], ...] = (
    FunctionId, ObjectId, Slot,
)
_MAKERS: dict[int, Any] = {
    3: lambda row, _, values: ObjectField(values[row[1]], values[row[2]]),
    4: lambda row, strings, values: Variable(values[row[1]], strings[row[2]]),
    5: lambda row, _, values: Parameter(values[row[1]], row[2]),
    6: lambda row, _, values: ReturnValue(values[row[1]]),
    7: lambda row, _, values: CallResult(values[row[1]], row[2]),
    8: lambda row, _, values: Place(values[row[1]], None if row[2] < 0 else values[row[2]]),
    9: lambda row, _, values: Load(values[row[1]]),
    10: lambda row, _, values: Address(values[row[1]]),
    11: lambda row, _strings, _values: Constant(row[1]),
    12: lambda row, strings, _: Opaque(strings[row[1]]),
    13: lambda row, _, values: Symbol(values[row[1]], _NAMED[row[2]]),
}


def _extent(row: Any, at: int, strings: list[str]) -> Extent:
    path, line, column, end_line, end_column = row[at : at + 5]
    return Extent(Location(strings[path], line, column), end_line, end_column)


def _subject(row: Any, strings: list[str], values: list[Any]) -> Function | Object:
    extent = _extent(row, 1, strings)
    location = Location(strings[row[6]], row[7], row[8])
    if isinstance(values[row[0]], ObjectId):
        return Object(
            values[row[0]], location, extent, strings[row[9]], strings[row[10]], strings[row[11]]
        )
    return Function(
        values[row[0]], location, extent, strings[row[9]],
        tuple([strings[name] for name in row[10]]),
        bool(row[11]), bool(row[12]), strings[row[13]], strings[row[14]],
    )


def _call(row: Any, strings: list[str], values: list[Any]) -> CallSite:
    (caller, path, line, column, start, start_line, start_column, end_line, end_column, ordinal,
     target, expression, macro, signature, index, arguments, guards) = row
    location = Location(strings[path], line, column)
    start = (
        location
        if start == path and start_line == line and start_column == column
        else Location(strings[start], start_line, start_column)
    )
    return CallSite(
        values[caller], location, Extent(start, end_line, end_column), ordinal, values[target],
        strings[expression], strings[macro],
        tuple([tuple([values[value] for value in argument]) for argument in arguments]),
        tuple([Guard(_extent(guard, 0, strings), bool(guard[5])) for guard in guards]),
        strings[signature], index,
    )


def _binding(row: Any, strings: list[str], values: list[Any]) -> Binding:
    place, value, path, line, column, how, table = row
    return Binding(
        values[place], values[value], Location(strings[path], line, column), _HOWS[how],
        None if table < 0 else values[table],
    )


def _flow(row: Any, strings: list[str], values: list[Any]) -> Flow:
    source, target, path, line, column, how = row
    return Flow(
        values[source], values[target], Location(strings[path], line, column), _HOWS[how]
    )


def decode(key: str, data: bytes) -> Definition:
    """The definition of these bytes, by itself."""
    return Decoder().decode(key, data)
