"""`kgraph ops`: shows what a table, a struct or a slot holds, or where a function is bound."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kgraph import api
from kgraph.cli.completion import complete_binding
from kgraph.cli.listing import count_option, folder_option, sort_option, sort_rows
from kgraph.cli.options import format_options, index_option, open_graph
from kgraph.cli.output import remark, write_lines
from kgraph.cli.results import write_places, write_result

if TYPE_CHECKING:
    from kgraph.api import CallGraph
    from kgraph.model.results import OpsRow


@click.command("ops")
@click.argument("name", shell_complete=complete_binding)
@folder_option
@count_option
@sort_option
@format_options("quickfix")
@index_option
def ops_verb(name: str, form: str, index: Path | None, **options: Any) -> None:
    """What is bound in a table, struct or slot, or where a function is.

    NAME is an ops table, a struct, a slot or a function. A slot is RECORD.FIELD, such as
    net_device_ops.ndo_start_xmit. With --in, only bindings there.
    """
    folder = options["folder"]
    with open_graph(index) as graph:
        rows = sort_rows(api.ops(graph, name, folder=folder), options["sort"])
        if options["counts"] and form == "text":
            tables = len({row.table.number for row in rows if row.table is not None})
            write_lines([f"{len(rows)} bindings, in {tables} tables"])
        else:
            _write_rows(graph, rows, form)
        if form == "json":
            return
        if not rows:
            remark(f"nothing{f' in {folder}' if folder else ''} binds {name}")
        for slot in dict.fromkeys(row.slot for row in rows if not row.is_complete):
            remark(f"copies may bring more into {slot} than kgraph could follow")


def _write_rows(graph: "CallGraph", rows: "list[OpsRow]", form: str) -> None:
    from kgraph.report.json import encode_ops
    from kgraph.report.quickfix import iter_binding_places
    from kgraph.report.text import format_ops

    if form == "quickfix":
        write_places(graph, iter_binding_places(rows))
    else:
        write_result(graph, form, lambda read: encode_ops(rows, read), format_ops(rows))
