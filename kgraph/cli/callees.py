"""`kgraph callees`: shows the calls that a function makes, to any depth."""

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
from kgraph.cli.output import remark
from kgraph.cli.results import (
    remark_aliases,
    remark_names,
    remark_open_sites,
    remark_partial_index,
    write_list,
)

if TYPE_CHECKING:
    from kgraph.api import CallGraph
    from kgraph.model.results import Neighbours


@click.command("callees")
@click.argument("function", shell_complete=complete_function)
@depth_option("what those functions call")
@limit_option
@folder_option
@count_option
@sort_option
@deferred_option
@types_option
@format_options("quickfix")
@index_option
def callees_verb(
    function: str, depth: int, form: str, index: Path | None, **options: Any
) -> None:
    """The calls that FUNCTION makes, in the order of its lines.

    FUNCTION is NAME or PATH:NAME. With --in, only calls to functions that are defined there.
    """
    limit, folder, order = options.pop("limit"), options.pop("folder"), options.pop("sort")
    counts = options.pop("counts")
    if counts:
        refuse_together("--count", "--depth", "--sort", "--limit")
    if depth > 1:
        refuse_together("--depth", "--sort")
    with open_graph(index, (function,)) as graph:
        found = api.select_callees(graph, api.callees(graph, function, **options), folder)
        remark_aliases([found.alias])
        remark_names(found.remarks)
        if counts:
            write_count(found, form, callers=False)
        elif form == "json" and limit is None and not folder and not order and (
                found.is_of_function):
            _write_walk(graph, function, found, depth, options)
        elif depth > 1 and found.is_of_function:
            write_tree(graph, found, function, api.CallTreeQuestion(
                False, depth, get_tree_limit(limit, form), folder=folder, **options), form)
        else:
            hops = limit_hops(sort_hops(found.hops, order, callers=False), limit)
            write_hops(graph, found, hops, form, callers=False)
        if not found.hops and found.is_of_function:
            where = f" in {folder}" if folder else ""
            remark(f"{found.function} makes no calls with a known callee{where}")
            remark_partial_index(graph.description)
        remark_open_sites(found)


def _write_walk(
    graph: "CallGraph", function: str, found: "Neighbours", depth: int, kinds: dict[str, bool]
) -> None:
    """Write all calls as JSON, as they are found: whatever the depth, they take little memory."""
    from kgraph.report.json import encode_edges, encode_hop

    walk = api.walk_callees(graph, function, depth=depth, **kinds)
    write_list(graph, "json", encode_edges(found.function),
               lambda read: (encode_hop(hop, read) for hop in walk), ())
    if depth > 1 and walk.unfollowed:
        remark(f"{walk.unfollowed} functions that are {depth} calls away make further calls")

