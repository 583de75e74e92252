"""`kgraph index`: indexes a tree or a matrix of configurations, or prunes the cache.

Owns which options go together, the progress bar, and the summary.
"""

import math
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from kgraph import api
from kgraph.cli.options import output_options
from kgraph.cli.output import ProgressBar, remark, write_json, write_lines

if TYPE_CHECKING:
    from kgraph.api import IndexRequest, IndexSummary

_MAX_LISTED = 10
# Options that --matrix accepts; its file has the rest.
_MATRIX_OPTIONS = {"matrix", "form", "jobs", "again", "precompiled", "scheduler", "unit_seconds",
                   "unit_memory", "deferred"}


class Seconds(click.FloatRange):
    """A number of seconds. Refuses `nan`, which Python takes for a number within any range."""

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """The number of seconds."""
        seconds: float = super().convert(value, param, ctx)
        if math.isnan(seconds):
            self.fail(f"{value} is not a time", param, ctx)
        return seconds


def _count_processors() -> int:
    return len(os.sched_getaffinity(0))


@click.command("index")
@click.argument("tree", type=click.Path(path_type=Path), required=False)
@click.option("--config", type=click.Path(path_type=Path), metavar="FILE",
              help="Build configuration (default: TREE/.config, else a defconfig).")
@click.option("--defconfig", is_flag=False, flag_value="defconfig", metavar="[TARGET]",
              help="Use the configuration of this make target (default: defconfig).")
@click.option("--arch", metavar="NAME", default="",
              help="Architecture, as make's ARCH (default: that of the configuration).")
@click.option("--llvm", is_flag=True, help="Let make run clang and LLVM's programs (LLVM=1).")
@click.option("--compile-commands", type=click.Path(path_type=Path), metavar="FILE",
              help="Read the translation units from this list; run nothing of the tree.")
@click.option("--prepare", is_flag=True,
              help="With --compile-commands: let the tree's make generate missing headers.")
@click.option("--only", multiple=True, metavar="PATH",
              help="Index only this folder or file of the tree (repeatable).")
@click.option("--module", "modules", type=click.Path(path_type=Path), multiple=True, metavar="DIR",
              help="Also index the out-of-tree module in this folder, Kbuild's M= (repeatable).")
@click.option("--deferred", type=click.Path(path_type=Path), multiple=True, metavar="FILE",
              help="Declare further deferred calls (repeatable).")
@click.option("--jobs", "-j", type=click.IntRange(1, 4096), default=None, metavar="N",
              help="Worker processes (default: one per processor).")
@click.option("--index", type=click.Path(path_type=Path), metavar="FILE",
              help="Where to write the index (default: a file in your cache folder).")
@click.option("--precompiled/--no-precompiled", default=True, show_default=True,
              help="Precompile headers that many units share: quicker, with the same facts.")
@click.option("--again", is_flag=True,
              help="Read every unit again, even if this index or another has its facts.")
@click.option("--scheduler", metavar="ADDRESS", default="",
              help="Read the units on the Dask cluster with this scheduler (tcp://HOST:PORT).")
@click.option("--unit-seconds", type=Seconds(1, 1_000_000), default=300, show_default=True,
              metavar="S", help="Time limit per translation unit.")
@click.option("--unit-memory", type=click.IntRange(512, 1 << 30), default=8192, show_default=True,
              metavar="MB", help="Limit of address space per worker process.")
@click.option("--matrix", type=click.Path(path_type=Path), metavar="FILE",
              help="Index the trees and configurations that a TOML file lists, instead of TREE.")
@click.option("--prune", is_flag=True,
              help="Remove files from the cache that no index uses, instead of indexing.")
@output_options
@click.pass_context
def index_verb(
    context: click.Context, /, tree: Path | None, matrix: Path | None, prune: bool, form: str,
    **options: Any,
) -> None:
    """Read a kernel TREE and write its index.

    Nothing is written to TREE. The index and generated files go to your cache folder. Without
    --compile-commands, the makefiles of the tree are run.
    """
    if [tree is not None, matrix is not None, prune].count(True) != 1:
        raise click.UsageError("give one of TREE, --matrix FILE and --prune")
    if prune:
        _refuse(context, "--prune", {"prune", "form"})
        _prune(form)
        return
    request = _make_request(tree or Path(), **options)
    if matrix is None:
        _index(request, form)
        return
    _refuse(context, "--matrix", _MATRIX_OPTIONS)
    context.exit(_index_matrix(matrix, request, form))


def _make_request(
    tree: Path, *, jobs: int | None, unit_seconds: float, unit_memory: int, **options: Any
) -> "IndexRequest":
    limits = api.Limits(unit_seconds, unit_memory << 20)
    return api.IndexRequest(tree, jobs=jobs or _count_processors(), limits=limits, **options)


def _refuse(context: click.Context, what: str, known: set[str]) -> None:
    """Refuse options that mean nothing together with `what`."""
    for parameter in context.command.params:
        name = parameter.name or ""
        given = context.get_parameter_source(name) is ParameterSource.COMMANDLINE
        if given and name not in known:
            raise click.UsageError(f"{parameter.opts[0]} cannot be given with {what}")


class _Progress:
    """Progress and remarks of a run, on standard error."""

    def __init__(self) -> None:
        self.bar = ProgressBar()

    def say(self, text: str) -> None:
        self.bar.clear()
        remark(text)
        self.bar.begin_step(text)


def _index(request: "IndexRequest", form: str) -> None:
    progress = _Progress()
    with progress.bar.run_timer():
        summary = api.index(request, progress=progress.bar, remark=progress.say, is_last=True)
    _write_summary(summary, form)


def _index_matrix(file: Path, request: "IndexRequest", form: str) -> int:
    """Index what the file lists; returns the exit status."""
    from kgraph.report.json import encode_summary
    from kgraph.report.status_text import format_brief_summary

    progress = _Progress()
    failed = 0
    records: list[dict[str, object]] = []
    with progress.bar.run_timer():
        for outcome in api.index_matrix(
                file, request, progress=progress.bar, remark=progress.say):
            progress.bar.clear()
            cell = outcome.cell
            if outcome.summary is None:
                failed += 1
                remark(f"{file}:{cell.line}: {cell.name}: {outcome.error}")
                records.append({"index": None, "of": cell.name, "error": str(outcome.error)})
            elif form == "json":
                records.append(encode_summary(outcome.summary))
            else:
                write_lines([f"{cell.name}:", *format_brief_summary(outcome.summary)])
    if form == "json":
        write_json({"format": "kgraph-matrix/1", "indexes": records})
    return 2 if failed else 0


def _prune(form: str) -> None:
    from kgraph.report.json import encode_inventory
    from kgraph.report.status_text import format_unused_files

    found = api.prune_cache()
    if form == "json":
        write_json(encode_inventory(found))
    else:
        write_lines(format_unused_files(found, "removed"))


def _write_summary(summary: "IndexSummary", form: str) -> None:
    from kgraph.report.json import encode_summary
    from kgraph.report.status_text import format_summary

    if form == "json":
        write_json(encode_summary(summary))
        return
    for what, units in (
        ("failed", summary.failed_units),
        ("has errors", summary.units_with_errors),
    ):
        for path, reason in units[:_MAX_LISTED]:
            remark(f"{path} {what}: {reason}")
        if len(units) > _MAX_LISTED:
            remark(f"... and {len(units) - _MAX_LISTED} more that {what} (--json lists all)")
    write_lines(format_summary(summary))
