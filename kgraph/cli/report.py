"""`kgraph report`."""

from pathlib import Path

import click

from kgraph.cli.check import check_subject
from kgraph.cli.options import index_option, open_graph, output_options
from kgraph.cli.output import remark_changed_files, remark_partial_index, write_json, write_lines
from kgraph.cli.path import answer_question

LINKS = ("elixir", "git", "file", "vscode")


@click.command("report")
@click.argument("subjects", nargs=-1, metavar="[QUERY | FILE]...")
@click.option("--path", "paths", nargs=2, multiple=True, metavar="CALLER CALLEE",
              help="Also a page of how CALLER reaches CALLEE (repeatable).")
@click.option("-k", "count", type=click.IntRange(1, 9), default=3, show_default=True, metavar="N",
              help="How many ways a page of a path shows.")
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), metavar="DIR",
              help="The folder to make: new, empty, or an earlier report.")
@click.option("--link", type=click.Choice(LINKS),
              help="Where citations lead besides the report's own excerpts: a code browser, or"
              " (file, vscode) this machine's tree, whose path is then in the report.")
@output_options
@index_option
def report_verb(
    subjects: tuple[str, ...], paths: tuple[tuple[str, str], ...], count: int, output: Path,
    link: str | None, form: str, index: Path | None,
) -> None:
    """A static HTML site of checked chains and paths.

    Without QUERY, FILE and --path: of all queries that come with kgraph. The site is made whole or
    not at all; pages that did not change are left as they are.
    """
    from kgraph.check.document.query_files import read_shipped_queries, read_subject
    from kgraph.graph.text import SourceText
    from kgraph.query.paths.question import PathQuestion
    from kgraph.report.html import AnsweredPath, CheckedChain, LinkStyle, make_site, write_site

    if not subjects and not paths:
        subjects = tuple(query.name for query in read_shipped_queries())
    read = [read_subject(name) for name in subjects]
    asked = [name for ends in paths for name in ends]
    asked += [name for subject in read if subject.query
              for name in (subject.query.caller, subject.query.callee)]
    with open_graph(index, asked) as graph:
        chains = [CheckedChain(check_subject(graph, subject), subject.query) for subject in read]
        ways = []
        for caller, callee in paths:
            question = PathQuestion(caller, callee, count=count)
            question, answer = answer_question(graph, question, None, given=False)
            ways.append(AnsweredPath(caller, callee, answer, question.scenario))
        text = SourceText(graph)
        files = make_site(graph, text, chains, ways, LinkStyle(link) if link else None)
        remark_changed_files(text)
        remark_partial_index(graph.description)
    done = write_site(output, files)
    if form == "json":
        write_json({
            "format": "kgraph-report/1", "folder": str(output), "files": len(files),
            "written": done.written, "kept": done.kept, "removed": done.removed,
        })
    else:
        page = output / "index.html"
        counts = f"{done.written} written, {done.kept} unchanged, {done.removed} removed"
        write_lines([f"{page}: {len(files)} files, {counts}"])
