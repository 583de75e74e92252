"""Worker processes that each do one task at a time, whatever becomes of them.

A worker has a pipe of its own and holds one task at a time, with one more waiting, so memory does
not grow with the number of tasks, and a worker that dies or does not end names the task that it
died on: that task comes back as lost, another worker takes its place, and the rest stands. Knows
nothing of what the tasks are.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import wait
from typing import Any, Generic, TypeVar

from kgraph.pipeline.attendant import Lost
from kgraph.pipeline.child import Child

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


class _Worker(Child, Generic[Task]):
    """A process with the tasks that it was given and has not returned, and when it began the first
    of them."""

    def __init__(self, begin: Callable[[], Callable[[Task], Any]], limits: Limits) -> None:
        super().__init__(begin, limits.memory)
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
            return task, Lost(worker.cause_of_death())
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
            worker.pipe.close()
        for worker in self._workers:
            worker.process.terminate()
        for worker in self._workers:
            worker.end(2)
