"""`kgraph site`: shows the call sites of a line, a function or a file, as text or JSON."""

from pathlib import Path

import click

from kgraph import api
from kgraph.cli.completion import complete_file
from kgraph.cli.options import format_options, index_option, open_graph
from kgraph.cli.results import write_places, write_result


@click.command("site")
@click.argument("place", metavar="FILE[:LINE[:COLUMN]] | F", shell_complete=complete_file)
@format_options("quickfix")
@index_option
def site_verb(place: str, form: str, index: Path | None) -> None:
    """What is called at FILE:LINE, every candidate with its evidence.

    Without LINE: all calls in FILE. F: all calls in this function. FILE is absolute, relative to
    the current folder or to the top of the tree, or the end of such a path.
    """
    from kgraph.report.json import encode_call_sites
    from kgraph.report.text import format_call_sites

    with open_graph(index) as graph:
        sites = api.site(graph, place)
        if form == "quickfix":
            from kgraph.report.quickfix import iter_site_places

            write_places(graph, iter_site_places(sites))
            return
        write_result(
            graph, form, lambda read: encode_call_sites(sites, read), format_call_sites(sites))
