"""Indexing a tree: what is asked for, what of it has to be done, and what came of it."""

import contextlib
import gc
import os
import resource
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from kgraph.errors import ClusterError
from kgraph.kernel import KernelTree, UnitList, configuration_of, open_tree, translation_units
from kgraph.model.answers import Coverage, IndexDescription
from kgraph.pipeline.building import (
    IndexRequest,
    Progress,
    Run,
    confirm_index,
    is_alike,
    write_index,
)
from kgraph.pipeline.freshness import Freshness, freshness, nothing_kept
from kgraph.pipeline.inventory import note_index
from kgraph.pipeline.lending import with_loans
from kgraph.pipeline.locking import alone_in
from kgraph.pipeline.precompiling import forget_precompiled
from kgraph.pipeline.setting import setting_of
from kgraph.pipeline.workers import ReadUnits, local
from kgraph.resolve import deferral_rows
from kgraph.store import index_path
from kgraph.store.database import check_replaceable, remove_unfinished
from kgraph.store.facts import Refused
from kgraph.store.former import FormerIndex
from kgraph.store.places import work_folder
from kgraph.store.soundness import MALFORMED, flaw


@dataclass(frozen=True, slots=True)
class IndexSummary:
    """What was indexed: seconds of wall and CPU time (workers included), peak memory in bytes of
    this process and of the largest worker, how many units were read, how many kept from the
    former index and how many lent by others, failed units as (path, reason).
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
    lent: int
    failed: tuple[tuple[str, str], ...]
    erroneous: tuple[tuple[str, str], ...]


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
    wall, cpu = time.monotonic(), _cpu_seconds()
    rows = deferral_rows(request.deferred)  # before the work: what is wrong there is said at once
    tree, target, work = _places(request)
    with (_without_collector(is_last=is_last), _reading(request, tree.root, remark) as read,
          alone_in(work, remark)):
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
        anew = nothing_kept(units.units, setting_of(tree.root, units.build, given), tree.root,
                            units.build, started)
        fresh = anew
        if not request.again:
            fresh = freshness(target, anew, tree.root, units.build, started)
            fresh = with_loans(fresh, target, tree.root, units.build)
        note_index(work, target)  # while an error still leaves all as it was
        run = Run(request, target, tree.root, work, seed, progress, remark, rows, read)
        try:
            account, fresh = _written(run, units, description, fresh)
        except (Refused, *MALFORMED) as error:
            wrong = [what for path in _used(target, fresh) if (what := flaw(path))]
            if not wrong and (not isinstance(error, Refused) or fresh is anew):
                raise
            for what in wrong or [str(error)]:
                remark(f"{what}: every unit is read again")
            account, fresh = _written(run, units, description, anew)
        bad = FormerIndex(target).units
    return IndexSummary(
        index=target, description=description, coverage=account, wall=time.monotonic() - wall,
        cpu=_cpu_seconds() - cpu, peak=_peak(resource.RUSAGE_SELF),
        worker_peak=_peak(resource.RUSAGE_CHILDREN), read=len(fresh.read), kept=len(fresh.kept),
        lent=sum(len(loan.units) for loan in fresh.loans),
        failed=tuple((path, unit.failed) for (path, _), unit in sorted(bad.items())
                     if unit.failed),
        erroneous=tuple((path, ": ".join(filter(None, unit.errors[0])))
                        for (path, _), unit in sorted(bad.items())
                        if unit.errors and not unit.failed),
    )


def _written(run: Run, units: UnitList, description: IndexDescription, fresh: Freshness,
             ) -> tuple[Coverage, Freshness]:
    """Write the index, or leave the one that is there; its account and what was read and kept."""
    if fresh.complete and is_alike(fresh, description):
        return confirm_index(run.target, fresh, description), fresh
    return write_index(run, units, description, fresh)


def _used(target: Path, fresh: Freshness) -> list[Path]:
    """The indexes that a new one takes from."""
    return ([target] if fresh.former else []) + [loan.donor.path for loan in fresh.loans]


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
def _reading(
    request: IndexRequest, root: Path, remark: Callable[[str], None]
) -> Iterator[ReadUnits]:
    """What reads the units: this machine's processes, or a cluster."""
    if not request.scheduler:
        yield local(request.jobs, request.limits)
        return
    try:
        from kgraph.pipeline.cluster import joined
    except ImportError as error:
        raise ClusterError(
            f"--scheduler needs Dask distributed ({error})", "pip install 'kgraph[cluster]'"
        ) from None
    with joined(request.scheduler, root, request.limits, remark) as read:
        yield read


def _places(request: IndexRequest) -> tuple[KernelTree, Path, Path]:
    """The tree, the index to write, and the folder of the cache for what is generated."""
    tree = open_tree(request.tree, compile_commands=request.compile_commands)
    configuration = configuration_of(
        tree, config=request.config, defconfig=request.defconfig,
        compile_commands=request.compile_commands,
    )
    place = index_path(tree.root, str(configuration))
    target = (request.index or place).absolute()
    check_replaceable(target, own=request.index is None)
    return tree, target, work_folder(place)


def _units(
    request: IndexRequest, tree: KernelTree, work: Path, remark: Callable[[str], None]
) -> UnitList:
    return translation_units(
        tree, config=request.config, defconfig=request.defconfig,
        compile_commands=request.compile_commands, prepare=request.prepare, only=request.only,
        work=work, jobs=max(1, request.jobs), remark=remark,
    )


def _cpu_seconds() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def _peak(who: int) -> int:
    return resource.getrusage(who).ru_maxrss * 1024


__all__ = ["IndexRequest", "IndexSummary", "Progress", "index_tree"]
