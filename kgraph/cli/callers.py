"""`kgraph callers`: shows the calls that reach a function."""

from pathlib import Path

import click

from kgraph import api
from kgraph.cli.options import (
    deferred_option,
    index_option,
    open_graph,
    output_options,
    types_option,
)
from kgraph.cli.output import remark
from kgraph.cli.results import remark_aliases, remark_names, remark_partial_index, write_list


@click.command("callers")
@click.argument("function")
@deferred_option
@types_option
@output_options
@index_option
def callers_verb(
    function: str, deferred: bool, types: bool, form: str, index: Path | None
) -> None:
    """The calls that reach FUNCTION, direct and through pointers.

    FUNCTION is NAME or PATH:NAME.
    """
    from kgraph.report.json import encode_edges, encode_hop
    from kgraph.report.text import format_edges

    with open_graph(index, (function,)) as graph:
        found = api.callers(graph, function, types=types, deferred=deferred)
        remark_aliases([found.alias])
        remark_names(found.remarks)
        write_list(
            graph, form, encode_edges(found.function),
            lambda read: (encode_hop(hop, read) for hop in found.hops),
            format_edges(found.hops, callers=True))
        if not found.hops:
            remark(f"no calls reach {found.function}")
            remark_partial_index(graph.description)
