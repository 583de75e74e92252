"""`kgraph cscope`: answers as cscope does, so that the editors' interfaces to cscope work."""

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from kgraph import api
from kgraph.cli.options import index_option
from kgraph.cli.output import escape_for_stderr, remark, tell, write_lines
from kgraph.errors import KgraphError

if TYPE_CHECKING:
    from kgraph.api import CallGraph

_FIELDS = {
    0: "every place that names NAME", 1: "the definitions of NAME",
    2: "the functions that NAME calls", 3: "the calls of NAME, and through a slot NAME",
    4: "the lines with a text", 5: "a text to change", 6: "the lines that a pattern finds",
    7: "the files named NAME", 8: "the lines that include a file",
    9: "what is put into a slot NAME",
}
_CHANGE, _FILE = 5, 7
_TEXT_KINDS: "dict[int, Literal['text', 'pattern', 'include']]" = {
    4: "text", 6: "pattern", 8: "include"}
# What cscope is told about its own database; an index needs none of it.
_IGNORED_FLAGS = ("d", "k", "q", "R", "u", "U", "c", "e", "T", "v")
_IGNORED_VALUES = ("F", "I", "i", "p", "s")
_SQLITE = b"SQLite format 3\0"


def _field_options(verb: Callable[..., object]) -> Callable[..., object]:
    """-0 to -9, which take a name, and what cscope has besides, which is ignored."""
    for flag in _IGNORED_FLAGS:
        verb = click.option(f"-{flag}", f"flag_{flag}", is_flag=True, hidden=True,
                            help="Accepted, and changes nothing.")(verb)
    for value in _IGNORED_VALUES:
        verb = click.option(f"-{value}", f"value_{value}", hidden=True,
                            help="Accepted, and changes nothing.")(verb)
    for number, what in reversed(_FIELDS.items()):
        verb = click.option(f"-{number}", f"field_{number}", metavar="NAME",
                            hidden=number == _CHANGE, help=f"Find {what}.")(verb)
    return verb


@click.command("cscope")
@_field_options
@click.option("-L", "once", is_flag=True, help="Answer one question and end.")
@click.option("-l", "lines", is_flag=True, help="Answer the questions on standard input.")
@click.option("-b", "build", is_flag=True, hidden=True, help="Refused.")
@click.option("-C", "ignore_case", is_flag=True, help="Ignore the case of letters.")
@click.option("-f", "database", metavar="FILE",
              help="An index; or any file in a tree, whose index is asked.")
@click.option("-P", "prefix", metavar="PATH", default="", help="Write PATH before file names.")
@index_option
def cscope_verb(index: Path | None, **options: Any) -> None:
    """Answer as cscope does: `kgraph cscope -dL -3 NAME` prints the calls of NAME.

    Each line is `file function line text`. NAME is a function, a slot (ndo_start_xmit or
    net_device_ops.ndo_start_xmit), a table or a macro, or a regular expression that fits the whole
    names of functions. Other options of cscope are accepted and change nothing.
    """
    if options["build"]:
        raise KgraphError("cscope's database is not built by kgraph", "run `kgraph index TREE`")
    asked = [(number, options[f"field_{number}"]) for number in _FIELDS
             if options[f"field_{number}"] is not None]
    if options["lines"] == bool(options["once"] or asked):
        raise click.UsageError("give -L with one of -0 to -9, or -l", click.get_current_context())
    if len(asked) != 1 and not options["lines"]:
        raise click.UsageError("give one of -0 to -9", click.get_current_context())
    source = _IndexSource(index, options["database"])
    with source.open() as graph:
        answerer = _Answerer(graph, options["prefix"], ignore_case=options["ignore_case"])
        if not options["lines"]:
            write_lines(answerer.answer(*asked[0]), plain=True)
            answerer.remark_changes()
            return
        answerer.answer_lines(sys.stdin.buffer)


@dataclass(frozen=True)
class _IndexSource:
    """Which index is asked: --index, or what -f names: an index, or else the index of the tree
    with that file (an editor insists on a cscope.out)."""

    index: Path | None
    database: str | None

    @contextmanager
    def open(self) -> "Iterator[CallGraph]":
        path, folder = self.index, None
        if path is None and self.database is not None:
            file = Path(self.database)
            if _is_index(file):
                path = file
            else:
                folder = file.absolute().parent
        with (
            api.use_index(path, folder=folder, remark=remark) as graph,
            api.report_damage(graph.path),
        ):
            yield graph


def _is_index(file: Path) -> bool:
    try:
        with file.open("rb") as content:
            return content.read(len(_SQLITE)) == _SQLITE
    except OSError:
        return False


class _Answerer:
    """Answers questions on one index."""

    def __init__(self, graph: "CallGraph", prefix: str, *, ignore_case: bool) -> None:
        from kgraph.report.cscope_lines import FileNames

        self._graph = graph
        self._names = FileNames(graph.description, str(Path.cwd()), prefix)
        self._text = api.SourceText(graph)
        self._ignore_case = ignore_case

    def answer(self, field: int, name: str) -> Iterable[str]:
        """The lines for a field of cscope. Raises KgraphError."""
        from kgraph.report.cscope_lines import format_files, format_references, format_text

        if field == _CHANGE:
            raise KgraphError("kgraph never writes into a tree", "`sed` changes a text")
        if field == _FILE:
            return format_files(api.find_files_named(self._graph, name), self._names)
        if field in _TEXT_KINDS:
            return format_text(
                api.search_text(self._graph, name, _TEXT_KINDS[field],
                                ignore_case=self._ignore_case), self._names)
        places = api.NameReferences(self._graph, name, ignore_case=self._ignore_case)
        find = {0: places.list_all, 1: places.list_definitions, 2: places.list_callees,
                3: places.list_calls, 9: places.list_assignments}
        return format_references(find[field](), self._names, self._text.read_line)

    def answer_lines(self, questions: Iterable[bytes]) -> None:
        """Answer each line, a digit and a name, after cscope's prompt; `c` changes whether the case
        counts, `q` ends.
        """
        _prompt()
        for line in questions:
            asked = os.fsdecode(line).rstrip("\r\n")
            if asked == "q":
                return
            if asked == "c":
                self._ignore_case = not self._ignore_case
            elif asked[:1] in map(str, _FIELDS):
                self._write_answer(int(asked[0]), asked[1:].strip())
            elif asked not in {"", "r", "C"}:  # to build again, to forget file names
                tell(f"cscope: unknown command '{escape_for_stderr(asked[:80])}'")
            _prompt()

    def _write_answer(self, field: int, name: str) -> None:
        try:
            lines = list(self.answer(field, name))
        except KgraphError as error:
            remark(f"{error.message}: {error.hint}" if error.hint else error.message)
            lines = []
        self.remark_changes()
        sys.stderr.flush()
        write_lines([f"cscope: {len(lines)} lines", *lines], plain=True)

    def remark_changes(self) -> None:
        """Say, once for each file, that its lines are no longer those that were indexed."""
        if self._text.changed_files:
            from kgraph.cli.results import remark_changed_files

            remark_changed_files(self._text)
            self._text.changed_files.clear()


def _prompt() -> None:
    sys.stdout.write(">> ")
    sys.stdout.flush()
