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

_NO_WORKER_SECONDS = 60.0  # seconds without a worker after which a run is given up
_POLL_SECONDS = 1.0  # seconds between two looks at who is there
_COMPARED_SOURCES = 24  # sources that a worker has to see as we do, before it gets a task
_INSTALL_HINT = "install the same kgraph, libclang and distributed on the scheduler and all workers"
_CONNECTION_ERRORS = (
    OSError,
    CancelledError,
    TimeoutError,
    RuntimeError,
)  # what a client says of a lost one


def make_terms(place: ReadingContext, units: Sequence[TranslationUnit], limits: Limits) -> RunTerms:
    """What is asked of a worker that reads some units."""
    shown = [unit.file for unit in units[::max(1, len(units) // _COMPARED_SOURCES)]]
    run, headers = uuid.uuid4().hex, ""
    if place.headers:
        shown += [header.file for header in place.headers]
        headers = str(Path(place.headers[0].file).with_name(f"{run}.headers"))
        Path(headers).write_bytes(pickle.dumps(place.headers))
        shown.append(headers)
    files = tuple((file, digest_file(file)) for file in shown)
    return RunTerms(
        run, compute_exchange_version(), place.root, place.build, files, headers, limits
    )


class _ClusterMembers:
    """The workers of a cluster. `fit` are those that may get tasks, with `threads` in all."""

    def __init__(self, client: Any, address: str, say: Callable[[str], None]) -> None:
        self.fit: set[str] = set()
        self.threads = 0
        self._client = client
        self._address = address
        self._say = say
        self._judged: dict[str, str] = {}
        self._lonely = 0.0  # since when no worker is there

    @property
    def only(self) -> frozenset[str]:
        """The workers that tasks are limited to: the fit ones where others are there, too."""
        return frozenset(self.fit) if any(self._judged.values()) else frozenset()

    def admit(self, terms: RunTerms) -> None:
        """Wait for a worker. Raises ClusterError where one that is there is unfit."""
        self.fit, self._judged, self._lonely = set(), {}, 0.0
        while not self.fit:
            self._judge(terms)
            for worker, reason in self._judged.items():
                if reason:
                    raise ClusterError(
                        f"worker {worker} cannot take part: {reason}", _choose_hint(reason)
                    )
            if not self.fit:
                self._stand_alone()
                time.sleep(_POLL_SECONDS)

    def look(self, terms: RunTerms) -> None:
        """Who has come and who has gone."""
        known = dict(self._judged)
        self._judge(terms)
        for worker in self._judged.keys() - known.keys():
            if reason := self._judged[worker]:
                self._say(f"worker {worker} joined and is left out: {reason}")
        if self.fit:
            self._lonely = 0.0
        else:
            self._stand_alone()

    def _stand_alone(self) -> None:
        now = time.monotonic()
        if not self._lonely:
            self._lonely = now
            self._say(f"the scheduler at {self._address} has no worker: waiting for one")
        if now > self._lonely + _NO_WORKER_SECONDS:
            raise ClusterError(
                f"the scheduler at {self._address} has had no worker for"
                f" {_NO_WORKER_SECONDS:g} seconds",
                f"start one that sees the tree with `dask worker {self._address}`",
            )

    def _judge(self, terms: RunTerms) -> None:
        """Ask the workers that are new whether they are fit."""
        self.alive()
        try:
            there = self._client.nthreads()
            new = sorted(there.keys() - self._judged.keys())
            for worker in new:
                self._judged[worker] = self._asked(worker, terms)
        except _CONNECTION_ERRORS as error:
            raise self.gone(error) from None
        self.fit = {worker for worker in there if not self._judged.get(worker)}
        self.threads = sum(there[worker] for worker in self.fit)

    def _asked(self, worker: str, terms: RunTerms) -> str:
        try:
            answers = self._client.run(find_mismatch, terms, workers=[worker], on_error="return")
        except (ImportError, AttributeError) as error:
            return f"its kgraph cannot be used ({error})"
        answer = answers.get(worker, "")
        if isinstance(answer, OSError):  # it went away meanwhile: the next look finds that out
            return ""
        return answer if isinstance(answer, str) else f"its kgraph cannot be used ({answer})"

    def alive(self) -> None:
        """Raises ClusterError where the connection was lost."""
        if self._client.status != "running":
            raise self.gone(None)

    def gone(self, error: BaseException | None) -> ClusterError:
        """What to raise where the client says that something was lost."""
        reason = f" ({error})" if error is not None and str(error) else ""
        return ClusterError(
            f"the connection to the scheduler at {self._address} was lost{reason}",
            "the index is as it was; see what the scheduler says, and run `kgraph index` again")


def _choose_hint(reason: str) -> str:
    if "see" in reason:
        return ("workers read the tree and the cache folder by their paths: share both with them"
                " (the cache folder is $XDG_CACHE_HOME/kgraph)")
    return _INSTALL_HINT


_CONNECT_SECONDS = 10.0  # seconds to reach the scheduler
_ANSWER_SECONDS = 20.0  # seconds until a scheduler that was reached has said who it is
_TASKS_PER_THREAD = 3  # tasks that are handed out, for each thread of a worker
_ADDRESS = re.compile(r"(?:tcp|tls)://([^/:\s]+|\[[^\]\s]+\]):([0-9]{1,5})/?")
_LOGGERS = ("distributed", "distributed.client", "tornado", "tornado.application", "asyncio",
            "bokeh")


@contextlib.contextmanager
def connect_cluster(address: str, root: Path, limits: Limits, say: Callable[[str], None]
           ) -> Iterator[ReadUnits]:
    """What reads units on the cluster whose scheduler is at `address`.

    Raises ClusterError where it cannot be reached, or a worker cannot read `root` as we do.
    """
    with _silence_logging():
        client = _connect_client(address)
        try:
            cluster = _Cluster(client, address, limits, say)
            cluster.admit(root)
            yield cluster.read
        finally:
            with contextlib.suppress(*_CONNECTION_ERRORS):
                client.close(timeout=2)


def _connect_client(address: str) -> Any:
    try:
        # A client that does not get this far neither says why nor gives up soon.
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
    """A client, or what kept it from being one. It is made aside, for it waits for ever where a
    connection is taken and nothing is said."""
    done: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def make() -> None:
        try:
            done.put(distributed.Client(address, timeout=_CONNECT_SECONDS, set_as_default=False))
        except Exception as error:  # noqa: BLE001  who knows what answers there
            done.put(error)

    threading.Thread(target=make, daemon=True).start()
    try:
        return done.get(timeout=_ANSWER_SECONDS)
    except queue.Empty:
        return TimeoutError(
            f"connections are taken, but nothing is said in {_ANSWER_SECONDS:g} seconds"
        )


def _parse_address(address: str) -> tuple[str, int]:
    """Host and port; ValueError where it is no address of a scheduler."""
    found = _ADDRESS.fullmatch(address)
    if found is None or not 0 < int(found[2]) < 65536:
        raise ValueError("it is not tcp://HOST:PORT or tls://HOST:PORT")
    return found[1].strip("[]"), int(found[2])


def _describe_connect_error(error: BaseException) -> str:
    if not isinstance(error, OSError | ValueError | TypeError | ImportError):
        return f"what answers speaks otherwise: {type(error).__name__}"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


@dataclass(frozen=True, slots=True)
class _SubmittedUnit:
    """A unit that was handed out: to any worker, or to `only` these."""

    future: Any
    unit: TranslationUnit
    only: frozenset[str]


class _Cluster:
    def __init__(self, client: Any, address: str, limits: Limits, say: Callable[[str], None]
                 ) -> None:
        self._client = client
        self._address = address
        self._limits = limits
        self._members = _ClusterMembers(client, address, say)
        self._submitted = 0

    def admit(self, root: Path) -> None:
        """Wait for a worker. Raises ClusterError where one that is there is unfit."""
        self._members.admit(make_terms(ReadingContext(root, None), (), self._limits))

    def read(self, place: ReadingContext, units: Sequence[TranslationUnit]
             ) -> Iterator[tuple[TranslationUnit, EncodedUnit | LostTask]]:
        """Every unit with its facts, in the order in which they are done."""
        terms = make_terms(place, units, self._limits)
        self._members.admit(terms)
        done: queue.SimpleQueue[Any] = queue.SimpleQueue()
        waiting = list(reversed(units))
        given: dict[str, _SubmittedUnit] = {}
        looked = time.monotonic()
        try:
            while waiting or given:
                while waiting and len(given) < max(8, _TASKS_PER_THREAD * self._members.threads):
                    task = self._submit(terms, waiting.pop())
                    given[task.future.key] = task
                    task.future.add_done_callback(done.put)
                with contextlib.suppress(queue.Empty):
                    future = done.get(timeout=_POLL_SECONDS)
                    if future.key in given:  # else it was taken back
                        outcome = self._outcome(future)
                        unit = given.pop(future.key).unit
                        if outcome is None:
                            self._members.look(terms)
                            waiting.append(unit)
                        else:
                            yield unit, outcome
                if time.monotonic() > looked + _POLL_SECONDS:
                    self._members.look(terms)
                    waiting += self._taken_back(given)
                    looked = time.monotonic()
        finally:
            self._leave(terms, [task.future for task in given.values()])

    def _submit(self, terms: RunTerms, unit: TranslationUnit) -> "_SubmittedUnit":
        """Hand a unit out: to any worker, or to those that are fit where one is known not to be."""
        only = self._members.only
        self._submitted += 1
        try:
            future = self._client.submit(
                _read_unit_task,
                terms,
                unit,
                key=f"kgraph-{terms.run}-{self._submitted}",
                pure=False,
                workers=sorted(only) or None,
            )
        except _CONNECTION_ERRORS as error:
            raise self._members.gone(error) from None
        return _SubmittedUnit(future, unit, only)

    def _taken_back(self, given: "dict[str, _SubmittedUnit]") -> list[TranslationUnit]:
        """The units that only workers which have gone may read, no longer handed out."""
        lost = [key for key, task in given.items()
                if task.only and self._members.fit and task.only.isdisjoint(self._members.fit)]
        tasks = [given.pop(key) for key in lost]
        with contextlib.suppress(*_CONNECTION_ERRORS):
            self._client.cancel([task.future for task in tasks], force=True)
        return [task.unit for task in tasks]

    def _outcome(self, future: Any) -> EncodedUnit | LostTask | None:
        """What became of a unit; None where a worker that is unfit got it."""
        while True:
            try:
                data = future.result(timeout=_POLL_SECONDS)
                break
            except distributed.KilledWorker as error:
                return LostTask(_describe_death(error.allowed_failures + 1))
            except Exception as error:  # noqa: BLE001  what a task raises, or a lost connection
                if future.status == "error":
                    raise ClusterError(
                        f"the cluster at {self._address} cannot run kgraph's tasks"
                        f" ({type(error).__name__}: {error})", _INSTALL_HINT) from None
                self._members.alive()
                if not isinstance(error, TimeoutError):
                    raise self._members.gone(error) from None
        if data is None:
            return None
        facts: EncodedUnit | LostTask = pickle.loads(data)  # noqa: S301  of a worker of ours
        return facts

    def _leave(self, terms: RunTerms, unfinished: Sequence[Any]) -> None:
        """Have the cluster forget what is not done."""
        if self._client.status == "running":
            with contextlib.suppress(Exception):
                self._client.cancel(list(unfinished), force=True)
                self._client.run(end_run, terms.run, on_error="ignore")
        if terms.headers:
            Path(terms.headers).unlink(missing_ok=True)


def _describe_death(workers: int) -> str:
    return "the worker that had it died" if workers == 1 else f"{workers} workers died on it"


def _read_unit_task(terms: RunTerms, unit: TranslationUnit) -> bytes | None:
    """Reads a unit, on a worker. One that is unfit gives it back: a task that is only rescheduled
    comes to it again and again."""
    return read_unit(terms, unit)


@contextlib.contextmanager
def _silence_logging() -> Iterator[None]:
    """Keeps what `distributed` logs and warns of from the terminal; what matters is told."""
    loggers = [logging.getLogger(name) for name in _LOGGERS]
    former = [(logger.handlers, logger.propagate) for logger in loggers]
    for logger in loggers:
        logger.handlers, logger.propagate = [logging.NullHandler()], False
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, (handlers, propagate) in zip(loggers, former, strict=True):
            logger.handlers, logger.propagate = handlers, propagate
