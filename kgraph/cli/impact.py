"""`kgraph impact`: shows what a change of the source touches."""

from pathlib import Path

import click

from kgraph import api
from kgraph.cli.options import index_option, open_graph, output_options
from kgraph.cli.output import write_json, write_lines
from kgraph.cli.results import remark_partial_index

_MOST = 20


@click.command("impact")
@click.argument("change", metavar="PATCH|RANGE")
@click.option("--document", "documents", multiple=True, metavar="FILE|QUERY",
              help="Also say which lines of this document hold by what is touched (repeatable).")
@click.option("--side", type=click.Choice(["before", "after"]),
              help="Whether the index is of the text before or after the change (default: the side"
                   " whose lines fit the indexed text).")
@click.option("--limit", type=click.IntRange(1, 10_000_000), default=_MOST, show_default=True,
              metavar="N", help="Text: show at most N of each kind. JSON has all.")
@output_options
@index_option
def impact_verb(
    change: str, documents: tuple[str, ...], side: str | None, limit: int, form: str,
    index: Path | None,
) -> None:
    """What a patch, or a range of commits, touches.

    PATCH is a unified diff, RANGE commits of the indexed tree (A..B, or one commit). Shown are the
    functions, tables and macros with changed lines, the slots that they fill, the callers that
    depend on these, the system calls that lead there, and the lines of documented chains.
    """
    from kgraph.report.impact import encode_impact, format_impact

    with open_graph(index) as graph:
        result = api.impact(graph, change, documents=documents, side=side)
        if form == "json":
            write_json(encode_impact(result))
        else:
            write_lines(format_impact(result, limit))
        remark_partial_index(graph.description)
