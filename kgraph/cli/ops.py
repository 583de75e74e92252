"""`kgraph ops`."""

from pathlib import Path

import click

from kgraph.cli.options import index_option, open_graph, output_options
from kgraph.cli.output import remark, remark_changed_files, write_json, write_lines


@click.command("ops")
@click.argument("name")
@output_options
@index_option
def ops_verb(name: str, form: str, index: Path | None) -> None:
    """What is bound where: NAME is an ops table, a struct, a slot or a function.

    A slot is RECORD.FIELD, such as net_device_ops.ndo_start_xmit.
    """
    from kgraph.graph.text import SourceText
    from kgraph.query import find_bindings
    from kgraph.report.json import encode_ops
    from kgraph.report.text import format_ops

    with open_graph(index) as graph:
        rows = find_bindings(graph, name)
        if form == "json":
            text = SourceText(graph)
            write_json(encode_ops(rows, text.read_line))
            remark_changed_files(text)
            return
        write_lines(format_ops(rows))
        if not rows:
            remark(f"nothing binds {name}")
        for slot in dict.fromkeys(row.slot for row in rows if not row.is_complete):
            remark(f"what else {slot} may hold by way of copies could not be followed")
