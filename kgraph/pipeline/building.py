"""Writing an index: facts of units that are read or kept, and the graph that is made of them.

Owns what goes into the file, in which order, and what of a former index is carried over. Must not
know how units are found.
"""

import contextlib
import json
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from random import Random

from kgraph.errors import StoreError
from kgraph.kernel import UnitList
from kgraph.model.answers import Coverage, IndexDescription
from kgraph.model.units import TranslationUnit
from kgraph.pipeline.account import address_taken, coverage
from kgraph.pipeline.carrying import carried
from kgraph.pipeline.freshness import Freshness, command_digest
from kgraph.pipeline.partial import doubted, missing
from kgraph.pipeline.pool import USUAL, Limits
from kgraph.pipeline.precompiling import make_headers, precompiled_folder
from kgraph.pipeline.workers import Place, ReadUnits, extract_units
from kgraph.resolve import Rows, resolve
from kgraph.store import new_database, write_description
from kgraph.store.decoding import Decoder
from kgraph.store.facts import CitedFiles, FactsWriter
from kgraph.store.names import write_names
from kgraph.store.rows import ResolutionWriter

Progress = Callable[[int, int, str], None]  # units done, units, what is being done


@dataclass(frozen=True, slots=True)
class IndexRequest:
    """What to index. `config`, `defconfig`, `compile_commands` choose the build configuration,
    `only` the units; `deferred` are the user's own files of deferred calls; `index` the file, None
    for its place in the cache; `precompiled` says whether precompiled headers may be used, which
    changes the time it takes and nothing else; `again` reads every unit again; `limits` are what
    reading one unit may take; `scheduler` is the address of a cluster that reads the units, "" for
    this machine.
    """

    tree: Path
    config: Path | None = None
    defconfig: str | None = None
    compile_commands: Path | None = None
    prepare: bool = False
    only: tuple[str, ...] = ()
    deferred: tuple[Path, ...] = ()
    jobs: int = 1
    index: Path | None = None
    bundled: bool = False
    precompiled: bool = True
    again: bool = False
    limits: Limits = USUAL
    scheduler: str = ""


@dataclass(frozen=True, slots=True)
class Run:
    """One run that writes an index."""

    request: IndexRequest
    target: Path
    root: Path
    work: Path
    seed: int
    progress: Progress
    remark: Callable[[str], None]
    rows: Rows
    read: ReadUnits


def is_alike(fresh: Freshness, description: IndexDescription) -> bool:
    """Whether the former index is of what is asked for."""
    return fresh.former is not None and description == replace(
        fresh.former.description, built=description.built)


def confirm_index(target: Path, fresh: Freshness, description: IndexDescription) -> Coverage:
    """Leave the index as it is, but for the times of files that were written as they were; its
    account."""
    if fresh.former is None:
        raise AssertionError("an index is complete by what a former one holds")
    if fresh.touched:
        with new_database(target, copied=True) as connection:
            write_description(connection, description)
            _write_setting(connection, fresh)
    return fresh.former.coverage


def _write_setting(connection: sqlite3.Connection, fresh: Freshness) -> None:
    """Store what the next run compares its own setting and files with."""
    connection.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", fresh.setting.rows())
    paths = connection.execute("SELECT id, path FROM unit_file").fetchall()
    connection.executemany(
        "UPDATE unit_file SET stat = ?, digest = ? WHERE id = ?",
        [(fresh.states.now(path).stat, fresh.states.now(path).digest, number)
         for number, path in paths])


def write_index(
    run: Run, units: UnitList, description: IndexDescription, fresh: Freshness,
) -> tuple[Coverage, Freshness]:
    """Write the index; its account and what was read and kept."""
    with new_database(run.target) as connection:
        files = CitedFiles(run.root, units.build)
        writer = FactsWriter(connection, files)
        if fresh.former is not None and fresh.kept:
            try:
                writer.keep(fresh.former, fresh.kept)
            except StoreError:  # damaged: nothing of it is used
                fresh = replace(fresh, read=units.units, kept=(), loans=())
        fresh = _borrow(fresh, writer)
        _extract(run, fresh.read, Place(run.root, units.build), writer)
        writer.finish()
        run.progress(0, 0, "resolving")
        counts = (writer.units, writer.errors, writer.failed)
        why = missing(run.request.only, writer.failed, writer.errors)
        account = _carried(run, connection, files, fresh, description, writer)
        if account is None:
            account = _resolve(connection, files, counts, why, run.rows)
        totals = json.dumps(asdict(account))
        connection.execute("INSERT INTO meta VALUES ('coverage', ?)", (totals,))
        write_description(connection, description)
        _write_setting(connection, fresh)
        connection.executemany("INSERT INTO file VALUES (?, ?, ?, ?, ?)", files.rows)
        write_names(connection, run.root, units.build)
    return account, fresh


def _carried(
    run: Run, connection: sqlite3.Connection, files: CitedFiles, fresh: Freshness,
    description: IndexDescription, writer: FactsWriter,
) -> Coverage | None:
    """The account of the former graph, carried over to the facts that were read; None where the
    facts have to be resolved anew."""
    former = fresh.former
    if former is None or not fresh.kept or not fresh.same_graph or not is_alike(fresh, description):
        return None
    account = former.coverage
    if (writer.units, writer.errors, writer.failed) != (
            account.units, account.errors, account.failed):
        return None
    found = carried(connection, files, fresh, run.rows, writer.read_keys())
    return None if isinstance(found, str) else found


def _borrow(fresh: Freshness, writer: FactsWriter) -> Freshness:
    """Add what other indexes lend; what of it cannot be had is to be read."""
    for loan in fresh.loans:
        try:
            writer.borrow(loan.donor, loan.units.values())
        except StoreError:  # damaged, or replaced by another run
            fresh = replace(fresh, read=(*fresh.read, *loan.units),
                            loans=tuple(other for other in fresh.loans if other is not loan))
    return fresh


def _extract(
    run: Run, units: Sequence[TranslationUnit], place: Place, writer: FactsWriter
) -> None:
    """Extract and add units."""
    request, progress = run.request, run.progress
    shuffled = list(units)
    Random(run.seed).shuffle(shuffled)  # noqa: S311  an order, no secret
    with contextlib.ExitStack() as stack:
        if request.precompiled:
            progress(0, len(shuffled), "precompiling headers")
            folder = stack.enter_context(precompiled_folder(run.work))
            made = make_headers(shuffled, place, folder, request.jobs, request.limits)
            place = replace(place, headers=tuple(header for header, _ in made))
            for _, definitions in made:
                writer.share(definitions)
        progress(0, len(shuffled), "reading")
        results = stack.enter_context(closing(
            extract_units(shuffled, place, run.read, run.remark)))  # type: ignore[type-var]
        for done, (unit, facts) in enumerate(results, start=1):
            writer.add_unit(facts, unit.image, command_digest(unit, place.root, place.build))
            progress(done, len(shuffled), unit.path)


def _resolve(
    connection: sqlite3.Connection, files: CitedFiles, units: tuple[int, int, int], why: str,
    rows: Rows,
) -> Coverage:
    """Resolve the facts of the index under construction and write the graph into it; the account,
    with `units` as in account.coverage."""
    decoder = Decoder()
    definitions = {
        key: decoder.decode(key, data)
        for key, data in connection.execute("SELECT key, facts FROM definition ORDER BY key")
    }
    resolution = doubted(resolve(definitions.values(), rows), why)
    taken = address_taken(definitions.values())
    ResolutionWriter(connection, files, taken).write(resolution, definitions)
    return coverage(definitions, resolution, taken, units)
