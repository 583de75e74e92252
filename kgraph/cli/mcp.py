"""`kgraph mcp`: answers agents by the Model Context Protocol."""

from pathlib import Path

import click

from kgraph.cli.options import index_option
from kgraph.errors import ToolError

_PACKAGES = ("anyio", "mcp", "mcp_types")


@click.command("mcp")
@index_option
def mcp_verb(index: Path | None) -> None:
    """Answer agents by the Model Context Protocol, over standard input and output.

    Reads the index and the tree, and writes nothing. Needs `pip install 'kgraph[mcp]'`. `kgraph
    help mcp` says how to set it up.
    """
    from importlib.metadata import version

    try:
        from kgraph.agents.server import serve
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in _PACKAGES:
            raise
        raise ToolError(f"the Python package {error.name} is not installed: agents need it",
                        "run: pip install 'kgraph[mcp]'") from error
    serve(index, version("kgraph"))
