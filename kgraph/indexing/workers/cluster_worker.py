"""What a Dask worker does for kgraph: read units in processes of its own.

The Dask worker only supervises. Each unit is read by a child process with the limits of the
run, so that a crash of clang, a hang or too much memory costs that unit alone, as on one
machine. Children end with their run, with the Dask worker, or when no task has come for a
while.
"""

import hashlib
import pickle
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from kgraph.extract.pch.header import PrecompiledHeader
from kgraph.indexing.fingerprint import compute_exchange_version
from kgraph.indexing.workers.pool import Limits, WorkerProcess, answer
from kgraph.indexing.workers.unit_reading import ReadingContext, UnitReader
from kgraph.indexing.workers.worker_main import LostTask, describe_error
from kgraph.model.units import TranslationUnit
from kgraph.textfile import read_regular_file

_IDLE_SECONDS = 60.0  # seconds without a task after which a run's children are sent away


@dataclass(frozen=True, slots=True)
class RunTerms:
    """What a run asks of a process: `run` names it; `meaning` is the kgraph and libclang that read
    facts so; `files` are some that it has to see, with their digests; `headers` is the file that
    holds the precompiled headers, "" for none."""

    run: str
    exchange_version: str
    root: Path
    build: Path | None
    files: tuple[tuple[str, str], ...]
    headers: str
    limits: Limits


def digest_file(file: str) -> str:
    """The digest of a file, "" where it cannot be read."""
    try:
        return hashlib.blake2b(read_regular_file(file), digest_size=12).hexdigest()
    except OSError:
        return ""


def find_mismatch(terms: RunTerms) -> str:
    """Why this process cannot take part in a run, "" if it can."""
    try:
        meaning = compute_exchange_version()
    except Exception as error:  # noqa: BLE001  no libclang, an incomplete install ...
        return f"its kgraph cannot be used ({describe_error(error)})"
    if meaning != terms.exchange_version:
        return "its kgraph or libclang is of another version"
    for folder in filter(None, (terms.root, terms.build)):
        if not folder.is_dir():
            return f"it does not see the folder {folder}"
    for file, digest in terms.files:
        if digest_file(file) != digest:
            return f"it does not see the same {file}"
    return ""


def read_unit(terms: RunTerms, unit: TranslationUnit) -> bytes | None:
    """The facts of a unit (EncodedUnit or Lost), pickled; None where this process is unfit."""
    crew = _get_run_processes(terms)
    return None if crew.unfit else crew.read(unit)


def end_run(run: str) -> None:
    """End the children of a run."""
    with _LOCK:
        crew = _RUNS.pop(run, None)
    if crew is not None:
        crew.end()


class _UnitProcess(WorkerProcess):
    """A process that reads units one after another, and those that it was given."""

    def __init__(self, begin: Callable[[], Callable[[Any], Any]], memory: int) -> None:
        super().__init__(begin, memory)
        self.given: set[TranslationUnit] = set()

    def read(self, unit: TranslationUnit, seconds: float) -> bytes:
        """The facts of a unit, pickled. Raises ToolError where the process cannot be started."""
        self.given.add(unit)
        self.check_started()
        try:
            self.wire.put(unit)
            result = answer(self.wire, seconds)
        except EOFError:
            self.end(0.2)  # it may be dying of its own: then that is the reason
            return pickle.dumps(LostTask(self.cause_of_death()))
        if result is not None:
            return result
        self.end()
        return pickle.dumps(LostTask(f"it took more than {seconds:g} seconds"))


class _RunProcesses:
    """The children of one run in this process."""

    def __init__(self, terms: RunTerms) -> None:
        self.unfit = find_mismatch(terms)
        self._terms = terms
        self._lock = threading.Lock()
        self._free: list[_UnitProcess] = []
        self._all: set[_UnitProcess] = set()
        self._timer: threading.Timer | None = None
        self._begin: Callable[[], Any] | None = None
        self._ended = False

    def read(self, unit: TranslationUnit) -> bytes:
        child = self._take(unit)
        try:
            return child.read(unit, self._terms.limits.seconds)
        finally:
            with self._lock:
                if child.lives and not self._ended:
                    self._free.append(child)
                else:
                    self._all.discard(child)
                if len(self._free) == len(self._all):
                    self._wait()

    def _take(self, unit: TranslationUnit) -> _UnitProcess:
        """A child that has not read this unit: what one has read before it does not hand over
        again, and if a unit comes twice, then because its first result was lost."""
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
            for child in list(self._free):
                if not child.lives:
                    self._free.remove(child)
                    self._all.discard(child)
                elif unit not in child.given:
                    self._free.remove(child)
                    return child
            child = _UnitProcess(self._reader(), self._terms.limits.memory)
            self._all.add(child)
            return child

    def _reader(self) -> Callable[[], Any]:
        if self._begin is None:
            headers: tuple[PrecompiledHeader, ...] = ()
            if self._terms.headers:
                headers = pickle.loads(Path(self._terms.headers).read_bytes())  # noqa: S301  ours
            self._begin = partial(
                UnitReader, ReadingContext(self._terms.root, self._terms.build, headers))
        return self._begin

    def _wait(self) -> None:
        self._timer = threading.Timer(_IDLE_SECONDS, end_run, (self._terms.run,))
        self._timer.daemon = True
        self._timer.start()

    def end(self) -> None:
        with self._lock:
            self._ended = True
            children, self._free, self._all = self._all, [], set()
            if self._timer is not None:
                self._timer.cancel()
        for child in children:
            child.process.kill()  # a thread that waits for it sees that, and closes the pipe


_LOCK = threading.Lock()
_RUNS: dict[str, _RunProcesses] = {}


def _get_run_processes(terms: RunTerms) -> _RunProcesses:
    with _LOCK:
        crew = _RUNS.get(terms.run)
        if crew is None:
            crew = _RUNS[terms.run] = _RunProcesses(terms)
        return crew
