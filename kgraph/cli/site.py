"""`kgraph site`."""

from pathlib import Path

import click

from kgraph.cli.options import index_option, open_graph, output_options
from kgraph.cli.output import remark_changed_files, write_json, write_lines


@click.command("site")
@click.argument("place", metavar="FILE:LINE")
@output_options
@index_option
def site_verb(place: str, form: str, index: Path | None) -> None:
    """What is called at FILE:LINE, every candidate with its evidence."""
    from kgraph.graph.text import SourceText
    from kgraph.query import find_call_sites
    from kgraph.report.json import encode_call_sites
    from kgraph.report.text import format_call_sites

    with open_graph(index) as graph:
        answers = find_call_sites(graph, place)
        if form == "json":
            text = SourceText(graph)
            write_json(encode_call_sites(answers, text.read_line))
            remark_changed_files(text)
        else:
            write_lines(format_call_sites(answers))
