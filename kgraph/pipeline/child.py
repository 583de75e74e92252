"""A process that does tasks for this one: how it is started, and how it ends.

Not by multiprocessing: its children run the program's main module anew, which waits for itself
where that indexes at its top, and look for modules in the current folder first, which may be that
of a tree that nobody trusts. The processes of a cluster may not have such children at all.
"""

import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

from kgraph.pipeline.attendant import attend

_START = "import sys; sys.path[:] = {}; from kgraph.pipeline.child import serve; serve({})"


class Child:
    """A process and our end of its pipe: what is sent is a task, what comes back its result.

    `begin` makes, there, what does its tasks; it travels as a pickle. `memory` limits the address
    space, in bytes.
    """

    def __init__(self, begin: Callable[[], Callable[[Any], Any]], memory: int) -> None:
        ours, theirs = socket.socketpair()
        path = ascii([str(folder) for folder in sys.path])
        # An interrupt while it starts is the parent's alone; children inherit the mask.
        former = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            with theirs:
                self.process = subprocess.Popen(
                    [sys.executable, "-P", "-c", _START.format(path, theirs.fileno())],
                    pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, former)
        self.pipe = Connection(ours.detach())
        with contextlib.suppress(OSError):  # it died just now: its pipe says so to who reads
            self.pipe.send((begin, memory, os.getpid()))

    @property
    def lives(self) -> bool:
        """Whether it can be given tasks."""
        return not self.pipe.closed and self.process.poll() is None

    def end(self, seconds: float = 0.0) -> None:
        """Close its pipe, and kill it if it has not ended of its own after some seconds."""
        self.pipe.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(seconds)
        self.process.kill()
        self.process.wait()

    def cause_of_death(self) -> str:
        """Why a task is lost with it, once it has ended."""
        code = self.process.returncode
        if code is not None and code < 0:
            return f"the worker process died on it ({signal.Signals(-code).name})"
        return f"the worker process ended on it (exit status {code})"


def serve(descriptor: int) -> None:
    """The life of a child: `descriptor` is its end of the pipe."""
    pipe = Connection(descriptor)
    try:
        given = pipe.recv()
    except (EOFError, ConnectionError):  # what started it has ended
        return
    attend(pipe, *given)
