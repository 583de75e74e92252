"""The command line: the only place that prints, exits, or knows a terminal.

Imports as little as a verb needs: most of the time of a question is the interpreter's start.
"""

import os
import signal
from types import FrameType
from typing import NoReturn

__all__ = [
    "main",
]

INTERRUPTED = 128 + signal.SIGINT


def _exit_at_once(_number: int, _frame: FrameType | None) -> NoReturn:
    os._exit(INTERRUPTED)


def main() -> NoReturn:
    """Run the command line and exit. An interrupt while modules are imported ends it quietly:
    nothing has begun by then.
    """
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _exit_at_once)
    from kgraph.cli.entry import run

    run()
