"""`kgraph status`: describes an index, or lists every index in the cache."""

import time
from pathlib import Path

import click

from kgraph import api
from kgraph.cli.options import index_option, open_graph, output_options
from kgraph.cli.output import write_json, write_lines


@click.command("status")
@click.option("--all", "every", is_flag=True,
              help="List every index in the cache, and files that no index uses.")
@output_options
@index_option
def status_verb(every: bool, form: str, index: Path | None) -> None:
    """What is indexed: tree, configuration, units, coverage, age."""
    from kgraph.report.json import encode_status
    from kgraph.report.status_text import format_coverage, format_description

    if every:
        if index is not None:
            raise click.UsageError("--all and --index cannot be given together")
        _list(form)
        return
    with open_graph(index) as graph:
        about, account = graph.description, graph.reader.coverage
        if form == "json":
            write_json({**encode_status(about, account), "index": str(graph.path)})
        else:
            write_lines(format_description(about, graph.path, time.time()))
            write_lines(format_coverage(account))


def _list(form: str) -> None:
    from kgraph.report.json import encode_inventory
    from kgraph.report.status_text import format_inventory, format_unused_files

    found = api.list_cache()
    if form == "json":
        write_json(encode_inventory(found))
        return
    write_lines(format_inventory(found, time.time()))
    write_lines(format_unused_files(
        found, "that no index uses (`kgraph index --prune` removes them)"))
