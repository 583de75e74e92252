"""The declared tables: what the code cannot show is a row of a data file, with its reason.

Owns the reading and checking of kgraph/resolve/data/*.toml. A row that is not understood is an
error, never ignored.
"""

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from kgraph.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class CopyFunction:
    """`*arguments[destination] = *arguments[source]`, and what is returned (-1: nothing)."""

    destination: int
    source: int
    returns: int = -1


@dataclass(frozen=True, slots=True)
class Sections:
    """Section name prefixes of symbol-table entries (`exports`) and of ordinary data."""

    exports: tuple[str, ...]
    data: tuple[str, ...]


@cache
def copy_functions() -> dict[str, CopyFunction]:
    """The functions that copy memory, by name."""
    return {
        _text(row, "name", "copies.toml"): CopyFunction(
            _number(row, "destination"), _number(row, "source"), int(row.get("returns", -1))
        )
        for row in _rows("copies.toml", "copy")
    }


@cache
def sections() -> Sections:
    """What the sections say that objects are put into."""
    prefixes: dict[str, list[str]] = {"export": [], "data": []}
    for row in _rows("sections.toml", "section"):
        use = _text(row, "use", "sections.toml")
        if use not in prefixes:
            raise ConfigurationError(f'sections.toml: use = "{use}" is unknown',
                                     'say "export" or "data"')
        prefixes[use].append(_text(row, "prefix", "sections.toml"))
    return Sections(tuple(prefixes["export"]), tuple(prefixes["data"]))


def _rows(name: str, table: str) -> list[dict[str, Any]]:
    text = resources.files("kgraph.resolve").joinpath("data", name).read_text("utf-8")
    rows: list[dict[str, Any]] = tomllib.loads(text)[table]
    for row in rows:
        _text(row, "reason", name)
    return rows


def _text(row: dict[str, Any], key: str, name: str) -> str:
    value = row.get(key)
    if not isinstance(value, str) or not value:
        raise ConfigurationError(f"{name}: a row has no {key}", f'give it {key} = "..."')
    return value


def _number(row: dict[str, Any], key: str) -> int:
    value = row.get(key)
    if not isinstance(value, int) or value < 0:
        raise ConfigurationError(f"copies.toml: a row has no {key}",
                                 f"give it {key} = an argument's number, from 0")
    return value
