"""`kgraph export`."""

from pathlib import Path

import click

from kgraph.cli.options import index_option, opened
from kgraph.cli.output import remark_changes, write_json


@click.command("export")
@click.option("--format", "form", type=click.Choice(["jsonl"]), default="jsonl",
              show_default=True, help="One record a line.")
@click.option("--json", "form", flag_value="jsonl", type=str, help="Short for --format jsonl.")
@click.option("--facts", is_flag=True,
              help="The facts of all definitions in canonical order instead of the edges.")
@index_option
def export_verb(form: str, facts: bool, index: Path | None) -> None:  # noqa: ARG001
    """Write every edge of the graph, one hop a line."""
    from kgraph.query.everything import all_hops
    from kgraph.report.facts import fact_records
    from kgraph.report.records import hop_record
    from kgraph.report.source import SourceText

    with opened(index) as graph:
        if facts:
            for record in fact_records(graph.reader.encoded_definitions()):
                write_json(record, indent=None)
            return
        text = SourceText(graph)
        for hop in all_hops(graph):
            write_json(hop_record(hop, text), indent=None)
        remark_changes(text)
