"""Options of verbs that list calls or bindings, and what they do to a list."""

from collections.abc import Callable, Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING, TypeVar

import click
from click.core import ParameterSource

from kgraph import api
from kgraph.cli.output import remark, write_json, write_lines
from kgraph.cli.results import remark_changed_files, write_list, write_places

if TYPE_CHECKING:
    from kgraph.api import CallGraph
    from kgraph.model.results import Hop, Neighbours, OpsRow

Verb = TypeVar("Verb", bound=Callable[..., object])
MOST_IN_TREE = 1000
_MOST_IN_JSON = 10_000


def _strip_folder(_context: click.Context, _option: click.Parameter, value: str) -> str:
    return str(PurePath(value)) if value else ""


folder_option = click.option(
    "--in", "folder", default="", metavar="FOLDER", callback=_strip_folder,
    help="Only what is in this folder or file of the tree.")
count_option = click.option("--count", "counts", is_flag=True, help="Say only how many.")
sort_option = click.option(
    "--sort", type=click.Choice(["name", "place"]), metavar="name|place",
    help="Sort by the name of the function, or by the place.")


def depth_option(what: str) -> Callable[[Verb], Verb]:
    """--depth."""
    return click.option(
        "--depth", type=click.IntRange(1, 1_000_000), default=1, show_default=True, metavar="N",
        help=f"Also show {what}, N calls deep, as a tree.")


limit_option = click.option(
    "--limit", type=click.IntRange(1, 1_000_000), metavar="N",
    help=f"Show at most N calls (default with --depth: {MOST_IN_TREE}).")


def sort_hops(hops: "Sequence[Hop]", key: str | None, *, callers: bool) -> "list[Hop]":
    """Hops in the order that --sort asks for."""
    if key == "place":
        return sorted(hops, key=lambda hop: (hop.site.location, hop.site.ordinal))
    if key == "name":
        return sorted(hops, key=lambda hop: str(hop.caller if callers else hop.callee))
    return list(hops)


def limit_hops(hops: "list[Hop]", limit: int | None) -> "list[Hop]":
    """The first `limit` hops; says how many are left out."""
    if limit is not None and len(hops) > limit:
        remark(f"{limit} of {len(hops)} calls are shown (--limit shows more)")
    return hops[:limit]


def write_hops(
    graph: "CallGraph", found: "Neighbours", hops: "list[Hop]", form: str, *, callers: bool
) -> None:
    """Write calls as a list: as text, as JSON, or as places for an editor."""
    from kgraph.report.json import encode_edges, encode_hop
    from kgraph.report.text import format_edges

    if form == "quickfix":
        from kgraph.report.quickfix import iter_call_places

        write_places(graph, iter_call_places(hops))
        return
    write_list(
        graph, form, encode_edges(found.function),
        lambda read: (encode_hop(hop, read) for hop in hops), format_edges(hops, callers=callers))


def sort_rows(rows: "list[OpsRow]", key: str | None) -> "list[OpsRow]":
    """Bindings in the order that --sort asks for."""
    if key == "place":
        rows.sort(key=lambda row: row.location)
    if key == "name":
        rows.sort(key=lambda row: row.bound.id.name)
    return rows


def write_count(found: "Neighbours", form: str, *, callers: bool) -> None:
    """Write how many calls there are."""
    from kgraph.report.json import encode_count
    from kgraph.report.tree_text import count_functions

    if form == "json":
        write_json(encode_count(found.function, found.hops))
    else:
        write_lines([count_functions(found.hops, callers=callers)])


def refuse_together(first: str, *others: str) -> None:
    """Raise a usage error if one of the other options was given: they mean nothing with `first`."""
    context = click.get_current_context()
    for parameter in context.command.params:
        given = context.get_parameter_source(parameter.name or "") is ParameterSource.COMMANDLINE
        if given and parameter.opts[0] in others:
            raise click.UsageError(f"{parameter.opts[0]} cannot be given with {first}")


def write_tree(
    graph: "CallGraph", found: "Neighbours", name: str, question: "api.CallTreeQuestion", form: str
) -> None:
    """Write the tree of the callers or callees of a function; as JSON, its calls as a list."""
    from kgraph.report.json import encode_edges, encode_hop
    from kgraph.report.tree_text import format_call_tree, format_left_out

    tree = api.call_tree(graph, name, question)
    if form == "quickfix":
        from kgraph.report.quickfix import iter_call_places

        write_places(graph, iter_call_places(tree.iter_hops()))
    elif form == "json":
        text = api.SourceText(graph)
        record = encode_edges(found.function)
        record["left_out"] = tree.left_out
        record["edges"] = [encode_hop(hop, text.read_line) for hop in tree.iter_hops()]
        write_json(record)
        remark_changed_files(text)
        return
    else:
        write_lines(format_call_tree(tree, callers=question.callers))
    left_out = format_left_out(tree)
    if left_out:
        remark(left_out)


def get_tree_limit(limit: int | None, form: str) -> int:
    """How many calls a tree shows at most."""
    return limit or (_MOST_IN_JSON if form == "json" else MOST_IN_TREE)
