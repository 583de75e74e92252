"""Checks an index in which something went wrong. Goes."""

import contextlib
import json
import sqlite3
import zlib
from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import is_dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

from kgraph.errors import StoreError
from kgraph.model.facts import CallSite, Definition
from kgraph.model.resolution import EdgeKind, Role, SiteStatus
from kgraph.model.values import Constant, TransferKind
from kgraph.store.adjacency import build_hop_arrays
from kgraph.store.arrays import ARRAYS
from kgraph.store.codec import FactsDecoder, FactsEncoder, decompress_facts
from kgraph.store.previous_index import PreviousIndex, digest_facts
from kgraph.store.reader import IndexReader

_DENSE = ("file", "text", "function", "object", "site", "evidence")  # numbered from 0
_LARGEST = 2**32 - 1
_DIGEST = 12  # bytes; a file that was written while it was read has none
_GUARD, _EVIDENCE, _ERROR = 5, 5, 2  # the items of each
_META = ("description", "coverage", "facts meaning", "graph meaning", "files", "symbols")
# What code raises that is given what it does not expect.
MALFORMED = (ArithmeticError, AssertionError, AttributeError, LookupError, RecursionError,
             TypeError, ValueError, sqlite3.Error, zlib.error)
_HEAL = "run `kgraph index --again` on the tree, or remove the file"
_ENUMERATIONS = (("site", "status", SiteStatus), ("bound", "how", TransferKind))
# The least number of a field, where that is not 0.
_LEAST = {(Constant, "value"): -(2**64), (CallSite, "index"): -1}
# array -> what there is one of for each of its numbers, and what its numbers are
_NUMBERS = {
    "edge_callee": ("edge", "function"), "edge_kind": ("edge", "kind"),
    "edge_evidence": ("edge", "evidence"), "folder": ("function", "text"),
    "forward_site": ("forward", "site"),
    "forward_parameter": ("forward", ""), "forward_value": ("forward", "function"),
    "callback_site": ("callback", "site"), "callback_parameter": ("callback", ""),
    "footprint_mark": ("mark", ""), "footprint_weight": ("mark", ""),
}
_SIGNED = ("folder", "forward_value")  # below 0 they are no such number
_STARTS = {"site_start": ("function", "site"), "edge_start": ("site", "edge")}


class _Flaw(Exception):
    """What is wrong, as a message ends."""


@contextlib.contextmanager
def report_damage(path: Path) -> Iterator[None]:
    """Turns what goes wrong in the block into a StoreError where something is wrong with an index
    that is open in it; else it is left as it is."""
    try:
        yield
    except MALFORMED:
        what = flaw(path)
        if not what:
            raise
        raise StoreError(what, _HEAL) from None


def flaw(path: Path) -> str:
    """What is wrong with an index, "" where nothing is found."""
    try:
        with contextlib.closing(IndexReader(path)) as reader:
            _check(reader)
        _check_units(PreviousIndex(path))
    except StoreError as error:
        return error.message
    except _Flaw as found:
        return f"the index {path} is damaged ({found})"
    return ""


def _check(reader: IndexReader) -> None:
    _check_pages(reader)
    for table, in reader.fetch_rows("SELECT name FROM sqlite_master WHERE type = 'table'"):
        _check_columns(reader, table)
    _check_references(reader)
    _check_meta(reader)
    for table, column, values in _ENUMERATIONS:
        found = {row[0] for row in reader.fetch_rows(f"SELECT DISTINCT {column} FROM {table}")}  # noqa: S608
        _demand(found <= {each.value for each in values}, f"{table}.{column}")
    _check_places(reader)
    _check_texts(reader)
    _check_arrays(reader)
    _check_facts(reader)


def _demand(holds: bool, what: str) -> None:  # noqa: FBT001
    if not holds:
        raise _Flaw(what)


def _check_pages(reader: IndexReader) -> None:
    found = reader.fetch_rows("PRAGMA quick_check(1)")
    _demand(found == [("ok",)], str(found[0][0]) if found else "no pages")


def _check_columns(reader: IndexReader, table: str) -> None:
    """Types, as the schema declares them; the ranges of numbers; names and digests."""
    for _, name, kind, needed, _, key in reader.fetch_rows(f"PRAGMA table_info({table})"):
        column = f'"{name}"'
        wrong = f"typeof({column}) != '{kind.lower()}'"
        if not needed and not key:
            wrong = f"({column} IS NOT NULL AND {wrong})"
        if kind == "INTEGER":
            wrong += f" OR {column} NOT BETWEEN 0 AND {_LARGEST}"
        if kind == "TEXT" and (table, name) != ("text", "text"):
            wrong += f" OR instr({column}, char(0))"
        if name in ("digest", "command"):
            wrong += f" OR length({column}) NOT IN (0, {_DIGEST})"
        if (table, name) == ("file", "digest"):
            wrong += f" OR length({column}) = 0"
        found = reader.fetch_rows(f"SELECT 1 FROM {table} WHERE {wrong} LIMIT 1")  # noqa: S608
        _demand(not found, f"{table}.{name}")
    if table in _DENSE:
        count, first, last = reader.fetch_rows(f"SELECT count(*), min(id), max(id) FROM {table}")[0]  # noqa: S608
        _demand(not count or (first == 0 and last == count - 1), f"{table}.id")


def _check_references(reader: IndexReader) -> None:
    for table, _, parent, _ in reader.fetch_rows("PRAGMA foreign_key_check"):
        raise _Flaw(f"{table} names what {parent} has not")


def _check_meta(reader: IndexReader) -> None:
    meta = dict(reader.fetch_rows("SELECT name, value FROM meta"))
    for name in _META:
        _demand(name in meta, f"meta {name}")
    with _telling("symbols"):
        for header in json.loads(meta["symbols"]).values():
            _demand(_are(list(header.values()), str), "symbols")
    _ = reader.description, reader.coverage  # which are checked when they are read


def _check_places(reader: IndexReader) -> None:
    """A definition has all of a place, or nothing; places are in their files."""
    for table in ("function", "object"):
        parts = ["line", '"column"', "end_line", "end_column"]
        if table == "function":
            parts.append("signature")
        wrong = " OR ".join(f"(file IS NULL) != ({part} IS NULL)" for part in parts)
        found = reader.fetch_rows(f"SELECT 1 FROM {table} WHERE {wrong} LIMIT 1")  # noqa: S608
        _demand(not found, f"places of table {table}")
    # Where one of them ends may be in another file, as where one is included in its middle.
    for table in ("function", "object", "site", "bound"):
        found = reader.fetch_rows(
            f"SELECT 1 FROM {table} x JOIN file f ON f.id = x.file"  # noqa: S608
            " WHERE x.line NOT BETWEEN 1 AND f.lines LIMIT 1")
        _demand(not found, f"lines of table {table}")


def _check_texts(reader: IndexReader) -> None:
    """The texts that hold JSON."""
    lines = [row[0] for row in reader.fetch_rows("SELECT lines FROM file ORDER BY id")]
    roles = {role.value for role in Role}
    for number, text in reader.fetch_rows("SELECT id, parameters FROM function"):
        if text:
            _check_json(f"parameters of function {number}", text, _is_writable)
    for number, text in reader.fetch_rows("SELECT DISTINCT t.id, t.text FROM text t JOIN site"
                                    " ON guards = t.id WHERE t.text != ''"):
        _check_json(f"conditions in text {number}", text,
                    lambda row: _are(row, int) and len(row) == _GUARD and 1 <= row[0] <= row[2])
    for number, text in reader.fetch_rows("SELECT id, chain FROM evidence"):
        _check_json(f"evidence {number}", text, lambda row: (
            row[0] in roles and _are(row[1:4], int) and 0 <= row[1] < len(lines)
            and 1 <= row[2] <= lines[row[1]] and _are(row[4:], str) and len(row) == _EVIDENCE))
    for number, text in reader.fetch_rows("SELECT id, errors FROM unit"):
        _check_json(f"errors of unit {number}", text,
                    lambda row: _are(row, str) and len(row) == _ERROR)


def _check_json(what: str, text: str, fits: Callable[[Any], bool]) -> None:
    """A text is a list, and each of its items fits."""
    with _telling(what):
        items = json.loads(text)
        _demand(isinstance(items, list) and all(map(fits, items)), what)


def _are(items: Sequence[object], kind: type) -> bool:
    return all(type(item) is kind and (kind is int or _is_writable(item)) for item in items)


def _is_writable(text: object) -> bool:
    """Whether it can be written: some of what JSON calls a string is no text. Else ValueError."""
    return isinstance(text, str) and text.encode("utf-8", "surrogateescape") is not None


@contextlib.contextmanager
def _telling(what: str) -> Iterator[None]:
    """What cannot be read in the block is a flaw of `what`."""
    try:
        yield
    except MALFORMED:
        raise _Flaw(what) from None


def _check_arrays(reader: IndexReader) -> None:
    """That all arrays are there, are as long as others say, and name what is there."""
    arrays = {}
    for name in ARRAYS:
        with _telling(f"array {name}"):
            arrays[name] = reader.read_array(name)
    counts = {table: reader.fetch_rows(f"SELECT count(*) FROM {table}")[0][0]  # noqa: S608
              for table in ("function", "site", "evidence", "text")}
    counts |= {
        "edge": len(arrays["edge_callee"]), "kind": len(EdgeKind),
        "forward": len(arrays["forward_site"]), "callback": len(arrays["callback_site"]),
        "mark": len(arrays["footprint_mark"])}
    for name, (of, into) in _STARTS.items():
        start = arrays[name]
        _demand(len(start) == counts[of] + 1 and start[0] == 0 and start[-1] == counts[into]
                and all(a <= b for a, b in pairwise(start)), f"array {name}")
    for name, (of, what) in _NUMBERS.items():
        numbers = arrays[name]
        _demand(len(numbers) == counts[of] and (
            not what or not numbers or (max(numbers) < counts[what] and (
                name in _SIGNED or min(numbers) >= 0))), f"array {name}")
    callers = [row[0] for row in reader.fetch_rows("SELECT caller FROM site ORDER BY id")]
    _demand(callers == list(_owners(arrays["site_start"])), "callers of call sites")
    holders = [
        row[0] for row in reader.fetch_rows("SELECT ifnull(holder, -1) FROM site ORDER BY id")
    ]
    for name, numbers in build_hop_arrays(arrays, holders).items():
        _demand(numbers == arrays[name], f"array {name}")


def _owners(start: "array[int]") -> Iterator[int]:
    """The owner of each item, of owners whose items start where `start` says."""
    for owner, (first, last) in enumerate(pairwise(start)):
        for _ in range(first, last):
            yield owner


def _check_units(former: PreviousIndex) -> None:
    """That units name definitions and files that are there. StoreError for definitions."""
    former.read_definitions(former.units.values())
    numbers = set(former.file_ids.values())
    _demand(all(numbers.issuperset(unit.files) for unit in former.units.values()), "files of units")


def _check_facts(reader: IndexReader) -> None:
    lines = dict(reader.fetch_rows("SELECT path, lines FROM file"))
    decoder = FactsDecoder()
    for key, data in reader.iter_encoded_definitions():
        with _telling(f"facts {key}"):
            _demand(_is_sound(key, data, decoder, lines), f"facts {key}")


def _is_sound(key: str, data: bytes, decoder: FactsDecoder, lines: dict[str, int]) -> bool:
    """Whether facts are encoded as what they decode to, which tells numbers from texts and
    positions from others, are what the model says, and cite no line that a file has not."""
    form = decompress_facts(data)
    encoder = FactsEncoder()
    definition = decoder.decode(key, data)
    again = encoder.encode(definition)
    return (digest_facts(data) == key and _are(form[0], str) and _holds_numbers(form[1:])
            and decompress_facts(again) == form and _is_a(definition, Definition)
            and all(line <= lines.get(path, line) for path, line in encoder.last_lines.items()))


def _is_a(value: Any, kind: Any) -> bool:
    """Whether a value of the model, and all that it is made of, are of the declared types."""
    if is_dataclass(kind):
        return type(value) is kind and all(
            _is_a(part := getattr(value, name), each)
            and (type(part) is not int or part >= _LEAST.get((kind, name), 0))
            for name, each in _types(kind).items())  # type: ignore[arg-type]
    parts = get_args(kind)
    if get_origin(kind) is tuple:
        return isinstance(value, tuple) and all(_is_a(each, parts[0]) for each in value)
    return any(_is_a(value, each) for each in parts) if parts else isinstance(value, kind)


@cache
def _types(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind)


def _holds_numbers(rows: object) -> bool:
    """Whether lists in lists hold whole numbers only."""
    if isinstance(rows, list):
        return all(map(_holds_numbers, rows))
    return type(rows) is int
