"""Completion of words in a shell: verbs and options by click, names from the index."""

import contextlib
import os
from collections.abc import Callable

import click
from click.shell_completion import get_completion_class, shell_complete

from kgraph import api
from kgraph.errors import KgraphError

VARIABLE = "_KGRAPH_COMPLETE"
SHELLS = ("bash", "zsh", "fish")

Complete = Callable[[click.Context, click.Parameter, str], list[str]]


def print_script(context: click.Context, _option: click.Parameter, shell: str | None) -> None:
    """Print the script that a shell evaluates, and exit."""
    if shell is None:
        return
    maker = get_completion_class(shell)
    if maker is None:
        raise click.UsageError(f"no completion for {shell}")
    click.echo(maker(context.command, {}, "kgraph", VARIABLE).source())
    context.exit()


def answer_shell(cli: click.Command) -> int | None:
    """Print the words that a shell asks for; None if no shell asks. Returns the exit status."""
    instruction = os.environ.get(VARIABLE)
    return None if instruction is None else shell_complete(
        cli, {}, "kgraph", VARIABLE, instruction)


def _make(kind: "api.NameKind") -> Complete:
    def complete(context: click.Context, _parameter: click.Parameter, start: str) -> list[str]:
        if not start:
            return []  # everything is no help
        with contextlib.suppress(KgraphError, OSError):
            return api.complete_name(start, kind, context.params.get("index"))
        return []

    return complete


complete_function = _make("function")
complete_binding = _make("binding")
complete_file = _make("file")
