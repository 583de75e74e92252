"""Encodes the facts of one definition as bytes, and decodes them.

The form is a compressed JSON array: [strings, values, subject, calls, bindings, flows]. Each
string and each value (holder, load, function ...) stands once in its pool and is referred to by
position. Equal definitions give equal bytes. Must not know SQLite.
"""

import json
import zlib
from array import array
from collections.abc import Callable, Iterable, Iterator
from itertools import accumulate
from typing import Any

import msgspec

from kgraph.model.facts import Binding, CallSite, Definition, Flow, Function, Object
from kgraph.model.ids import FunctionId, ObjectId
from kgraph.model.location import Extent, Guard, Location
from kgraph.model.values import (
    Address,
    CallResult,
    Constant,
    Load,
    ObjectField,
    Opaque,
    Parameter,
    Place,
    ReturnValue,
    Slot,
    Symbol,
    SymbolUse,
    TransferKind,
    Variable,
)

Row = list[object]
# The number of each kind of value in the pool: a change is a change of the schema's version.
_FUNCTION, _OBJECT, _SLOT, _OBJECT_FIELD, _VARIABLE, _PARAMETER = 0, 1, 2, 3, 4, 5
_RETURN, _CALL_RESULT, _PLACE, _LOAD, _ADDRESS, _CONSTANT, _OPAQUE = 6, 7, 8, 9, 10, 11, 12
_SYMBOL = 13
_HOWS = tuple(TransferKind)
_NAMED = tuple(SymbolUse)
_HOW_NUMBERS = {how: number for number, how in enumerate(_HOWS)}
# What most definitions hold: zlib finds it in its window and need not spell it out.
_DICTIONARY = (
    b'"kernel/","drivers/net/","include/linux/","arch/x86/include/asm/",".c",".h","vmlinux",'
    b'"int (struct ","void (void)","dev","skb","unsigned long","const char *",","struct file *",'
    b"]],[],[]]],[[],[[],[[0,-1,0],[9,1],[8,1,-1],[4,0,1],[5,0,0],[5,0,1],[11,0],[11,1],[12,2]"
)


class FactsEncoder:
    """Turns one definition into bytes; `last_lines` maps each path that it cites to the last line
    that it cites of it (for the check that every citation can be opened).
    """

    def __init__(self) -> None:
        self._strings: dict[str, int] = {}
        self._values: dict[object, int] = {}
        self._rows: list[Row] = []
        self.last_lines: dict[str, int] = {}

    def encode(self, definition: Definition) -> bytes:
        """The bytes of `definition`. One encoder serves one definition."""
        body = [
            self._subject(definition.subject),
            [self._call(call) for call in definition.calls],
            [self._binding(binding) for binding in definition.bindings],
            [self._flow(flow) for flow in definition.flows],
        ]
        text = json.dumps(
            [list(self._strings), self._rows, *body], ensure_ascii=False, separators=(",", ":")
        )
        # Kernel source is bytes, not always UTF-8: surrogates carry what does not decode.
        return compress_facts(text.encode("utf-8", "surrogateescape"))

    def intern_string(self, text: str) -> int:
        """The number of a string."""
        return self._strings.setdefault(text, len(self._strings))

    def _location(self, location: Location) -> Row:
        path, line = location.path, location.line
        if self.last_lines.get(path, 0) < line:
            self.last_lines[path] = line
        return [self.intern_string(path), line, location.column]

    def _extent(self, extent: Extent) -> Row:
        if self.last_lines.get(extent.start.path, 0) < extent.end_line:
            self.last_lines[extent.start.path] = extent.end_line
        return [*self._location(extent.start), extent.end_line, extent.end_column]

    def intern_value(self, value: object) -> int:
        """The number of a value; KeyError for what is none."""
        number = self._values.get(value)
        if number is None:
            row = _ROWS[type(value)](self, value)
            number = self._values[value] = len(self._rows)
            self._rows.append(row)
        return number

    def _subject(self, subject: Function | Object) -> Row:
        place = [*self._extent(subject.extent), *self._location(subject.location)]
        if isinstance(subject, Function):
            return [
                self.intern_value(subject.id), *place, self.intern_string(subject.signature),
                [self.intern_string(name) for name in subject.parameters],
                int(subject.weak), int(subject.inline), self.intern_string(subject.alias_of),
                self.intern_string(subject.macro),
            ]
        return [
            self.intern_value(subject.id), *place, self.intern_string(subject.type),
            self.intern_string(subject.section), self.intern_string(subject.alias_of),
        ]

    def _call(self, call: CallSite) -> Row:
        return [
            self.intern_value(call.caller),
            *self._location(call.location),
            *self._extent(call.extent),
            call.ordinal,
            self.intern_value(call.target),
            self.intern_string(call.expression),
            self.intern_string(call.macro),
            self.intern_string(call.signature),
            call.index,
            [[self.intern_value(value) for value in values] for values in call.arguments],
            [[*self._extent(guard.extent), int(guard.holds)] for guard in call.guards],
        ]

    def _binding(self, binding: Binding) -> Row:
        return [
            self.intern_value(binding.place), self.intern_value(binding.value),
            *self._location(binding.location), _HOW_NUMBERS[binding.how],
            -1 if binding.table is None else self.intern_value(binding.table),
        ]

    def _flow(self, flow: Flow) -> Row:
        return [
            self.intern_value(flow.source),
            self.intern_value(flow.target),
            *self._location(flow.location),
            _HOW_NUMBERS[flow.how],
        ]


# The rows of values, by kind. Parts come before what they are parts of.
_ROWS: dict[type, Callable[[Any, Any], Row]] = {
    FunctionId: lambda to, it: [
        _FUNCTION,
        to.intern_string(it.name),
        to.intern_string(it.scope),
        to.intern_string(it.image),
    ],
    ObjectId: lambda to, it: [
        _OBJECT,
        to.intern_string(it.name),
        to.intern_string(it.scope),
        to.intern_string(it.image),
    ],
    Slot: lambda to, it: [
        _SLOT,
        to.intern_string(it.record),
        to.intern_string(it.field),
        to.intern_string(it.scope),
    ],
    ObjectField: lambda to, it: [
        _OBJECT_FIELD,
        to.intern_value(it.object),
        to.intern_value(it.slot),
    ],
    Variable: lambda to, it: [_VARIABLE, to.intern_value(it.function), to.intern_string(it.name)],
    Parameter: lambda to, it: [_PARAMETER, to.intern_value(it.function), it.index],
    ReturnValue: lambda to, it: [_RETURN, to.intern_value(it.function)],
    CallResult: lambda to, it: [_CALL_RESULT, to.intern_value(it.function), it.index],
    Place: lambda to, it: [
        _PLACE,
        to.intern_value(it.holder),
        -1 if it.base is None else to.intern_value(it.base),
    ],
    Load: lambda to, it: [_LOAD, to.intern_value(it.place)],
    Address: lambda to, it: [_ADDRESS, to.intern_value(it.place)],
    Constant: lambda _to, it: [_CONSTANT, it.value],
    Opaque: lambda to, it: [_OPAQUE, to.intern_string(it.reason)],
    Symbol: lambda to, it: [_SYMBOL, to.intern_value(it.function), _NAMED.index(it.how)],
}


def encode(definition: Definition) -> bytes:
    """The bytes of `definition`."""
    return FactsEncoder().encode(definition)


def pack_numbers(numbers: Iterable[int]) -> bytes:
    """A set of numbers, sorted and compressed: what a unit lists."""
    ordered = sorted(numbers)
    steps = array("I", [b - a for a, b in zip([0, *ordered], ordered, strict=False)])
    return zlib.compress(steps.tobytes(), 6)


def unpack_numbers(data: bytes) -> Iterator[int]:
    """The numbers of `pack_numbers`, ascending. Raises zlib.error or ValueError on damage."""
    steps = array("I")
    steps.frombytes(zlib.decompress(data))
    return accumulate(steps)


_read_json = msgspec.json.Decoder(list[Any]).decode


def compress_facts(text: bytes) -> bytes:
    """The JSON text of a definition, compressed."""
    packer = zlib.compressobj(6, zdict=_DICTIONARY)
    return packer.compress(text) + packer.flush()


def decompress_facts(data: bytes) -> list[list[Row]]:
    """The array that `compress_facts` compressed. Raises zlib.error or ValueError on damage."""
    text = zlib.decompressobj(zdict=_DICTIONARY).decompress(data)
    rows: list[list[Row]]
    try:
        rows = _read_json(text)
    except (msgspec.DecodeError, UnicodeDecodeError):  # names or paths that are not UTF-8
        rows = json.loads(text.decode("utf-8", "surrogateescape"))
    return rows


_HOW_BY_NUMBER = tuple(TransferKind)
_NAMED_BY_NUMBER = tuple(SymbolUse)


class FactsDecoder:
    """Decodes definitions; equal functions, objects and slots of all of them are one object."""

    def __init__(self) -> None:
        self._shared: dict[tuple[int, str, str, str], FunctionId | ObjectId | Slot] = {}
        self._strings: dict[str, str] = {}

    def decode(self, key: str, data: bytes) -> Definition:
        """The definition of these bytes. Raises ValueError, zlib.error or IndexError on damage."""
        pool, rows, subject, calls, bindings, flows = decompress_facts(data)
        share = self._strings.setdefault
        strings = [share(text, text) for text in pool]  # type: ignore[arg-type]
        values = self._pooled(rows, strings)
        return Definition(
            key,
            _decode_subject(subject, strings, values),
            tuple([_decode_call(row, strings, values) for row in calls]),
            tuple([_decode_binding(row, strings, values) for row in bindings]),
            tuple([_decode_flow(row, strings, values) for row in flows]),
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
    13: lambda row, _, values: Symbol(values[row[1]], _NAMED_BY_NUMBER[row[2]]),
}


def _decode_extent(row: Any, at: int, strings: list[str]) -> Extent:
    path, line, column, end_line, end_column = row[at : at + 5]
    return Extent(Location(strings[path], line, column), end_line, end_column)


def _decode_subject(row: Any, strings: list[str], values: list[Any]) -> Function | Object:
    extent = _decode_extent(row, 1, strings)
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


def _decode_call(row: Any, strings: list[str], values: list[Any]) -> CallSite:
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
        tuple([Guard(_decode_extent(guard, 0, strings), bool(guard[5])) for guard in guards]),
        strings[signature], index,
    )


def _decode_binding(row: Any, strings: list[str], values: list[Any]) -> Binding:
    place, value, path, line, column, how, table = row
    return Binding(
        values[place], values[value], Location(strings[path], line, column), _HOW_BY_NUMBER[how],
        None if table < 0 else values[table],
    )


def _decode_flow(row: Any, strings: list[str], values: list[Any]) -> Flow:
    source, target, path, line, column, how = row
    return Flow(
        values[source], values[target], Location(strings[path], line, column), _HOW_BY_NUMBER[how]
    )


def decode(key: str, data: bytes) -> Definition:
    """The definition of these bytes, by itself."""
    return FactsDecoder().decode(key, data)
