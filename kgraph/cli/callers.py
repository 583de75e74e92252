"""`kgraph callers`: shows the calls that reach a function."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kgraph import api
from kgraph.cli.completion import complete_function
from kgraph.cli.listing import (
    count_option,
    depth_option,
    folder_option,
    get_tree_limit,
    limit_hops,
    limit_option,
    refuse_together,
    sort_hops,
    sort_option,
    write_count,
    write_hops,
    write_tree,
)
from kgraph.cli.options import (
    deferred_option,
    format_options,
    index_option,
    open_graph,
    types_option,
)
from kgraph.cli.output import remark, write_json, write_lines
from kgraph.cli.results import (
    remark_aliases,
    remark_names,
    remark_partial_index,
)

if TYPE_CHECKING:
    from kgraph.api import CallGraph


@click.command("callers")
@click.argument("function", shell_complete=complete_function)
@depth_option("what calls those")
@limit_option
@folder_option
@count_option
@sort_option
@click.option("--to", "ends", type=click.Choice(["syscall"]), metavar="syscall",
              help="Show which system calls reach FUNCTION, through any number of calls.")
@deferred_option
@types_option
@format_options("quickfix")
@index_option
def callers_verb(function: str, form: str, index: Path | None, **options: Any) -> None:
    """The calls that reach FUNCTION, direct and through pointers.

    FUNCTION is NAME or PATH:NAME.
    """
    wanted = _Wanted(**options)
    if wanted.ends is not None:
        refuse_together("--to", "--depth", "--sort", "--types")
    if wanted.counts:
        refuse_together("--count", "--depth", "--sort", "--limit")
    if wanted.depth > 1:
        refuse_together("--depth", "--sort")
    with open_graph(index, (function,)) as graph:
        if wanted.ends is not None:
            _write_syscalls(graph, function, wanted, form)
            return
        found = api.callers(graph, function, types=wanted.types, deferred=wanted.deferred,
                            folder=wanted.folder)
        remark_aliases([found.alias])
        remark_names(found.remarks)
        if wanted.counts:
            write_count(found, form, callers=True)
        elif wanted.depth > 1 and found.is_of_function:
            write_tree(graph, found, function, api.CallTreeQuestion(
                True, wanted.depth, get_tree_limit(wanted.limit, form), wanted.types,
                wanted.deferred, wanted.folder), form)
        else:
            hops = limit_hops(sort_hops(found.hops, wanted.sort, callers=True), wanted.limit)
            write_hops(graph, found, hops, form, callers=True)
        if not found.hops and found.is_of_function:
            where = f" in {wanted.folder}" if wanted.folder else ""
            remark(f"no calls{where} reach {found.function}")
            remark_partial_index(graph.description)


@dataclass(frozen=True)
class _Wanted:
    """Which callers to show: the options of the verb."""

    depth: int
    limit: int | None
    folder: str
    counts: bool
    sort: str | None
    ends: str | None
    deferred: bool
    types: bool


def _write_syscalls(graph: "CallGraph", function: str, wanted: _Wanted, form: str) -> None:
    from kgraph.report.json import encode_reaching
    from kgraph.report.tree_text import format_reaching

    found = api.reaching_syscalls(graph, function, deferred=wanted.deferred,
                                  folder=wanted.folder)
    shown = found[:wanted.limit]
    if form == "json":
        write_json(encode_reaching(shown))
    elif wanted.counts:
        write_lines([f"{len(found)} system calls"])
    else:
        write_lines(format_reaching(shown))
    if len(shown) < len(found):
        remark(f"{len(shown)} of {len(found)} system calls are shown (--limit shows more)")
    remark(f"calls lead from {len(found)} system calls to {function}, not all of which need happen:"
           f" `kgraph path SYSTEMCALL {function}` shows how one does")
