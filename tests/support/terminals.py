"""Runs the command line in a terminal of a given size, without a person before it."""

import contextlib
import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from pathlib import Path

from tests.support.places import ROOT

_CODES = re.compile(r"\033\[[0-9;?]*[A-Za-z]|\033\]8;[^\033]*\033\\")


def answer_in_terminal(
    arguments: list[str], width: int, *, cwd: Path, env: dict[str, str] | None = None,
    height: int = 50,
) -> str:
    """What the terminal receives."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))
    environment = {name: value for name, value in os.environ.items()
                   if name not in ("COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR", "PAGER")}
    process = subprocess.Popen(
        [sys.executable, "-m", "kgraph", *arguments], stdin=theirs, stdout=theirs, stderr=theirs,
        cwd=cwd, env={**environment, "TERM": "xterm-256color", "KGRAPH_PAGER": "",
                      "PYTHONPATH": str(ROOT), **(env or {})})
    os.close(theirs)
    received = b""
    with contextlib.suppress(OSError):  # the other end is closed
        while data := os.read(ours, 1 << 16):
            received += data
    os.close(ours)
    process.wait(120)
    return received.decode().replace("\r\n", "\n")


def strip_codes(text: str) -> str:
    """The text without colours and links."""
    return _CODES.sub("", text)
