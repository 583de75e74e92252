"""The rules of deferred calls: the rows of models/deferred.toml and of the user's own files.

Reads and checks them. Errors name the file and the line.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from importlib import resources
from pathlib import Path
from typing import Any

from kgraph.errors import ConfigurationError
from kgraph.model.ids import FunctionId
from kgraph.resolve.models.declared import Field, is_public
from kgraph.toml import TomlReader, parse_toml, read_toml_text

_LIBRARY = "libc.toml"  # its rows are for functions that nothing of a tree defines


class Action(StrEnum):
    """What the function of a rule does with a callback."""

    REGISTER = "register"  # keeps it under a key
    RUN = "run"  # requests what is kept under a key
    CALL = "call"  # both at once


@dataclass(frozen=True, slots=True)
class KeyPart:
    """A part of a key: what a field of the key's argument holds.

    `bits`: the field is a bit set, and each number in it is a key.
    """

    field: Field
    bits: bool = False


@dataclass(frozen=True, slots=True)
class DeferralRule:
    """A function that registers or runs callbacks of a kind.

    `key` and `callback` are argument numbers, from 0. With `field` the callback is that field of
    what its argument points to; with `parts` the key is these fields of what its argument points
    to. `file` is where the function is defined; "" for one that other files can call. `is_library`:
    nothing of the tree defines the function.
    """

    kind: str
    function: str
    action: Action
    key: tuple[int, ...] = ()
    callback: int | None = None
    field: Field | None = None
    parts: tuple[KeyPart, ...] = ()
    file: str = ""
    is_library: bool = False

    def applies_to(self, function: FunctionId, defined: str) -> bool:
        """Whether the rule is about this function of its name.

        `defined` is the file that defines it, "" if none does. A static function of another .c file
        is another function.
        """
        if self.file:
            return self.file == (function.scope.partition("@")[0] or defined)
        return is_public(function) and not (self.is_library and defined)


@dataclass(frozen=True, slots=True)
class DeferralRules:
    """All rules.

    `functions` register and run. `slots`, with their kind, hold a callback: an assignment registers
    it under the place of the record that has the slot. `carriers` are fields that only wrap such a
    record. Calls through `stored` slots, with their kind, run what was stored before.
    """

    functions: tuple[DeferralRule, ...] = ()
    slots: tuple[tuple[Field, str], ...] = ()
    carriers: frozenset[Field] = frozenset()
    stored: tuple[tuple[Field, str], ...] = ()


_KEYS = {
    "register": (
        {"kind", "function", "key", "callback", "reason"}, {"field", "key_fields", "file"}),
    "run": ({"kind", "function", "key", "reason"}, {"file"}),
    "call": ({"kind", "function", "callback", "reason"}, {"key", "file"}),
    "slot": ({"kind", "slot", "reason"}, set()),
    "carrier": ({"slot", "reason"}, set()),
    "stored": ({"kind", "slot", "reason"}, set()),
}
"""For each table the keys that a row must have, and those that it may have."""


def load_deferral_rules(files: Iterable[Path] = ()) -> DeferralRules:
    """The rows that come with kgraph, and those of `files` after them.

    Raises ConfigurationError, naming FILE:LINE, where a file cannot be read or understood.
    """
    own = resources.files("kgraph.resolve.models")
    texts = [("deferred.toml", own.joinpath("deferred.toml").read_text("utf-8"))]
    library = _parse_rules(_LIBRARY, own.joinpath(_LIBRARY).read_text("utf-8"))
    for file in files:
        hint = "--deferred takes a TOML file of deferred calls"
        texts.append((str(file), read_toml_text(file, ConfigurationError, hint)))
    of_library = tuple(replace(rule, is_library=True) for rule in library.functions)
    return _merge_rules([*(_parse_rules(name, text) for name, text in texts),
                         replace(library, functions=of_library)])


def _merge_rules(parts: list[DeferralRules]) -> DeferralRules:
    return DeferralRules(
        tuple(dict.fromkeys(row for part in parts for row in part.functions)),
        tuple(dict.fromkeys(slot for part in parts for slot in part.slots)),
        frozenset(field for part in parts for field in part.carriers),
        tuple(dict.fromkeys(slot for part in parts for slot in part.stored)),
    )


def _parse_rules(name: str, text: str) -> DeferralRules:
    tables = parse_toml(name, text, ConfigurationError)
    source = TomlReader(name, text, ConfigurationError)
    functions: list[DeferralRule] = []
    slots: dict[str, list[tuple[Field, str]]] = {"slot": [], "stored": []}
    carriers: set[Field] = set()
    for table, rows in tables.items():
        if table not in _KEYS or not isinstance(rows, list):
            raise source.make_error(table, f"no table is named {table}",
                               f"there are {', '.join(f'[[{known}]]' for known in _KEYS)}")
        for number, row in enumerate(rows):
            reader = _RowReader(row, table, f"{name}:{source.find_table_line(table, number)}")
            if table == "carrier":
                carriers.add(reader.slot("slot"))
            elif table in slots:
                slots[table].append((reader.slot("slot"), reader.word("kind")))
            else:
                functions += reader.functions(Action(table))
    return DeferralRules(tuple(functions), tuple(slots["slot"]), frozenset(carriers),
                tuple(slots["stored"]))


class _RowReader:
    """Reads one row of a table. Errors name the line where the row starts."""

    def __init__(self, row: object, table: str, where: str) -> None:
        self._where = where
        if not isinstance(row, dict):
            raise self._make_error(f"[[{table}]] must be a table", "write one key = value per line")
        self._row: dict[str, Any] = row
        needed, possible = _KEYS[table]
        for key in sorted(needed - row.keys()):
            raise self._make_error(f"[[{table}]] has no {key}", f"give it {key} = ...")
        for key in sorted(row.keys() - needed - possible):
            raise self._make_error(f"[[{table}]] takes no {key}",
                              f"it takes {', '.join(sorted(needed | possible))}")
        self.word("reason")

    def functions(self, action: Action) -> list[DeferralRule]:
        """The row, once for each name of its field."""
        key = self._arguments("key")
        parts = self._parts()
        if parts and len(key) != 1:
            raise self._make_error(
                "key_fields need a key that is one argument", "give one number as key")
        file = self.word("file") if "file" in self._row else ""
        callback = self._argument("callback")
        fields: list[Field | None] = [*self._fields("field")] or [None]
        return [
            DeferralRule(
                self.word("kind"), self.word("function"), action, key, callback, field, parts, file
            )
            for field in fields
        ]

    def _parts(self) -> tuple[KeyPart, ...]:
        """The fields that make a key."""
        return tuple(
            KeyPart(self._field(name.removeprefix("bits "), "key_fields"), name.startswith("bits "))
            for name in self._names("key_fields"))

    def _fields(self, key: str) -> list[Field]:
        return [self._field(name, key) for name in self._names(key)]

    def _names(self, key: str) -> list[str]:
        """A text or a list of texts; empty if the key is missing."""
        value = self._row.get(key, [])
        names = value if isinstance(value, list) else [value]
        if not all(isinstance(name, str) for name in names) or (key in self._row and not names):
            raise self._make_error(
                f"{key} must be a slot", 'write "record.field", or a list of these')
        return names

    def _arguments(self, key: str) -> tuple[int, ...]:
        """An argument number or a list of these; empty if the key is missing."""
        value = self._row.get(key, [])
        numbers = value if isinstance(value, list) else [value]
        if (key in self._row and not numbers) or any(
                type(number) is not int or number < 0 for number in numbers):
            raise self._make_error(f"{key} must be an argument", "write its number, from 0")
        return tuple(numbers)

    def word(self, key: str) -> str:
        """The text of a key."""
        value = self._row[key]
        if not isinstance(value, str) or not value:
            raise self._make_error(f"{key} must be a text", f'write {key} = "..."')
        return value

    def slot(self, key: str) -> Field:
        """The slot of a key."""
        return self._field(self.word(key), key)

    def _field(self, text: str, key: str) -> Field:
        record, _, field = text.rpartition(".")  # the record may be a part of another one
        if not record or not field:
            raise self._make_error(f"{key} must be a slot", 'write "record.field"')
        return record, field

    def _argument(self, key: str) -> int | None:
        value = self._row.get(key)
        if value is not None and (type(value) is not int or value < 0):
            raise self._make_error(f"{key} must be an argument", "write its number, from 0")
        return value

    def _make_error(self, message: str, hint: str) -> ConfigurationError:
        return ConfigurationError(f"{self._where}: {message}", hint)
