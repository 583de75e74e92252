"""`kgraph export`: writes the edges, the facts, or a part of the graph for other graph tools."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from kgraph import api
from kgraph.cli.options import index_option, open_graph
from kgraph.cli.output import write_json, write_lines
from kgraph.cli.results import remark_changed_files

if TYPE_CHECKING:
    from kgraph.api import CallGraph

LINES = "jsonl"


@click.command("export")
@click.option("--format", "form", type=click.Choice([LINES, "graphml", "node-link", "dot"]),
              default=LINES, show_default=True,
              help="One JSON hop a line, or a form that other graph tools read.")
@click.option("--json", "form", flag_value=LINES, type=str, help="Short for --format jsonl.")
@click.option("--facts", is_flag=True,
              help="Write the facts of all definitions in canonical order instead of the edges.")
@click.option("--only", default="", metavar="PATH",
              help="Not with jsonl: only functions defined in this folder or file.")
@click.option("--around", multiple=True, metavar="F",
              help="Not with jsonl: only this function and what is near it (repeatable).")
@click.option("--depth", type=click.IntRange(1, 1000), default=1, show_default=True, metavar="N",
              help="How many calls from --around are near.")
@index_option
def export_verb(
    form: str, facts: bool, only: str, around: tuple[str, ...], depth: int, index: Path | None
) -> None:
    """Export the call graph, or a part of it."""
    if form == LINES and (only or around):
        raise click.UsageError("--only and --around need --format graphml, node-link or dot")
    if form != LINES and facts:
        raise click.UsageError(f"--facts cannot be given with --format {form}")
    with open_graph(index, around) as graph:
        if facts:
            _write_facts(graph)
        elif form == LINES:
            _write_hops(graph)
        else:
            from kgraph.report.network import format_network

            network = api.network(graph, only=only, around=around, depth=depth)
            write_lines(format_network(network, form))


def _write_facts(graph: "CallGraph") -> None:
    from kgraph.report.facts import iter_facts

    for record in iter_facts(graph.reader.iter_encoded_definitions()):
        write_json(record, indent=None)


def _write_hops(graph: "CallGraph") -> None:
    from kgraph.report.json import encode_hop

    text = api.SourceText(graph)
    for hop in api.export(graph):
        write_json(encode_hop(hop, text.read_line), indent=None)
    remark_changed_files(text)
