"""`kgraph lsp`: answers an editor by the Language Server Protocol."""

import os
import signal
import sys
from pathlib import Path

import click

from kgraph.cli.options import index_option
from kgraph.errors import KgraphError


@click.command("lsp")
@click.option("--stdio", is_flag=True, hidden=True, help="Accepted: there is no other way.")
@index_option
def lsp_verb(stdio: bool, index: Path | None) -> None:  # noqa: ARG001
    """Answer an editor (Language Server Protocol) on standard input and output.

    Call hierarchy, implementations, references and hover, through pointers and deferred calls. The
    editor starts it: `kgraph help editors` shows how, beside clangd.
    """
    try:
        from kgraph.editors.server import serve
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in {"pygls", "lsprotocol"}:
            raise
        raise KgraphError(f"the language server needs the Python package {error.name}",
                          "pip install 'kgraph[lsp]'") from error
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)  # there is nothing to clean up
    with os.fdopen(os.dup(sys.stdout.fileno()), "wb") as target:  # the server closes it
        serve(index, sys.stdin.buffer, target)
