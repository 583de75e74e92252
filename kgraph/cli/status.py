"""`kgraph status`."""

import time
from pathlib import Path

import click

from kgraph.cli.options import index_option, opened, output_options
from kgraph.cli.output import write_json, write_lines


@click.command("status")
@output_options
@index_option
def status_verb(form: str, index: Path | None) -> None:
    """What is indexed: tree, release, configuration, units, coverage, age."""
    from kgraph.report.records import status_record
    from kgraph.report.totals import coverage_lines, description_lines

    with opened(index) as graph:
        about, account = graph.description, graph.reader.coverage
        if form == "json":
            write_json({**status_record(about, account), "index": str(graph.path)})
        else:
            write_lines(description_lines(about, graph.path, time.time()))
            write_lines(coverage_lines(account))
