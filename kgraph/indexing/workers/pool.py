"""A pool of worker processes, one task at a time each, with limits of time and memory.

A worker that dies or runs out of time loses its current task and nothing else: the task comes back
as LostTask, and a new worker takes over. The pool does not know what the tasks are.

Each worker has a thread here that sends it a task and waits for the result on a blocking socket.
The socket's timeout is the task's time limit, so nothing waits for ever. A worker takes its whole
task before it sends a result, so the two ends never wait for each other.

It does not use multiprocessing: that would run the program's main module again in each child, and
would look for modules in the current folder, which may be an untrusted tree.
"""

import contextlib
import os
import pickle
import queue
import signal
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Generic, TypeVar

from kgraph.errors import ToolError
from kgraph.indexing.workers.worker_main import LostTask

Task = TypeVar("Task")
Result = TypeVar("Result")

_START_CODE = (
    "import sys; sys.path[:] = {}; "
    "from kgraph.indexing.workers.worker_main import serve_socket; serve_socket({})")
_START_SECONDS = 600.0  # time limit for a worker to become ready, on however busy a machine
_END_SECONDS = 5.0  # until a worker that closed its socket has ended
_POLL_SECONDS = 1.0  # after which a wait for results looks for signals
_MAX_ERROR_BYTES = 1 << 16  # of what a worker writes to standard error if it cannot start
_TASKS_PER_WORKER = 2  # submitted and not yet yielded: one is done while another's result waits
_PACKAGE_FOLDER = str(Path(__file__).absolute().parents[3])


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of one task: seconds of wall time, and bytes of its worker's address space."""

    seconds: float = 300.0
    memory: int = 8 << 30


DEFAULT_LIMITS = Limits()


def run_tasks(
    tasks: Sequence[Task], begin: Callable[[], Callable[[Task], Result]], jobs: int,
    limits: Limits,
) -> Iterator[tuple[Task, Result | LostTask]]:
    """Yield every task with its result, in the order of completion, from `jobs` processes.

    Each worker calls `begin` (sent as a pickle) to make the function that does its tasks. Closing
    the generator stops the workers. Raises ToolError if a worker cannot be started.
    """
    waiting = iter(tasks)
    pool: _Pool[Task] = _Pool(begin, min(jobs, len(tasks)), limits)
    try:
        for task in islice(waiting, _TASKS_PER_WORKER * jobs):
            pool.submit(task)
        for _ in tasks:
            done, result = pool.take_result()
            for task in islice(waiting, 1):
                pool.submit(task)
            yield done, result if isinstance(result, LostTask) else pickle.loads(result)  # noqa: S301  of a process of ours
    finally:
        pool.stop()


class WorkerProcess:
    """A worker process and our end of its socket.

    `begin` makes, in the worker, the function that does its tasks; it is sent as a pickle. Raises
    ToolError if the process cannot be started.
    """

    def __init__(self, begin: Callable[[], Callable[[Any], Any]], limits: Limits) -> None:
        if not sys.executable:
            raise _make_start_error("Python does not know its own program: sys.executable is empty")
        self._begin = begin
        self._limits = limits
        self._is_ready = False
        ours, theirs = socket.socketpair()
        # The worker inherits the signal mask: an interrupt while it starts is for its parent alone.
        previous = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            with theirs:
                # -I: nothing of the environment or the current folder runs before sys.path is set.
                self._process = subprocess.Popen(
                    [sys.executable, "-I", *_copy_interpreter_flags(), "-c",
                     _START_CODE.format(ascii(_find_search_path()), theirs.fileno())],
                    pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        except (OSError, ValueError) as error:
            ours.close()
            raise _make_start_error(str(error)) from None
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, previous)
        self._connection = Connection(ours.detach())

    @property
    def is_alive(self) -> bool:
        """Whether it can do tasks."""
        return not self._connection.closed and self._process.poll() is None

    def wait_until_ready(self) -> None:
        """Wait until it can do tasks. Raises ToolError if it ends before, or takes too long."""
        if self._is_ready:
            return
        stderr = self._process.stderr
        assert stderr is not None
        _set_timeout(self._connection, _START_SECONDS)
        try:
            self._connection.send((self._begin, self._limits.memory, os.getpid()))
            self._connection.recv()
        except (EOFError, OSError) as error:
            reason = "" if isinstance(error, BlockingIOError) else self._describe_end()
            self._process.kill()
            told = stderr.read(_MAX_ERROR_BYTES).decode("utf-8", "replace").strip()
            self.close()
            raise _make_start_error(told.rpartition("\n")[2] or reason or (
                f"it is not ready after {_START_SECONDS:g} seconds")) from None
        stderr.close()  # a worker that is ready writes nothing there
        _set_timeout(self._connection, self._limits.seconds)
        self._is_ready = True

    def run(self, task: Any) -> bytes | LostTask:
        """Run a task; the result is pickled. After LostTask the process has ended."""
        try:
            self._connection.send(task)
            return self._connection.recv_bytes()
        except BlockingIOError:
            reason = f"it took more than {self._limits.seconds:g} seconds"
        except (EOFError, OSError):
            reason = f"the worker process {self._describe_end()}"
        self.close()
        return LostTask(reason)

    def kill(self) -> None:
        """Kill the process; a thread that waits for a result gets LostTask."""
        self._process.kill()

    def close(self) -> None:
        """Kill the process and close the socket."""
        self._connection.close()
        self._process.kill()
        self._process.wait()
        if self._process.stderr is not None:
            self._process.stderr.close()

    def _describe_end(self) -> str:
        """How it ended, once its end of the socket is closed."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_END_SECONDS)
        code = self._process.poll()
        if code is not None and code < 0:
            return f"died on it ({signal.Signals(-code).name})"
        return f"ended on it (exit status {code})"


_STOP = object()


class _Pool(Generic[Task]):
    """Threads that each drive one worker process at a time."""

    def __init__(
        self, begin: Callable[[], Callable[[Task], Any]], jobs: int, limits: Limits
    ) -> None:
        self._begin = begin
        self._limits = limits
        self._tasks: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._results: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._processes: list[WorkerProcess] = []
        self._is_stopped = False
        self._threads = [threading.Thread(target=self._drive, daemon=True) for _ in range(jobs)]
        for thread in self._threads:
            thread.start()

    def submit(self, task: Task) -> None:
        """Have a worker do a task."""
        self._tasks.put(task)

    def take_result(self) -> tuple[Task, bytes | LostTask]:
        """Wait for the next result. Raises ToolError if a worker cannot be started."""
        result = None
        while result is None:
            # Python cannot handle a signal that came just before an endless wait.
            with contextlib.suppress(queue.Empty):
                result = self._results.get(timeout=_POLL_SECONDS)
        if isinstance(result, BaseException):
            raise result
        done: tuple[Task, bytes | LostTask] = result
        return done

    def stop(self) -> None:
        """Kill the workers and wait for their threads."""
        with self._lock:
            self._is_stopped = True
            for process in self._processes:
                process.kill()
        for _ in self._threads:
            self._tasks.put(_STOP)
        for thread in self._threads:
            thread.join()

    def _drive(self) -> None:
        """Start a worker, pass it task after task, and replace it when it loses one."""
        process = None
        try:
            while (task := self._tasks.get()) is not _STOP:
                process = process or self._start()
                if process is None:
                    return
                process.wait_until_ready()
                result = process.run(task)
                self._results.put((task, result))
                if isinstance(result, LostTask):
                    process = None
        except BaseException as error:  # noqa: BLE001  raised where results are taken
            self._results.put(error)
        finally:
            if process is not None:
                process.close()

    def _start(self) -> WorkerProcess | None:
        """A new worker; None if the pool was stopped."""
        with self._lock:
            if self._is_stopped:
                return None
            process = WorkerProcess(self._begin, self._limits)
            self._processes.append(process)
        return process


def _set_timeout(connection: Connection, seconds: float) -> None:
    """Make reads and writes raise BlockingIOError after some seconds without a byte.

    The kernel times each one, and starts again after a suspension of our own (SIGSTOP): a result
    that arrived meanwhile is not late.
    """
    with socket.socket(fileno=os.dup(connection.fileno())) as end:
        value = struct.pack("ll", *divmod(int(seconds * 1_000_000), 1_000_000))
        end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, value)
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, value)


def _copy_interpreter_flags() -> list[str]:
    """What the environment tells Python, and -I has it ignore."""
    flags = ["-X", f"utf8={sys.flags.utf8_mode}"] + ["-B"] * sys.dont_write_bytecode
    return flags + (["-X", f"pycache_prefix={sys.pycache_prefix}"] if sys.pycache_prefix else [])


def _find_search_path() -> list[str]:
    """Where a worker looks for modules: kgraph's folder, then where we look, except for entries
    that depend on the current folder."""
    return [_PACKAGE_FOLDER,
            *(folder for folder in map(str, sys.path) if Path(folder).is_absolute())]


def _make_start_error(reason: str) -> ToolError:
    return ToolError(f"no worker process can be started: {reason}",
                     "give --jobs a smaller number, or --unit-memory a larger one")
