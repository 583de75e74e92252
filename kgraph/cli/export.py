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
@click.option("--folder", "--only", "folder", default="", metavar="PATH",
              help="Only functions defined in this folder or file.")
@click.option("--around", multiple=True, metavar="F",
              help="Only this function and what is near it (repeatable).")
@click.option("--between", nargs=2, metavar="A B",
              help="Only what lies on a way of calls from A to B.")
@click.option("--depth", type=click.IntRange(1, 1000), metavar="N",
              help="How many calls from --around are near (default: 1); or how many calls a way of"
                   " --between has at most (default: as many as the shortest).")
@index_option
def export_verb(
    form: str, facts: bool, edges_only: bool, index: Path | None, **options: Any
) -> None:
    """Export the call graph, or a part of it. Each edge is written once."""
    part = api.PartQuestion(**options)
    _refuse_contradictions(form, part, facts=facts, edges_only=edges_only)
    with open_graph(index, (*part.around, *(part.between or ()))) as graph:
        if facts:
            _write_facts(graph)
        elif form == CSV:
            _write_table(graph, part)
        elif form == LINES:
            _write_edges(graph, part) if edges_only else _write_hops(graph, part)
        else:
            from kgraph.report.network import format_network

            write_lines(format_network(api.network(graph, part), form))


def _refuse_contradictions(
    form: str, part: api.PartQuestion, *, facts: bool, edges_only: bool
) -> None:
    if part.depth is not None and not (part.around or part.between):
        raise click.UsageError("--depth needs --around or --between")
    for given, flag in ((facts, "--facts"), (edges_only, "--edges-only")):
        if form != LINES and given:
            raise click.UsageError(f"{flag} cannot be given with --format {form}")
    if facts and edges_only:
        raise click.UsageError("--facts and --edges-only cannot be given together")
    if facts and not part.is_whole:
        raise click.UsageError("--facts writes all facts: it goes with no part")


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


def _write_hops(graph: "CallGraph", part: api.PartQuestion) -> None:
    from kgraph.report.json import encode_hop

    text, progress = api.SourceText(graph), _Progress()
    for hop in api.export(graph, part, progress):
        write_json(encode_hop(hop, text.read_line), indent=None)
    progress.clear()
    remark_changed_files(text)


def _write_edges(graph: "CallGraph", part: api.PartQuestion) -> None:
    from kgraph.report.edge_list import encode_edge

    progress = _Progress()
    for row in api.export_edges(graph, part, progress):
        write_json(encode_edge(row), indent=None)
    progress.clear()


def _write_table(graph: "CallGraph", part: api.PartQuestion) -> None:
    from kgraph.report.edge_list import format_csv

    progress = _Progress()
    write_lines(format_csv(api.export_edges(graph, part, progress)), exact=True)
    progress.clear()
