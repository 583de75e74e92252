"""`kgraph diff`: shows what differs between two indexes."""

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kgraph import api
from kgraph.cli.completion import complete_function
from kgraph.cli.options import open_graph, output_options
from kgraph.cli.output import remark, write_json, write_lines
from kgraph.cli.results import COULD_NOT_TELL

if TYPE_CHECKING:
    from kgraph.model.results import IndexDescription

_MOST = 20
DIFFERENT = 1


@click.command("diff")
@click.argument("old", type=click.Path(path_type=Path))
@click.argument("new", type=click.Path(path_type=Path))
@click.option("--folder", default="", metavar="FOLDER",
              help="Only what is defined, called or bound in this folder or file.")
@click.option("--between", nargs=2, metavar="A B", shell_complete=complete_function,
              help="Only what became of the way from A to B, function by function.")
@click.option("--limit", type=click.IntRange(1, 10_000_000), metavar="N",
              help=f"Text: show at most N of each kind (default: {_MOST}). JSON has all.")
@output_options
def diff_verb(
    old: Path, new: Path, folder: str, between: tuple[str, str] | None, limit: int | None,
    form: str,
) -> int:
    """What differs between the indexes OLD and NEW: of two releases, or of two configurations.

    Functions, edges, bindings, slots and registered callbacks that came and went. A function keeps
    its identity if its name is the same, even in another file; one that was renamed is guessed by
    its calls, parameters, file and name, and marked so. Exit status: 0 nothing differs, 1 something
    does, 3 one index has no path (--between), but calls that are not resolved might make one.
    """
    if between and folder:
        raise click.UsageError("--between and --folder cannot be given together")
    with ExitStack() as stack:
        before, after = (stack.enter_context(open_graph(path)) for path in (old, new))
        for line in api.explain_parts(before, after):
            remark(f"{line}: what it lacks seems gone or new")
        sides = before.description, after.description
        if between:
            return _show_ways(api.diff_ways(before, after, *between), sides, form)
        found = api.diff(before, after, folder)
        if form == "json":
            from kgraph.report.comparison import encode_comparison

            write_json(encode_comparison(found, sides))
        else:
            from kgraph.report.comparison import format_comparison

            write_lines(format_comparison(found, sides, limit or _MOST))
        return 0 if found.is_empty else DIFFERENT


def _show_ways(
    result: "api.WayResult", sides: "tuple[IndexDescription, IndexDescription]", form: str
) -> int:
    from kgraph.report.comparison import encode_ways, format_ways

    if form == "json":
        write_json(encode_ways(result, sides))
    else:
        write_lines(format_ways(result.ways, sides))
    ways = result.ways
    if any(ways.is_open):
        return COULD_NOT_TELL
    is_same = (ways.before is None) == (ways.after is None) and all(
        step.change is None for step in ways.steps)
    return 0 if is_same else DIFFERENT
