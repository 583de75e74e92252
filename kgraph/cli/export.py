"""`kgraph export`: writes the edges, the facts, or a part of the graph for other graph tools."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kgraph import api
from kgraph.cli.options import index_option, open_graph
from kgraph.cli.output import ProgressBar, write_json, write_lines
from kgraph.cli.results import remark_changed_files

if TYPE_CHECKING:
    from kgraph.api import CallGraph

LINES, CSV = "jsonl", "csv"


@click.command("export")
@click.option("--format", "form", type=click.Choice([LINES, CSV, "graphml", "node-link", "dot"]),
              default=LINES, show_default=True,
              help="One JSON hop a line, a table of edges, or a form that other graph tools read.")
@click.option("--json", "form", flag_value=LINES, type=str, help="Short for --format jsonl.")
@click.option("--edges-only", is_flag=True,
              help="With jsonl: leave out evidence, conditions and source lines, which take most of"
                   " the time.")
@click.option("--facts", is_flag=True,
              help="Write the facts of all definitions in canonical order instead of the edges.")
@click.option("--only", default="", metavar="PATH",
              help="Not with jsonl and csv: only functions defined in this folder or file.")
@click.option("--around", multiple=True, metavar="F",
              help="Not with jsonl and csv: only this function and what is near it (repeatable).")
@click.option("--depth", type=click.IntRange(1, 1000), default=1, show_default=True, metavar="N",
              help="How many calls from --around are near.")
@index_option
def export_verb(form: str, index: Path | None, **options: Any) -> None:
    """Export the call graph, or a part of it. Each edge is written once."""
    _refuse_contradictions(form, options)
    facts, edges_only = options.pop("facts"), options.pop("edges_only")
    with open_graph(index, options["around"]) as graph:
        if facts:
            _write_facts(graph)
        elif form == CSV:
            _write_table(graph)
        elif form == LINES:
            _write_edges(graph) if edges_only else _write_hops(graph)
        else:
            from kgraph.report.network import format_network

            write_lines(format_network(api.network(graph, **options), form))


def _refuse_contradictions(form: str, options: dict[str, Any]) -> None:
    if form in (LINES, CSV) and (options["only"] or options["around"]):
        raise click.UsageError("--only and --around need --format graphml, node-link or dot")
    for name, flag in (("facts", "--facts"), ("edges_only", "--edges-only")):
        if form != LINES and options[name]:
            raise click.UsageError(f"{flag} cannot be given with --format {form}")
    if options["facts"] and options["edges_only"]:
        raise click.UsageError("--facts and --edges-only cannot be given together")


class _Progress:
    """Shows how many functions are done, unless the edges themselves go to the terminal."""

    def __init__(self) -> None:
        self._bar = None if sys.stdout.isatty() else ProgressBar()

    def __call__(self, done: int, total: int) -> None:
        if self._bar is not None:
            self._bar(done, total, "functions")

    def clear(self) -> None:
        if self._bar is not None:
            self._bar.clear()


def _write_facts(graph: "CallGraph") -> None:
    from kgraph.report.facts import iter_facts

    for record in iter_facts(graph.reader.iter_encoded_definitions()):
        write_json(record, indent=None)


def _write_hops(graph: "CallGraph") -> None:
    from kgraph.report.json import encode_hop

    text, progress = api.SourceText(graph), _Progress()
    for hop in api.export(graph, progress):
        write_json(encode_hop(hop, text.read_line), indent=None)
    progress.clear()
    remark_changed_files(text)


def _write_edges(graph: "CallGraph") -> None:
    from kgraph.report.edge_list import encode_edge

    progress = _Progress()
    for row in api.export_edges(graph, progress):
        write_json(encode_edge(row), indent=None)
    progress.clear()


def _write_table(graph: "CallGraph") -> None:
    from kgraph.report.edge_list import format_csv

    progress = _Progress()
    write_lines(format_csv(api.export_edges(graph, progress)), exact=True)
    progress.clear()
