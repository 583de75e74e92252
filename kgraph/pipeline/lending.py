"""What the indexes of other trees and configurations lend to a new one.

An index holds, for each unit, how it was compiled, which files it read and what they contained. So
it tells whether a unit of another tree or configuration would be read with the same result: that
one's facts are taken, and nothing has to be parsed. It is judged as for an index made again
(freshness.py); nothing is stored for it, and an index that goes, takes nothing with it.
"""

import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from kgraph.errors import StoreError
from kgraph.model.units import TranslationUnit
from kgraph.pipeline.freshness import Freshness, Judge, Loan, command_digest
from kgraph.store import indexes
from kgraph.store.database import open_for_reading
from kgraph.store.former import FormerIndex
from kgraph.store.soundness import doubted

_MOST = 3  # indexes that are opened: the first lends most, and each takes its time
UnitName = tuple[str, str]


def with_loans(fresh: Freshness, target: Path, root: Path, build: Path | None) -> Freshness:
    """The same, with units that need not be read because another index of the cache folder than
    `target` lends them."""
    commands = {unit: command_digest(unit, root, build) for unit in fresh.read}
    wanted = {(unit.path, unit.object): (unit, command)
              for unit, command in commands.items() if command}
    loans = []
    for path in _donors(wanted, target, root, fresh.setting.facts_meaning):
        loan = _loan(path, wanted, fresh, root, build)
        if loan is not None:
            loans.append(loan)
            for unit in loan.units:
                del wanted[unit.path, unit.object]
        if not wanted:
            break
    if not loans:
        return fresh
    lent = set().union(*(loan.units for loan in loans))
    read = tuple(unit for unit in fresh.read if unit not in lent)
    return replace(fresh, read=read, loans=tuple(loans), complete=False)


def _loan(path: Path, wanted: Mapping[UnitName, tuple[TranslationUnit, bytes]], fresh: Freshness,
          root: Path, build: Path | None) -> Loan | None:
    try:
        with doubted(path):
            return _loan_of(FormerIndex(path), wanted, fresh, root, build)
    except StoreError:  # damaged, or removed just now
        return None


def _loan_of(donor: FormerIndex, wanted: Mapping[UnitName, tuple[TranslationUnit, bytes]],
             fresh: Freshness, root: Path, build: Path | None) -> Loan | None:
    if donor.meta["facts meaning"] != fresh.setting.facts_meaning:
        return None
    judge = Judge(donor, fresh.states, fresh.setting, root, build)
    units = {}
    for name, (unit, command) in wanted.items():
        row = donor.units.get(name)
        # What clang complains of names files where they lie: such a unit is read here.
        if row is not None and row.command == command and not (row.errors or row.failed) and (
                judge.holds(row)):
            units[unit] = row, command
    return Loan(donor, units) if units else None


def _donors(wanted: Mapping[UnitName, tuple[TranslationUnit, bytes]], target: Path, root: Path,
            meaning: str) -> list[Path]:
    """The indexes that compile units of those names in the same way, the most promising first: of
    the same tree, with the most units."""
    if not wanted:
        return []
    found = []
    for path, about in indexes():
        if path != target and not about.bundled:
            alike = sum(wanted[name][1] == command for name, command in _commands(path, meaning)
                        if name in wanted)
            if alike:
                found.append((about.tree != str(root), -alike, path))
    return [path for _, _, path in sorted(found)[:_MOST]]


def _commands(path: Path, meaning: str) -> Iterator[tuple[UnitName, bytes]]:
    """The units of an index and how they are compiled; nothing, where its facts mean something
    else."""
    try:
        connection = open_for_reading(path, whole=False)
    except StoreError:
        return
    try:
        row = connection.execute(
            "SELECT value FROM meta WHERE name = 'facts meaning'").fetchone()
        if row is not None and row[0] == meaning:
            for unit, object_, command in connection.execute(
                    "SELECT path, object, command FROM unit"):
                yield (unit, object_), command
    except sqlite3.DatabaseError:
        return
    finally:
        connection.close()
