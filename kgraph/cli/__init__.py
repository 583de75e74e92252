"""The command line: the only place that prints, exits, or knows a terminal.

Imports as little as a verb needs: most of the time of a question is the interpreter's start.
"""

from kgraph.cli.entry import main

__all__ = ["main"]
