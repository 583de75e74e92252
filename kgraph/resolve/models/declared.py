"""Reads the declared models.

Owns reading and checking models/*.toml (deferred.toml is read by deferred/specification.py). A
row that kgraph does not understand is an error, and never ignored.
"""

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from kgraph.errors import ConfigurationError
from kgraph.model.ids import FunctionId


@dataclass(frozen=True, slots=True)
class CopyFunction:
    """`*arguments[destination] = *arguments[source]`."""

    destination: int
    source: int


@dataclass(frozen=True, slots=True)
class ListRegistration:
    """A function that hangs argument `value` on the object that argument `object` points to, where
    walkers of `list` call it as `element`; both are (record, field)."""

    object: int
    value: int
    list: tuple[str, str]
    element: tuple[str, str]


@dataclass(frozen=True, slots=True)
class OffsetSection:
    """Functions that assembler puts into a section as numbers; `reader` (in `file`) gives back the
    function of one."""

    reader: str
    file: str
    functions: frozenset[str]


@dataclass(frozen=True, slots=True)
class Sections:
    """Section name prefixes of symbol-table entries (`exports`) and of ordinary data; `walks` are
    (prefix, symbol) of the sections that a loop from a linker's symbol on walks; what the loops
    from the symbols of `deferred` call is a deferred call of that kind, and what tells it apart.
    `offsets` are sections of functions that only assembler names."""

    exports: tuple[str, ...]
    data: tuple[str, ...]
    walks: tuple[tuple[str, str], ...] = ()
    deferred: tuple[tuple[str, str], ...] = ()
    offsets: tuple[OffsetSection, ...] = ()


def is_public(function: FunctionId) -> bool:
    """Whether a function can be called from outside its file, or is one of a public header: what a
    row that names no file may mean. A static twin of its name is another function."""
    scope = function.scope
    return not scope or (
        scope.endswith(".h") and (scope.startswith("include/") or "/include/" in scope))


@cache
def load_copy_functions() -> dict[str, CopyFunction]:
    """The functions that copy memory, by name."""
    return {
        _text(row, "name", "copies.toml"): CopyFunction(
            _number(row, "destination", "copies.toml"),
            _number(row, "source", "copies.toml")
        )
        for row in _rows("copies.toml", "copy")
    }


@cache
def load_list_registrations() -> dict[str, ListRegistration]:
    """The functions that hang functions on objects, by name."""
    name = "registries.toml"
    return {
        _text(row, "function", name): ListRegistration(
            _number(row, "object", name), _number(row, "value", name), _slot(row, "list", name),
            _slot(row, "element", name),
        )
        for row in _rows(name, "registry")
    }


@cache
def load_discriminated_unions() -> frozenset[str]:
    """The unions of which a member is only called as the one that it was written as."""
    return frozenset(_text(row, "record", "unions.toml") for row in _rows("unions.toml", "union"))


@cache
def load_loader_slots() -> dict[str, tuple[str, str]]:
    """The slots that a loader fills, by the name of the function that goes there."""
    name = "loaded.toml"
    return {_text(row, "function", name): _slot(row, "slot", name)
            for row in _rows(name, "loaded")}


@cache
def load_sections() -> Sections:
    """What the sections say that objects are put into."""
    prefixes: dict[str, list[str]] = {"export": [], "data": []}
    for row in _rows("sections.toml", "section"):
        use = _text(row, "use", "sections.toml")
        if use not in prefixes:
            raise ConfigurationError(f'sections.toml: use = "{use}" is unknown',
                                     'say "export" or "data"')
        prefixes[use].append(_text(row, "prefix", "sections.toml"))
    walks = tuple(
        (_text(row, "prefix", "sections.toml"), _text(row, "start", "sections.toml"))
        for row in _rows("sections.toml", "walk")
    )
    deferred = tuple(
        (_text(row, "start", "sections.toml"), _text(row, "deferred", "sections.toml"))
        for row in _rows("sections.toml", "walk") if "deferred" in row
    )
    offsets = tuple(
        OffsetSection(_text(row, "reader", "sections.toml"), _text(row, "file", "sections.toml"),
                frozenset(row["functions"]))
        for row in _rows("sections.toml", "offsets")
    )
    return Sections(
        tuple(prefixes["export"]), tuple(prefixes["data"]), walks, deferred, offsets)


@cache
def collect_declared_words() -> frozenset[str]:
    """Every name in the data files, whatever is said of it: for who must not touch what any rule
    declares, rules to come included."""
    words: set[str] = set()
    for file in resources.files("kgraph.resolve.models").iterdir():
        if file.name.endswith(".toml"):
            words |= _words(tomllib.loads(file.read_text("utf-8")))
    return frozenset(words)


def _words(value: object) -> set[str]:
    if isinstance(value, dict):
        return set().union(*(_words(v) for key, v in value.items() if key != "reason"))
    if isinstance(value, list):
        return set().union(*map(_words, value))
    return set(re.findall(r"\w+", value)) if isinstance(value, str) else set()


def _rows(name: str, table: str) -> list[dict[str, Any]]:
    text = resources.files("kgraph.resolve.models").joinpath(name).read_text("utf-8")
    rows: list[dict[str, Any]] = tomllib.loads(text)[table]
    for row in rows:
        _text(row, "reason", name)
    return rows


def _text(row: dict[str, Any], key: str, name: str) -> str:
    value = row.get(key)
    if not isinstance(value, str) or not value:
        raise ConfigurationError(f"{name}: a row has no {key}", f'give it {key} = "..."')
    return value


def _slot(row: dict[str, Any], key: str, name: str) -> tuple[str, str]:
    record, dot, field = _text(row, key, name).rpartition(".")
    if not dot or not record or not field:
        raise ConfigurationError(f"{name}: {key} is no slot", 'write it as "record.field"')
    return record, field


def _number(row: dict[str, Any], key: str, name: str) -> int:
    value = row.get(key)
    if not isinstance(value, int) or value < 0:
        raise ConfigurationError(f"{name}: a row has no {key}",
                                 f"give it {key} = an argument's number, from 0")
    return value
