"""Everything that an index says, without the date and without numbers that have no meaning."""

import json
import sqlite3
from pathlib import Path
from typing import Any

from kgraph.report.facts import iter_facts
from kgraph.store import IndexReader
from kgraph.store.arrays import ARRAYS, decode_forwarded


def everything(index: Path) -> dict[str, Any]:
    """The facts, the rows of all tables with the texts, paths and evidence that they name by
    number, and all arrays. What is numbered in the order of names keeps its numbers."""
    reader = IndexReader(index)
    texts = dict(reader.fetch_rows("SELECT id, text FROM text"))
    files = dict(reader.fetch_rows("SELECT id, path FROM file"))
    chains = {
        number: [[role, files[file], *rest] for role, file, *rest in json.loads(chain)]
        for number, chain in reader.fetch_rows("SELECT id, chain FROM evidence")}

    def table(name: str, **told: dict[Any, Any]) -> list[list[Any]]:
        columns = [row[1] for row in reader.fetch_rows(f"PRAGMA table_info({name})")]
        return [[told[column].get(value) if column in told else value
                 for column, value in zip(columns, row, strict=True)]
                for row in reader.fetch_rows(f"SELECT * FROM {name} ORDER BY id")]

    found: dict[str, Any] = {
        "function": table("function", file=files, signature=texts, macro=texts),
        "object": table("object", file=files),
        "site": table(
            "site",
            file=files,
            **dict.fromkeys(
                ("expression", "macro", "holder", "rule", "reason", "signature", "guards"), texts
            ),
            proof=chains,
        ),
        "binding": table("binding", file=files, holder=texts),
        "copied_table": table("copied_table", holder=texts, evidence=chains),
        "holder": sorted(reader.fetch_rows("SELECT name FROM holder")),
        "alias": sorted(reader.fetch_rows("SELECT name, member, slot FROM alias")),
        "request": sorted(
            row[1:] for row in table(
                "request", **dict.fromkeys(("kind", "reason", "requested"), texts))
        ),
        "deferred_callback": sorted(
            row[1:] for row in table("deferred_callback", kind=texts)
        ),
        "unit": reader.fetch_rows(
            "SELECT path, object, image, failed, errors FROM unit ORDER BY id"
        ),
        "coverage": reader.coverage,
        "facts": list(iter_facts(reader.iter_encoded_definitions())),
    }
    for name in ARRAYS:
        found[name] = reader.read_array(name)
    for name in ("folder", "bound_folder", "bound_record", "slot_record", "kin_record",
                 "kin_other"):
        found[name] = [texts.get(number) for number in found[name]]
    for name in ("handed_path", "through_path"):
        found[name] = [texts[number] for number in found[name]]
    found["handed_value"] = [
        value if own is None else texts[own] for value in found["handed_value"]
        for own in (decode_forwarded(value)[1],)]
    found["edge_evidence"] = [chains[number] for number in found["edge_evidence"]]
    reader.close()
    return found


def differences(one: Path, other: Path) -> list[str]:
    """What two indexes say differently: the parts, each with its first difference."""
    return contents_differences(everything(one), everything(other))


def contents_differences(left: dict[str, Any], right: dict[str, Any]) -> list[str]:
    """The same of what `everything` gave for two indexes."""
    told = []
    for part, mine in left.items():
        other = right[part]
        if mine != other:
            first = None
            if isinstance(mine, list):
                first = next(((n, a, b) for n, (a, b) in enumerate(
                    zip(mine, other, strict=False)) if a != b), (len(mine), len(other)))
            told.append(f"{part}: {first}")
    return told


def all_tables(index: Path) -> dict[str, list[tuple[object, ...]]]:
    """All tables of an index, without the time of its making."""
    connection = sqlite3.connect(f"file:{index}?mode=ro", uri=True)
    tables = [name for name, in connection.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table'")]
    found = {name: connection.execute(f"SELECT * FROM {name} ORDER BY 1").fetchall()
             for name in tables}
    connection.close()
    found["meta"] = [row for row in found["meta"] if row[0] != "description"]
    return found


def contents(path: Path) -> tuple[object, ...]:
    """All that an index says, without the date and the order in which facts came."""
    reader = IndexReader(path)
    tables = [
        reader.fetch_rows(f"SELECT * FROM {table} ORDER BY 1")
        for table in ("function", "site", "object", "evidence", "binding", "array", "text")
    ]
    units = reader.fetch_rows("SELECT path, object, image, failed, errors FROM unit ORDER BY id")
    files = dict(reader.fetch_rows("SELECT id, path FROM file"))
    facts = list(iter_facts(reader.iter_encoded_definitions()))
    reader.close()
    return facts, units, _with_paths(tables, files)


def _with_paths(tables: list[list[tuple[object, ...]]], files: dict[int, str]) -> object:
    functions, sites, *_ = tables
    return (
        [(*row[:4], files.get(row[4]), *row[5:10]) for row in functions],
        [(row[1], files[row[2]], *row[3:8], row[10]) for row in sites],
        {row[0]: row[2] for row in tables[5] if row[0] not in ("edge_evidence", "folder")},
    )
