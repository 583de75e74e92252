"""Reads the declared models.

Owns reading and checking models/*.toml (deferred.toml is read by deferred/specification.py). A
row that kgraph does not understand is an error, and never ignored.
"""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct

from kgraph.errors import ConfigurationError
from kgraph.model.ids import FunctionId

Field = tuple[str, str]
"""Record and field of a slot."""

_Text = Annotated[str, Meta(min_length=1)]
_Slot = Annotated[str, Meta(pattern=r"^.+\..+$")]
_Argument = Annotated[int, Meta(ge=0)]
_File = TypeVar("_File", bound=Struct)


@dataclass(frozen=True, slots=True)
class CopyFunction:
    """`*arguments[destination] = *arguments[source]`."""

    destination: int
    source: int


@dataclass(frozen=True, slots=True)
class ListRegistration:
    """A function that adds argument `value` to the list of what argument `object` points to.

    Whoever walks `list` calls `element` of what it finds. `call_key` is the field of the object
    that points to the key of a static call, which may call the function itself; None if none does.
    """

    object: int
    value: int
    list: Field
    element: Field
    call_key: Field | None = None


@dataclass(frozen=True, slots=True)
class Trampoline:
    """Functions whose names begin with `function` jump to what `slot` of their objects holds. An
    object has the rest of the function's name after `object`."""

    function: str
    object: str
    slot: Field


@dataclass(frozen=True, slots=True)
class StaticCallUpdate:
    """A function that puts argument `value` into `slot` of what argument `object` points to."""

    object: int
    value: int
    slot: Field


@dataclass(frozen=True, slots=True)
class FilledKey:
    """Objects whose names match `object`; their static calls call what `slot` holds."""

    object: re.Pattern[str]
    slot: Field


@dataclass(frozen=True, slots=True)
class StaticCalls:
    """What static calls do. `updates` are by function; `declared` are (caller, file) of updates
    that `filled` and others replace."""

    trampolines: tuple[Trampoline, ...]
    updates: dict[str, StaticCallUpdate]
    declared: frozenset[tuple[str, str]]
    filled: tuple[FilledKey, ...]


@dataclass(frozen=True, slots=True)
class OffsetSection:
    """Functions that assembler puts into a section as numbers; `reader`, in `file`, returns the
    function of a number."""

    reader: str
    file: str
    functions: frozenset[str]


@dataclass(frozen=True, slots=True)
class RelativeWalk:
    """A walk over distances to functions: in `walker`, a function of `file`, a call of `reader`
    gives what the sections hold that loops walk from the symbols `starts`."""

    reader: str
    walker: str
    file: str
    starts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sections:
    """What sections mean.

    `exports` and `data` are prefixes of the names of sections with symbol-table entries, and with
    ordinary data. `walks` are (prefix, symbol) of sections that a loop walks from a linker's symbol
    on; `deferred` are (symbol, kind) of those whose functions are deferred calls of that kind.
    """

    exports: tuple[str, ...]
    data: tuple[str, ...]
    walks: tuple[tuple[str, str], ...] = ()
    deferred: tuple[tuple[str, str], ...] = ()
    offsets: tuple[OffsetSection, ...] = ()
    relative: tuple[RelativeWalk, ...] = ()


@dataclass(frozen=True, slots=True)
class EncodedCall:
    """A call of the function `base` plus a number calls what `slot`, or else `object`, holds."""

    base: str
    slot: Field | None
    object: str


@dataclass(frozen=True, slots=True)
class ListedFunction:
    """An object of `section` whose name matches `object` stands for a function in `slot`."""

    section: str
    object: re.Pattern[str]
    slot: Field


@dataclass(frozen=True, slots=True)
class EncodedCalls:
    """Functions that were made numbers. `calls` are by the name and file of the caller."""

    calls: dict[tuple[str, str], list[EncodedCall]]
    listed: tuple[ListedFunction, ...]


class _ModelRow(Struct, forbid_unknown_fields=True, kw_only=True):
    reason: _Text


class _CopyRow(_ModelRow, kw_only=True):
    name: _Text
    destination: _Argument
    source: _Argument


class _AllocatorRow(_ModelRow, kw_only=True):
    name: _Text


class _RegistryRow(_ModelRow, kw_only=True):
    function: _Text
    object: _Argument
    value: _Argument
    list: _Slot
    element: _Slot
    call_key: _Slot | None = None


class _TrampolineRow(_ModelRow, kw_only=True):
    function: _Text
    object: _Text
    slot: _Slot


class _UpdateRow(_ModelRow, kw_only=True):
    function: _Text
    object: _Argument
    value: _Argument
    slot: _Slot


class _DeclaredRow(_ModelRow, kw_only=True):
    caller: _Text
    file: _Text


class _FilledRow(_ModelRow, kw_only=True):
    object: _Text
    slot: _Slot


class _EncodedCallRow(_ModelRow, kw_only=True):
    callers: Annotated[list[_Text], Meta(min_length=1)]
    file: _Text
    base: _Text
    slot: _Slot | None = None
    object: str = ""


class _ListedRow(_ModelRow, kw_only=True):
    section: _Text
    object: _Text
    slot: _Slot


class _UnionRow(_ModelRow, kw_only=True):
    record: _Text


class _LoadedRow(_ModelRow, kw_only=True):
    function: _Text
    slot: _Slot


class _SectionRow(_ModelRow, kw_only=True):
    prefix: _Text
    use: Literal["export", "data"]


class _WalkRow(_ModelRow, kw_only=True):
    prefix: _Text
    start: _Text
    deferred: _Text | None = None


class _OffsetsRow(_ModelRow, kw_only=True):
    section: _Text
    reader: _Text
    file: _Text
    functions: Annotated[list[_Text], Meta(min_length=1)]


class _RelativeRow(_ModelRow, kw_only=True):
    reader: _Text
    walker: _Text
    file: _Text
    starts: Annotated[list[_Text], Meta(min_length=1)]


class _CopyFile(Struct, forbid_unknown_fields=True):
    copy: list[_CopyRow]


class _ReleaseRow(_ModelRow, kw_only=True):
    name: _Text
    argument: _Argument


class _AllocatorFile(Struct, forbid_unknown_fields=True):
    allocator: list[_AllocatorRow]
    release: list[_ReleaseRow]


class _RegistryFile(Struct, forbid_unknown_fields=True):
    registry: list[_RegistryRow]


class _StaticCallFile(Struct, forbid_unknown_fields=True):
    trampoline: list[_TrampolineRow]
    update: list[_UpdateRow]
    declared: list[_DeclaredRow]
    filled: list[_FilledRow]


class _EncodedCallFile(Struct, forbid_unknown_fields=True):
    call: list[_EncodedCallRow]
    listed: list[_ListedRow]


class _UnionFile(Struct, forbid_unknown_fields=True):
    union: list[_UnionRow]


class _LoadedFile(Struct, forbid_unknown_fields=True):
    loaded: list[_LoadedRow]


class _SectionFile(Struct, forbid_unknown_fields=True):
    section: list[_SectionRow]
    walk: list[_WalkRow]
    relative: list[_RelativeRow]
    offsets: list[_OffsetsRow]


def is_public(function: FunctionId) -> bool:
    """Whether other files can call a function: it is external, or of a public header.

    A row that names no file is about such a function, and about no static one of its name.
    """
    scope = function.scope
    return not scope or (
        scope.endswith(".h") and (scope.startswith("include/") or "/include/" in scope))


@cache
def load_copy_functions() -> dict[str, CopyFunction]:
    """The functions that copy memory, by name."""
    rows = _read("copy_functions.toml", _CopyFile).copy
    return {row.name: CopyFunction(row.destination, row.source) for row in rows}


@cache
def load_allocators() -> frozenset[str]:
    """The functions that return memory which nothing else points to."""
    return frozenset(row.name for row in _read("allocators.toml", _AllocatorFile).allocator)


@cache
def load_releases() -> dict[str, int]:
    """The functions that take memory back, by name, and which argument points to it."""
    return {row.name: row.argument for row in _read("allocators.toml", _AllocatorFile).release}


@cache
def load_list_registrations() -> dict[str, ListRegistration]:
    """The functions that add a function to the list of an object, by name."""
    rows = _read("per_object_lists.toml", _RegistryFile).registry
    return {
        row.function: ListRegistration(
            row.object, row.value, _split_slot(row.list), _split_slot(row.element),
            _split_slot(row.call_key) if row.call_key else None)
        for row in rows
    }


@cache
def load_static_calls() -> StaticCalls:
    """What static calls do."""
    file = _read("static_calls.toml", _StaticCallFile)
    return StaticCalls(
        tuple(Trampoline(row.function, row.object, _split_slot(row.slot))
              for row in file.trampoline),
        {row.function: StaticCallUpdate(row.object, row.value, _split_slot(row.slot))
         for row in file.update},
        frozenset((row.caller, row.file) for row in file.declared),
        tuple(FilledKey(re.compile(row.object), _split_slot(row.slot)) for row in file.filled),
    )


@cache
def load_encoded_calls() -> EncodedCalls:
    """The functions that were made numbers."""
    file = _read("encoded_calls.toml", _EncodedCallFile)
    calls: dict[tuple[str, str], list[EncodedCall]] = {}
    for row in file.call:
        call = EncodedCall(row.base, _split_slot(row.slot) if row.slot else None, row.object)
        for caller in row.callers:
            calls.setdefault((caller, row.file), []).append(call)
    return EncodedCalls(calls, tuple(
        ListedFunction(row.section, re.compile(row.object), _split_slot(row.slot))
        for row in file.listed))


@cache
def load_discriminated_unions() -> frozenset[str]:
    """The unions of which a member is only called as the one that it was written as."""
    return frozenset(row.record for row in _read("discriminated_unions.toml", _UnionFile).union)


@cache
def load_loader_slots() -> dict[str, Field]:
    """The slots that the module loader fills, by the name of the function that it puts there."""
    rows = _read("module_loader.toml", _LoadedFile).loaded
    return {row.function: _split_slot(row.slot) for row in rows}


@cache
def load_sections() -> Sections:
    """What the sections that objects are put into mean."""
    file = _read("linker_sections.toml", _SectionFile)
    return Sections(
        exports=tuple(row.prefix for row in file.section if row.use == "export"),
        data=tuple(row.prefix for row in file.section if row.use == "data"),
        walks=tuple((row.prefix, row.start) for row in file.walk),
        deferred=tuple((row.start, row.deferred) for row in file.walk if row.deferred),
        offsets=tuple(OffsetSection(row.reader, row.file, frozenset(row.functions))
                      for row in file.offsets),
        relative=tuple(RelativeWalk(row.reader, row.walker, row.file, tuple(row.starts))
                       for row in file.relative),
    )


def has_declared_prefix(name: str) -> bool:
    """Whether a model is about all names that begin like this one."""
    return any(name.startswith((row.function, row.object))
               for row in load_static_calls().trampolines)


@cache
def collect_declared_words() -> frozenset[str]:
    """Every name in the models, whatever is said about it.

    Incremental resolution takes nothing for granted that a model names.
    """
    words: set[str] = set()
    for file in resources.files("kgraph.resolve.models").iterdir():
        if file.name.endswith(".toml"):
            words.update(_iter_words(tomllib.loads(file.read_text("utf-8"))))
    return frozenset(words)


def _iter_words(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            if key not in ("reason", "file"):  # a path names no function
                yield from _iter_words(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _iter_words(inner)
    elif isinstance(value, str):
        yield from re.findall(r"\w+", value)


def _read(name: str, layout: type[_File]) -> _File:
    text = resources.files("kgraph.resolve.models").joinpath(name).read_text("utf-8")
    return parse_model(name, text, layout)


def parse_model(name: str, text: str, layout: type[_File]) -> _File:
    """The content of a model file. Raises ConfigurationError where it does not fit the layout."""
    try:
        return msgspec.convert(tomllib.loads(text), layout)
    except (msgspec.ValidationError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(
            f"{name}: {error}", "the head of the file says how rows are written") from None


def _split_slot(text: str) -> Field:
    record, _, field = text.rpartition(".")
    return record, field
