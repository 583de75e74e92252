"""`kgraph callees`: shows the calls that a function makes, to any depth."""

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
from kgraph.cli.results import (
    remark_aliases,
    remark_names,
    remark_open_sites,
    remark_partial_index,
    write_list,
)


@click.command("callees")
@click.argument("function")
@click.option("--depth", type=click.IntRange(1, 1_000_000), default=1, show_default=True,
              metavar="N", help="Also show what those functions call, N calls deep.")
@deferred_option
@types_option
@output_options
@index_option
def callees_verb(
    function: str, depth: int, form: str, index: Path | None, **kinds: bool
) -> None:
    """The calls that FUNCTION makes, in the order of its lines.

    FUNCTION is NAME or PATH:NAME.
    """
    from kgraph.report.json import encode_edges, encode_hop
    from kgraph.report.text import format_edges

    with open_graph(index, (function,)) as graph:
        found = api.callees(graph, function, **kinds)
        remark_aliases([found.alias])
        remark_names(found.remarks)
        walk = api.walk_callees(graph, function, depth=depth, **kinds)
        write_list(
            graph, form, encode_edges(found.function),
            lambda read: (encode_hop(hop, read) for hop in walk),
            format_edges(walk, callers=False))
        if not found.hops:
            remark(f"{found.function} makes no calls with a known callee")
            remark_partial_index(graph.description)
        if depth > 1 and walk.unfollowed:
            remark(f"{walk.unfollowed} functions that are {depth} calls away make further calls")
        remark_open_sites(found)
