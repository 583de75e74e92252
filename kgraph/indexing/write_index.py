"""Write an index: facts of units that are read, kept or lent, and the graph made of them.

Owns the order in which the file is written. Does not know how units are found.
"""

import contextlib
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

import msgspec

from kgraph.build import UnitList
from kgraph.errors import StoreError
from kgraph.indexing.coverage import compute_coverage, find_address_taken
from kgraph.indexing.incomplete import downgrade_empty_sites, explain_incompleteness
from kgraph.indexing.incremental import patch_previous_graph
from kgraph.indexing.unit_invalidation import ReusePlan, digest_command
from kgraph.indexing.workers.pool import DEFAULT_LIMITS, Limits
from kgraph.indexing.workers.precompiled_headers import open_precompiled_folder, precompile_headers
from kgraph.indexing.workers.unit_reading import ReadingContext, ReadUnits, extract_units
from kgraph.model.results import Coverage, IndexDescription
from kgraph.model.units import TranslationUnit
from kgraph.resolve import DeferralRules, resolve
from kgraph.store import Connection, create_index
from kgraph.store.codec import FactsDecoder
from kgraph.store.facts_writer import CitedFiles, FactsWriter
from kgraph.store.graph_writer import GraphWriter, write_name_tables
from kgraph.store.metadata import write_coverage, write_description, write_fingerprint
from kgraph.store.previous_index import write_file_states
from kgraph.store.reader import iter_encoded_definitions

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
    limits: Limits = DEFAULT_LIMITS
    scheduler: str = ""


@dataclass(frozen=True, slots=True)
class IndexRun:
    """One run that writes an index."""

    request: IndexRequest
    target: Path
    root: Path
    work: Path
    seed: int
    progress: Progress
    remark: Callable[[str], None]
    rows: DeferralRules
    read: ReadUnits


def is_index_of_same(fresh: ReusePlan, description: IndexDescription) -> bool:
    """Whether the former index is of what is asked for."""
    return fresh.previous is not None and description == msgspec.structs.replace(
        fresh.previous.description, built=description.built)


def confirm_index(target: Path, fresh: ReusePlan, description: IndexDescription) -> Coverage:
    """Leave the index as it is, but for the times of files that were written as they were; its
    account."""
    if fresh.previous is None:
        raise AssertionError("an index is complete by what a former one holds")
    if fresh.has_touched_files:
        with create_index(target, from_copy=True) as connection:
            write_description(connection, description)
            _write_fingerprint(connection, fresh)
    return fresh.previous.coverage


def _write_fingerprint(connection: Connection, fresh: ReusePlan) -> None:
    """Store what the next run compares its own setting and files with."""
    write_fingerprint(connection, fresh.fingerprint.to_meta_rows())
    write_file_states(connection, fresh.states)


def write_index(
    run: IndexRun, units: UnitList, description: IndexDescription, fresh: ReusePlan,
) -> tuple[Coverage, ReusePlan]:
    """Write the index; its account and what was read and kept."""
    with create_index(run.target) as connection:
        files = CitedFiles(run.root, units.build)
        writer = FactsWriter(connection, files)
        if fresh.previous is not None and fresh.kept_units:
            try:
                writer.keep_units(fresh.previous, fresh.kept_units)
            except StoreError:  # damaged: nothing of it is used
                fresh = replace(fresh, units_to_read=units.units, kept_units=(), loans=())
        fresh = _add_lent_units(fresh, writer)
        _read_units(run, fresh.units_to_read, ReadingContext(run.root, units.build), writer)
        writer.finish()
        run.progress(0, 0, "resolving")
        counts = (writer.units, writer.errors, writer.failed)
        why = explain_incompleteness(run.request.only, writer.failed, writer.errors)
        account = _patch_previous_graph(run, connection, files, fresh, description, writer)
        if account is None:
            account = _resolve_graph(connection, files, counts, why, run.rows)
        write_coverage(connection, account)
        write_description(connection, description)
        _write_fingerprint(connection, fresh)
        files.write_rows(connection)
        write_name_tables(connection, run.root, units.build)
    return account, fresh


def _patch_previous_graph(
    run: IndexRun, connection: Connection, files: CitedFiles, fresh: ReusePlan,
    description: IndexDescription, writer: FactsWriter,
) -> Coverage | None:
    """The account of the former graph, carried over to the facts that were read; None where the
    facts have to be resolved anew."""
    former = fresh.previous
    if (
        former is None
        or not fresh.kept_units
        or not fresh.has_same_graph_version
        or not is_index_of_same(fresh, description)
    ):
        return None
    account = former.coverage
    if (writer.units, writer.errors, writer.failed) != (
            account.units, account.errors, account.failed):
        return None
    found = patch_previous_graph(connection, files, fresh, run.rows, writer.find_added_keys())
    return None if isinstance(found, str) else found


def _add_lent_units(fresh: ReusePlan, writer: FactsWriter) -> ReusePlan:
    """Add what other indexes lend; what of it cannot be had is to be read."""
    for loan in fresh.loans:
        try:
            writer.borrow_units(loan.donor, loan.units.values())
        except StoreError:  # damaged, or replaced by another run
            fresh = replace(fresh, units_to_read=(*fresh.units_to_read, *loan.units),
                            loans=tuple(other for other in fresh.loans if other is not loan))
    return fresh


def _read_units(
    run: IndexRun, units: Sequence[TranslationUnit], place: ReadingContext, writer: FactsWriter
) -> None:
    """Extract and add units."""
    request, progress = run.request, run.progress
    shuffled = list(units)
    Random(run.seed).shuffle(shuffled)  # noqa: S311  an order, no secret
    with contextlib.ExitStack() as stack:
        if request.precompiled:
            progress(0, len(shuffled), "precompiling headers")
            folder = stack.enter_context(open_precompiled_folder(run.work))
            made = precompile_headers(shuffled, place, folder, request.jobs, request.limits)
            place = replace(place, headers=tuple(header for header, _ in made))
            for _, definitions in made:
                writer.share_definitions(definitions)
        progress(0, len(shuffled), "reading")
        results = stack.enter_context(closing(
            extract_units(shuffled, place, run.read, run.remark)))  # type: ignore[type-var]
        for done, (unit, facts) in enumerate(results, start=1):
            writer.add_unit(facts, unit.image, digest_command(unit, place.root, place.build))
            progress(done, len(shuffled), unit.path)


def _resolve_graph(
    connection: Connection, files: CitedFiles, units: tuple[int, int, int], why: str,
    rows: DeferralRules,
) -> Coverage:
    """Resolve the facts of the index under construction and write the graph into it; the account,
    with `units` as in account.coverage."""
    decoder = FactsDecoder()
    definitions = {
        key: decoder.decode(key, data)
        for key, data in iter_encoded_definitions(connection)
    }
    resolution = downgrade_empty_sites(resolve(definitions.values(), rows), why)
    taken = find_address_taken(definitions.values())
    GraphWriter(connection, files, taken).write(resolution, definitions)
    return compute_coverage(definitions, resolution, taken, units)
