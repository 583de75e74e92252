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
# The extractor follows syntax by recursion, and generated sources nest deeply. Memory is used only
# for the part of the stack that is reached.
_RECURSION_LIMIT = 100_000
_STACK_BYTES = 1 << 30
_STACK_SHARE = 4  # the stack gets at most one part in so many of the worker's memory


@dataclass(frozen=True, slots=True)
class LostTask:
    """Stands for the result of a task that a worker did not finish."""

    reason: str


def serve_socket(descriptor: int) -> None:
    """Run a worker on its end of a socket. The first message says how (see `run_worker`)."""
    connection = Connection(descriptor)
    try:
        arguments = connection.recv()
    except (EOFError, ConnectionError):  # the parent has ended
        return
    run_worker(connection, *arguments)


def run_worker(
    connection: Connection, begin: Callable[[], Callable[[Any], Any]], memory: int, parent: int
) -> None:
    """Do tasks until the other end of the socket closes or process `parent` ends.

    `begin` makes the function that does the tasks; `memory` limits the address space, in bytes. The
    worker sends None when it is ready. If it cannot start, it says why on standard error.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides
    _die_with_parent(parent)
    _lead_process_group()
    limit = _limit_memory(memory)
    gc.disable()  # syntax trees are large and have no cycles
    sys.setrecursionlimit(_RECURSION_LIMIT)
    threading.stack_size(min(_STACK_BYTES, limit // _STACK_SHARE))
    loop = threading.Thread(target=_serve_tasks, args=(connection, begin))
    loop.start()
    loop.join()


def describe_error(error: Exception) -> str:
    """The type and message of an exception."""
    return f"{type(error).__name__}: {error}".removesuffix(": ")


def _serve_tasks(connection: Connection, begin: Callable[[], Callable[[Any], Any]]) -> None:
    do_task = begin()
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # libclang prints there when it crashes
    try:
        connection.send(None)  # ready
        while True:
            task = connection.recv()
            try:
                result = do_task(task)
            except Exception as error:  # noqa: BLE001  it concerns this task only
                result = LostTask(describe_error(error))
                do_task = begin()
            connection.send(result)
    except (EOFError, OSError):
        return


def _die_with_parent(parent: int) -> None:
    """Have the kernel kill this process when its parent dies, even in the middle of a task."""
    prctl = getattr(ctypes.CDLL(None), "prctl", None)
    if prctl is not None:
        prctl(_PARENT_DEATH_SIGNAL, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)


def _lead_process_group() -> None:
    """Have everything that this process starts end with it.

    The guard waits for the end of a pipe whose other end only this process holds.
    """
    os.setpgid(0, 0)
    guard_end, _own_end = os.pipe()  # _own_end stays open until this process ends
    if os.fork() == 0:
        try:
            signal.pthread_sigmask(signal.SIG_BLOCK, set(signal.Signals))
            # Others wait for the worker's end of its sockets and pipes: the guard must not hold it.
            os.closerange(0, guard_end)
            os.closerange(guard_end + 1, os.sysconf("SC_OPEN_MAX"))
            os.read(guard_end, 1)
            os.killpg(0, signal.SIGKILL)
        finally:
            os._exit(1)
    os.close(guard_end)


def _limit_memory(memory: int) -> int:
    """Limit the address space; the number of bytes, which the system may have limited further."""
    _soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    if hard != resource.RLIM_INFINITY:
        memory = min(memory, hard)
    resource.setrlimit(resource.RLIMIT_AS, (memory, hard))
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    return memory
