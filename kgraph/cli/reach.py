"""`kgraph reach`: shows which entry points reach a place."""

from pathlib import Path

import click

from kgraph import api
from kgraph.cli.completion import complete_function
from kgraph.cli.options import deferred_option, index_option, open_graph, output_options
from kgraph.cli.output import remark, write_json, write_lines
from kgraph.cli.results import remark_partial_index, write_result


@click.command("reach")
@click.argument("place", metavar="[F | FILE:LINE | SLOT]", required=False,
                shell_complete=complete_function)
@click.option("--from", "kinds", multiple=True, metavar="KIND",
              help="Only this kind of entry points (repeatable): syscall, ioctl, interrupt ...")
@click.option("--list", "lists", is_flag=True,
              help="List the functions to which calls lead, each with the kinds of entry points.")
@deferred_option
@output_options
@index_option
def reach_verb(
    place: str | None, kinds: tuple[str, ...], lists: bool, deferred: bool, form: str,
    index: Path | None,
) -> None:
    """Which kinds of entry points reach a function, a line, or the calls through SLOT.

    For each kind: reached, with the best way and the capability checks on it; proved not; or
    undecided, with the open calls that could make a way.
    """
    from kgraph.report.reach_text import encode_reach, encode_reached, format_reach, format_reached

    if lists != (place is None):
        raise click.UsageError("give a place, or --list", click.get_current_context())
    with open_graph(index) as graph:
        if place is None:
            found = api.reached_functions(graph, kinds)
            if form == "json":
                write_json(encode_reached(found))
            else:
                write_lines(format_reached(found))
            remark(f"calls lead to {len(found)} functions, not all of which need be reached:"
                   " `kgraph reach FUNCTION` judges one")
            return
        answer = api.reach(graph, place, kinds, deferred=deferred)
        write_result(
            graph, form, lambda read: encode_reach(answer, read), format_reach(answer))
        remark_partial_index(graph.description)
