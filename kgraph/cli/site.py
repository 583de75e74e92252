"""`kgraph site`: shows the call sites of a line, as text or JSON."""

from pathlib import Path

import click

from kgraph import api
from kgraph.cli.options import index_option, open_graph, output_options
from kgraph.cli.results import write_result


@click.command("site")
@click.argument("place", metavar="FILE:LINE")
@output_options
@index_option
def site_verb(place: str, form: str, index: Path | None) -> None:
    """What is called at FILE:LINE, every candidate with its evidence."""
    from kgraph.report.json import encode_call_sites
    from kgraph.report.text import format_call_sites

    with open_graph(index) as graph:
        sites = api.site(graph, place)
        write_result(
            graph, form, lambda read: encode_call_sites(sites, read), format_call_sites(sites))
