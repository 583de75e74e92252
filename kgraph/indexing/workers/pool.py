"""A pool of worker processes, one task at a time each, with limits of time and memory.

A worker that dies or runs out of time loses its current task and nothing else: the task comes
back as LostTask, and a new worker takes over. The pool does not know what the tasks are.

It does not use multiprocessing: that would run the program's main module again in each child,
and would look for modules in the current folder, which may be an untrusted tree.
"""

import contextlib
import os
import pickle
import select
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Generic, TypeVar

from kgraph.errors import ToolError
from kgraph.indexing.workers.worker_main import LostTask, run_worker

_SHORT, _LONG = struct.Struct("!i"), struct.Struct("!Q")
_LONGEST = 0x7FFFFFFF  # bytes of a message whose length fits the short form
_PIECE = 1 << 18
_GRACE = 1.0  # seconds that who is late is given to be heard


class Wire:
    """Messages to and from a process. `received` counts the bytes that have come."""

    def __init__(self, end: socket.socket) -> None:
        end.setblocking(False)
        self._end = end
        self._out = bytearray()
        self._in = bytearray()
        self.received = 0

    @property
    def closed(self) -> bool:
        """Whether our end is closed."""
        return self._end.fileno() < 0

    @property
    def waits(self) -> bool:
        """Whether something is to be sent yet."""
        return bool(self._out)

    def fileno(self) -> int:
        """The descriptor."""
        return self._end.fileno()

    def close(self) -> None:
        """Close our end."""
        self._end.close()

    def put(self, message: object) -> None:
        """Send a pickle of `message`, as far as that goes now."""
        data = pickle.dumps(message)
        if len(data) <= _LONGEST:
            self._out += _SHORT.pack(len(data))
        else:
            self._out += _SHORT.pack(-1) + _LONG.pack(len(data))
        self._out += data
        self.push()

    def push(self) -> None:
        """Send what goes now. That the other end is closed is told by `pull`."""
        try:
            while self._out:
                del self._out[:self._end.send(self._out[:_PIECE])]
        except BlockingIOError:
            return
        except OSError:
            self._out.clear()

    def pull(self) -> bytes | None:
        """The next message, None where it is not whole yet; EOFError where none will come."""
        while not self.has_message:
            try:
                piece = self._end.recv(_PIECE)
            except BlockingIOError:
                return None
            except OSError:
                piece = b""
            if not piece:
                raise EOFError
            self._in += piece
            self.received += len(piece)
        start, end = self._extent()
        message = bytes(self._in[start:end])
        del self._in[:end]
        return message

    @property
    def has_message(self) -> bool:
        """Whether a whole message is here, so that nothing has to come."""
        return len(self._in) >= self._extent()[1]

    def _extent(self) -> tuple[int, int]:
        """Where the next message starts and ends, as far as its head is here."""
        start, length = _SHORT.size, 0
        if len(self._in) >= start:
            length, = _SHORT.unpack_from(self._in)
            if length == -1:
                start, length = start + _LONG.size, 0
                if len(self._in) >= start:
                    length, = _LONG.unpack_from(self._in, _SHORT.size)
        return start, start + length


def wait(wires: Iterable[Wire], seconds: float) -> list[Wire]:
    """Wait until some of the wires can be pulled, or pushed where they have to be; these."""
    numbers = {wire.fileno(): wire for wire in wires}
    here = [wire for wire in numbers.values() if wire.has_message]
    poll = select.poll()
    for number, wire in numbers.items():
        poll.register(number, select.POLLIN | (select.POLLOUT if wire.waits else 0))
    found = poll.poll(0 if here else max(0.0, seconds) * 1000)
    return list(dict.fromkeys(here + [numbers[number] for number, _ in found]))


class Deadline:
    """When a wire has to have brought a message. It is put off while one comes, and once for a
    moment: who was stopped himself may find all of them late, and then what they had sent."""

    def __init__(self, wire: Wire, seconds: float) -> None:
        self.ends = time.monotonic() + seconds
        self._wire = wire
        self._received = -1

    def has_passed(self) -> bool:
        """Whether it is over; to be asked when what has come was pulled."""
        if time.monotonic() <= self.ends:
            return False
        if self._wire.received == self._received:
            return True
        self._received, self.ends = self._wire.received, time.monotonic() + _GRACE
        return False


def answer(wire: Wire, seconds: float) -> bytes | None:
    """The next message, None where none has come after some seconds; EOFError as for `pull`."""
    deadline = Deadline(wire, seconds)
    while True:
        wire.push()
        message = wire.pull()
        if message is not None or deadline.has_passed():
            return message
        wait([wire], deadline.ends - time.monotonic())


_START = (
    "import sys; sys.path[:] = {}; "
    "from kgraph.indexing.workers.pool import serve_socket; serve_socket({})"
)
_START_SECONDS = 60.0  # seconds until it has to be ready, be the machine ever so busy
_MAX_ERROR_BYTES = 1 << 16  # bytes of what it says where it cannot start
_PACKAGE_FOLDER = str(Path(__file__).absolute().parents[3])


class WorkerProcess:
    """A process and our end of its pipe: what is sent is a task, what comes back its result.

    `begin` makes, there, what does its tasks; it travels as a pickle. `memory` limits the address
    space, in bytes. Raises ToolError where the process cannot be started.
    """

    def __init__(self, begin: Callable[[], Callable[[Any], Any]], memory: int) -> None:
        self.ready = False
        self._born = time.monotonic()
        if not sys.executable:
            raise _make_start_error("Python does not know its own program: sys.executable is empty")
        ours, theirs = socket.socketpair()
        # An interrupt while it starts is the parent's alone; children inherit the mask.
        former = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            with theirs:
                # -I: nothing of the environment or the current folder runs before sys.path is set.
                self.process = subprocess.Popen(
                    [sys.executable, "-I", *_copy_interpreter_flags(), "-c",
                     _START.format(ascii(_find_search_path()), theirs.fileno())],
                    pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        except (OSError, ValueError) as error:
            ours.close()
            raise _make_start_error(str(error)) from None
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
        return self._born + _START_SECONDS

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
        told = self.process.stderr.read(_MAX_ERROR_BYTES).decode("utf-8", "replace").strip()
        self.end()
        return _make_start_error(
            told.rpartition("\n")[2]
            or (
                f"it is not ready after {_START_SECONDS:g} seconds"
                if code is None
                else _describe_exit(code)
            )
        )

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
        return f"the worker process {how} on it ({_describe_exit(code)})"


def _copy_interpreter_flags() -> list[str]:
    """What the environment says to Python, and -I has it ignore."""
    flags = ["-X", f"utf8={sys.flags.utf8_mode}"] + ["-B"] * sys.dont_write_bytecode
    return flags + (["-X", f"pycache_prefix={sys.pycache_prefix}"] if sys.pycache_prefix else [])


def _find_search_path() -> list[str]:
    """Where a child looks for modules: kgraph's folder, and where we do, but for what depends on
    the current folder."""
    return [
        _PACKAGE_FOLDER,
        *(folder for folder in map(str, sys.path) if Path(folder).is_absolute()),
    ]


def _describe_exit(code: int | None) -> str:
    if code is not None and code < 0:
        return signal.Signals(-code).name
    return f"exit status {code}"


def _make_start_error(why: str) -> ToolError:
    return ToolError(f"no worker process can be started: {why}",
                     "give --jobs a smaller number, or --unit-memory a larger one")


def serve_socket(descriptor: int) -> None:
    """The life of a child: `descriptor` is its end of the pipe."""
    pipe = Connection(descriptor)
    try:
        given = pipe.recv()
    except (EOFError, ConnectionError):  # what started it has ended
        return
    run_worker(pipe, *given)


Task = TypeVar("Task")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Limits:
    """What one task may take: seconds of time, bytes of its worker's address space."""

    seconds: float = 300.0
    memory: int = 8 << 30


DEFAULT_LIMITS = Limits()


def run_tasks(
    tasks: Sequence[Task], begin: Callable[[], Callable[[Task], Result]], jobs: int,
    limits: Limits,
) -> Iterator[tuple[Task, Result | LostTask]]:
    """Every task with its result, in the order in which they are done, by `jobs` processes.

    `begin` makes, in a worker, what does its tasks; it travels there. Closing the generator stops
    the workers. Raises ToolError where no worker can be started.
    """
    pool = _Pool(begin, limits)
    try:
        for _ in range(min(jobs, len(tasks))):
            pool.start_worker()
        yield from pool.run(list(tasks))
    finally:
        pool.stop()


class _Worker(WorkerProcess, Generic[Task]):
    """A process with the tasks that it was given and has not returned, and when it has to have said
    something: that it is ready, then the result of the first of them."""

    def __init__(self, begin: Callable[[], Callable[[Task], Any]], limits: Limits) -> None:
        super().__init__(begin, limits.memory)
        self.held: list[Task] = []
        self.deadline = Deadline(self.wire, self.must_start() - time.monotonic())
        self._seconds = limits.seconds

    def give(self, task: Task) -> None:
        self.held.append(task)
        self.wire.put(task)

    def begins(self) -> None:
        """It is about to do the first of its tasks."""
        self.deadline = Deadline(self.wire, self._seconds)

    def taken(self) -> Task:
        """The task whose result has come."""
        self.begins()
        return self.held.pop(0)


class _Pool(Generic[Task, Result]):
    def __init__(self, begin: Callable[[], Callable[[Task], Result]], limits: Limits) -> None:
        self._begin = begin
        self._limits = limits
        self._workers: list[_Worker[Task]] = []

    def start_worker(self) -> _Worker[Task]:
        worker: _Worker[Task] = _Worker(self._begin, self._limits)
        self._workers.append(worker)
        return worker

    def run(self, waiting: list[Task]) -> Iterator[tuple[Task, Result | LostTask]]:
        waiting.reverse()
        for _ in range(2):
            for worker in self._workers:
                self._next(worker, waiting)
        while busy := [worker for worker in self._workers if worker.held]:
            wait([worker.wire for worker in busy],
                 min(worker.deadline.ends for worker in busy) - time.monotonic())
            for worker in busy:
                worker.wire.push()
                yield from self._heard(worker, waiting)

    def _heard(
        self, worker: _Worker[Task], waiting: list[Task]
    ) -> Iterator[tuple[Task, Result | LostTask]]:
        """The result that has come from a worker, if it has. Raises ToolError where it did not get
        so far that it could be given anything."""
        try:
            message = worker.wire.pull()
        except EOFError:
            if not worker.ready:
                raise worker.unstarted() from None
            task = self._bury(worker, waiting)
            yield task, LostTask(worker.cause_of_death())
            return
        if message is None:
            if worker.deadline.has_passed():
                if not worker.ready:
                    raise worker.unstarted()
                worker.process.kill()
                reason = f"it took more than {self._limits.seconds:g} seconds"
                yield self._bury(worker, waiting), LostTask(reason)
            return
        if not worker.ready:
            worker.started()
            worker.begins()
            return
        task = worker.taken()
        self._next(worker, waiting)
        yield task, pickle.loads(message)  # noqa: S301  of a process of ours

    def _next(self, worker: _Worker[Task], waiting: list[Task]) -> None:
        if waiting:
            worker.give(waiting.pop())

    def _bury(self, worker: _Worker[Task], waiting: list[Task]) -> Task:
        """Replace a dead worker; the task it died on. What it had not begun waits again."""
        worker.end(5)
        self._workers.remove(worker)
        died_on, *untouched = worker.held
        waiting.extend(untouched)
        if waiting:
            successor = self.start_worker()
            self._next(successor, waiting)
            self._next(successor, waiting)
        return died_on

    def stop(self) -> None:
        for worker in self._workers:
            worker.wire.close()
        for worker in self._workers:
            worker.process.terminate()
        for worker in self._workers:
            worker.end(2)
