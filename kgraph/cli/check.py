"""`kgraph check`."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kgraph.cli.options import index_option, open_graph, output_options
from kgraph.cli.output import (
    remark,
    remark_changed_files,
    remark_partial_index,
    write_file,
    write_json,
    write_lines,
)
from kgraph.errors import DocumentError
from kgraph.textfile import is_file, is_there

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kgraph.check.document.query_files import Subject
    from kgraph.graph import CallGraph
    from kgraph.model.document import Scenario
    from kgraph.model.verdicts import ChainCheck

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
    from kgraph.check.document.query_files import read_subject
    from kgraph.graph.text import SourceText
    from kgraph.report.check_text import format_check
    from kgraph.report.json import encode_checks

    subjects = [read_subject(name) for name in files]
    with open_graph(index) as graph:
        _refuse_same([path for path in (junit, sarif) if path is not None],
                     [graph.path, *map(Path, files)])
        checks = [check_subject(graph, subject, scenario) for subject in subjects]
        text = SourceText(graph)
        if diff or fix or cite:
            _rewrite(subjects, checks, cite=cite, write=fix or (cite and not diff), show=diff)
        elif form == "json":
            write_json(encode_checks(checks, text.read_line))
        else:
            for check in checks:
                write_lines(format_check(check, text.read_extent if guards else None))
        remark_changed_files(text)
        remark_partial_index(graph.description)
    _write_for_machines(checks, junit, sarif)
    return _status(checks, strict=strict_citations)


def check_subject(graph: "CallGraph", subject: "Subject", named: str | None = None) -> "ChainCheck":
    """The verdicts on a document under its scenario, or that of the query `named`; says which pins
    belong to those of the scenario, also where the document made it.
    """
    from kgraph.check.document.query_files import find_query
    from kgraph.check.walk import check_document
    from kgraph.query.pins import propose_partners
    from kgraph.report.text import format_row_partner

    scenario: Scenario | None = None
    if named is not None:
        scenario = find_query(named).scenario
    elif subject.query is not None:
        scenario = subject.query.scenario
    check = check_document(graph, subject.document, scenario)
    for partner in propose_partners(graph, check.scenario.pins):
        remark(format_row_partner(partner))
    return check


def _rewrite(
    subjects: "Sequence[Subject]", checks: "Sequence[ChainCheck]", *,
    cite: bool, write: bool, show: bool,
) -> None:
    from kgraph.report.citation_fix import fix_citations, format_diff

    for subject, check in zip(subjects, checks, strict=True):
        document, data = subject.document, subject.data
        if subject.query is not None:
            remark(f"{document.file}: a query has no citations to mend")
            continue
        new = fix_citations(data, check, cite=cite)
        if show:
            # A patch is exact; a terminal obeys nothing of it.
            write_lines(format_diff(document.file, data, new), exact=not sys.stdout.isatty())
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
    from kgraph.report.junit_sarif import format_junit, format_sarif

    for path, make in ((junit, format_junit), (sarif, format_sarif)):
        if path is not None:
            _write(path, make(checks).encode("utf-8", "backslashreplace"), "name another file")


def _status(checks: "Sequence[ChainCheck]", *, strict: bool) -> int:
    from kgraph.report.check_text import GOOD_CITATIONS, OPEN_VERDICTS, WRONG_VERDICTS

    lines = [line for check in checks for line in check.lines]
    if any(line.verdict in WRONG_VERDICTS for line in lines):
        return WRONG
    if strict and any(line.citation not in GOOD_CITATIONS for line in lines):
        return WRONG
    return COULD_NOT_TELL if any(line.verdict in OPEN_VERDICTS for line in lines) else HOLDS
