"""`kgraph find`: finds names by a pattern."""

from pathlib import Path

import click

from kgraph import api
from kgraph.cli.options import format_options, index_option, open_graph
from kgraph.cli.output import remark, write_json, write_lines
from kgraph.cli.results import remark_partial_index, write_places

_MOST = 200


@click.command("find")
@click.argument("pattern")
@click.option("--kind", "kinds", multiple=True,
              type=click.Choice(["function", "macro", "table", "slot"]),
              help="Only this kind (repeatable).")
@click.option("--limit", type=click.IntRange(1, 1_000_000), default=_MOST, show_default=True,
              metavar="N", help="Show at most N names.")
@format_options("quickfix")
@index_option
def find_verb(
    pattern: str, kinds: tuple[str, ...], limit: int, form: str, index: Path | None
) -> None:
    """Names that match PATTERN: functions, macros, tables, slots.

    PATTERN is a shell pattern (tcp_*rcv*), a regular expression (^tcp_.*rcv$), or a part of a name.
    FOLDER:PATTERN looks in a folder or file, syscall:PATTERN for system calls.
    """
    from kgraph.report.json import encode_names
    from kgraph.report.text import format_names

    with open_graph(index) as graph:
        found = api.find(graph, pattern, kinds)
        shown = found[:limit]
        if form == "json":
            write_json(encode_names(shown, len(found)))
        elif form == "quickfix":
            write_places(graph, [(each.location, f"{each.kind} {each.name}")
                                 for each in shown if each.location is not None])
        else:
            write_lines(format_names(shown))
        if len(shown) < len(found):
            remark(f"{len(shown)} of {len(found)} names are shown (--limit shows more)")
        remark_partial_index(graph.description)
