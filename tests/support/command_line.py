"""Runs the command line, within the test's process or in one of its own."""

import contextlib
import io
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from kgraph.cli import main
from tests.support.places import ROOT
from tests.support.processes import PATIENCE

Answer = subprocess.CompletedProcess[str]
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def answer_here(arguments: list[str], cwd: Path, env: dict[str, str]) -> Answer:
    """Run the command line within this process, which takes a quarter of the time.

    It starts neither an interpreter nor imports; streams, folder, environment and signal handlers
    are as before afterwards. For what a process of its own sees (closed streams, signals, its
    start) there is answer_apart.
    """
    out, err = _Stream("strict"), _Stream("backslashreplace")
    status: object = 0
    with _as_a_process(["kgraph", *arguments], out, err), contextlib.chdir(cwd), _environment(env):
        try:
            main()
        except SystemExit as leaving:
            status = leaving.code
    return Answer(arguments, status if isinstance(status, int) else 0, out.text(), err.text())


def answer_apart(arguments: list[str], cwd: Path, env: dict[str, str]) -> Answer:
    """Run the command line in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "kgraph", *arguments],
        capture_output=True, text=True, timeout=PATIENCE, check=False, cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT), **env},
    )


class _Stream(io.TextIOWrapper):
    """Collects what is written, as a pipe does."""

    def __init__(self, errors: str) -> None:
        self._bytes = io.BytesIO()
        super().__init__(self._bytes, "utf-8", errors, write_through=True)

    def text(self) -> str:
        self.flush()
        return self._bytes.getvalue().decode().replace("\r\n", "\n")


@contextlib.contextmanager
def _as_a_process(argv: list[str], out: _Stream, err: _Stream) -> Iterator[None]:
    before = sys.argv, sys.stdout, sys.stderr
    handlers = {number: signal.getsignal(number) for number in _SIGNALS}
    sys.argv, sys.stdout, sys.stderr = argv, out, err
    try:
        yield
    finally:
        sys.argv, sys.stdout, sys.stderr = before
        for number, handler in handlers.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def _environment(more: dict[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(more)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
