"""`kgraph path`: shows the paths between two functions, as text, JSON or a picture."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kgraph import api
from kgraph.cli.completion import complete_function
from kgraph.cli.options import (
    deferred_option,
    format_options,
    index_option,
    open_graph,
    types_option,
)
from kgraph.cli.output import remark, write_lines
from kgraph.cli.results import (
    COULD_NOT_TELL,
    remark_aliases,
    remark_changed_files,
    remark_contradiction,
    remark_names,
    remark_partial_index,
    remark_partners,
    remark_scenario,
    write_places,
    write_result,
)

if TYPE_CHECKING:
    from kgraph.api import CallGraph, PathResult

NO_PATH = 1
STATUS = {"found": 0, "proved none": NO_PATH, "could not tell": COULD_NOT_TELL}


@click.command("path")
@click.argument("caller", shell_complete=complete_function)
@click.argument("callee", shell_complete=complete_function)
@click.option("--via", multiple=True, shell_complete=complete_function, metavar="F",
              help="Pass this function (repeatable, in order).")
@click.option("--avoid", multiple=True, shell_complete=complete_function, metavar="F",
              help="Do not pass this function (repeatable).")
@click.option("--bind", multiple=True, metavar="SLOT=TARGET[@FROM..TO]",
              help="Calls through this slot go only to TARGET (repeatable). FROM..TO limits this to"
                   " a part of the path, between functions that it passes.")
@click.option("--scenario", metavar="NAME",
              help="Use the pins, via and avoid of this query (its name, or a TOML file).")
@click.option("--no-scenario", is_flag=True,
              help="Do not use the scenario of the query that documents this path.")
@click.option("--guards", is_flag=True, help="Show the conditions around each call.")
@click.option("-k", "count", type=click.IntRange(1, 1000), default=1, show_default=True,
              metavar="N",
              help="How many ways to show. Each further way passes a function that none before it"
                   " does. Ways that differ in a choice, a deferred call or a folder come before"
                   " detours by other wrappers or error paths.")
@click.option("--why-not", metavar="F",
              help="Say why the path does not pass this function.")
@click.option("--must", is_flag=True,
              help="Instead of a path: the functions that every path passes, over all calls of the"
                   " index, whether they can follow each other or not. `?` marks those that an"
                   " unresolved call might lead around.")
@click.option("--prune/--no-prune", default=True, show_default=True,
              help="Leave out paths that contradict themselves: that sleep in an interrupt, or call"
                   " what another number, key or table is needed for.")
@click.option("--max-hops", type=click.IntRange(1, 1_000_000), metavar="N",
              help="The most hops that a path may have.")
@deferred_option
@types_option
@format_options("html", "svg", "dot", "mermaid", "quickfix")
@index_option
def path_verb(
    caller: str, callee: str, scenario: str | None, no_scenario: bool, guards: bool,
    why_not: str | None, must: bool, form: str, index: Path | None, **constraints: Any,
) -> int:
    """How CALLER reaches CALLEE, every hop with its citation.

    A function is NAME or PATH:NAME. CALLER and CALLEE may also be a slot, a table, a file, a
    pattern or syscall:*. What usually happens, with few choices, comes first. If a query
    that comes with kgraph documents the path from CALLER to CALLEE, its scenario is used, unless
    you give --via, --avoid, --bind or --no-scenario. Exit status: 0 found, 1 no path, 3 none found,
    but unresolved calls or functions without a definition might make one, one was left out by its
    tables only, or the search was stopped.
    """
    question = api.PathQuestion(caller, callee, **constraints)
    with open_graph(index, (caller, callee, *question.via, *question.avoid)) as graph:
        if must:
            return _write_required(graph, question, form, (scenario, guards, why_not))
        result = api.path(graph, question, scenario, documented=not no_scenario)
        if why_not is not None:
            result = api.explain_absence(graph, result, why_not)
        remark_aliases(result.aliases)
        remark_names(result.remarks)
        remark_scenario(result.documented)
        remark_partners(result.partners)
        if form in ("text", "json"):
            _write_answer(graph, result, form, guards=guards)
        else:
            _write_picture(graph, result, form)
        left_out = result.answer.contradiction
        if left_out is not None and result.why_not is None and form != "json":
            remark_contradiction(left_out)
        if result.answer.frontier is not None:
            remark_partial_index(graph.description)
        return STATUS[result.answer.finding]


def _write_required(
    graph: "CallGraph", question: "api.PathQuestion", form: str, given: Iterable[object]
) -> int:
    """Write what every path passes."""
    from kgraph.report.json import encode_required
    from kgraph.report.text import format_required

    if form not in ("text", "json"):
        raise click.UsageError(f"--must cannot be given with --format {form}")
    if any(given) or question.via or question.count != 1 or question.max_hops:
        raise click.UsageError(
            "--must goes with --avoid, --bind, --no-deferred and --types only: it is about all"
            " paths that these leave")
    result = api.required(graph, question)
    write_result(graph, form, lambda read_line: encode_required(result, read_line),
                 format_required(result))
    if result.frontier is None:
        return STATUS["found"]
    remark_partial_index(graph.description)
    return COULD_NOT_TELL if result.frontier.is_open else NO_PATH


def _write_answer(graph: "CallGraph", result: "PathResult", form: str, *, guards: bool) -> None:
    from kgraph.report.json import encode_paths
    from kgraph.report.text import (
        format_absence,
        format_other_paths,
        format_paths,
    )

    question, answer = result.question, result.answer
    write_result(
        graph, form,
        lambda read_line: encode_paths(result, graph.description, read_line),
        format_paths(answer, api.SourceText(graph).read_extent if guards else None))
    if result.why_not is not None and form == "text":
        write_lines(format_absence(result.why_not))
    others = format_other_paths(answer, question.count)
    if form == "text" and others:
        remark(others)


def _write_picture(graph: "CallGraph", result: "PathResult", form: str) -> None:
    """The answer as a page, a picture or a graph; without a path only a page says why."""
    from kgraph.report.html import make_standalone_page
    from kgraph.report.picture.formats import format_picture
    from kgraph.report.text import format_frontier

    question, answer = result.question, result.answer
    if form == "html":
        text = api.SourceText(graph)
        write_lines(make_standalone_page(graph, text, result).splitlines(), exact=True)
        remark_changed_files(text)
    elif form == "quickfix":
        from kgraph.report.quickfix import iter_path_places

        write_places(graph, iter_path_places(path.hops for path in answer.paths))
    elif answer.paths:
        title = f"{question.caller} to {question.callee}"
        write_lines(format_picture(title, answer.paths, form))
    elif answer.frontier is not None:
        for line in format_frontier(answer.frontier):
            remark(line.strip())
