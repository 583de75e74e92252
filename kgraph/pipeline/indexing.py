"""Indexing: kernel tree -> translation units -> facts -> resolution -> index file."""

import contextlib
import gc
import json
import os
import resource
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from random import Random

from kgraph.errors import StoreError
from kgraph.kernel import KernelTree, UnitList, configuration_of, open_tree, translation_units
from kgraph.model.answers import Coverage, IndexDescription
from kgraph.model.units import TranslationUnit
from kgraph.pipeline.account import address_taken, coverage
from kgraph.pipeline.freshness import Freshness, command_digest, freshness
from kgraph.pipeline.locking import alone_in
from kgraph.pipeline.partial import doubted, missing
from kgraph.pipeline.pool import USUAL, Limits
from kgraph.pipeline.precompiling import forget_precompiled, make_headers, precompiled_folder
from kgraph.pipeline.workers import Place, extract_units
from kgraph.resolve import Rows, deferral_rows, resolve
from kgraph.store import cache_folder, index_path, new_database, write_description
from kgraph.store.database import NO_ROOM, remove_unfinished
from kgraph.store.decoding import Decoder
from kgraph.store.facts import CitedFiles, FactsWriter
from kgraph.store.former import FormerIndex
from kgraph.store.moved import Moves, carry_over
from kgraph.store.rows import ResolutionWriter

Progress = Callable[[int, int, str], None]  # units done, units, what is being done


@dataclass(frozen=True, slots=True)
class IndexRequest:
    """What to index. `config`, `defconfig`, `compile_commands` choose the build configuration,
    `only` the units; `deferred` are the user's own files of deferred calls; `index` the file, None
    for its place in the cache; `precompiled` says whether precompiled headers may be used, which
    changes the time it takes and nothing else; `again` reads every unit again; `limits` are what
    reading one unit may take.
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


@dataclass(frozen=True, slots=True)
class IndexSummary:
    """What was indexed: seconds of wall and CPU time (workers included), peak memory in bytes of
    this process and of the largest worker, how many units were read and how many kept from the
    former index, failed units as (path, reason).
    """

    index: Path
    description: IndexDescription
    coverage: Coverage
    wall: float
    cpu: float
    peak: int
    worker_peak: int
    read: int
    kept: int
    failed: tuple[tuple[str, str], ...]
    erroneous: tuple[tuple[str, str], ...]


def index_tree(
    request: IndexRequest,
    *,
    progress: Progress = lambda _done, _all, _what: None,
    remark: Callable[[str], None] = lambda _text: None,
    seed: int = 0,
) -> IndexSummary:
    """Index a tree and put the index in its place.

    Units are taken in an order that `seed` chooses, so that no result can depend on one. Raises
    KgraphError; whatever is raised, KeyboardInterrupt too, an earlier index stays as it was.
    """
    wall, cpu = time.monotonic(), _cpu_seconds()
    rows = deferral_rows(request.deferred)  # before the work: what is wrong there is said at once
    tree, target, work = _places(request)
    with _without_collector(), _full_disk_reported(work), alone_in(work, remark):
        remove_unfinished(target.parent)
        forget_precompiled(work)
        units = _units(request, tree, work, remark)
        started = time.time_ns()  # what is written from here on may not be what is read
        description = IndexDescription(
            tree=str(tree.root), release=units.release, config=str(units.configuration),
            build=str(units.build or ""), only=request.only, built=started / 1e9,
            bundled=request.bundled,
        )
        given = [path.read_bytes() for path in request.deferred]
        fresh = freshness(target, units.units, tree.root, units.build, started, given)
        if request.again:
            fresh = replace(fresh, read=units.units, kept=(), complete=False)
        if fresh.complete and _alike(fresh, description):
            account = _confirm(target, fresh, description)
        else:
            account, fresh = _write(
                _Run(request, target, tree.root, work, seed, progress, remark, rows), units,
                description, fresh)
        bad = FormerIndex(target).units
    return IndexSummary(
        index=target, description=description, coverage=account, wall=time.monotonic() - wall,
        cpu=_cpu_seconds() - cpu, peak=_peak(resource.RUSAGE_SELF),
        worker_peak=_peak(resource.RUSAGE_CHILDREN), read=len(fresh.read), kept=len(fresh.kept),
        failed=tuple((path, unit.failed) for (path, _), unit in sorted(bad.items())
                     if unit.failed),
        erroneous=tuple((path, ": ".join(filter(None, unit.errors[0])))
                        for (path, _), unit in sorted(bad.items())
                        if unit.errors and not unit.failed),
    )


@contextlib.contextmanager
def _without_collector() -> Iterator[None]:
    """Facts are many small objects without cycles."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


@contextlib.contextmanager
def _full_disk_reported(work: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in NO_ROOM:
            raise StoreError(
                f"cannot write to the cache folder {work} ({error.strerror})",
                "make room there, or name another one with XDG_CACHE_HOME",
            ) from None
        raise


@dataclass(frozen=True, slots=True)
class _Run:
    """One run that writes an index."""

    request: IndexRequest
    target: Path
    root: Path
    work: Path
    seed: int
    progress: Progress
    remark: Callable[[str], None]
    rows: Rows


def _alike(fresh: Freshness, description: IndexDescription) -> bool:
    """Whether the former index is of what is asked for."""
    return fresh.former is not None and description == replace(
        fresh.former.description, built=description.built)


def _confirm(target: Path, fresh: Freshness, description: IndexDescription) -> Coverage:
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


def _write(
    run: _Run, units: UnitList, description: IndexDescription, fresh: Freshness,
) -> tuple[Coverage, Freshness]:
    """Write the index; its account and what was read and kept."""
    with new_database(run.target) as connection:
        files = CitedFiles(run.root, units.build)
        writer = FactsWriter(connection, files)
        if fresh.former is not None and fresh.kept:
            try:
                writer.keep(fresh.former, fresh.kept)
            except StoreError:  # damaged: nothing of it is used
                fresh = replace(fresh, read=units.units, kept=())
        _extract(run, fresh.read, Place(run.root, units.build), writer)
        writer.finish()
        run.progress(0, 0, "resolving")
        counts = (writer.units, writer.errors, writer.failed)
        why = missing(run.request.only, writer.failed, writer.errors)
        account = _moved(
            connection, files, run.target, fresh, description, counts, writer.read_keys())
        if account is None:
            account = _resolve(connection, files, counts, why, run.rows)
        write_description(connection, description)
        _write_setting(connection, fresh)
        connection.executemany("INSERT INTO file VALUES (?, ?, ?, ?, ?)", files.rows)
    return account, fresh


def _places(request: IndexRequest) -> tuple[KernelTree, Path, Path]:
    """The tree, the index to write, and the folder of the cache for what is generated."""
    tree = open_tree(request.tree, compile_commands=request.compile_commands)
    configuration = configuration_of(
        tree, config=request.config, defconfig=request.defconfig,
        compile_commands=request.compile_commands,
    )
    place = index_path(tree.root, str(configuration))
    target = (request.index or place).absolute()
    if target.is_dir():
        raise StoreError(f"{target} is a folder", "give --index the name of a file")
    return tree, target, cache_folder() / "build" / place.stem


def _units(
    request: IndexRequest, tree: KernelTree, work: Path, remark: Callable[[str], None]
) -> UnitList:
    return translation_units(
        tree, config=request.config, defconfig=request.defconfig,
        compile_commands=request.compile_commands, prepare=request.prepare, only=request.only,
        work=work, jobs=max(1, request.jobs), remark=remark,
    )


def _moved(
    connection: sqlite3.Connection, files: CitedFiles, target: Path, fresh: Freshness,
    description: IndexDescription, counts: tuple[int, int, int], read: set[str],
) -> Coverage | None:
    """The former graph and its account, where the facts that were read (`read` are their keys)
    differ from those that they replace by their places only; else None, and nothing is written."""
    former = fresh.former
    if former is None or not fresh.kept or not fresh.same_graph or not _alike(fresh, description):
        return None
    account = former.coverage
    if counts != (account.units, account.errors, account.failed):
        return None
    new = dict(connection.execute("SELECT key, facts FROM definition"))
    old = former.keys()
    gone, come = old - new.keys(), new.keys() - old
    if len(gone) != len(come):
        return None
    decoder = Decoder()
    moves = Moves()
    try:
        replaced = former.definitions_named(gone)
    except StoreError:  # damaged: what is there is not carried over
        return None
    moves.compare(
        (decoder.decode(key, data) for key, data in replaced),
        (decoder.decode(key, new[key]) for key in come))
    moves.settle(decoder.decode(key, new[key]) for key in sorted(read & old))
    changed = [path for path in former.files if fresh.states.changed(path)]
    if moves.fits and carry_over(connection, target, moves, files, changed):
        return account
    return None


def _extract(
    run: _Run, units: Sequence[TranslationUnit], place: Place, writer: FactsWriter
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
            extract_units(shuffled, place, request.jobs, request.limits, run.remark)))  # type: ignore[type-var]
        for done, (unit, facts) in enumerate(results, start=1):
            writer.add_unit(facts, unit.image, command_digest(unit))
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
    account = coverage(definitions, resolution, taken, units)
    totals = json.dumps(asdict(account))
    connection.execute("INSERT INTO meta VALUES ('coverage', ?)", (totals,))
    return account


def _cpu_seconds() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def _peak(who: int) -> int:
    return resource.getrusage(who).ru_maxrss * 1024


__all__ = ["IndexRequest", "IndexSummary", "Progress", "index_tree"]
