"""`kgraph status`."""

import time
from pathlib import Path

import click

from kgraph.cli.options import index_option, opened, output_options
from kgraph.cli.output import write_json, write_lines


@click.command("status")
@click.option("--all", "every", is_flag=True,
              help="List all indexes of the cache folder, and what there no index needs.")
@output_options
@index_option
def status_verb(every: bool, form: str, index: Path | None) -> None:
    """What is indexed: tree, release, configuration, units, coverage, age."""
    from kgraph.report.records import status_record
    from kgraph.report.totals import coverage_lines, description_lines

    if every:
        if index is not None:
            raise click.UsageError("--all and --index cannot be given together")
        _list(form)
        return
    with opened(index) as graph:
        about, account = graph.description, graph.reader.coverage
        if form == "json":
            write_json({**status_record(about, account), "index": str(graph.path)})
        else:
            write_lines(description_lines(about, graph.path, time.time()))
            write_lines(coverage_lines(account))


def _list(form: str) -> None:
    from kgraph.pipeline.inventory import inventory
    from kgraph.report.inventory import inventory_record, listed_lines, spare_lines

    found = inventory()
    if form == "json":
        write_json(inventory_record(found))
        return
    write_lines(listed_lines(found, time.time()))
    write_lines(spare_lines(found, "that no index needs (`kgraph index --prune` drops it)"))
