"""The life of a worker process: its tasks, its limits, and its end with all that it has started.

A task may start programs of its own (a compiler that preprocesses assembler), and these may wait
for ever, as at a pipe that is named like a header. So a worker leads a process group, and a guard,
who is forked while the worker has done nothing else, ends the group when the worker ends, however
that may be. Knows nothing of what the tasks are, and nothing of who gives them (pool.py, guest.py).
"""

import ctypes
import gc
import os
import resource
import signal
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

_PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG
# Syntax is followed by recursion, and sources that programs wrote nest deeply. A stack takes
# memory only where it is used.
_DEPTH = 100_000
_STACK = 1 << 30
_PARTS = 4  # of the memory that a worker may have, one is its stack


@dataclass(frozen=True, slots=True)
class Lost:
    """In the place of the result of a task that a worker did not end."""

    reason: str


def attend(
    pipe: Connection, begin: Callable[[], Callable[[Any], Any]], memory: int, parent: int
) -> None:
    """The life of a worker: until the other end of the pipe is closed, or its parent ends. It says
    None when it is ready; what keeps it from that stands on standard error."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides
    _die_with(parent)
    _lead_group()
    limit = _limit(memory)
    gc.disable()  # trees of syntax have no cycles, and are many
    sys.setrecursionlimit(_DEPTH)
    threading.stack_size(min(_STACK, limit // _PARTS))
    loop = threading.Thread(target=_serve, args=(pipe, begin))
    loop.start()
    loop.join()


def _serve(pipe: Connection, begin: Callable[[], Callable[[Any], Any]]) -> None:
    do = begin()
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # libclang writes there where it crashes
    try:
        pipe.send(None)  # ready
        while True:
            task = pipe.recv()
            try:
                result = do(task)
            except Exception as error:  # noqa: BLE001  whatever it is, it is this task's alone
                result = Lost(told(error))
                do = begin()
            pipe.send(result)
    except (EOFError, OSError):
        return


def told(error: Exception) -> str:
    """What an exception says."""
    return f"{type(error).__name__}: {error}".removesuffix(": ")


def _die_with(parent: int) -> None:
    """Have the system end this process when its parent is killed, be it in the middle of a task."""
    control = getattr(ctypes.CDLL(None), "prctl", None)
    if control is not None:
        control(_PARENT_DEATH_SIGNAL, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)


def _lead_group() -> None:
    """Have all that this process starts end with it."""
    os.setpgid(0, 0)
    lives, _held = os.pipe()  # `_held` is closed by the end of this process, and by nothing else
    if os.fork() == 0:
        try:
            signal.pthread_sigmask(signal.SIG_BLOCK, set(signal.Signals))
            os.closerange(0, lives)  # pipes to others, who wait for the worker's end of them
            os.closerange(lives + 1, os.sysconf("SC_OPEN_MAX"))
            os.read(lives, 1)
            os.killpg(0, signal.SIGKILL)
        finally:
            os._exit(1)
    os.close(lives)


def _limit(memory: int) -> int:
    """Limit the address space; to how many bytes, for the system may allow less."""
    _soft, most = resource.getrlimit(resource.RLIMIT_AS)
    if most != resource.RLIM_INFINITY:
        memory = min(memory, most)
    resource.setrlimit(resource.RLIMIT_AS, (memory, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    return memory
