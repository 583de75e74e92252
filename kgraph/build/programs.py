"""Runs programs that start others, such as make: all of them end with the run.

Each program leads a process group. An exception (a signal, a time limit) kills the group. A guard
in the group waits for the end of a pipe that kgraph holds: it kills the group if kgraph is killed.
"""

import contextlib
import os
import signal
import subprocess
from functools import partial
from typing import Any


def run_program(command: list[str], *, timeout: float | None = None, **options: Any) -> int:
    """Run a program without input until it ends, and return its status. `options` are those of
    subprocess.Popen. Raises subprocess.TimeoutExpired."""
    guard_end, own_end = os.pipe()
    try:
        with subprocess.Popen(
                command, stdin=subprocess.DEVNULL, process_group=0,
                preexec_fn=partial(_start_guard, guard_end),  # noqa: PLW1509  it takes no lock
                **options) as process:
            try:
                status = process.wait(timeout)
                os.write(own_end, b"ended")
            except BaseException:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                raise
            return status
    finally:
        os.close(guard_end)
        os.close(own_end)


def _start_guard(guard_end: int) -> None:
    """Run between the fork and the program."""
    if os.fork() == 0:
        try:
            signal.pthread_sigmask(signal.SIG_BLOCK, set(signal.Signals))
            # Others wait for the ends of pipes and locks: the guard must hold none.
            os.closerange(0, guard_end)
            os.closerange(guard_end + 1, os.sysconf("SC_OPEN_MAX"))
            if not os.read(guard_end, 1):
                os.killpg(0, signal.SIGKILL)
        finally:
            os._exit(0)
