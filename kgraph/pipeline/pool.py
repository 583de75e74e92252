"""Worker processes that each do one task at a time, whatever becomes of them.

A worker has a pipe of its own and holds one task at a time, with one more waiting, so memory does
not grow with the number of tasks, and a worker that dies or does not end names the task that it
died on: that task comes back as lost, another worker takes its place, and the rest stands. Knows
nothing of what the tasks are.
"""

import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing import resource_tracker
from multiprocessing.connection import wait
from typing import Any, Generic, TypeVar

from kgraph.pipeline.attendant import Lost, attend

Task = TypeVar("Task")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Limits:
    """What one task may take: seconds of time, bytes of its worker's address space."""

    seconds: float = 300.0
    memory: int = 8 << 30


USUAL = Limits()


def run_tasks(
    tasks: Sequence[Task], begin: Callable[[], Callable[[Task], Result]], jobs: int,
    limits: Limits,
) -> Iterator[tuple[Task, Result | Lost]]:
    """Every task with its result, in the order in which they are done, by `jobs` processes.

    `begin` makes, in a worker, what does its tasks; it travels there. Closing the generator stops
    the workers.
    """
    pool = _Pool(begin, limits)
    try:
        for _ in range(min(jobs, len(tasks))):
            pool.start_worker()
        yield from pool.run(list(tasks))
    finally:
        pool.stop()


class _Worker(Generic[Task]):
    """A process, our end of its pipe, the tasks that it was given and has not returned, and when
    it began the first of them."""

    def __init__(self, begin: Callable[[], Callable[[Task], Any]], limits: Limits) -> None:
        # spawn: a forked worker would hold the index under construction and the others' pipes.
        context = multiprocessing.get_context("spawn")
        self.pipe, far_end = context.Pipe()
        arguments = (far_end, begin, limits.memory, os.getpid())
        self.process = context.Process(target=attend, args=arguments, daemon=True)
        # An interrupt while the worker starts is the parent's alone; workers inherit the mask.
        # The tracker has to be there before: starting it takes the mask away again.
        resource_tracker.ensure_running()
        former = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            self.process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, former)
        far_end.close()
        self.held: list[Task] = []
        self.began = 0.0

    def give(self, task: Task) -> None:
        if not self.held:
            self.began = time.monotonic()
        self.held.append(task)
        self.pipe.send(task)

    def taken(self) -> Task:
        """The task whose result has come."""
        self.began = time.monotonic()
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

    def run(self, waiting: list[Task]) -> Iterator[tuple[Task, Result | Lost]]:
        waiting.reverse()
        for _ in range(2):
            for worker in self._workers:
                self._next(worker, waiting)
        while busy := [worker for worker in self._workers if worker.held]:
            ends = min(worker.began for worker in busy) + self._limits.seconds
            ready = wait([worker.pipe for worker in busy], max(0.0, ends - time.monotonic()))
            for worker in busy:
                if worker.pipe in ready:
                    yield self._result(worker, waiting)
                elif time.monotonic() > worker.began + self._limits.seconds:
                    worker.process.kill()
                    reason = f"it took more than {self._limits.seconds:g} seconds"
                    yield self._bury(worker, waiting), Lost(reason)

    def _result(
        self, worker: _Worker[Task], waiting: list[Task]
    ) -> tuple[Task, Result | Lost]:
        try:
            result: Result | Lost = worker.pipe.recv()
        except (EOFError, OSError):
            task = self._bury(worker, waiting)
            return task, Lost(cause_of_death(worker.process.exitcode))
        task = worker.taken()
        self._next(worker, waiting)
        return task, result

    def _next(self, worker: _Worker[Task], waiting: list[Task]) -> None:
        if waiting:
            try:
                worker.give(waiting.pop())
            except OSError:  # it died just now: its pipe says so to the next wait
                return

    def _bury(self, worker: _Worker[Task], waiting: list[Task]) -> Task:
        """Replace a dead worker; the task it died on. What it had not begun waits again."""
        worker.process.join(5)
        self._workers.remove(worker)
        worker.pipe.close()
        died_on, *untouched = worker.held
        waiting.extend(untouched)
        if waiting:
            successor = self.start_worker()
            self._next(successor, waiting)
            self._next(successor, waiting)
        return died_on

    def stop(self) -> None:
        for worker in self._workers:
            worker.pipe.close()
        for worker in self._workers:
            worker.process.terminate()
        for worker in self._workers:
            worker.process.join(2)
            if worker.process.is_alive():
                worker.process.kill()
                worker.process.join()


def cause_of_death(code: int | None) -> str:
    """Why a task is lost whose worker ended with an exit code."""
    if code is not None and code < 0:
        return f"the worker process died on it ({signal.Signals(-code).name})"
    return f"the worker process ended on it (exit status {code})"
