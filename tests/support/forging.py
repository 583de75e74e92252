"""Indexes that somebody altered and sealed again, at random: what stands in them is of any type,
names nothing, or is missing."""

import json
import shutil
import sqlite3
import zlib
from array import array
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from random import Random

from kgraph.store.checksum import write_checksum
from kgraph.store.codec import compress_facts, decompress_facts
from kgraph.store.previous_index import digest_facts

ODD = [
    None, -1, 0, 1, 2**31, 2**32, 2**62, 1.5, float("inf"), "", "\0", "x", "[]", "[[]]", "{}",
    "null", "nan", '["\\ud800"]', "[" * 50_000, '[["call", 0, 1, 1, ""]]', '[[1, 2, 3, 4, "5"]]',
    "../../etc/passwd", b"", b"\0", b"x" * 12, b"\xff\xfe", "9" * 5000, zlib.compress(b"abc"),
    zlib.compress(b"\xff" * 400),
]
ODD_JSON = [None, True, -1, 10**30, 1.5, "", "\0", "\ud800", [], [[]], {}, {"a": 1}, "direct"]


def forged(index: Path, target: Path, random: Random) -> str:
    """Make `target` of an index, altered at one place; where that is."""
    while True:
        shutil.copyfile(index, target)
        with suppress(sqlite3.IntegrityError):
            what = random.choice(WAYS)(target, random)
            if what:
                write_checksum(target)
                return what


def _tables(connection: sqlite3.Connection) -> list[str]:
    return [row[0] for row in connection.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'")]


def _row(connection: sqlite3.Connection, table: str, random: Random) -> str:
    """The condition that one row of a table fulfils."""
    key = connection.execute(f"PRAGMA table_info({table})").fetchone()[1]
    values = [row[0] for row in connection.execute(f"SELECT quote({key}) FROM {table}")]
    return f"{key} = {random.choice(values)}" if values else ""


def _value(target: Path, random: Random) -> str:
    """Put something odd, or what stands elsewhere, into a column."""
    with closing(sqlite3.connect(target)) as connection:
        table = random.choice(_tables(connection))
        where = _row(connection, table, random)
        if not where:
            return ""
        columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
        column = random.choice(columns)
        value = random.choice(ODD)
        if random.random() < 0.2:
            value = connection.execute(
                f'SELECT "{random.choice(columns)}" FROM {table} WHERE '
                + _row(connection, table, random)).fetchone()[0]
    with _Unconstrained(target, table) as connection:
        connection.execute(f'UPDATE {table} SET "{column}" = ? WHERE {where}', (value,))
        connection.commit()
    return f"{table}.{column} = {value!r:.60} where {where:.60}"


class _Unconstrained:
    """A database in which a table takes NULL; its schema is as before when the block ends."""

    def __init__(self, target: Path, table: str) -> None:
        self._target, self._table = target, table

    def _schema(self, change: Callable[[str], str]) -> None:
        with closing(sqlite3.connect(self._target)) as connection:
            connection.execute("PRAGMA writable_schema = ON")
            sql, = connection.execute(
                "SELECT sql FROM sqlite_master WHERE name = ?", (self._table,)).fetchone()
            self._sql = sql
            connection.execute("UPDATE sqlite_master SET sql = ? WHERE name = ?",
                               (change(sql), self._table))
            connection.commit()

    def __enter__(self) -> sqlite3.Connection:
        self._schema(lambda sql: sql.replace(" NOT NULL", ""))
        self._before, self._connection = self._sql, sqlite3.connect(self._target)
        return self._connection

    def __exit__(self, *_: object) -> None:
        self._connection.close()
        self._schema(lambda _sql: self._before)


def _gone(target: Path, random: Random) -> str:
    """Remove a row or all rows."""
    with closing(sqlite3.connect(target)) as connection:
        table = random.choice(_tables(connection))
        where = _row(connection, table, random) if random.random() < 0.8 else "1"
        if not where:
            return ""
        connection.execute(f"DELETE FROM {table} WHERE {where}")
        connection.commit()
    return f"{table} without {where:.60}"


def _json(target: Path, random: Random) -> str:
    """Put something odd into a text that holds JSON."""
    table, key, column = random.choice([
        ("meta", "name", "value"), ("unit", "id", "errors"), ("function", "id", "parameters"),
        ("evidence", "id", "chain"), ("text", "id", "text")])
    with closing(sqlite3.connect(target)) as connection:
        rows = connection.execute(
            f"SELECT {key}, {column} FROM {table} WHERE substr({column}, 1, 1) IN ('[', '{{')")
        found = rows.fetchall()
        if not found:
            return ""
        name, text = random.choice(found)
        try:
            value = json.loads(text)
        except ValueError:
            return ""
        value = _altered(value, random, ODD_JSON)
        connection.execute(f"UPDATE {table} SET {column} = ? WHERE {key} = ?",
                           (json.dumps(value), name))
        connection.commit()
    return f"JSON in {table} {name}: {json.dumps(value):.100}"


def _altered(value, random: Random, odd: list):
    """The same with one part of it replaced, left out or repeated."""
    if not isinstance(value, (list, dict)) or not value or random.random() < 0.15:
        return random.choice(odd)
    value = dict(value) if isinstance(value, dict) else list(value)
    place = random.choice(list(value)) if isinstance(value, dict) else random.randrange(len(value))
    dice = random.random()
    if dice < 0.1:
        del value[place]
    elif dice < 0.15 and isinstance(value, list):
        value.append(value[place])
    else:
        value[place] = _altered(value[place], random, odd)
    return value


def _number(target: Path, random: Random) -> str:
    """Alter a number of an array, or how many there are, with a right checksum."""
    with closing(sqlite3.connect(target)) as connection:
        name, kind, data = random.choice(
            connection.execute("SELECT name, type, data FROM array").fetchall())
        numbers = array(kind)
        numbers.frombytes(data)
        dice = random.random()
        if dice < 0.15 or not numbers:
            data = data[:-1] if random.random() < 0.3 else numbers[:-1].tobytes()
            what = "shorter"
        elif dice < 0.25:
            numbers.append(numbers[-1])
            data, what = numbers.tobytes(), "longer"
        else:
            place = random.randrange(len(numbers))
            most = 2 ** (8 * numbers.itemsize - (kind == "i")) - 1
            numbers[place] = random.choice(
                [0, 1, most, max(0, numbers[place] - 1), min(most, numbers[place] + 1),
                 random.choice(numbers), len(numbers)]) & most
            data, what = numbers.tobytes(), f"[{place}] = {numbers[place]}"
        connection.execute("UPDATE array SET data = ?, crc = ? WHERE name = ?",
                           (data, zlib.crc32(data), name))
        connection.commit()
    return f"array {name} {what}"


def _fact(target: Path, random: Random) -> str:
    """Alter the facts of a definition, under their own key."""
    with closing(sqlite3.connect(target)) as connection:
        number, data = random.choice(
            connection.execute("SELECT id, facts FROM definition").fetchall())
        form = _altered(
            decompress_facts(data), random, [*ODD_JSON, 0, 1, 2, 3, 7, 1000, [0, 0, 0, 0]]
        )
        text = json.dumps(form, ensure_ascii=False).encode("utf-8", "surrogatepass")
        data = compress_facts(text)
        connection.execute("UPDATE definition SET key = ?, facts = ? WHERE id = ?",
                           (digest_facts(data), data, number))
        connection.commit()
    return f"facts {number}: {json.dumps(form):.100}"


WAYS = (_value, _value, _value, _gone, _json, _json, _number, _number, _fact, _fact)
