"""What runs inside a worker process: it sets limits, then answers tasks until its socket closes.

A task may start programs (the compiler that preprocesses assembler), and those may hang. So a
worker leads a process group, and a guard process that is forked first kills the group when the
worker ends, for whatever reason. Does not know what the tasks are, nor who sends them.
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
_RECURSION_LIMIT = 100_000
_STACK_BYTES = 1 << 30
_STACK_SHARE = 4  # of the memory that a worker may have, one is its stack


@dataclass(frozen=True, slots=True)
class LostTask:
    """In the place of the result of a task that a worker did not end."""

    reason: str


def run_worker(
    pipe: Connection, begin: Callable[[], Callable[[Any], Any]], memory: int, parent: int
) -> None:
    """The life of a worker: until the other end of the pipe is closed, or its parent ends. It says
    None when it is ready; what keeps it from that stands on standard error."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides
    _die_with_parent(parent)
    _lead_process_group()
    limit = _limit_memory(memory)
    gc.disable()  # trees of syntax have no cycles, and are many
    sys.setrecursionlimit(_RECURSION_LIMIT)
    threading.stack_size(min(_STACK_BYTES, limit // _STACK_SHARE))
    loop = threading.Thread(target=_serve_tasks, args=(pipe, begin))
    loop.start()
    loop.join()


def _serve_tasks(pipe: Connection, begin: Callable[[], Callable[[Any], Any]]) -> None:
    do = begin()
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # libclang writes there where it crashes
    try:
        pipe.send(None)  # ready
        while True:
            task = pipe.recv()
            try:
                result = do(task)
            except Exception as error:  # noqa: BLE001  whatever it is, it is this task's alone
                result = LostTask(describe_error(error))
                do = begin()
            pipe.send(result)
    except (EOFError, OSError):
        return


def describe_error(error: Exception) -> str:
    """What an exception says."""
    return f"{type(error).__name__}: {error}".removesuffix(": ")


def _die_with_parent(parent: int) -> None:
    """Have the system end this process when its parent is killed, be it in the middle of a task."""
    control = getattr(ctypes.CDLL(None), "prctl", None)
    if control is not None:
        control(_PARENT_DEATH_SIGNAL, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)


def _lead_process_group() -> None:
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


def _limit_memory(memory: int) -> int:
    """Limit the address space; to how many bytes, for the system may allow less."""
    _soft, most = resource.getrlimit(resource.RLIMIT_AS)
    if most != resource.RLIM_INFINITY:
        memory = min(memory, most)
    resource.setrlimit(resource.RLIMIT_AS, (memory, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    return memory
