"""`kgraph export`."""

from pathlib import Path

import click

from kgraph import api
from kgraph.cli.options import index_option, open_graph
from kgraph.cli.output import write_json
from kgraph.cli.results import remark_changed_files


@click.command("export")
@click.option("--format", "form", type=click.Choice(["jsonl"]), default="jsonl",
              show_default=True, help="One record a line.")
@click.option("--json", "form", flag_value="jsonl", type=str, help="Short for --format jsonl.")
@click.option("--facts", is_flag=True,
              help="The facts of all definitions in canonical order instead of the edges.")
@index_option
def export_verb(form: str, facts: bool, index: Path | None) -> None:  # noqa: ARG001
    """Write every edge of the graph, one hop a line."""
    from kgraph.report.export import iter_facts
    from kgraph.report.json import encode_hop

    with open_graph(index) as graph:
        if facts:
            for record in iter_facts(graph.reader.iter_encoded_definitions()):
                write_json(record, indent=None)
            return
        text = api.SourceText(graph)
        for hop in api.export(graph):
            write_json(encode_hop(hop, text.read_line), indent=None)
        remark_changed_files(text)
