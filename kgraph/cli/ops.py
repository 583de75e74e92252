"""`kgraph ops`: shows what a table, a struct or a slot holds, or where a function is bound."""

from pathlib import Path

import click

from kgraph import api
from kgraph.cli.options import index_option, open_graph, output_options
from kgraph.cli.output import remark
from kgraph.cli.results import write_result


@click.command("ops")
@click.argument("name")
@output_options
@index_option
def ops_verb(name: str, form: str, index: Path | None) -> None:
    """What is bound in a table, struct or slot, or where a function is.

    NAME is an ops table, a struct, a slot or a function. A slot is RECORD.FIELD, such as
    net_device_ops.ndo_start_xmit.
    """
    from kgraph.report.json import encode_ops
    from kgraph.report.text import format_ops

    with open_graph(index) as graph:
        rows = api.ops(graph, name)
        write_result(graph, form, lambda read: encode_ops(rows, read), format_ops(rows))
        if form == "json":
            return
        if not rows:
            remark(f"nothing binds {name}")
        for slot in dict.fromkeys(row.slot for row in rows if not row.is_complete):
            remark(f"copies may bring more into {slot} than kgraph could follow")
