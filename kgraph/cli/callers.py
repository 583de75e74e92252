"""`kgraph callers` and `kgraph callees`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from kgraph.cli.options import (
    index_option,
    no_deferred_option,
    open_graph,
    output_options,
    types_option,
)
from kgraph.cli.output import (
    remark,
    remark_changed_files,
    remark_if,
    remark_partial_index,
    write_json,
    write_lines,
)
from kgraph.model.resolution import SiteStatus

if TYPE_CHECKING:
    from kgraph.graph import CallGraph
    from kgraph.model.results import Hop, KnownFunction


@click.command("callers")
@click.argument("function")
@no_deferred_option
@types_option
@output_options
@index_option
def callers_verb(
    function: str, no_deferred: bool, types: bool, form: str, index: Path | None
) -> None:
    """The calls that reach FUNCTION (NAME or PATH:NAME), direct and through pointers."""
    from kgraph.query import find_callers, find_function
    from kgraph.query.lookup import describe_alias

    with open_graph(index, (function,)) as graph:
        found = find_function(graph, function)
        remark_if(describe_alias(function, found))
        hops = find_callers(graph, found, types=types, deferred=not no_deferred)
        _write_edges(graph, found, hops, form, callers=True)


@click.command("callees")
@click.argument("function")
@click.option("--depth", type=click.IntRange(1, 1_000_000), default=1, show_default=True,
              metavar="N", help="Also what those functions call, N calls deep.")
@no_deferred_option
@types_option
@output_options
@index_option
def callees_verb(
    function: str, depth: int, no_deferred: bool, types: bool, form: str, index: Path | None
) -> None:
    """The calls that FUNCTION (NAME or PATH:NAME) makes, in the order of its lines."""
    from kgraph.query import find_callees, find_function
    from kgraph.query.lookup import describe_alias

    with open_graph(index, (function,)) as graph:
        found = find_function(graph, function)
        remark_if(describe_alias(function, found))
        hops = find_callees(graph, found, depth=depth, types=types, deferred=not no_deferred)
        _write_edges(graph, found, hops, form, callers=False)


def _write_edges(
    graph: "CallGraph", found: "KnownFunction", hops: "list[Hop]", form: str, *, callers: bool
) -> None:
    from kgraph.graph.text import SourceText
    from kgraph.report.json import encode_edges
    from kgraph.report.text import format_edges

    if form == "json":
        text = SourceText(graph)
        write_json(encode_edges(found, hops, text.read_line))
        remark_changed_files(text)
    else:
        write_lines(format_edges(hops, callers=callers))
    if not hops:
        remark(f"no {'calls reach' if callers else 'calls with a callee leave'} {found}")
        remark_partial_index(graph.description)
    if not callers:
        for site in graph.find_sites_of(found.number):
            if site.status in (SiteStatus.EMPTY, SiteStatus.UNRESOLVED):
                fit = len(graph.by_type.callees(site.number)) if (
                    site.status is SiteStatus.UNRESOLVED) else 0
                remark(f"{site.location}: {site.expression}() has no candidate, {site.status}: "
                       f"{site.reason}{f', {fit} functions have its type' if fit else ''}")
