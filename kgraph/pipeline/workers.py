"""Worker processes that extract facts, one unit a task.

Each worker has a pipe of its own and holds one unit at a time, with one more waiting, so memory
does not grow with the number of units, and a worker that dies names the unit that it died on: that
unit is reported as failed, another worker takes its place, and the rest stands. Results come in
any order. Must not know the store's tables.
"""

import gc
import multiprocessing
import signal
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from pathlib import Path

from kgraph.extract import Extractor
from kgraph.extract.precompile import Precompiled
from kgraph.model.facts import UnitFacts
from kgraph.model.units import TranslationUnit
from kgraph.store.facts import EncodedUnit, encode_unit


@dataclass(frozen=True, slots=True)
class Place:
    """Where units are read: the tree, the folder of generated files, precompiled headers."""

    root: Path
    build: Path | None
    headers: tuple[Precompiled, ...] = ()


class UnitReader:
    """Extracts units one after another. A unit whose extraction fails comes back as failed."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._extractor: Extractor | None = None
        self._known: dict[str, str] = {}

    def read(self, unit: TranslationUnit) -> EncodedUnit:
        """The facts of a unit, encoded."""
        if self._extractor is None:
            place = self._place
            self._extractor = Extractor(place.root, place.build, set(), place.headers)
            self._known = {}
        try:
            return encode_unit(self._extractor.extract(unit), self._known)
        except Exception as error:  # noqa: BLE001  whatever it is, it is this unit's alone
            # What the extractor holds as seen may not have been handed over: begin anew.
            self._extractor = None
            return failed_unit(unit, f"{type(error).__name__}: {error}")


def failed_unit(unit: TranslationUnit, reason: str) -> EncodedUnit:
    """The facts of a unit of which nothing could be read."""
    return encode_unit(UnitFacts(unit.path, unit.object, (), (), failed=reason), {})


def extract_units(
    units: Sequence[TranslationUnit], place: Place, jobs: int
) -> Iterator[tuple[TranslationUnit, EncodedUnit]]:
    """Every unit with its facts, in the order in which they are done.

    `jobs` is the number of worker processes; 0 extracts in this process. Closing the generator
    stops the workers.
    """
    if jobs == 0:
        reader = UnitReader(place)
        for unit in units:
            yield unit, reader.read(unit)
        return
    pool = _Pool(place)
    try:
        for _ in range(min(jobs, len(units))):
            pool.start_worker()
        yield from pool.run(list(units))
    finally:
        pool.stop()


class _Worker:
    """A process, our end of its pipe, and the units that it was given and has not returned."""

    def __init__(self, place: Place) -> None:
        # spawn: a forked worker would hold the index under construction and the others' pipes.
        context = multiprocessing.get_context("spawn")
        self.pipe, far_end = context.Pipe()
        self.process = context.Process(target=WORK, args=(far_end, place), daemon=True)
        # An interrupt while the worker starts is the parent's alone; workers inherit the mask.
        # The tracker has to be there before: starting it takes the mask away again.
        resource_tracker.ensure_running()
        former = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            self.process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, former)
        far_end.close()
        self.held: list[TranslationUnit] = []

    def give(self, unit: TranslationUnit) -> None:
        self.held.append(unit)
        self.pipe.send(unit)


class _Pool:
    def __init__(self, place: Place) -> None:
        self._place = place
        self._workers: list[_Worker] = []

    def start_worker(self) -> _Worker:
        worker = _Worker(self._place)
        self._workers.append(worker)
        return worker

    def run(self, waiting: list[TranslationUnit]) -> Iterator[tuple[TranslationUnit, EncodedUnit]]:
        waiting.reverse()
        for _ in range(2):
            for worker in self._workers:
                self._next(worker, waiting)
        while any(worker.held for worker in self._workers):
            ready = wait([worker.pipe for worker in self._workers if worker.held])
            for worker in [worker for worker in self._workers if worker.pipe in ready]:
                try:
                    facts: EncodedUnit = worker.pipe.recv()
                except (EOFError, OSError):
                    unit = self._bury(worker, waiting)
                    yield unit, failed_unit(unit, _cause_of_death(worker))
                    continue
                unit = worker.held.pop(0)
                self._next(worker, waiting)
                yield unit, facts

    def _next(self, worker: _Worker, waiting: list[TranslationUnit]) -> None:
        if waiting:
            try:
                worker.give(waiting.pop())
            except OSError:  # it died just now: its pipe says so to the next wait
                return

    def _bury(self, worker: _Worker, waiting: list[TranslationUnit]) -> TranslationUnit:
        """Replace a dead worker; the unit it died on. What it had not begun waits again."""
        worker.process.join(5)
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
            worker.process.join(2)
            if worker.process.is_alive():
                worker.process.kill()
                worker.process.join()


def _cause_of_death(worker: _Worker) -> str:
    code = worker.process.exitcode
    if code is not None and code < 0:
        return f"the worker process died on it ({signal.Signals(-code).name})"
    return f"the worker process ended on it (exit status {code})"


def _work(pipe: Connection, place: Place) -> None:
    """The loop of a worker: until the other end of the pipe is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides
    gc.disable()  # trees of syntax have no cycles, and are many
    reader = UnitReader(place)
    try:
        while True:
            pipe.send(reader.read(pipe.recv()))
    except (EOFError, OSError):
        return


WORK = _work  # what a worker process runs
