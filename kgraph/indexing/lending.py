"""Take facts from the indexes of other trees and configurations.

An index records how each unit was compiled, which files it read and their checksums. That is
enough to tell whether a unit of another tree or configuration would give the same facts; if so
they are copied instead of parsed. The test is the one for the previous index
(unit_invalidation). A lent unit is a copy: the donor may be deleted later.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from kgraph.errors import StoreError
from kgraph.indexing.unit_invalidation import Loan, ReusePlan, UnitValidator, digest_command
from kgraph.model.units import TranslationUnit
from kgraph.store import list_indexes
from kgraph.store.connection import report_damage
from kgraph.store.previous_index import PreviousIndex, read_unit_commands

_MAX_DONORS = 3  # indexes that are opened: the first lends most, and each takes its time
UnitName = tuple[str, str]


def add_loans(fresh: ReusePlan, target: Path, root: Path, build: Path | None) -> ReusePlan:
    """The same, with units that need not be read because another index of the cache folder than
    `target` lends them."""
    commands = {unit: digest_command(unit, root, build) for unit in fresh.units_to_read}
    wanted = {(unit.path, unit.object): (unit, command)
              for unit, command in commands.items() if command}
    loans = []
    for path in _find_donors(wanted, target, root, fresh.fingerprint.facts_version):
        loan = _find_loan(path, wanted, fresh, root, build)
        if loan is not None:
            loans.append(loan)
            for unit in loan.units:
                del wanted[unit.path, unit.object]
        if not wanted:
            break
    if not loans:
        return fresh
    lent = set().union(*(loan.units for loan in loans))
    read = tuple(unit for unit in fresh.units_to_read if unit not in lent)
    return replace(fresh, units_to_read=read, loans=tuple(loans), is_complete=False)


def _find_loan(
    path: Path,
    wanted: Mapping[UnitName, tuple[TranslationUnit, bytes]],
    fresh: ReusePlan,
    root: Path,
    build: Path | None,
) -> Loan | None:
    try:
        with report_damage(path):
            return _find_loan_in(PreviousIndex(path), wanted, fresh, root, build)
    except StoreError:  # damaged, or removed just now
        return None


def _find_loan_in(donor: PreviousIndex, wanted: Mapping[UnitName, tuple[TranslationUnit, bytes]],
             fresh: ReusePlan, root: Path, build: Path | None) -> Loan | None:
    if donor.meta["facts meaning"] != fresh.fingerprint.facts_version:
        return None
    judge = UnitValidator(donor, fresh.states, fresh.fingerprint, root, build)
    units = {}
    for name, (unit, command) in wanted.items():
        row = donor.units.get(name)
        # What clang complains of names files where they lie: such a unit is read here.
        if row is not None and row.command == command and not (row.errors or row.failed) and (
                judge.is_valid(row)):
            units[unit] = row, command
    return Loan(donor, units) if units else None


def _find_donors(wanted: Mapping[UnitName, tuple[TranslationUnit, bytes]], target: Path, root: Path,
            meaning: str) -> list[Path]:
    """The indexes that compile units of those names in the same way, the most promising first: of
    the same tree, with the most units."""
    if not wanted:
        return []
    found = []
    for path, about in list_indexes():
        if path != target and not about.bundled:
            alike = sum(
                wanted[name][1] == command
                for name, command in read_unit_commands(path, meaning).items()
                if name in wanted
            )
            if alike:
                found.append((about.tree != str(root), -alike, path))
    return [path for _, _, path in sorted(found)[:_MAX_DONORS]]
