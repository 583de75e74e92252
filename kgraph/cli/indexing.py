"""`kgraph index`."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kgraph.cli.options import output_options
from kgraph.cli.output import ProgressBar, remark, write_json, write_lines

if TYPE_CHECKING:
    from kgraph.pipeline.indexing import IndexSummary

_LISTED = 10


def _processors() -> int:
    return len(os.sched_getaffinity(0))


@click.command("index")
@click.argument("tree", type=click.Path(path_type=Path))
@click.option("--config", type=click.Path(path_type=Path), metavar="FILE",
              help="The build configuration; else TREE/.config, else a defconfig.")
@click.option("--defconfig", is_flag=False, flag_value="defconfig", metavar="[TARGET]",
              help="Take this make target's configuration (default: defconfig).")
@click.option("--compile-commands", type=click.Path(path_type=Path), metavar="FILE",
              help="Take the translation units from this list and run nothing of the tree.")
@click.option("--prepare", is_flag=True,
              help="With --compile-commands: have the tree's make generate missing headers.")
@click.option("--only", multiple=True, metavar="PATH",
              help="Index only this folder or file of the tree (repeatable).")
@click.option("--deferred", type=click.Path(path_type=Path), multiple=True, metavar="FILE",
              help="Declare deferred calls beside those that kgraph knows (repeatable).")
@click.option("--jobs", "-j", type=click.IntRange(min=1), default=None, metavar="N",
              help="Worker processes (default: one a processor).")
@click.option("--index", type=click.Path(path_type=Path), metavar="FILE",
              help="Where to write the index; else a file of the user's cache folder.")
@click.option("--precompiled/--no-precompiled", default=True, show_default=True,
              help="Read common headers once. It changes the time, never the facts.")
@click.option("--again", is_flag=True,
              help="Read every unit again, whatever the index already holds.")
@click.option("--unit-seconds", type=click.FloatRange(min=1), default=300, show_default=True,
              metavar="S", help="Give a unit up that takes longer.")
@click.option("--unit-memory", type=click.IntRange(min=512), default=8192, show_default=True,
              metavar="MB", help="Give a unit up whose worker needs more address space.")
@output_options
def index_verb(
    tree: Path, config: Path | None, defconfig: str | None, compile_commands: Path | None,
    prepare: bool, only: tuple[str, ...], deferred: tuple[Path, ...], jobs: int | None,
    index: Path | None, precompiled: bool, again: bool, unit_seconds: float,
    unit_memory: int, form: str,
) -> None:
    """Read a kernel TREE and write its index.

    TREE is only ever read. The index and all that is generated go to the user's cache folder.
    Reading a tree without --compile-commands runs its makefiles.
    """
    from kgraph.pipeline.indexing import IndexRequest, index_tree
    from kgraph.pipeline.pool import Limits

    progress = ProgressBar()

    def say(text: str) -> None:
        progress.clear()
        remark(text)

    request = IndexRequest(
        tree=tree, config=config, defconfig=defconfig, compile_commands=compile_commands,
        prepare=prepare, only=only, deferred=deferred, jobs=jobs or _processors(), index=index,
        precompiled=precompiled, again=again, limits=Limits(unit_seconds, unit_memory << 20),
    )
    try:
        summary = index_tree(request, progress=progress, remark=say)
    finally:
        progress.clear()
    _report(summary, form)


def _report(summary: "IndexSummary", form: str) -> None:
    from kgraph.report.records import status_record
    from kgraph.report.totals import coverage_lines, description_lines

    about, account = summary.description, summary.coverage
    if form == "json":
        write_json({
            **status_record(about, account), "index": str(summary.index),
            "seconds": {"wall": round(summary.wall, 2), "cpu": round(summary.cpu, 2)},
            "peak_bytes": {"main": summary.peak, "worker": summary.worker_peak},
            "units_read": summary.read, "units_kept": summary.kept,
            "failed": [list(unit) for unit in summary.failed],
            "with_errors": [list(unit) for unit in summary.erroneous],
        })
        return
    for what, units in (("failed", summary.failed), ("has errors", summary.erroneous)):
        for path, reason in units[:_LISTED]:
            remark(f"{path} {what}: {reason}")
        if len(units) > _LISTED:
            remark(f"... and {len(units) - _LISTED} more that {what} (--json lists all)")
    write_lines(description_lines(about, summary.index, about.built))
    write_lines(coverage_lines(account))
    if summary.kept:
        write_lines([f"again          {summary.read} units read, {summary.kept} as they were"])
    main, worker = (f"{size / 2**20:.0f} MB" for size in (summary.peak, summary.worker_peak))
    write_lines([
        f"time           {summary.wall:.1f} s, {summary.cpu:.1f} s of CPU",
        f"memory         {main}, the largest worker {worker}",
    ])
