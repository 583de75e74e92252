"""`kgraph check`: reads documents, writes the verdicts, and decides the exit status.

Owns the output files (JUnit, SARIF, a document with corrected citations), and refuses to write two
of them, or one that is also read, to the same file.
"""

import os
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kgraph import api
from kgraph.cli.options import INDEX_HELP, format_options, open_graph
from kgraph.cli.output import remark, write_file, write_json, write_lines
from kgraph.cli.results import (
    COULD_NOT_TELL,
    remark_changed_files,
    remark_partial_index,
    remark_partners,
)
from kgraph.errors import DocumentError
from kgraph.textfile import is_file, is_there

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kgraph.api import CallGraph, CheckResult, Subject
    from kgraph.model.verdicts import ChainCheck

HOLDS, WRONG = 0, 1


@click.command("check")
@click.argument("files", nargs=-1, required=True, metavar="FILE | QUERY...")
@click.option("--scenario", metavar="NAME",
              help="Judge under the scenario of this query (its name, or a TOML file).")
@click.option("--guards", is_flag=True, help="Show the conditions around each call.")
@click.option("--strict-citations", is_flag=True,
              help="Also exit with 1 if a citation is wrong.")
@click.option("--fix", is_flag=True,
              help="Correct the citations in FILE; nothing else changes.")
@click.option("--cite", is_flag=True, help="Also add citations to lines that have none.")
@click.option("--diff", is_flag=True, help="Show what --fix (or --cite) would write.")
@click.option("--junit", type=click.Path(path_type=Path), metavar="FILE",
              help="Write the verdicts as JUnit XML.")
@click.option("--sarif", type=click.Path(path_type=Path), metavar="FILE",
              help="Write wrong lines as SARIF.")
@format_options("quickfix")
@click.option("--index", "indexes", type=click.Path(path_type=Path), metavar="FILE", multiple=True,
              help=f"{INDEX_HELP} Given again: a column of verdicts for each index, the older"
                   " first.")
def check_verb(
    files: tuple[str, ...], scenario: str | None, indexes: tuple[Path, ...], **output: Any
) -> int:
    """Check the call chains in documents.

    FILE is Markdown or text, QUERY a query file or the name of one that comes with kgraph. Exit
    status: 1 if a line is refuted or contradicts, else 3 if one is undecided or unread, or if
    nothing is a claim, else 0.
    """
    wanted = _Output(scenario, **output)
    subjects = [api.read_subject(name) for name in files]
    if len(indexes) > 1:
        return _check_columns(subjects, indexes, wanted)
    with open_graph(indexes[0] if indexes else None) as graph:
        _refuse_same(wanted.machine_files(), [graph.path, *map(Path, files)])
        results = []
        for subject in subjects:
            results.append(api.check(graph, subject, scenario))
            remark_partners(results[-1].partners)
        _write_verdicts(graph, results, wanted)
        remark_partial_index(graph.description)
    checks = [result.check for result in results]
    _write_for_machines(checks, wanted)
    return _get_status(checks, strict=wanted.strict_citations)


_MOST_ROUNDS = 5


@dataclass(frozen=True)
class _Output:
    """What to do with verdicts: the options of the verb."""

    scenario: str | None
    form: str
    guards: bool
    strict_citations: bool
    fix: bool
    cite: bool
    diff: bool
    junit: Path | None
    sarif: Path | None

    def has_single_output(self) -> bool:
        """Whether something is wanted that is of one index only."""
        return bool(self.guards or self.fix or self.cite or self.diff or self.machine_files())

    def machine_files(self) -> list[Path]:
        """The files that are written for other programs."""
        return [path for path in (self.junit, self.sarif) if path is not None]


def _check_columns(
    subjects: "Sequence[Subject]", indexes: "Sequence[Path]", wanted: _Output
) -> int:
    """Check with each of several indexes. The exit status is that of the last one."""
    from kgraph.report.check_columns import ColumnCheck, encode_columns, format_columns

    if wanted.form == "quickfix" or wanted.has_single_output():
        raise click.UsageError(
            "with several indexes verdicts are shown as text or JSON only: give one --index")
    with ExitStack() as stack:
        graphs = [stack.enter_context(open_graph(index)) for index in indexes]
        checks = [[api.check(graph, subject, wanted.scenario).check for graph in graphs]
                  for subject in subjects]
        successors = api.find_successors(
            graphs[0], graphs[-1], [(each[0], each[-1]) for each in checks])
        documents = list(map(ColumnCheck, checks, successors))
        abouts = [graph.description for graph in graphs]
        if wanted.form == "json":
            readers = [api.SourceText(graph).read_line for graph in graphs]
            write_json(encode_columns(documents, abouts, readers))
        else:
            for document in documents:
                write_lines(format_columns(document, abouts))
        for about in abouts:
            remark_partial_index(about)
    return _get_status([each[-1] for each in checks], strict=wanted.strict_citations)


def _write_verdicts(graph: "CallGraph", results: "Sequence[CheckResult]", wanted: _Output) -> None:
    from kgraph.report.check_text import format_check
    from kgraph.report.json import encode_checks

    text = api.SourceText(graph)
    if wanted.diff or wanted.fix or wanted.cite:
        for result in results:
            _fix_document(graph, result, wanted)
    elif wanted.form == "json":
        write_json(encode_checks([result.check for result in results], text.read_line))
    elif wanted.form == "quickfix":
        from kgraph.report.quickfix import iter_claim_lines

        write_lines(iter_claim_lines(result.check for result in results))
    else:
        for result in results:
            write_lines(format_check(result.check, text.read_extent if wanted.guards else None))
    remark_changed_files(text)


def _fix_document(graph: "CallGraph", result: "CheckResult", wanted: _Output) -> None:
    """Show the document with its citations corrected (--diff), or write it."""
    from kgraph.report.citation_fix import fix_citations, format_diff

    file, data = result.subject.document.file, result.subject.data
    if result.query is not None:
        remark(f"{file}: a query has no citations to correct")
        return
    new = data
    for _ in range(_MOST_ROUNDS):  # a corrected citation may tell what another line is about
        before, new = new, fix_citations(new, result.check, cite=wanted.cite)
        if new == before:
            break
        result = api.check(graph, result.subject.with_data(new), wanted.scenario)
    if wanted.diff:
        # A patch is exact; a terminal obeys nothing of it.
        write_lines(format_diff(file, data, new), exact=not sys.stdout.isatty(), plain=True)
    elif new != data:
        _write(Path(file), new, "--diff shows what would be written", data)
        remark(f"{file}: citations updated")


def _write(path: Path, data: bytes, hint: str, replaced: bytes | None = None) -> None:
    try:
        write_file(path, data, replaced)
    except OSError as error:
        raise DocumentError(f"{path}: cannot be written: {error.strerror}", hint) from error


def _refuse_same(written: list[Path], read: list[Path]) -> None:
    """Raise UsageError if a file to write is also read, or given twice."""
    for number, path in enumerate(written):
        for other in (*written[:number], *read):
            is_single = is_file(path) or not is_there(path)  # a device can take several
            if is_single and os.path.realpath(path) == os.path.realpath(other):
                raise click.UsageError(f"{path} is given twice: it would be overwritten")


def _write_for_machines(checks: "Sequence[ChainCheck]", wanted: _Output) -> None:
    from kgraph.report.junit_sarif import format_junit, format_sarif

    for path, make in ((wanted.junit, format_junit), (wanted.sarif, format_sarif)):
        if path is not None:
            _write(path, make(checks).encode("utf-8", "backslashreplace"), "name another file")


def _get_status(checks: "Sequence[ChainCheck]", *, strict: bool) -> int:
    lines = [line for check in checks for line in check.lines]
    if any(line.verdict.is_wrong for line in lines):
        return WRONG
    if not any(check.claims for check in checks):
        return COULD_NOT_TELL
    if strict and any(not line.citation.is_right for line in lines):
        return WRONG
    return COULD_NOT_TELL if any(line.verdict.is_open for line in lines) else HOLDS
