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

from kgraph.extract import PrecompiledHeader
from kgraph.extract.pch.header import decode_headers
from kgraph.indexing.fingerprint import compute_exchange_version
from kgraph.indexing.workers.pool import Limits, WorkerProcess
from kgraph.indexing.workers.unit_reading import ReadingContext, UnitReader
from kgraph.indexing.workers.worker_main import LostTask, describe_error
from kgraph.model.units import TranslationUnit
from kgraph.textfile import read_regular_file

_IDLE_SECONDS = 60.0  # without a task, until a run's processes are ended


@dataclass(frozen=True, slots=True)
class RunTerms:
    """What a run demands of a Dask worker.

    `run` names the run. `exchange_version` is the fingerprint of the kgraph and libclang that it
    uses. `files` are (path, digest) of some files that the worker must see with the same content.
    `headers` is the file that holds the precompiled headers, "" if there are none.
    """

    run: str
    exchange_version: str
    root: Path
    build: Path | None
    files: tuple[tuple[str, str], ...]
    headers: str
    limits: Limits


def digest_file(file: str) -> str:
    """The digest of a file, "" if it cannot be read."""
    try:
        return hashlib.blake2b(read_regular_file(file), digest_size=12).hexdigest()
    except OSError:
        return ""


def find_mismatch(terms: RunTerms) -> str:
    """Why this Dask worker cannot take part in a run, "" if it can."""
    try:
        version = compute_exchange_version()
    except Exception as error:  # noqa: BLE001  no libclang, an incomplete install ...
        return f"its kgraph cannot be used ({describe_error(error)})"
    if version != terms.exchange_version:
        return "its kgraph or libclang is of another version"
    for folder in filter(None, (terms.root, terms.build)):
        if not folder.is_dir():
            return f"it does not see the folder {folder}"
    for file, digest in terms.files:
        if digest_file(file) != digest:
            return f"it does not see the same {file}"
    return ""


def read_unit(terms: RunTerms, unit: TranslationUnit) -> bytes | None:
    """The facts of a unit (EncodedUnit or LostTask), pickled; None if this worker does not fit."""
    processes = _get_run_processes(terms)
    return None if processes.mismatch else processes.read(unit)


def end_run(run: str) -> None:
    """End the processes of a run."""
    with _LOCK:
        processes = _RUNS.pop(run, None)
    if processes is not None:
        processes.end()


class _UnitProcess(WorkerProcess):
    """A process that reads units one after another, with the units that it was given."""

    def __init__(self, begin: Callable[[], Callable[[Any], Any]], limits: Limits) -> None:
        super().__init__(begin, limits)
        self.given: set[TranslationUnit] = set()

    def read(self, unit: TranslationUnit) -> bytes:
        """The facts of a unit, pickled. Raises ToolError if the process cannot be started."""
        self.given.add(unit)
        self.wait_until_ready()
        result = self.run(unit)
        return pickle.dumps(result) if isinstance(result, LostTask) else result


class _RunProcesses:
    """The processes of one run in this Dask worker."""

    def __init__(self, terms: RunTerms) -> None:
        self.mismatch = find_mismatch(terms)
        self._terms = terms
        self._lock = threading.Lock()
        self._free: list[_UnitProcess] = []
        self._all: set[_UnitProcess] = set()
        self._idle_timer: threading.Timer | None = None
        self._begin: Callable[[], Any] | None = None
        self._is_ended = False

    def read(self, unit: TranslationUnit) -> bytes:
        """The facts of a unit, pickled."""
        process = self._take_process(unit)
        try:
            return process.read(unit)
        finally:
            with self._lock:
                if process.is_alive and not self._is_ended:
                    self._free.append(process)
                else:
                    self._all.discard(process)
                if len(self._free) == len(self._all):
                    self._start_idle_timer()

    def end(self) -> None:
        """Kill the processes. A thread that waits for one notices, and closes it."""
        with self._lock:
            self._is_ended = True
            processes, self._free, self._all = self._all, [], set()
            if self._idle_timer is not None:
                self._idle_timer.cancel()
        for process in processes:
            process.kill()

    def _take_process(self, unit: TranslationUnit) -> _UnitProcess:
        """A free process that has not read this unit, or a new one.

        A process hands over each definition once. If a unit comes a second time, its first result
        was lost, so another process must read it.
        """
        with self._lock:
            if self._idle_timer is not None:
                self._idle_timer.cancel()
            for process in list(self._free):
                if not process.is_alive:
                    self._free.remove(process)
                    self._all.discard(process)
                elif unit not in process.given:
                    self._free.remove(process)
                    return process
            process = _UnitProcess(self._get_begin(), self._terms.limits)
            self._all.add(process)
            return process

    def _get_begin(self) -> Callable[[], Any]:
        if self._begin is None:
            headers: tuple[PrecompiledHeader, ...] = ()
            if self._terms.headers:
                headers = decode_headers(read_regular_file(self._terms.headers))
            self._begin = partial(
                UnitReader, ReadingContext(self._terms.root, self._terms.build, headers))
        return self._begin

    def _start_idle_timer(self) -> None:
        self._idle_timer = threading.Timer(_IDLE_SECONDS, end_run, (self._terms.run,))
        self._idle_timer.daemon = True
        self._idle_timer.start()


_LOCK = threading.Lock()
_RUNS: dict[str, _RunProcesses] = {}


def _get_run_processes(terms: RunTerms) -> _RunProcesses:
    with _LOCK:
        processes = _RUNS.get(terms.run)
        if processes is None:
            processes = _RUNS[terms.run] = _RunProcesses(terms)
        return processes
