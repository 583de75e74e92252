"""`kgraph callers`, `callees`, `ops` and `site`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from kgraph.cli.options import (
    index_option,
    no_deferred_option,
    opened,
    output_options,
    types_option,
)
from kgraph.cli.output import (
    remark,
    remark_changes,
    remark_if,
    remark_part,
    write_json,
    write_lines,
)
from kgraph.model.resolution import Status

if TYPE_CHECKING:
    from kgraph.graph import CallGraph
    from kgraph.model.answers import Hop, KnownFunction


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
    from kgraph.query import callers, find_function
    from kgraph.query.names import alias_note

    with opened(index, (function,)) as graph:
        found = find_function(graph, function)
        remark_if(alias_note(function, found))
        hops = callers(graph, found, types=types, deferred=not no_deferred)
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
    from kgraph.query import callees, find_function
    from kgraph.query.names import alias_note

    with opened(index, (function,)) as graph:
        found = find_function(graph, function)
        remark_if(alias_note(function, found))
        hops = callees(graph, found, depth=depth, types=types, deferred=not no_deferred)
        _write_edges(graph, found, hops, form, callers=False)


def _write_edges(
    graph: "CallGraph", found: "KnownFunction", hops: "list[Hop]", form: str, *, callers: bool
) -> None:
    from kgraph.report.records import edges_record
    from kgraph.report.source import SourceText
    from kgraph.report.text import edge_lines

    if form == "json":
        text = SourceText(graph)
        write_json(edges_record(found, hops, text))
        remark_changes(text)
    else:
        write_lines(edge_lines(hops, callers=callers))
    if not hops:
        remark(f"no {'calls reach' if callers else 'calls with a callee leave'} {found}")
        remark_part(graph.description)
    if not callers:
        for site in graph.sites_of(found.number):
            if site.status in (Status.EMPTY, Status.UNRESOLVED):
                fit = len(graph.by_type.callees(site.number)) if (
                    site.status is Status.UNRESOLVED) else 0
                remark(f"{site.location}: {site.expression}() has no candidate, {site.status}: "
                       f"{site.reason}{f', {fit} functions have its type' if fit else ''}")


@click.command("ops")
@click.argument("name")
@output_options
@index_option
def ops_verb(name: str, form: str, index: Path | None) -> None:
    """What is bound where: NAME is an ops table, a struct, a slot or a function.

    A slot is RECORD.FIELD, such as net_device_ops.ndo_start_xmit.
    """
    from kgraph.query import ops
    from kgraph.report.bindings import ops_lines
    from kgraph.report.records import ops_record
    from kgraph.report.source import SourceText

    with opened(index) as graph:
        rows = ops(graph, name)
        if form == "json":
            text = SourceText(graph)
            write_json(ops_record(rows, text))
            remark_changes(text)
            return
        write_lines(ops_lines(rows))
        if not rows:
            remark(f"nothing binds {name}")
        for slot in dict.fromkeys(row.slot for row in rows if not row.whole):
            remark(f"what else {slot} may hold by way of copies could not be followed")


@click.command("site")
@click.argument("place", metavar="FILE:LINE")
@output_options
@index_option
def site_verb(place: str, form: str, index: Path | None) -> None:
    """What is called at FILE:LINE, every candidate with its evidence."""
    from kgraph.query import site
    from kgraph.report.records import site_record
    from kgraph.report.source import SourceText
    from kgraph.report.text import site_lines

    with opened(index) as graph:
        answers = site(graph, place)
        if form == "json":
            text = SourceText(graph)
            write_json(site_record(answers, text))
            remark_changes(text)
        else:
            write_lines(site_lines(answers))
