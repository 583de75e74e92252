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

from kgraph.model.facts import (
    Binding,
    CallSite,
    Definition,
    Flow,
    Function,
    HandedKind,
    HandedValue,
    Object,
)
from kgraph.model.ids import FunctionId, ObjectId
from kgraph.model.location import Extent, Guard, Location, ParameterTest
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

EncodedRow = list[object]
# The kinds of values in the pool. A change of these takes a new version of the schema.
_FUNCTION, _OBJECT, _SLOT, _OBJECT_FIELD, _VARIABLE, _PARAMETER = 0, 1, 2, 3, 4, 5
_RETURN, _CALL_RESULT, _PLACE, _LOAD, _ADDRESS, _CONSTANT, _OPAQUE = 6, 7, 8, 9, 10, 11, 12
_SYMBOL = 13
_READ_JSON = msgspec.json.Decoder(list[Any]).decode
_NONE = -1  # the position of a value that is not there
_HOWS = tuple(TransferKind)
_USES = tuple(SymbolUse)
_HANDED = tuple(HandedKind)
_HOW_NUMBERS = {how: number for number, how in enumerate(_HOWS)}
# Text that most definitions have; zlib refers to it instead of spelling it out.
_DICTIONARY = (
    b'"kernel/","drivers/net/","include/linux/","arch/x86/include/asm/",".c",".h","vmlinux",'
    b'"int (struct ","void (void)","dev","skb","unsigned long","const char *",","struct file *",'
    b"]],[],[]]],[[],[[],[[0,-1,0],[9,1],[8,1,-1],[4,0,1],[5,0,0],[5,0,1],[11,0],[11,1],[12,2]"
)


class FactsEncoder:
    """Encodes one definition. `last_lines` has the last line that the definition cites of each
    path, with which the store checks that every citation can be opened.
    """

    def __init__(self) -> None:
        self._strings: dict[str, int] = {}
        self._values: dict[object, int] = {}
        self._rows: list[EncodedRow] = []
        self.last_lines: dict[str, int] = {}

    def encode(self, definition: Definition) -> bytes:
        """The bytes of a definition. Make a new encoder for each definition."""
        body = [
            self._subject(definition.subject),
            [self.encode_call(call) for call in definition.calls],
            [self._binding(binding) for binding in definition.bindings],
            [self._flow(flow) for flow in definition.flows],
        ]
        text = json.dumps(
            [self.list_strings(), self._rows, *body], ensure_ascii=False, separators=(",", ":")
        )
        # Kernel source need not be UTF-8; surrogates stand for bytes that do not decode.
        return compress_facts(text.encode("utf-8", "surrogateescape"))

    def intern_string(self, text: str) -> int:
        """The position of a string in its pool."""
        return self._strings.setdefault(text, len(self._strings))

    def list_strings(self) -> list[str]:
        """All strings, by position."""
        return list(self._strings)

    def _location(self, location: Location) -> EncodedRow:
        path, line = location.path, location.line
        if self.last_lines.get(path, 0) < line:
            self.last_lines[path] = line
        return [self.intern_string(path), line, location.column]

    def _extent(self, extent: Extent) -> EncodedRow:
        if self.last_lines.get(extent.start.path, 0) < extent.end_line:
            self.last_lines[extent.start.path] = extent.end_line
        return [*self._location(extent.start), extent.end_line, extent.end_column]

    def intern_value(self, value: object) -> int:
        """The position of a value in its pool. Raises KeyError for anything that is not a value."""
        number = self._values.get(value)
        if number is None:
            row = _ROWS[type(value)](self, value)
            number = self._values[value] = len(self._rows)
            self._rows.append(row)
        return number

    def _subject(self, subject: Function | Object) -> EncodedRow:
        place = [*self._extent(subject.extent), *self._location(subject.location)]
        if isinstance(subject, Function):
            return [
                self.intern_value(subject.id), *place, self.intern_string(subject.signature),
                [self.intern_string(name) for name in subject.parameters],
                int(subject.weak), int(subject.inline), self.intern_string(subject.alias_of),
                self.intern_string(subject.macro), int(subject.is_noreturn), int(subject.is_cold),
            ]
        return [
            self.intern_value(subject.id), *place, self.intern_string(subject.type),
            self.intern_string(subject.section), self.intern_string(subject.alias_of),
            int(subject.is_const),
        ]

    def encode_call(self, call: CallSite) -> EncodedRow:
        """The row of a call."""
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
            [[*self._extent(guard.extent), *encode_truths(guard)] for guard in call.guards],
            [[handed.parameter, handed.kind, handed.value] for handed in call.handed],
        ]

    def _binding(self, binding: Binding) -> EncodedRow:
        return [
            self.intern_value(binding.place), self.intern_value(binding.value),
            *self._location(binding.location), _HOW_NUMBERS[binding.how],
            _NONE if binding.table is None else self.intern_value(binding.table),
        ]

    def _flow(self, flow: Flow) -> EncodedRow:
        return [
            self.intern_value(flow.source),
            self.intern_value(flow.target),
            *self._location(flow.location),
            _HOW_NUMBERS[flow.how],
        ]


# How each kind of value is written. Its parts come before it in the pool.
_ROWS: dict[type, Callable[[Any, Any], EncodedRow]] = {
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
        _NONE if it.base is None else to.intern_value(it.base),
    ],
    Load: lambda to, it: [_LOAD, to.intern_value(it.place)],
    Address: lambda to, it: [_ADDRESS, to.intern_value(it.place)],
    Constant: lambda _to, it: [_CONSTANT, it.value],
    Opaque: lambda to, it: [_OPAQUE, to.intern_string(it.reason)],
    Symbol: lambda to, it: [_SYMBOL, to.intern_value(it.function), _USES.index(it.how)],
}


def encode_truths(guard: Guard) -> EncodedRow:
    """A guard without its extent. What most guards lack is left out."""
    if not (guard.is_early_exit or guard.expected is not None or guard.tests):
        return [int(guard.holds)]
    expected = _NONE if guard.expected is None else int(guard.expected)
    tests = [[test.parameter, test.mask, test.value, int(test.is_equal)] for test in guard.tests]
    return [int(guard.holds), int(guard.is_early_exit), expected, *([tests] if tests else [])]


def decode_guard(extent: Extent, row: Any) -> Guard:
    """The guard of an extent and the numbers that `encode_truths` gave."""
    if len(row) == 1:
        return Guard(extent, bool(row[0]))
    tests = tuple([
        ParameterTest(parameter, mask, value, bool(is_equal))
        for parameter, mask, value, is_equal in (row[3] if len(row) > 3 else ())])
    expected = None if row[2] == _NONE else bool(row[2])
    return Guard(extent, bool(row[0]), bool(row[1]), expected, tests)


def pack_numbers(numbers: Iterable[int]) -> bytes:
    """A set of numbers as bytes: what a unit lists."""
    ordered = sorted(numbers)
    steps = array("I", [b - a for a, b in zip([0, *ordered], ordered, strict=False)])
    return zlib.compress(steps.tobytes(), 6)


def unpack_numbers(data: bytes) -> Iterator[int]:
    """The numbers of `pack_numbers`, ascending. Raises zlib.error or ValueError on damage."""
    steps = array("I")
    steps.frombytes(zlib.decompress(data))
    return accumulate(steps)


def compress_facts(text: bytes) -> bytes:
    """Compress the JSON text of a definition."""
    packer = zlib.compressobj(6, zdict=_DICTIONARY)
    return packer.compress(text) + packer.flush()


def decompress_facts(data: bytes) -> list[list[EncodedRow]]:
    """Read what `compress_facts` wrote. Raises zlib.error or ValueError on damage."""
    text = zlib.decompressobj(zdict=_DICTIONARY).decompress(data)
    rows: list[list[EncodedRow]]
    try:
        rows = _READ_JSON(text)
    except (msgspec.DecodeError, UnicodeDecodeError):  # names or paths that are not UTF-8
        rows = json.loads(text.decode("utf-8", "surrogateescape"))
    return rows


class FactsDecoder:
    """Decodes any number of definitions. Equal functions, objects and slots become one object.

    With `is_resolving`, calls come without what only the graph shows of them (call_rows.py): they
    have neither guards nor numbers that they hand on, and end where they begin.
    """

    def __init__(self, *, is_resolving: bool = False) -> None:
        self._decode_call = _decode_plain_call if is_resolving else _decode_call
        self._shared: dict[tuple[int, str, str, str], FunctionId | ObjectId | Slot] = {}
        self._strings: dict[str, str] = {}

    def decode(self, key: str, data: bytes) -> Definition:
        """The definition that these bytes hold. Raises ValueError, zlib.error or IndexError on
        damage."""
        pool, rows, subject, calls, bindings, flows = decompress_facts(data)
        share = self._strings.setdefault
        strings = [share(text, text) for text in pool]  # type: ignore[arg-type]
        values = self._decode_values(rows, strings)
        decode_call = self._decode_call
        return Definition(
            key,
            _decode_subject(subject, strings, values),
            tuple([decode_call(row, strings, values) for row in calls]),
            tuple([_decode_binding(row, strings, values) for row in bindings]),
            tuple([_decode_flow(row, strings, values) for row in flows]),
        )

    def _decode_values(self, rows: Any, strings: list[str]) -> list[Any]:
        values: list[Any] = []
        add = values.append
        for row in rows:
            if row[0] > _SLOT:
                add(_MAKERS[row[0]](row, strings, values))
                continue
            name = (row[0], strings[row[1]], strings[row[2]], strings[row[3]])
            identity = self._shared.get(name)
            if identity is None:
                identity = self._shared[name] = _IDENTITIES[row[0]](*name[1:])
            add(identity)
        return values


_IDENTITIES: tuple[type[FunctionId] | type[ObjectId] | type[Slot], ...] = (
    FunctionId, ObjectId, Slot,
)
_MAKERS: dict[int, Any] = {
    _OBJECT_FIELD: lambda row, _, values: ObjectField(values[row[1]], values[row[2]]),
    _VARIABLE: lambda row, strings, values: Variable(values[row[1]], strings[row[2]]),
    _PARAMETER: lambda row, _, values: Parameter(values[row[1]], row[2]),
    _RETURN: lambda row, _, values: ReturnValue(values[row[1]]),
    _CALL_RESULT: lambda row, _, values: CallResult(values[row[1]], row[2]),
    _PLACE: lambda row, _, values: Place(
        values[row[1]], None if row[2] == _NONE else values[row[2]]),
    _LOAD: lambda row, _, values: Load(values[row[1]]),
    _ADDRESS: lambda row, _, values: Address(values[row[1]]),
    _CONSTANT: lambda row, _strings, _values: Constant(row[1]),
    _OPAQUE: lambda row, strings, _: Opaque(strings[row[1]]),
    _SYMBOL: lambda row, _, values: Symbol(values[row[1]], _USES[row[2]]),
}


def _decode_extent(row: Any, at: int, strings: list[str]) -> Extent:
    path, line, column, end_line, end_column = row[at : at + 5]
    return Extent(Location(strings[path], line, column), end_line, end_column)


def _decode_subject(row: Any, strings: list[str], values: list[Any]) -> Function | Object:
    extent = _decode_extent(row, 1, strings)
    location = Location(strings[row[6]], row[7], row[8])
    if isinstance(values[row[0]], ObjectId):
        return Object(
            values[row[0]], location, extent, strings[row[9]], strings[row[10]], strings[row[11]],
            bool(row[12]),
        )
    return Function(
        values[row[0]], location, extent, strings[row[9]],
        tuple([strings[name] for name in row[10]]),
        bool(row[11]), bool(row[12]), strings[row[13]], strings[row[14]], bool(row[15]),
        bool(row[16]),
    )


def _decode_call(row: Any, strings: list[str], values: list[Any]) -> CallSite:
    (caller, path, line, column, start, start_line, start_column, end_line, end_column, ordinal,
     target, expression, macro, signature, index, arguments, guards, handed) = row
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
        tuple([decode_guard(_decode_extent(guard, 0, strings), guard[5:]) for guard in guards]),
        strings[signature], index,
        tuple([HandedValue(item[0], _HANDED[item[1]], item[2]) for item in handed]),
    )


def _decode_plain_call(row: Any, strings: list[str], values: list[Any]) -> CallSite:
    """A call without what is only shown."""
    (caller, path, line, column, _, _, _, _, _, ordinal, target, expression, macro, signature,
     index, arguments, _, _) = row
    location = Location(strings[path], line, column)
    return CallSite(
        values[caller], location, Extent(location, line, column), ordinal, values[target],
        strings[expression], strings[macro],
        tuple([tuple([values[value] for value in argument]) for argument in arguments])
        if arguments else (), (), strings[signature], index)


def _decode_binding(row: Any, strings: list[str], values: list[Any]) -> Binding:
    place, value, path, line, column, how, table = row
    return Binding(
        values[place], values[value], Location(strings[path], line, column), _HOWS[how],
        None if table == _NONE else values[table],
    )


def _decode_flow(row: Any, strings: list[str], values: list[Any]) -> Flow:
    source, target, path, line, column, how = row
    return Flow(
        values[source], values[target], Location(strings[path], line, column), _HOWS[how]
    )
