"""Options that verbs share, and opening the index."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from kgraph.cli.output import remark
from kgraph.indexing import ChoiceReason, choose_index, open_bundled_index, open_index
from kgraph.store.connection import report_damage

if TYPE_CHECKING:
    from kgraph.graph import CallGraph

Verb = TypeVar("Verb", bound=Callable[..., object])


def format_options(*more: str) -> Callable[[Verb], Verb]:
    """--format and --json, as the parameter `form` ("text", "json", or one of `more`)."""

    def decorated(verb: Verb) -> Verb:
        verb = click.option(
            "--format", "form", type=click.Choice(["text", "json", *more]), default="text",
            show_default=True, help="How to write the answer.",
        )(verb)
        return click.option(
            "--json", "form", flag_value="json", type=str, help="Short for --format json."
        )(verb)

    return decorated


output_options = format_options()


def index_option(verb: Verb) -> Verb:
    """--index, as the parameter `index`."""
    return click.option(
        "--index", type=click.Path(path_type=Path), metavar="FILE",
        help="The index to ask; else $KGRAPH_INDEX, else the one of the tree that holds the"
        " current folder, else the one last built.",
    )(verb)


def types_option(verb: Verb) -> Verb:
    """--types, as the parameter `types`."""
    return click.option(
        "--types", is_flag=True, help="Give unresolved calls the functions of their type."
    )(verb)


def no_deferred_option(verb: Verb) -> Verb:
    """--no-deferred, as the parameter `no_deferred`."""
    return click.option(
        "--no-deferred", is_flag=True,
        help="Leave out calls that are registered in one place and run later by another.",
    )(verb)


@contextmanager
def open_graph(index: Path | None, asked: Sequence[str] = ()) -> "Iterator[CallGraph]":
    """The graph of the index that answers; `asked` are the function names of the question."""
    chosen = choose_index(index)
    if chosen.choice is ChoiceReason.BUNDLED:
        graph = open_bundled_index(asked, remark)
    else:
        graph = open_index(chosen.path)
        if chosen.choice is ChoiceReason.LAST:
            remark(f"asking the index last built, of {graph.description.tree}")
    try:
        with report_damage(graph.path):
            yield graph
    finally:
        graph.close()
