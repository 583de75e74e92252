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
from kgraph.indexing.fingerprint import Sources, take_fingerprint
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
    is_same_index,
    write_index,
)
from kgraph.logs import PackageLogger
from kgraph.model.results import Coverage, IndexDescription
from kgraph.resolve import load_deferral_rules
from kgraph.store import index_path
from kgraph.store.cache_paths import work_folder
from kgraph.store.connection import check_replaceable, remove_unfinished
from kgraph.store.facts_writer import InvalidCitation
from kgraph.store.previous_index import PreviousIndex

_LOG = PackageLogger("kgraph.indexing")


@dataclass(frozen=True, slots=True)
class IndexSummary:
    """What a run did.

    Times include the workers. `peak_bytes` is the peak memory of this process, `worker_peak_bytes`
    that of the largest worker. `units_kept` came from the previous index, `units_lent` from those
    of other trees and configurations. Units that failed or have errors are (path, reason).
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

    `seed` chooses the order in which units are read; no result depends on it. `is_last` means that
    the process ends after this call: its memory is then not freed piece by piece, which would take
    seconds.

    Raises KgraphError. Whatever is raised, also KeyboardInterrupt, leaves the previous index as it
    was.
    """
    wall, cpu = time.monotonic(), _measure_cpu()
    rules = load_deferral_rules(request.deferred)  # first: its errors need no work done
    tree, target, work = _find_paths(request)
    with (_without_collector(is_last=is_last), _choose_reader(request, tree.root, remark) as read,
          lock_folder(work, remark)):
        remove_unfinished(target.parent)
        remove_precompiled(work)
        units = list_translation_units(
            tree, request.make_unit_request(), work=work, remark=remark)
        # A file that is written from now on may differ from what is read.
        sources = Sources(tree.root, units.build, time.time_ns())
        description = _describe(request, units, sources)
        rule_files = [path.read_bytes() for path in request.deferred]
        fingerprint = take_fingerprint(sources, rule_files, remark)
        full = plan_full_read(units.units, sources, fingerprint)
        plan = full if request.again else add_loans(plan_reuse(target, full), target)
        _LOG.debug("units: %d to read, %d kept, %d lent", len(plan.units_to_read),
                   len(plan.kept_units), sum(len(loan.units) for loan in plan.loans))
        record_index(work, target)  # before the index is written: an error here changes nothing
        run = IndexRun(request, target, work, seed, progress, remark, rules, read)
        try:
            coverage, plan = _write_or_confirm(run, units, description, plan)
        except InvalidCitation as error:  # a file was edited after it was compared
            if plan is full:
                raise
            remark(f"{error}: every unit is read again")
            coverage, plan = _write_or_confirm(run, units, description, full)
        bad_units = sorted(PreviousIndex(target).units.items())
    return IndexSummary(
        index=target,
        description=description,
        coverage=coverage,
        wall_seconds=time.monotonic() - wall,
        cpu_seconds=_measure_cpu() - cpu,
        peak_bytes=_measure_peak(resource.RUSAGE_SELF),
        worker_peak_bytes=_measure_peak(resource.RUSAGE_CHILDREN),
        units_read=len(plan.units_to_read),
        units_kept=len(plan.kept_units),
        units_lent=sum(len(loan.units) for loan in plan.loans),
        failed_units=tuple(
            (path, unit.failed) for (path, _), unit in bad_units if unit.failed
        ),
        units_with_errors=tuple(
            (path, ": ".join(filter(None, unit.errors[0])))
            for (path, _), unit in bad_units
            if unit.errors and not unit.failed
        ),
    )


def _describe(request: IndexRequest, units: UnitList, sources: Sources) -> IndexDescription:
    return IndexDescription(
        tree=str(sources.root), release=units.release, config=str(units.configuration),
        build=str(units.build or ""), only=request.only, built=sources.started / 1e9,
        bundled=request.bundled, whole=units.whole, rust=units.rust,
        modules=units.modules,
    )


def _write_or_confirm(
    run: IndexRun, units: UnitList, description: IndexDescription, plan: ReusePlan
) -> tuple[Coverage, ReusePlan]:
    """Write the index, unless the previous one is up to date. As for `write_index`."""
    if plan.is_complete and is_same_index(plan, description):
        return confirm_index(run.target, plan, description), plan
    return write_index(run, units, description, plan)


@contextlib.contextmanager
def _without_collector(*, is_last: bool) -> Iterator[None]:
    """Run without Python's garbage collector: facts are many small objects, and none of them is
    garbage before the end. `is_last` is as for `index_tree`."""
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
    """Choose what reads the units: processes of this machine, or a cluster."""
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
    """The tree, the index to write, and the folder of the cache for generated files."""
    tree = open_tree(request.tree, compile_commands=request.compile_commands)
    configuration = find_configuration(tree, request.make_unit_request())
    in_cache = index_path(tree.root, str(configuration))
    target = (request.index or in_cache).absolute()
    check_replaceable(target, own=request.index is None)
    return tree, target, work_folder(in_cache)


def _measure_cpu() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def _measure_peak(who: int) -> int:
    return resource.getrusage(who).ru_maxrss * 1024
