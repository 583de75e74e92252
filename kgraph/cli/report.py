"""`kgraph report`: gathers the checked chains and paths of an HTML site, and writes the site."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kgraph import api
from kgraph.cli.options import index_option, open_graph, output_options
from kgraph.cli.output import write_json, write_lines
from kgraph.cli.results import (
    remark_aliases,
    remark_changed_files,
    remark_names,
    remark_partial_index,
    remark_partners,
    remark_scenario,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kgraph.api import CallGraph, CheckResult, PathResult, Subject

LINKS = ("elixir", "git", "file", "vscode")


@click.command("report")
@click.argument("subjects", nargs=-1, metavar="[QUERY | FILE]...")
@click.option("--path", "paths", nargs=2, multiple=True, metavar="CALLER CALLEE",
              help="Add a page on how CALLER reaches CALLEE (repeatable).")
@click.option("-k", "count", type=click.IntRange(1, 9), default=3, show_default=True, metavar="N",
              help="How many paths a page shows.")
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), metavar="DIR",
              help="Folder to write: new, empty, or an earlier report.")
@click.option("--link", type=click.Choice(LINKS),
              help="Also link citations to a code browser, or (file, vscode) to the tree on this"
              " machine, whose path is then in the report.")
@output_options
@index_option
def report_verb(
    subjects: tuple[str, ...], index: Path | None, output: Path, form: str, **contents: Any
) -> None:
    """A static HTML site of checked chains and paths.

    Without QUERY, FILE and --path: of all queries that come with kgraph. The site is written as a
    whole or not at all; pages that did not change are left as they are.
    """
    from kgraph.report.html import refuse_folder, write_site

    refuse_folder(output)
    wanted = _Contents(**contents)
    if not subjects and not wanted.paths:
        subjects = tuple(query.name for query in api.read_shipped_queries())
    read = [api.read_subject(name) for name in subjects]
    with open_graph(index, _list_functions(read, wanted)) as graph:
        files = _make_files(graph, read, wanted)
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


@dataclass(frozen=True)
class _Contents:
    """What the site shows besides documents: the options of the verb."""

    paths: tuple[tuple[str, str], ...]
    count: int
    link: str | None


def _list_functions(subjects: "Sequence[Subject]", wanted: _Contents) -> list[str]:
    """The names that the report asks for."""
    queries = [subject.query for subject in subjects if subject.query]
    return [name for ends in (*wanted.paths, *((query.caller, query.callee) for query in queries))
            for name in ends]


def _make_files(
    graph: "CallGraph", subjects: "Sequence[Subject]", wanted: _Contents
) -> dict[str, bytes]:
    from kgraph.report.html import LinkStyle, make_site

    text = api.SourceText(graph)
    chains = list(_iter_chains(graph, subjects))
    paths = list(_iter_paths(graph, wanted))
    style = LinkStyle(wanted.link) if wanted.link else None
    files = make_site(graph, text, chains, paths, style)
    remark_changed_files(text)
    remark_partial_index(graph.description)
    return files


def _iter_chains(graph: "CallGraph", subjects: "Sequence[Subject]") -> "Iterator[CheckResult]":
    for subject in subjects:
        result = api.check(graph, subject)
        remark_partners(result.partners)
        yield result


def _iter_paths(graph: "CallGraph", wanted: _Contents) -> "Iterator[PathResult]":
    for caller, callee in wanted.paths:
        result = api.path(graph, api.PathQuestion(caller, callee, count=wanted.count))
        remark_aliases(result.aliases)
        remark_names(result.remarks)
        remark_scenario(result.documented)
        yield result
