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
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from kgraph.errors import ToolError
from kgraph.pipeline.attendant import attend
from kgraph.pipeline.wire import Wire, answer

_START = "import sys; sys.path[:] = {}; from kgraph.pipeline.child import serve; serve({})"
_STARTS = 60.0  # seconds until it has to be ready, be the machine ever so busy
_TOLD = 1 << 16  # bytes of what it says where it cannot start
_OURS = str(Path(__file__).absolute().parents[2])


class Child:
    """A process and our end of its pipe: what is sent is a task, what comes back its result.

    `begin` makes, there, what does its tasks; it travels as a pickle. `memory` limits the address
    space, in bytes. Raises ToolError where the process cannot be started.
    """

    def __init__(self, begin: Callable[[], Callable[[Any], Any]], memory: int) -> None:
        self.ready = False
        self._born = time.monotonic()
        if not sys.executable:
            raise _unstarted("Python does not know its own program: sys.executable is empty")
        ours, theirs = socket.socketpair()
        # An interrupt while it starts is the parent's alone; children inherit the mask.
        former = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            with theirs:
                # -I: nothing of the environment or the current folder runs before sys.path is set.
                self.process = subprocess.Popen(
                    [sys.executable, "-I", *_as_here(), "-c",
                     _START.format(ascii(_search_path()), theirs.fileno())],
                    pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        except (OSError, ValueError) as error:
            ours.close()
            raise _unstarted(str(error)) from None
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, former)
        self.wire = Wire(ours)
        self.wire.put((begin, memory, os.getpid()))

    @property
    def lives(self) -> bool:
        """Whether it can be given tasks."""
        return not self.wire.closed and self.process.poll() is None

    def must_start(self) -> float:
        """The time at which it has to be ready."""
        return self._born + _STARTS

    def started(self) -> None:
        """Take note that it is ready, which is what it says first."""
        self.ready = True
        assert self.process.stderr is not None
        self.process.stderr.close()  # where it writes no more

    def check_started(self) -> None:
        """Wait until it is ready. Raises ToolError where it ends before that, or takes too long."""
        if not self.ready:
            with contextlib.suppress(EOFError):
                if answer(self.wire, self.must_start() - time.monotonic()) is not None:
                    self.started()
                    return
            raise self.unstarted()

    def unstarted(self) -> ToolError:
        """What to raise where it ended, or takes too long, before it was ready; it is ended."""
        self.wire.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(1)
        code = self.process.poll()
        self.process.kill()
        assert self.process.stderr is not None
        told = self.process.stderr.read(_TOLD).decode("utf-8", "replace").strip()
        self.end()
        return _unstarted(told.rpartition("\n")[2] or (
            f"it is not ready after {_STARTS:g} seconds" if code is None else _ending(code)))

    def end(self, seconds: float = 0.0) -> None:
        """Close its pipe, and kill it if it has not ended of its own after some seconds."""
        self.wire.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(seconds)
        self.process.kill()
        self.process.wait()
        if self.process.stderr is not None:
            self.process.stderr.close()

    def cause_of_death(self) -> str:
        """Why a task is lost with it, once it has ended."""
        code = self.process.returncode
        how = "died" if code is not None and code < 0 else "ended"
        return f"the worker process {how} on it ({_ending(code)})"


def _as_here() -> list[str]:
    """What the environment says to Python, and -I has it ignore."""
    flags = ["-X", f"utf8={sys.flags.utf8_mode}"] + ["-B"] * sys.dont_write_bytecode
    return flags + (["-X", f"pycache_prefix={sys.pycache_prefix}"] if sys.pycache_prefix else [])


def _search_path() -> list[str]:
    """Where a child looks for modules: kgraph's folder, and where we do, but for what depends on
    the current folder."""
    return [_OURS, *(folder for folder in map(str, sys.path) if Path(folder).is_absolute())]


def _ending(code: int | None) -> str:
    if code is not None and code < 0:
        return signal.Signals(-code).name
    return f"exit status {code}"


def _unstarted(why: str) -> ToolError:
    return ToolError(f"no worker process can be started: {why}",
                     "give --jobs a smaller number, or --unit-memory a larger one")


def serve(descriptor: int) -> None:
    """The life of a child: `descriptor` is its end of the pipe."""
    pipe = Connection(descriptor)
    try:
        given = pipe.recv()
    except (EOFError, ConnectionError):  # what started it has ended
        return
    attend(pipe, *given)
