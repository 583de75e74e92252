"""Write an index: facts of units that are read, kept or lent, and the graph made of them.

Owns the order in which the file is written. Does not know how units are found.
"""

import contextlib
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import NamedTuple

import msgspec

from kgraph.build import UnitList, UnitRequest
from kgraph.errors import StoreError
from kgraph.indexing.coverage import DefinitionSurvey, compute_coverage
from kgraph.indexing.graph_patching import patch_previous_graph
from kgraph.indexing.incomplete import (
    downgrade_empty_sites,
    downgrade_named_requests,
    explain_errors,
    explain_incompleteness,
)
from kgraph.indexing.unit_invalidation import ReusePlan, digest_command
from kgraph.indexing.unread_units import read_unread_text
from kgraph.indexing.workers.pool import DEFAULT_LIMITS, Limits
from kgraph.indexing.workers.precompiled_headers import open_precompiled_folder, precompile_headers
from kgraph.indexing.workers.unit_reading import ReadingContext, ReadUnits, extract_units
from kgraph.logs import PackageLogger
from kgraph.model.results import Coverage, IndexDescription
from kgraph.model.unread_text import UnreadText
from kgraph.resolve import DeferralRules, resolve
from kgraph.store import Connection, create_index
from kgraph.store.facts_writer import CitedFiles, FactsWriter
from kgraph.store.graph_writer import GraphWriter, write_name_tables
from kgraph.store.metadata import write_coverage, write_description, write_fingerprint
from kgraph.store.previous_index import write_file_states
from kgraph.store.reader import StoredDefinitions

Progress = Callable[[int, int, str], None]  # units done, units in all, the current step or unit
_LOG = PackageLogger("kgraph.indexing")


@dataclass(frozen=True, slots=True)
class IndexRequest:
    """What to index.

    `config`, `defconfig` and `compile_commands` choose the build configuration, `arch` and `llvm`
    the architecture and LLVM's programs ("" and false: kgraph chooses); with `prepare`, a
    tree that has a compile database gets its missing headers made. `only` limits the units to
    these files and folders, and those of `modules`, folders of out-of-tree modules. `deferred` are
    the user's own TOML files of deferred calls. `index` is the file to write, by default one in the
    cache. `bundled` marks the index of mini-linux.

    `precompiled` allows precompiled headers, which change the time and never the facts. `again`
    reads every unit, whatever other indexes hold. `jobs` is the number of worker processes, 0 for
    none (no limits then), and `limits` hold for each unit. `scheduler` is the address of a Dask
    cluster that reads the units, "" for this machine.
    """

    tree: Path
    config: Path | None = None
    defconfig: str | None = None
    arch: str = ""
    llvm: bool = False
    compile_commands: Path | None = None
    prepare: bool = False
    only: tuple[str, ...] = ()
    modules: tuple[Path, ...] = ()
    deferred: tuple[Path, ...] = ()
    jobs: int = 1
    index: Path | None = None
    bundled: bool = False
    precompiled: bool = True
    again: bool = False
    limits: Limits = DEFAULT_LIMITS
    scheduler: str = ""

    def make_unit_request(self) -> UnitRequest:
        """What build has to know of it."""
        return UnitRequest(
            config=self.config, defconfig=self.defconfig, arch=self.arch, llvm=self.llvm,
            compile_commands=self.compile_commands, prepare=self.prepare, only=self.only,
            modules=self.modules, jobs=max(1, self.jobs))


@dataclass(frozen=True, slots=True)
class IndexRun:
    """One run that writes an index.

    `target` is the index to write, `work` the folder of the cache for generated files. `seed`
    chooses the order of the units. `rules` are the deferred calls that are declared, `read` is what
    reads units.
    """

    request: IndexRequest
    target: Path
    work: Path
    seed: int
    progress: Progress
    remark: Callable[[str], None]
    rules: DeferralRules
    read: ReadUnits


def is_same_index(plan: ReusePlan, description: IndexDescription) -> bool:
    """Whether the previous index is of the same tree, configuration and units."""
    return plan.previous is not None and description == msgspec.structs.replace(
        plan.previous.description, built=description.built)


def confirm_index(target: Path, plan: ReusePlan, description: IndexDescription) -> Coverage:
    """Keep the index, which is up to date, and return its coverage.

    If files were written again with the same content, only their times are updated.
    """
    if plan.previous is None:
        raise AssertionError("only a previous index can be up to date")
    if plan.has_touched_files:
        with create_index(target, from_copy=True) as connection:
            write_description(connection, description)
            _write_fingerprint(connection, plan)
    return plan.previous.coverage


def write_index(
    run: IndexRun, units: UnitList, description: IndexDescription, plan: ReusePlan,
) -> tuple[Coverage, ReusePlan]:
    """Write an index. Returns its coverage, and the plan as it was carried out: units that another
    index could not give after all were read."""
    sources = plan.sources
    with create_index(run.target) as connection:
        files = CitedFiles(sources.root, sources.build)
        writer = FactsWriter(connection, files)
        plan = _add_kept_units(plan, units, writer)
        plan = _add_lent_units(plan, writer)
        _read_units(run, plan, writer)
        writer.finish()
        run.progress(0, 0, "resolving")
        coverage = None
        if _is_patch_possible(plan, description, writer):
            coverage = patch_previous_graph(
                connection, files, plan, run.rules, writer.find_added_keys())
        if coverage is None:
            reason = explain_errors(writer.errors)
            unread = read_unread_text(connection, units, sources, reason)
            rest = _Rest(unread, bool(description.release))
            coverage = _resolve_graph(connection, files, run, writer, rest)
        write_coverage(connection, coverage)
        write_description(connection, description)
        _write_fingerprint(connection, plan)
        files.write_rows(connection)
        write_name_tables(connection, sources.root, sources.build)
    return coverage, plan


def _write_fingerprint(connection: Connection, plan: ReusePlan) -> None:
    """Store what the next run compares its inputs with."""
    write_fingerprint(connection, plan.fingerprint.to_meta_rows())
    write_file_states(connection, plan.states)


def _add_kept_units(plan: ReusePlan, units: UnitList, writer: FactsWriter) -> ReusePlan:
    """Copy the units that the previous index has; plan to read all if it is damaged."""
    if plan.previous is not None and plan.kept_units:
        try:
            writer.keep_units(plan.previous, plan.kept_units)
        except StoreError:
            return replace(plan, units_to_read=units.units, kept_units=(), loans=())
    return plan


def _add_lent_units(plan: ReusePlan, writer: FactsWriter) -> ReusePlan:
    """Copy the units that other indexes lend; plan to read those that cannot be had."""
    for loan in plan.loans:
        try:
            writer.borrow_units(loan.donor, loan.units.values())
        except StoreError:  # damaged, or replaced by another run
            plan = replace(plan, units_to_read=(*plan.units_to_read, *loan.units),
                           loans=tuple(other for other in plan.loans if other is not loan))
    return plan


def _read_units(run: IndexRun, plan: ReusePlan, writer: FactsWriter) -> None:
    """Extract the facts of the units to read, and add them."""
    request, progress, sources = run.request, run.progress, plan.sources
    context = ReadingContext(sources.root, sources.build)
    shuffled = list(plan.units_to_read)
    Random(run.seed).shuffle(shuffled)  # noqa: S311  an order, no secret
    with contextlib.ExitStack() as stack:
        if request.precompiled:
            progress(0, len(shuffled), "precompiling headers")
            folder = stack.enter_context(open_precompiled_folder(run.work))
            made = precompile_headers(shuffled, context, folder, request.jobs, request.limits)
            context = replace(context, headers=tuple(header for header, _ in made))
            for _, definitions in made:
                writer.share_definitions(definitions)
        progress(0, len(shuffled), "reading")
        results = stack.enter_context(closing(
            extract_units(shuffled, context, run.read, run.remark)))  # type: ignore[type-var]
        for done, (unit, facts) in enumerate(results, start=1):
            writer.add_unit(facts, unit.image, digest_command(unit, sources))
            progress(done, len(shuffled), unit.path)


def _is_patch_possible(
    plan: ReusePlan, description: IndexDescription, writer: FactsWriter
) -> bool:
    """Whether the previous graph may be patched: it is of the same units, all read alike."""
    if plan.previous is None or not plan.kept_units:
        return False
    if not plan.has_same_graph_version or not is_same_index(plan, description):
        return False
    before = plan.previous.coverage
    if before.errors != sum(bool(unit.errors) for unit in plan.kept_units):
        return False  # what the text of units with errors names may differ now
    return (writer.units, writer.errors, writer.failed) == (
        before.units, before.errors, before.failed)


class _Rest(NamedTuple):
    """What code without facts may do: `unread` is the text of units with errors; `is_kernel`: the
    tree is a kernel's, which is linked without anything else."""

    unread: UnreadText | None
    is_kernel: bool


def _resolve_graph(
    connection: Connection, files: CitedFiles, run: IndexRun, writer: FactsWriter, rest: _Rest
) -> Coverage:
    """Resolve all facts of the index, write the graph into it, and return its coverage."""
    _LOG.debug("resolving all facts")
    definitions, survey = StoredDefinitions(connection), DefinitionSurvey()
    passing = survey.collect(definitions)
    why = explain_incompleteness(run.request.only, writer.failed, writer.errors)
    if why:
        resolution = downgrade_empty_sites(
            resolve(passing, run.rules, find=definitions.find), why)
    else:
        resolution = resolve(
            passing, run.rules, rest.unread, is_whole=rest.is_kernel, find=definitions.find)
        if rest.unread is not None:
            resolution = downgrade_named_requests(resolution, rest.unread)
    takers = survey.link_takers(resolution.functions)
    GraphWriter(connection, files, survey.taken, takers).write(resolution, definitions.find_calls)
    counts = (writer.units, writer.errors, writer.failed)
    return compute_coverage(survey, resolution, counts)
