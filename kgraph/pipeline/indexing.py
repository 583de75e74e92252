"""Indexing: kernel tree -> translation units -> facts -> resolution -> index file."""

import json
import os
import resource
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random

from kgraph.errors import StoreError
from kgraph.kernel import UnitList, configuration_of, open_tree, translation_units
from kgraph.model.answers import Coverage, IndexDescription
from kgraph.pipeline.account import address_taken, coverage
from kgraph.pipeline.partial import doubted, missing
from kgraph.pipeline.workers import extract_units
from kgraph.resolve import Rows, deferral_rows, resolve
from kgraph.store import cache_folder, index_path, new_database, write_description
from kgraph.store.decoding import Decoder
from kgraph.store.facts import CitedFiles, FactsWriter
from kgraph.store.rows import ResolutionWriter

Progress = Callable[[int, int, str], None]  # units done, units, what is being done


@dataclass(frozen=True, slots=True)
class IndexRequest:
    """What to index. `config`, `defconfig`, `compile_commands` choose the build configuration,
    `only` the units; `deferred` are the user's own files of deferred calls; `index` the file, None
    for its place in the cache.
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


@dataclass(frozen=True, slots=True)
class IndexSummary:
    """What was indexed: seconds of wall and CPU time (workers included), peak memory in bytes of
    this process and of the largest worker, failed units as (path, reason).
    """

    index: Path
    description: IndexDescription
    coverage: Coverage
    wall: float
    cpu: float
    peak: int
    worker_peak: int
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
    units, target = _units(request, remark)
    tree = open_tree(request.tree, compile_commands=request.compile_commands)
    description = IndexDescription(
        tree=str(tree.root), release=units.release, config=str(units.configuration),
        build=str(units.build or ""), only=request.only, built=time.time(),
        bundled=request.bundled,
    )
    with new_database(target) as connection:
        files = CitedFiles(tree.root, units.build)
        writer = FactsWriter(connection, files)
        bad = _extract(units, tree.root, request.jobs, seed, writer, progress)
        progress(0, 0, "resolving")
        counts = (writer.units, writer.errors, writer.failed)
        why = missing(request.only, writer.failed, writer.errors)
        account = _resolve(connection, files, counts, why, rows)
        write_description(connection, description)
        connection.executemany("INSERT INTO file VALUES (?, ?, ?, ?, ?)", files.rows)
    return IndexSummary(
        index=target, description=description, coverage=account, wall=time.monotonic() - wall,
        cpu=_cpu_seconds() - cpu, peak=_peak(resource.RUSAGE_SELF),
        worker_peak=_peak(resource.RUSAGE_CHILDREN), failed=tuple(bad[0]), erroneous=tuple(bad[1]),
    )


def _units(request: IndexRequest, remark: Callable[[str], None]) -> tuple[UnitList, Path]:
    tree = open_tree(request.tree, compile_commands=request.compile_commands)
    configuration = configuration_of(
        tree, config=request.config, defconfig=request.defconfig,
        compile_commands=request.compile_commands,
    )
    place = index_path(tree.root, str(configuration))
    units = translation_units(
        tree, config=request.config, defconfig=request.defconfig,
        compile_commands=request.compile_commands, prepare=request.prepare, only=request.only,
        work=cache_folder() / "build" / place.stem, jobs=max(1, request.jobs), remark=remark,
    )
    target = (request.index or place).absolute()
    if target.is_dir():
        raise StoreError(f"{target} is a folder", "give --index the name of a file")
    return units, target


def _extract(
    units: UnitList,
    root: Path,
    jobs: int,
    seed: int,
    writer: FactsWriter,
    progress: Progress,
) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Extract and add all units; the failed ones with their reasons, the ones with errors."""
    shuffled = list(units.units)
    Random(seed).shuffle(shuffled)  # noqa: S311  an order, no secret
    failed: list[tuple[str, str]] = []
    erroneous: list[tuple[str, str]] = []
    progress(0, len(shuffled), "reading")
    with closing(extract_units(shuffled, root, units.build, jobs)) as results:  # type: ignore[type-var]
        for done, (unit, facts) in enumerate(results, start=1):
            writer.add_unit(facts, unit.image)
            if facts.failed:
                failed.append((unit.path, facts.failed))
            elif facts.errors:
                error = facts.errors[0]
                where = f"{error.location}: " if error.location else ""
                erroneous.append((unit.path, where + error.message))
            progress(done, len(shuffled), unit.path)
    writer.finish()
    return sorted(failed), sorted(erroneous)


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
