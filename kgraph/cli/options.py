"""Options that verbs share, and opening the index."""

import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from kgraph import api
from kgraph.cli.output import link_places, remark

if TYPE_CHECKING:
    from kgraph.api import CallGraph

Verb = TypeVar("Verb", bound=Callable[..., object])


INDEX_HELP = (
    "Index to ask (default: $KGRAPH_INDEX, else the index of the tree that contains the current"
    " folder, else the one built last).")


def format_options(*more: str) -> Callable[[Verb], Verb]:
    """--format and --json, as the parameter `form`: "text", "json", or one of `more`."""

    def add_options(verb: Verb) -> Verb:
        verb = click.option(
            "--format", "form", type=click.Choice(["text", "json", *more]), default="text",
            show_default=True, help="Output format.",
        )(verb)
        return click.option(
            "--json", "form", flag_value="json", type=str, help="Short for --format json."
        )(verb)

    return add_options


output_options = format_options()


def index_option(verb: Verb) -> Verb:
    """--index, as the parameter `index`."""
    return click.option(
        "--index", type=click.Path(path_type=Path), metavar="FILE",
        help=INDEX_HELP,
    )(verb)


def types_option(verb: Verb) -> Verb:
    """--types, as the parameter `types`."""
    return click.option(
        "--types", is_flag=True, help="Let unresolved calls reach every function of their type."
    )(verb)


def _negate(_context: click.Context, _option: click.Parameter, value: bool) -> bool:
    return not value


def deferred_option(verb: Verb) -> Verb:
    """--no-deferred, as the parameter `deferred`."""
    return click.option(
        "--no-deferred", "deferred", is_flag=True, callback=_negate,
        help="Leave out deferred calls: registered in one place, run later by another.",
    )(verb)


@contextmanager
def open_graph(index: Path | None, asked: Sequence[str] = ()) -> "Iterator[CallGraph]":
    """The graph of the index that answers; `asked` are the function names in the question.

    Whatever unexpected happens in the block is reported as a damaged index (StoreError).
    """
    with (
        api.use_index(index, functions=asked, remark=remark) as graph,
        api.report_damage(graph.path),
    ):
        if sys.stdout.isatty():
            from kgraph.report.code_links import make_terminal_links

            link_places(make_terminal_links(graph.description, socket.gethostname()))
        yield graph
