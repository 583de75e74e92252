"""Read units on a Dask cluster. The only module that imports `distributed`.

    with connect_cluster(address, root, limits, say) as read:
        for unit, facts in read(context, units): ...

Dask spreads the units over its workers, and gives those of a lost worker to others. Each worker
reads them in processes of its own (cluster_worker). Results are those of the local pool:
workers use the precompiled headers that this machine made, and the same limits.

A worker that would read something else is refused if it is there at the start, and left out
with a remark if it joins later. The log output of `distributed` is kept off the terminal.
"""

import contextlib
import logging
import pickle
import queue
import re
import socket
import threading
import time
import uuid
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import distributed

from kgraph.errors import ClusterError
from kgraph.extract.pch.header import encode_headers
from kgraph.indexing.fingerprint import compute_exchange_version
from kgraph.indexing.workers.cluster_worker import (
    RunTerms,
    digest_file,
    end_run,
    find_mismatch,
    read_unit,
)
from kgraph.indexing.workers.pool import Limits
from kgraph.indexing.workers.unit_reading import ReadingContext, ReadUnits
from kgraph.indexing.workers.worker_main import LostTask
from kgraph.model.units import TranslationUnit
from kgraph.store.facts_writer import EncodedUnit

_CONNECT_SECONDS = 10.0  # time limit for reaching the scheduler
_ANSWER_SECONDS = 20.0  # time limit for the scheduler to identify itself
_NO_WORKER_SECONDS = 60.0  # a run without any worker is given up after this time
_POLL_SECONDS = 1.0  # between two looks at which workers there are
_TASKS_PER_THREAD = 3  # submitted at once, for each thread of a worker
_MIN_TASKS = 8  # submitted at once
_COMPARED_SOURCES = 24  # a worker must see so many sources as we do before it gets a task
_INSTALL_HINT = "install the same kgraph, libclang and distributed on the scheduler and all workers"
_ADDRESS = re.compile(r"(?:tcp|tls)://([^/:\s]+|\[[^\]\s]+\]):([0-9]{1,5})/?")
_LOGGERS = ("distributed", "distributed.client", "tornado", "tornado.application", "asyncio",
            "bokeh")
# What a client raises when the connection is lost.
_CONNECTION_ERRORS = (OSError, CancelledError, TimeoutError, RuntimeError)


@contextlib.contextmanager
def connect_cluster(
    address: str, root: Path, limits: Limits, say: Callable[[str], None]
) -> Iterator[ReadUnits]:
    """Connect to the cluster whose scheduler is at `address`; yields what reads units there.

    `say` receives a message for each worker that is left out. Raises ClusterError if the scheduler
    cannot be reached, or a worker does not see the tree at `root` as we do.
    """
    with _silence_logging():
        client = _connect_client(address)
        try:
            members = _ClusterMembers(client, address, say)
            members.admit(make_terms(ReadingContext(root, None), (), limits))

            def read(
                context: ReadingContext, units: Sequence[TranslationUnit]
            ) -> Iterator[tuple[TranslationUnit, EncodedUnit | LostTask]]:
                terms = make_terms(context, units, limits)
                return _ClusterRun(client, members, terms).read(units)

            yield read
        finally:
            with contextlib.suppress(*_CONNECTION_ERRORS):
                client.close(timeout=2)


def make_terms(
    context: ReadingContext, units: Sequence[TranslationUnit], limits: Limits
) -> RunTerms:
    """What a run that reads these units demands of each worker."""
    compared = [unit.file for unit in units[::max(1, len(units) // _COMPARED_SOURCES)]]
    run, headers = uuid.uuid4().hex, ""
    if context.headers:
        compared += [header.file for header in context.headers]
        headers = str(Path(context.headers[0].file).with_name(f"{run}.headers"))
        Path(headers).write_bytes(encode_headers(context.headers))
        compared.append(headers)
    files = tuple((file, digest_file(file)) for file in compared)
    return RunTerms(
        run, compute_exchange_version(), context.root, context.build, files, headers, limits
    )


def _connect_client(address: str) -> Any:
    try:
        # If this fails, a client would neither say why nor give up soon.
        socket.create_connection(_parse_address(address), timeout=_CONNECT_SECONDS).close()
        made = _make_client(address)
    except (OSError, ValueError) as error:
        made = error
    if not isinstance(made, BaseException):
        return made
    raise ClusterError(
        f"no scheduler answers at {address} ({_describe_connect_error(made)})",
        "start one with `dask scheduler` and give the address that it prints, such as"
        " tcp://HOST:8786",
    )


def _make_client(address: str) -> Any:
    """A client, or the exception that prevented it.

    A thread makes it: a client waits for ever for a server that accepts connections and is silent.
    """
    done: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def make() -> None:
        try:
            done.put(distributed.Client(address, timeout=_CONNECT_SECONDS, set_as_default=False))
        except Exception as error:  # noqa: BLE001  any server may answer there
            done.put(error)

    threading.Thread(target=make, daemon=True).start()
    try:
        return done.get(timeout=_ANSWER_SECONDS)
    except queue.Empty:
        return TimeoutError(f"it accepts connections and is silent for {_ANSWER_SECONDS:g} seconds")


def _parse_address(address: str) -> tuple[str, int]:
    """Host and port of a scheduler. Raises ValueError if it is not one."""
    found = _ADDRESS.fullmatch(address)
    if found is None or not 0 < int(found[2]) < 65536:
        raise ValueError("it is not tcp://HOST:PORT or tls://HOST:PORT")
    return found[1].strip("[]"), int(found[2])


def _describe_connect_error(error: BaseException) -> str:
    if not isinstance(error, OSError | ValueError | TypeError | ImportError):
        return f"it speaks another protocol: {type(error).__name__}"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


class _ClusterMembers:
    """The workers of a cluster.

    `fit` are the workers that may get tasks, `threads` the number of their threads.
    """

    def __init__(self, client: Any, address: str, say: Callable[[str], None]) -> None:
        self.fit: set[str] = set()
        self.threads = 0
        self.address = address
        self._client = client
        self._say = say
        self._mismatches: dict[str, str] = {}  # of each worker that was asked; "" if it fits
        self._empty_since = 0.0

    @property
    def restriction(self) -> frozenset[str]:
        """The workers that tasks must go to: the fit ones, if there are others too; else none."""
        return frozenset(self.fit) if any(self._mismatches.values()) else frozenset()

    def admit(self, terms: RunTerms) -> None:
        """Wait for a worker. Raises ClusterError if one of those that are there does not fit."""
        self.fit, self._mismatches, self._empty_since = set(), {}, 0.0
        while not self.fit:
            self._ask_new_workers(terms)
            for worker, reason in self._mismatches.items():
                if reason:
                    raise ClusterError(
                        f"worker {worker} cannot take part: {reason}", _choose_hint(reason)
                    )
            if not self.fit:
                self._note_empty()
                time.sleep(_POLL_SECONDS)

    def update(self, terms: RunTerms) -> None:
        """Look which workers have joined and which have gone."""
        known = dict(self._mismatches)
        self._ask_new_workers(terms)
        for worker in self._mismatches.keys() - known.keys():
            if reason := self._mismatches[worker]:
                self._say(f"worker {worker} joined and is left out: {reason}")
        if self.fit:
            self._empty_since = 0.0
        else:
            self._note_empty()

    def check_connection(self) -> None:
        """Raise ClusterError if the connection was lost."""
        if self._client.status != "running":
            raise self.make_lost_error(None)

    def make_lost_error(self, error: BaseException | None) -> ClusterError:
        """The error for a lost connection."""
        reason = f" ({error})" if error is not None and str(error) else ""
        return ClusterError(
            f"the connection to the scheduler at {self.address} was lost{reason}",
            "the index is as it was; read the scheduler's log and run `kgraph index` again")

    def _note_empty(self) -> None:
        """Note that there is no worker. Raises ClusterError if that lasts too long."""
        now = time.monotonic()
        if not self._empty_since:
            self._empty_since = now
            self._say(f"the scheduler at {self.address} has no worker: waiting for one")
        if now > self._empty_since + _NO_WORKER_SECONDS:
            raise ClusterError(
                f"the scheduler at {self.address} has had no worker for"
                f" {_NO_WORKER_SECONDS:g} seconds",
                f"start one that sees the tree with `dask worker {self.address}`",
            )

    def _ask_new_workers(self, terms: RunTerms) -> None:
        """Ask workers that are new whether they fit."""
        self.check_connection()
        try:
            threads = self._client.nthreads()
            for worker in sorted(threads.keys() - self._mismatches.keys()):
                self._mismatches[worker] = self._ask(worker, terms)
        except _CONNECTION_ERRORS as error:
            raise self.make_lost_error(error) from None
        self.fit = {worker for worker in threads if not self._mismatches.get(worker)}
        self.threads = sum(threads[worker] for worker in self.fit)

    def _ask(self, worker: str, terms: RunTerms) -> str:
        """Why a worker does not fit, "" if it does."""
        try:
            answers = self._client.run(find_mismatch, terms, workers=[worker], on_error="return")
        except (ImportError, AttributeError) as error:
            return f"its kgraph cannot be used ({error})"
        answer = answers.get(worker, "")
        if isinstance(answer, OSError):  # it has just gone, which the next look shows
            return ""
        return answer if isinstance(answer, str) else f"its kgraph cannot be used ({answer})"


def _choose_hint(mismatch: str) -> str:
    if "see" in mismatch:
        return ("workers read the tree and the cache folder by their paths: share both with them"
                " (the cache folder is $XDG_CACHE_HOME/kgraph)")
    return _INSTALL_HINT


@dataclass(frozen=True, slots=True)
class _SubmittedUnit:
    """A unit that was submitted; `restriction` are the workers that may get it, none for any."""

    future: Any
    unit: TranslationUnit
    restriction: frozenset[str]


class _ClusterRun:
    """Units that are read on a cluster, under the same terms."""

    def __init__(self, client: Any, members: _ClusterMembers, terms: RunTerms) -> None:
        self._client = client
        self._members = members
        self._terms = terms
        self._waiting: list[TranslationUnit] = []
        self._submitted: dict[str, _SubmittedUnit] = {}
        self._count = 0
        self._done: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def read(
        self, units: Sequence[TranslationUnit]
    ) -> Iterator[tuple[TranslationUnit, EncodedUnit | LostTask]]:
        """Yield every unit with its facts, in the order of completion."""
        self._members.admit(self._terms)
        self._waiting = list(reversed(units))
        updated = time.monotonic()
        try:
            while self._waiting or self._submitted:
                self._submit_units()
                yield from self._take_result()
                if time.monotonic() > updated + _POLL_SECONDS:
                    self._members.update(self._terms)
                    self._take_back()
                    updated = time.monotonic()
        finally:
            self._leave()

    def _submit_units(self) -> None:
        """Submit units, a few for each thread."""
        limit = max(_MIN_TASKS, _TASKS_PER_THREAD * self._members.threads)
        while self._waiting and len(self._submitted) < limit:
            task = self._submit(self._waiting.pop())
            self._submitted[task.future.key] = task
            task.future.add_done_callback(self._done.put)

    def _submit(self, unit: TranslationUnit) -> _SubmittedUnit:
        restriction = self._members.restriction
        self._count += 1
        try:
            future = self._client.submit(
                _read_unit_task,
                self._terms,
                unit,
                key=f"kgraph-{self._terms.run}-{self._count}",
                pure=False,
                workers=sorted(restriction) or None,
            )
        except _CONNECTION_ERRORS as error:
            raise self._members.make_lost_error(error) from None
        return _SubmittedUnit(future, unit, restriction)

    def _take_result(self) -> Iterator[tuple[TranslationUnit, EncodedUnit | LostTask]]:
        """Wait a moment for a result, and yield it if there is one."""
        try:
            future = self._done.get(timeout=_POLL_SECONDS)
        except queue.Empty:
            return
        if future.key not in self._submitted:  # it was taken back
            return
        result = self._get_result(future)
        unit = self._submitted.pop(future.key).unit
        if result is None:
            self._members.update(self._terms)
            self._waiting.append(unit)
        else:
            yield unit, result

    def _get_result(self, future: Any) -> EncodedUnit | LostTask | None:
        """The result of a task; None if a worker got it that does not fit."""
        while True:
            try:
                data = future.result(timeout=_POLL_SECONDS)
                break
            except distributed.KilledWorker as error:
                return LostTask(_describe_death(error.allowed_failures + 1))
            except Exception as error:  # noqa: BLE001  raised by the task, or a lost connection
                if future.status == "error":
                    raise ClusterError(
                        f"the cluster at {self._members.address} cannot run kgraph's tasks"
                        f" ({type(error).__name__}: {error})", _INSTALL_HINT) from None
                self._members.check_connection()
                if not isinstance(error, TimeoutError):
                    raise self._members.make_lost_error(error) from None
        if data is None:
            return None
        result: EncodedUnit | LostTask = pickle.loads(data)  # noqa: S301  of a worker of ours
        return result

    def _take_back(self) -> None:
        """Take back units that only workers which have gone may read."""
        fit = self._members.fit
        lost = [key for key, task in self._submitted.items()
                if task.restriction and fit and task.restriction.isdisjoint(fit)]
        tasks = [self._submitted.pop(key) for key in lost]
        with contextlib.suppress(*_CONNECTION_ERRORS):
            self._client.cancel([task.future for task in tasks], force=True)
        self._waiting += [task.unit for task in tasks]

    def _leave(self) -> None:
        """Have the cluster forget what is not done."""
        if self._client.status == "running":
            with contextlib.suppress(Exception):
                unfinished = [task.future for task in self._submitted.values()]
                self._client.cancel(unfinished, force=True)
                self._client.run(end_run, self._terms.run, on_error="ignore")
        if self._terms.headers:
            Path(self._terms.headers).unlink(missing_ok=True)


def _describe_death(workers: int) -> str:
    return "the worker that had it died" if workers == 1 else f"{workers} workers died on it"


def _read_unit_task(terms: RunTerms, unit: TranslationUnit) -> bytes | None:
    """Read a unit, on a Dask worker. None gives it back because this worker does not fit: a task
    that is only rescheduled comes to the same worker again and again."""
    return read_unit(terms, unit)


@contextlib.contextmanager
def _silence_logging() -> Iterator[None]:
    """Keep the log and the warnings of `distributed` off the terminal; what matters is raised."""
    loggers = [logging.getLogger(name) for name in _LOGGERS]
    before = [(logger.handlers, logger.propagate) for logger in loggers]
    for logger in loggers:
        logger.handlers, logger.propagate = [logging.NullHandler()], False
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, (handlers, propagate) in zip(loggers, before, strict=True):
            logger.handlers, logger.propagate = handlers, propagate
