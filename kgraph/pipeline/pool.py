"""Worker processes that each do one task at a time, whatever becomes of them.

A worker has a pipe of its own and holds one task at a time, with one more waiting, so memory does
not grow with the number of tasks, and a worker that dies or does not end names the task that it
died on: that task comes back as lost, another worker takes its place, and the rest stands. Knows
nothing of what the tasks are.
"""

import pickle
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from kgraph.pipeline.attendant import Lost
from kgraph.pipeline.child import Child
from kgraph.pipeline.wire import Deadline, wait

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
    the workers. Raises ToolError where no worker can be started.
    """
    pool = _Pool(begin, limits)
    try:
        for _ in range(min(jobs, len(tasks))):
            pool.start_worker()
        yield from pool.run(list(tasks))
    finally:
        pool.stop()


class _Worker(Child, Generic[Task]):
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

    def run(self, waiting: list[Task]) -> Iterator[tuple[Task, Result | Lost]]:
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
    ) -> Iterator[tuple[Task, Result | Lost]]:
        """The result that has come from a worker, if it has. Raises ToolError where it did not get
        so far that it could be given anything."""
        try:
            message = worker.wire.pull()
        except EOFError:
            if not worker.ready:
                raise worker.unstarted() from None
            task = self._bury(worker, waiting)
            yield task, Lost(worker.cause_of_death())
            return
        if message is None:
            if worker.deadline.has_passed():
                if not worker.ready:
                    raise worker.unstarted()
                worker.process.kill()
                reason = f"it took more than {self._limits.seconds:g} seconds"
                yield self._bury(worker, waiting), Lost(reason)
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
