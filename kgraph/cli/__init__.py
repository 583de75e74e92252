"""The command line: the only place that prints, exits, or knows a terminal.

Imports as little as a verb needs: most of the time of a question is the interpreter's start.
"""

import os
import signal
import sys
from types import FrameType
from typing import NoReturn

__all__ = [
    "main",
    "main_cscope",
]

USAGE = 2
INTERRUPTED = 128 + signal.SIGINT


def _exit_at_once(_number: int, _frame: FrameType | None) -> NoReturn:
    os._exit(INTERRUPTED)


def main() -> NoReturn:
    """Run the command line and exit. An interrupt while modules are imported ends it quietly:
    nothing has begun by then.
    """
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _exit_at_once)
    try:
        from kgraph.cli.entry import run
    except ModuleNotFoundError as error:
        message, hint = describe_missing_package(error)
        if not message:
            raise
        sys.stderr.write(f"kgraph: {message}\nhint: {hint}\n")
        sys.exit(USAGE)
    run()


def main_cscope() -> NoReturn:
    """Run `kgraph cscope`: for programs that take the name of an executable instead of cscope."""
    sys.argv[1:1] = ["cscope"]
    main()


def describe_missing_package(error: ModuleNotFoundError) -> tuple[str, str]:
    """What is wrong and what to do where a package is missing that kgraph needs; "" if it is a
    module of kgraph itself.
    """
    package = (error.name or "").partition(".")[0]
    if package in ("", __name__.partition(".")[0]):
        return "", ""
    message = (f"the Python package {package}, which kgraph needs, is not installed for"
               f" {sys.executable}")
    hint = ("in a checkout: python3 -m venv .venv && .venv/bin/pip install -e . &&"
            " .venv/bin/kgraph ...")
    return message, hint
