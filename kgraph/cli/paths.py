"""`kgraph path`."""

from pathlib import Path

import click

from kgraph.cli.options import (
    index_option,
    no_deferred_option,
    opened,
    output_options,
    types_option,
)
from kgraph.cli.output import remark, remark_changes, remark_part, write_json, write_lines

NO_PATH = 1
COULD_NOT_TELL = 3


@click.command("path")
@click.argument("caller")
@click.argument("callee")
@click.option("--via", multiple=True, metavar="F",
              help="Pass this function; repeat it for several, in their order.")
@click.option("--avoid", multiple=True, metavar="F", help="Do not pass this function (repeatable).")
@click.option("--bind", multiple=True, metavar="SLOT=TARGET",
              help="Calls through this slot go to TARGET only (repeatable).")
@click.option("-k", "count", type=click.IntRange(min=1), default=1, show_default=True, metavar="N",
              help="How many paths to find; each passes other functions.")
@click.option("--max-hops", type=click.IntRange(min=1), metavar="N", help="The longest path.")
@no_deferred_option
@types_option
@output_options
@index_option
def path_verb(
    caller: str, callee: str, via: tuple[str, ...], avoid: tuple[str, ...], bind: tuple[str, ...],
    count: int, max_hops: int | None, no_deferred: bool, types: bool, form: str,
    index: Path | None,
) -> int:
    """How CALLER reaches CALLEE, every hop with its citation.

    A function is NAME or PATH:NAME. Ways with few candidates at their indirect calls come before
    short ones. Exit status: 0 found, 1 no path, 3 none found, but unresolved calls might make one.
    """
    from kgraph.query.paths import PathQuestion, find_paths
    from kgraph.report.records import path_record
    from kgraph.report.source import SourceText
    from kgraph.report.text import path_lines

    question = PathQuestion(
        caller, callee, via=via, avoid=avoid, bind=bind, count=count, max_hops=max_hops,
        deferred=not no_deferred, types=types,
    )
    with opened(index, (caller, callee, *via, *avoid)) as graph:
        answer = find_paths(graph, question)
        if form == "json":
            text = SourceText(graph)
            write_json(path_record(answer, graph.description, bind, text))
            remark_changes(text)
        else:
            write_lines(path_lines(answer))
            if answer.others:
                remark(f"there are other ways (-k {count + 1} shows the next)")
        if answer.frontier is None:
            return 0
        remark_part(graph.description)
    return COULD_NOT_TELL if answer.frontier.by_type else NO_PATH
