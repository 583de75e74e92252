"""`kgraph path`."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kgraph.cli.options import (
    format_options,
    index_option,
    no_deferred_option,
    opened,
    types_option,
)
from kgraph.cli.output import (
    remark,
    remark_changes,
    remark_if,
    remark_part,
    write_json,
    write_lines,
)
from kgraph.errors import LookupFailed

if TYPE_CHECKING:
    from kgraph.graph import CallGraph
    from kgraph.model.answers import PathAnswer
    from kgraph.query.paths import PathQuestion
    from kgraph.report.source import SourceText

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
    from kgraph.query.paths import PathQuestion
    from kgraph.query.row_partners import proposed
    from kgraph.report.records import path_record
    from kgraph.report.source import SourceText
    from kgraph.report.text import others_text, partner_text, path_lines

    question = PathQuestion(
        caller, callee, via=via, avoid=avoid, bind=bind, count=count, max_hops=max_hops,
        deferred=not no_deferred, types=types,
    )
    given = bool(via or avoid or bind or no_scenario)
    with opened(index, (caller, callee, *via, *avoid)) as graph:
        question = replace(
            question, caller=_meant(graph, caller), callee=_meant(graph, callee))
        question, answer = answered(graph, question, scenario, given=given)
        partners = proposed(graph, question.pins())
        text = SourceText(graph)
        for partner in partners:
            remark(partner_text(partner))
        if form == "json":
            write_json(path_record(
                answer, graph.description, bind, text, scenario=question.scenario,
                partners=partners))
            remark_changes(text)
        elif form != "text":
            _write_picture(graph, text, question, answer, form)
            remark_changes(text)
        else:
            write_lines(path_lines(answer, text.text if guards else None))
            if answer.others:
                remark(others_text(answer, count))
        if answer.frontier is None:
            return 0
        remark_part(graph.description)
    gap = answer.frontier
    return COULD_NOT_TELL if gap.by_type or gap.by_request else NO_PATH


def _meant(graph: "CallGraph", text: str) -> str:
    """The name to ask for where a user writes `text`, which may be an alias."""
    from kgraph.query.names import alias_note, find_function, written

    remark_if(alias_note(text, find_function(graph, text)))
    return written(graph, text)


def _write_picture(
    graph: "CallGraph", text: "SourceText", question: "PathQuestion", answer: "PathAnswer",
    form: str,
) -> None:
    """The answer as a page, a picture or a graph; without a path only a page says why."""
    from kgraph.report.site import Way, standalone_path
    from kgraph.report.site.pictures import picture_lines
    from kgraph.report.text import frontier_lines

    way = Way(question.caller, question.callee, answer, question.scenario)
    if form == "html":
        write_lines(standalone_path(graph, text, way).splitlines(), exact=True)
        return
    if answer.paths:
        write_lines(picture_lines(way, form))
    elif answer.frontier is not None:
        for line in frontier_lines(answer.frontier):
            remark(line.strip())


def answered(
    graph: "CallGraph", question: "PathQuestion", named: str | None, *, given: bool
) -> "tuple[PathQuestion, PathAnswer]":
    """The question under the scenario that the user names, or that documents this way, and its
    answer.
    """
    from kgraph.pipeline.queries import find_query, shipped_queries
    from kgraph.query.paths import find_paths
    from kgraph.query.scenarios import on_the_way
    from kgraph.report.text import scenario_text

    ends = question.caller, question.callee
    if named is not None:
        query = find_query(named)
        question = replace(question, scenario=on_the_way(query, *ends) or query.scenario)
    for query in shipped_queries() if named is None and not given else ():
        found = on_the_way(query, *ends)
        if found is None or not (found.pins or found.via):
            continue
        under = replace(question, scenario=found)
        try:
            answer = find_paths(graph, under)
            doubt = "" if answer.paths else "no path under it"
        except LookupFailed as error:
            doubt = error.message
        if not doubt:
            remark(f"scenario of query {query.name}: {scenario_text(found)}"
                   " (--no-scenario: without)")
            return under, answer
        remark(f"the scenario of query {query.name} does not fit this index ({doubt}):"
               " answered without it")
        break
    return question, find_paths(graph, question)
