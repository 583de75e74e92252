"""`kgraph check`."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kgraph.cli.options import index_option, opened, output_options
from kgraph.cli.output import (
    remark,
    remark_changes,
    remark_part,
    write_file,
    write_json,
    write_lines,
)
from kgraph.errors import DocumentError
from kgraph.treefile import is_file, is_there

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kgraph.graph import CallGraph
    from kgraph.model.documents import ChainCheck, Scenario
    from kgraph.pipeline.subjects import Subject

HOLDS, WRONG, COULD_NOT_TELL = 0, 1, 3


@click.command("check")
@click.argument("files", nargs=-1, required=True, metavar="FILE | QUERY...")
@click.option("--scenario", metavar="NAME",
              help="Judge under the scenario of this query (a name, or a TOML file).")
@click.option("--guards", is_flag=True, help="Show the conditions around each call.")
@click.option("--strict-citations", is_flag=True,
              help="Exit with 1 also where a citation is wrong.")
@click.option("--fix", is_flag=True,
              help="Rewrite the citations in FILE to what the index says; nothing else changes.")
@click.option("--cite", is_flag=True, help="Also add citations to lines that have none.")
@click.option("--diff", is_flag=True, help="Show what --fix (or --cite) would write.")
@click.option("--junit", type=click.Path(path_type=Path), metavar="FILE",
              help="Write the verdicts as JUnit XML.")
@click.option("--sarif", type=click.Path(path_type=Path), metavar="FILE",
              help="Write what is wrong as SARIF.")
@output_options
@index_option
def check_verb(
    files: tuple[str, ...], scenario: str | None, guards: bool, strict_citations: bool, fix: bool,
    cite: bool, diff: bool, junit: Path | None, sarif: Path | None, form: str, index: Path | None,
) -> int:
    """What holds of the call chains in documents, line by line.

    FILE is Markdown or text, QUERY a query file or the name of one that comes with kgraph. Exit
    status: 1 if a line is refuted or contradicts, else 3 if one is undecided or unread, else 0.
    """
    from kgraph.pipeline.subjects import read_subject
    from kgraph.report.checking import check_lines, check_record
    from kgraph.report.source import SourceText

    subjects = [read_subject(name) for name in files]
    with opened(index) as graph:
        _refuse_same([path for path in (junit, sarif) if path is not None],
                     [graph.path, *map(Path, files)])
        checks = [checked(graph, subject, scenario) for subject in subjects]
        text = SourceText(graph)
        if diff or fix or cite:
            _rewrite(subjects, checks, cite=cite, write=fix or (cite and not diff), show=diff)
        elif form == "json":
            write_json(check_record(checks, text))
        else:
            for check in checks:
                write_lines(check_lines(check, text.text if guards else None))
        remark_changes(text)
        remark_part(graph.description)
    _write_for_machines(checks, junit, sarif)
    return _status(checks, strict=strict_citations)


def checked(graph: "CallGraph", subject: "Subject", named: str | None = None) -> "ChainCheck":
    """The verdicts on a document under its scenario, or that of the query `named`; says which pins
    belong to those of the scenario, also where the document made it.
    """
    from kgraph.pipeline.queries import find_query
    from kgraph.query.checking import check_document
    from kgraph.query.row_partners import proposed
    from kgraph.report.text import partner_text

    scenario: Scenario | None = None
    if named is not None:
        scenario = find_query(named).scenario
    elif subject.query is not None:
        scenario = subject.query.scenario
    check = check_document(graph, subject.document, scenario)
    for partner in proposed(graph, check.scenario.pins):
        remark(partner_text(partner))
    return check


def _rewrite(
    subjects: "Sequence[Subject]", checks: "Sequence[ChainCheck]", *,
    cite: bool, write: bool, show: bool,
) -> None:
    from kgraph.report.rewriting import difference, rewritten

    for subject, check in zip(subjects, checks, strict=True):
        document, data = subject.document, subject.data
        if subject.query is not None:
            remark(f"{document.file}: a query has no citations to mend")
            continue
        new = rewritten(data, check, cite=cite)
        if show:
            # A patch is exact; a terminal obeys nothing of it.
            write_lines(difference(document.file, data, new), exact=not sys.stdout.isatty())
        elif write and new != data:
            _write(Path(document.file), new, "--diff shows what would be written")
            remark(f"{document.file}: citations brought up to date")


def _write(path: Path, data: bytes, hint: str) -> None:
    try:
        write_file(path, data)
    except OSError as error:
        raise DocumentError(f"{path}: cannot be written: {error.strerror}", hint) from error


def _refuse_same(written: list[Path], read: list[Path]) -> None:
    """Raises UsageError where a file to be written is one of the others."""
    for number, path in enumerate(written):
        for other in (*written[:number], *read):
            is_one = is_file(path) or not is_there(path)  # more than one may go to a device
            if is_one and os.path.realpath(path) == os.path.realpath(other):
                raise click.UsageError(f"{path} is given twice: it cannot be written")


def _write_for_machines(
    checks: "Sequence[ChainCheck]", junit: Path | None, sarif: Path | None
) -> None:
    from kgraph.report.machines import junit_text, sarif_text

    for path, make in ((junit, junit_text), (sarif, sarif_text)):
        if path is not None:
            _write(path, make(checks).encode("utf-8", "backslashreplace"), "name another file")


def _status(checks: "Sequence[ChainCheck]", *, strict: bool) -> int:
    from kgraph.report.checking import GOOD_CITATIONS, OPEN
    from kgraph.report.checking import WRONG as WRONG_VERDICTS

    lines = [line for check in checks for line in check.lines]
    if any(line.verdict in WRONG_VERDICTS for line in lines):
        return WRONG
    if strict and any(line.citation not in GOOD_CITATIONS for line in lines):
        return WRONG
    return COULD_NOT_TELL if any(line.verdict in OPEN for line in lines) else HOLDS
