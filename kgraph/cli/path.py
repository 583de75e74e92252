"""`kgraph path`."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kgraph.cli.options import (
    format_options,
    index_option,
    no_deferred_option,
    open_graph,
    types_option,
)
from kgraph.cli.output import (
    remark,
    remark_changed_files,
    remark_if,
    remark_partial_index,
    write_json,
    write_lines,
)
from kgraph.errors import LookupFailed

if TYPE_CHECKING:
    from kgraph.graph import CallGraph
    from kgraph.graph.text import SourceText
    from kgraph.model.results import PathAnswer
    from kgraph.query.paths.question import PathQuestion

NO_PATH = 1
COULD_NOT_TELL = 3


@click.command("path")
@click.argument("caller")
@click.argument("callee")
@click.option("--via", multiple=True, metavar="F",
              help="Pass this function; repeat it for several, in their order.")
@click.option("--avoid", multiple=True, metavar="F", help="Do not pass this function (repeatable).")
@click.option("--bind", multiple=True, metavar="SLOT=TARGET[@FROM..TO]",
              help="Calls through this slot go to TARGET only (repeatable); with FROM or TO, which"
                   " the way passes, only on that part of it.")
@click.option("--scenario", metavar="NAME",
              help="Take the pins, via and avoid of this query (a name, or a TOML file).")
@click.option("--no-scenario", is_flag=True,
              help="Do not take the scenario of the query that documents this way.")
@click.option("--guards", is_flag=True, help="Show the conditions around each call.")
@click.option("-k", "count", type=click.IntRange(1, 1000), default=1, show_default=True,
              metavar="N", help="How many paths to find; each passes other functions.")
@click.option("--max-hops", type=click.IntRange(1, 1_000_000), metavar="N",
              help="The longest path.")
@no_deferred_option
@types_option
@format_options("html", "svg", "dot", "mermaid")
@index_option
def path_verb(
    caller: str, callee: str, via: tuple[str, ...], avoid: tuple[str, ...], bind: tuple[str, ...],
    scenario: str | None, no_scenario: bool, guards: bool, count: int, max_hops: int | None,
    no_deferred: bool, types: bool, form: str, index: Path | None,
) -> int:
    """How CALLER reaches CALLEE, every hop with its citation.

    A function is NAME or PATH:NAME. Ways with few candidates at their indirect calls come before
    short ones. Where a query that comes with kgraph documents the way from CALLER to CALLEE, its
    scenario is taken, unless --via, --avoid, --bind or --no-scenario is given. Exit status: 0
    found, 1 no path, 3 none found, but unresolved calls might make one.
    """
    from kgraph.graph.text import SourceText
    from kgraph.query.paths.question import PathQuestion
    from kgraph.query.pins import propose_partners
    from kgraph.report.json import encode_paths
    from kgraph.report.text import format_other_paths, format_paths, format_row_partner

    question = PathQuestion(
        caller, callee, via=via, avoid=avoid, bind=bind, count=count, max_hops=max_hops,
        deferred=not no_deferred, types=types,
    )
    given = bool(via or avoid or bind or no_scenario)
    with open_graph(index, (caller, callee, *via, *avoid)) as graph:
        question = replace(
            question, caller=_resolve_name(graph, caller), callee=_resolve_name(graph, callee))
        question, answer = answer_question(graph, question, scenario, given=given)
        partners = propose_partners(graph, question.collect_pins())
        text = SourceText(graph)
        for partner in partners:
            remark(format_row_partner(partner))
        if form == "json":
            write_json(encode_paths(
                answer, graph.description, bind, text.read_line, scenario=question.scenario,
                partners=partners))
            remark_changed_files(text)
        elif form != "text":
            _write_picture(graph, text, question, answer, form)
            remark_changed_files(text)
        else:
            write_lines(format_paths(answer, text.read_extent if guards else None))
            if answer.others:
                remark(format_other_paths(answer, count))
        if answer.frontier is None:
            return 0
        remark_partial_index(graph.description)
    gap = answer.frontier
    return COULD_NOT_TELL if gap.by_type or gap.by_request else NO_PATH


def _resolve_name(graph: "CallGraph", text: str) -> str:
    """The name to ask for where a user writes `text`, which may be an alias."""
    from kgraph.query.lookup import describe_alias, find_function, qualify_name

    remark_if(describe_alias(text, find_function(graph, text)))
    return qualify_name(graph, text)


def _write_picture(
    graph: "CallGraph", text: "SourceText", question: "PathQuestion", answer: "PathAnswer",
    form: str,
) -> None:
    """The answer as a page, a picture or a graph; without a path only a page says why."""
    from kgraph.report.html import AnsweredPath, make_standalone_page
    from kgraph.report.picture.formats import format_picture
    from kgraph.report.text import format_frontier

    if form == "html":
        asked = AnsweredPath(question.caller, question.callee, answer, question.scenario)
        write_lines(make_standalone_page(graph, text, asked).splitlines(), exact=True)
        return
    if answer.paths:
        title = f"{question.caller} to {question.callee}"
        write_lines(format_picture(title, answer.paths, form))
    elif answer.frontier is not None:
        for line in format_frontier(answer.frontier):
            remark(line.strip())


def answer_question(
    graph: "CallGraph", question: "PathQuestion", named: str | None, *, given: bool
) -> "tuple[PathQuestion, PathAnswer]":
    """The question under the scenario that the user names, or that documents this way, and its
    answer.
    """
    from kgraph.check.document.query_files import find_query, read_shipped_queries
    from kgraph.query.paths.question import find_paths
    from kgraph.query.scenarios import restrict_scenario
    from kgraph.report.text import format_scenario

    ends = question.caller, question.callee
    if named is not None:
        query = find_query(named)
        question = replace(question, scenario=restrict_scenario(query, *ends) or query.scenario)
    for query in read_shipped_queries() if named is None and not given else ():
        found = restrict_scenario(query, *ends)
        if found is None or not (found.pins or found.via):
            continue
        under = replace(question, scenario=found)
        try:
            answer = find_paths(graph, under)
            doubt = "" if answer.paths else "no path under it"
        except LookupFailed as error:
            doubt = error.message
        if not doubt:
            remark(f"scenario of query {query.name}: {format_scenario(found)}"
                   " (--no-scenario: without)")
            return under, answer
        remark(f"the scenario of query {query.name} does not fit this index ({doubt}):"
               " answered without it")
        break
    return question, find_paths(graph, question)
