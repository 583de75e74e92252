"""A pager for what does not fit on the screen, chosen as git chooses its own."""

import contextlib
import os
import shlex
import shutil
import signal
import subprocess
import sys

_NO_PAGERS = ("", "cat")


def find_pager() -> list[str]:
    """The command of the pager: $KGRAPH_PAGER, else $PAGER, else less; [] for none."""
    chosen = os.environ.get("KGRAPH_PAGER", os.environ.get("PAGER"))
    if chosen is None:
        return ["less"] if shutil.which("less") else []
    return [] if chosen.strip() in _NO_PAGERS else shlex.split(chosen)


class Screen:
    """Standard output, a terminal: what fits on it is written, what does not goes to the pager.

    From then on standard error goes there, too, if it is a terminal: else it would write over the
    pager. Call `close` at the end.
    """

    def __init__(self, pager: list[str], height: int) -> None:
        self._command = pager
        self._left = max(height - 1, 1)  # the prompt needs a line
        self._waiting: list[bytes] = []
        self._process: subprocess.Popen[bytes] | None = None
        self.takes_errors = sys.stderr.isatty()  # not asked again: the pager may have it by then

    def write_error(self, text: str) -> None:
        """Write a line to standard error, below what was written before."""
        if self._waiting:
            self.write(text.encode("utf-8", "backslashreplace"))
            return
        sys.stdout.flush()
        sys.stderr.write(text)
        sys.stderr.flush()

    def write(self, data: bytes) -> None:
        """Write some lines."""
        if not self._command or self._process is not None:
            sys.stdout.buffer.write(data)
            return
        self._waiting.append(data)
        self._left -= data.count(b"\n")
        if self._left < 0:
            self._start()

    def _start(self) -> None:
        environment = {"LESS": "FRX", "LV": "-c", **os.environ}
        with contextlib.suppress(OSError, ValueError):
            self._process = subprocess.Popen(
                self._command, stdin=subprocess.PIPE, env=environment)
        if self._process is None or self._process.stdin is None:
            self._command = []  # it cannot be run
        else:
            sys.stderr.flush()
            os.dup2(self._process.stdin.fileno(), sys.stdout.fileno())
            if self.takes_errors:
                os.dup2(self._process.stdin.fileno(), sys.stderr.fileno())
            self._process.stdin.close()
        self._release()

    def _release(self) -> None:
        waiting, self._waiting = self._waiting, []
        for data in waiting:
            sys.stdout.buffer.write(data)

    def close(self) -> None:
        """Write what is left, and wait until the reader leaves the pager."""
        with contextlib.suppress(OSError):  # the reader has enough
            self._release()
        if self._process is None:
            return
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # it is the pager's now
        with contextlib.suppress(OSError):
            sys.stdout.flush()
        with open(os.devnull, "wb") as nothing:  # noqa: PTH123  descriptors are wanted
            os.dup2(nothing.fileno(), sys.stdout.fileno())
            os.dup2(nothing.fileno(), sys.stderr.fileno())
        self._process.wait()
