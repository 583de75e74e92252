"""Index a tree: find its units, decide which to read again, write the index, sum up the run."""

import contextlib
import gc
import os
import resource
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from kgraph.build import KernelTree, UnitList, find_configuration, list_translation_units, open_tree
from kgraph.errors import ClusterError
from kgraph.indexing.cache_inventory import record_index
from kgraph.indexing.fingerprint import take_fingerprint
from kgraph.indexing.lending import add_loans
from kgraph.indexing.locking import lock_folder
from kgraph.indexing.unit_invalidation import ReusePlan, plan_full_read, plan_reuse
from kgraph.indexing.workers.precompiled_headers import remove_precompiled
from kgraph.indexing.workers.unit_reading import ReadUnits, read_in_processes
from kgraph.indexing.write_index import (
    IndexRequest,
    IndexRun,
    Progress,
    confirm_index,
    is_index_of_same,
    write_index,
)
from kgraph.model.results import Coverage, IndexDescription
from kgraph.resolve import load_deferral_rules
from kgraph.store import index_path
from kgraph.store.cache_paths import work_folder
from kgraph.store.connection import check_replaceable, remove_unfinished
from kgraph.store.facts_writer import InvalidCitation
from kgraph.store.previous_index import PreviousIndex


@dataclass(frozen=True, slots=True)
class IndexSummary:
    """What was indexed: seconds of wall and CPU time (workers included), peak memory in bytes of
    this process and of the largest worker, how many units were read, how many kept from the
    former index and how many lent by others, failed units as (path, reason).
    """

    index: Path
    description: IndexDescription
    coverage: Coverage
    wall_seconds: float
    cpu_seconds: float
    peak_bytes: int
    worker_peak_bytes: int
    units_read: int
    units_kept: int
    units_lent: int
    failed_units: tuple[tuple[str, str], ...]
    units_with_errors: tuple[tuple[str, str], ...]


def index_tree(
    request: IndexRequest,
    *,
    progress: Progress = lambda _done, _all, _what: None,
    remark: Callable[[str], None] = lambda _text: None,
    seed: int = 0,
    is_last: bool = False,
) -> IndexSummary:
    """Index a tree and put the index in its place.

    Units are taken in an order that `seed` chooses, so that no result can depend on one. `is_last`
    says that the process ends behind this: what the run held is left to the system, for taking it
    apart takes seconds. Raises KgraphError; whatever is raised, KeyboardInterrupt too, an earlier
    index stays as it was.
    """
    wall, cpu = time.monotonic(), _measure_cpu()
    rows = load_deferral_rules(
        request.deferred
    )  # before the work: what is wrong there is said at once
    tree, target, work = _find_paths(request)
    with (_without_collector(is_last=is_last), _choose_reader(request, tree.root, remark) as read,
          lock_folder(work, remark)):
        remove_unfinished(target.parent)
        remove_precompiled(work)
        units = _list_units(request, tree, work, remark)
        started = time.time_ns()  # what is written from here on may not be what is read
        description = IndexDescription(
            tree=str(tree.root), release=units.release, config=str(units.configuration),
            build=str(units.build or ""), only=request.only, built=started / 1e9,
            bundled=request.bundled,
        )
        given = [path.read_bytes() for path in request.deferred]
        anew = plan_full_read(
            units.units,
            take_fingerprint(tree.root, units.build, given),
            tree.root,
            units.build,
            started,
        )
        fresh = anew
        if not request.again:
            fresh = plan_reuse(target, anew, tree.root, units.build, started)
            fresh = add_loans(fresh, target, tree.root, units.build)
        record_index(work, target)  # while an error still leaves all as it was
        run = IndexRun(request, target, tree.root, work, seed, progress, remark, rows, read)
        try:
            account, fresh = _write_or_confirm(run, units, description, fresh)
        except InvalidCitation as error:  # a file was edited after it was compared
            if fresh is anew:
                raise
            remark(f"{error}: every unit is read again")
            account, fresh = _write_or_confirm(run, units, description, anew)
        bad = PreviousIndex(target).units
    return IndexSummary(
        index=target,
        description=description,
        coverage=account,
        wall_seconds=time.monotonic() - wall,
        cpu_seconds=_measure_cpu() - cpu,
        peak_bytes=_measure_peak(resource.RUSAGE_SELF),
        worker_peak_bytes=_measure_peak(resource.RUSAGE_CHILDREN),
        units_read=len(fresh.units_to_read),
        units_kept=len(fresh.kept_units),
        units_lent=sum(len(loan.units) for loan in fresh.loans),
        failed_units=tuple(
            (path, unit.failed) for (path, _), unit in sorted(bad.items()) if unit.failed
        ),
        units_with_errors=tuple(
            (path, ": ".join(filter(None, unit.errors[0])))
            for (path, _), unit in sorted(bad.items())
            if unit.errors and not unit.failed
        ),
    )


def _write_or_confirm(
    run: IndexRun,
    units: UnitList,
    description: IndexDescription,
    fresh: ReusePlan,
) -> tuple[Coverage, ReusePlan]:
    """Write the index, or leave the one that is there; its account and what was read and kept."""
    if fresh.is_complete and is_index_of_same(fresh, description):
        return confirm_index(run.target, fresh, description), fresh
    return write_index(run, units, description, fresh)


@contextlib.contextmanager
def _without_collector(*, is_last: bool) -> Iterator[None]:
    """Facts are many small objects, and none is garbage before the end; `is_last` as above."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if is_last:
            gc.freeze()
        if collecting:
            gc.enable()


@contextlib.contextmanager
def _choose_reader(
    request: IndexRequest, root: Path, remark: Callable[[str], None]
) -> Iterator[ReadUnits]:
    """What reads the units: this machine's processes, or a cluster."""
    if not request.scheduler:
        yield read_in_processes(request.jobs, request.limits)
        return
    try:
        from kgraph.indexing.workers.cluster import connect_cluster
    except ImportError as error:
        raise ClusterError(
            f"--scheduler needs Dask distributed ({error})", "pip install 'kgraph[cluster]'"
        ) from None
    with connect_cluster(request.scheduler, root, request.limits, remark) as read:
        yield read


def _find_paths(request: IndexRequest) -> tuple[KernelTree, Path, Path]:
    """The tree, the index to write, and the folder of the cache for what is generated."""
    tree = open_tree(request.tree, compile_commands=request.compile_commands)
    configuration = find_configuration(
        tree, config=request.config, defconfig=request.defconfig,
        compile_commands=request.compile_commands,
    )
    place = index_path(tree.root, str(configuration))
    target = (request.index or place).absolute()
    check_replaceable(target, own=request.index is None)
    return tree, target, work_folder(place)


def _list_units(
    request: IndexRequest, tree: KernelTree, work: Path, remark: Callable[[str], None]
) -> UnitList:
    return list_translation_units(
        tree, config=request.config, defconfig=request.defconfig,
        compile_commands=request.compile_commands, prepare=request.prepare, only=request.only,
        work=work, jobs=max(1, request.jobs), remark=remark,
    )


def _measure_cpu() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def _measure_peak(who: int) -> int:
    return resource.getrusage(who).ru_maxrss * 1024
