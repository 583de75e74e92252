"""Take facts from the indexes of other trees and configurations.

An index records how each unit was compiled, which files it read and their checksums. That is
enough to tell whether a unit of another tree or configuration would give the same facts; if so
they are copied instead of parsed. The test is the one for the previous index
(unit_invalidation). A lent unit is a copy: the donor may be deleted later.
"""

from dataclasses import replace
from pathlib import Path

from kgraph.errors import StoreError
from kgraph.indexing.unit_invalidation import Loan, ReusePlan, UnitValidator, digest_command
from kgraph.model.units import TranslationUnit
from kgraph.store import list_indexes
from kgraph.store.connection import report_damage
from kgraph.store.previous_index import PreviousIndex, UnitName, read_unit_commands

_MAX_DONORS = 3  # the first lends most, and opening each takes time
_WantedUnits = dict[UnitName, tuple[TranslationUnit, bytes]]  # with the digest of the command


def add_loans(plan: ReusePlan, target: Path) -> ReusePlan:
    """Take units that the plan would read from other indexes of the cache, where they have them.

    `target` is the index to be written, which lends nothing.
    """
    wanted = {(unit.path, unit.object): (unit, command) for unit in plan.units_to_read
              if (command := digest_command(unit, plan.sources))}
    loans = []
    for path in _find_donors(wanted, plan, target):
        loan = _find_loan(path, wanted, plan)
        if loan is not None:
            loans.append(loan)
            for unit in loan.units:
                del wanted[unit.path, unit.object]
        if not wanted:
            break
    if not loans:
        return plan
    lent = set().union(*(loan.units for loan in loans))
    to_read = tuple(unit for unit in plan.units_to_read if unit not in lent)
    return replace(plan, units_to_read=to_read, loans=tuple(loans), is_complete=False)


def _find_donors(wanted: _WantedUnits, plan: ReusePlan, target: Path) -> list[Path]:
    """The indexes that compile some of the units in the same way, the most promising first: those
    of the same tree, then those with the most units."""
    if not wanted:
        return []
    found = []
    for path, about in list_indexes():
        if path != target and not about.bundled:
            commands = read_unit_commands(path, plan.fingerprint.facts_version)
            alike = sum(wanted[name][1] == command for name, command in commands.items()
                        if name in wanted)
            if alike:
                found.append((about.tree != str(plan.sources.root), -alike, path))
    return [path for _, _, path in sorted(found)[:_MAX_DONORS]]


def _find_loan(path: Path, wanted: _WantedUnits, plan: ReusePlan) -> Loan | None:
    """What the index at `path` can lend; None if that is nothing."""
    try:
        with report_damage(path):
            return _find_loan_in(PreviousIndex(path), wanted, plan)
    except StoreError:  # damaged, or removed just now
        return None


def _find_loan_in(
    donor: PreviousIndex, wanted: _WantedUnits, plan: ReusePlan
) -> Loan | None:
    if donor.meta["facts meaning"] != plan.fingerprint.facts_version:
        return None
    validator = UnitValidator(donor, plan.states, plan.fingerprint, plan.sources)
    units = {}
    for name, (unit, command) in wanted.items():
        row = donor.units.get(name)
        # Clang's messages name files by where they lie, so a unit with errors is read here.
        if row is not None and row.command == command and not (row.errors or row.failed) and (
                validator.is_valid(row)):
            units[unit] = row, command
    return Loan(donor, units) if units else None
