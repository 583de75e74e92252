"""Reading units on a cluster: the only importer of `distributed`.

    with joined(address, root, limits, say) as read:
        for unit, facts in read(place, units): ...

Dask distributes units over its workers and gives those of a lost worker to others; each worker
reads them in children of its own (guest.py). The same facts come back as from the local pool: the
precompiled headers are those that this machine made, and the limits are the same. Workers that
would read something else are refused: those that are there, before any work; one that joins later
is left out, which is said. What `distributed` logs is kept from the terminal.
"""

import contextlib
import logging
import pickle
import queue
import re
import socket
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
from kgraph.model.units import TranslationUnit
from kgraph.pipeline.attendant import Lost
from kgraph.pipeline.freshness import facts_meaning
from kgraph.pipeline.guest import Terms, digest_of, leave, read_unit, unfit
from kgraph.pipeline.pool import Limits
from kgraph.pipeline.workers import Place, ReadUnits
from kgraph.store.facts import EncodedUnit

_CONNECT = 10.0  # seconds to reach the scheduler
_NOBODY = 60.0  # seconds without a worker after which a run is given up
_LOOK = 1.0  # seconds between two looks at who is there
_SHOWN = 24  # sources that a worker has to see as we do, before it gets a task
_AHEAD = 3  # tasks that are handed out, for each thread of a worker
_ADDRESS = re.compile(r"(?:tcp|tls)://([^/:\s]+|\[[^\]\s]+\]):([0-9]{1,5})/?")
_LOGGERS = ("distributed", "distributed.client", "tornado", "tornado.application", "asyncio",
            "bokeh")
_SAME = "install the same kgraph, libclang and distributed on the scheduler and all workers"
_BROKEN = (OSError, CancelledError, TimeoutError, RuntimeError)  # what a client says of a lost one


@contextlib.contextmanager
def joined(address: str, root: Path, limits: Limits, say: Callable[[str], None]
           ) -> Iterator[ReadUnits]:
    """What reads units on the cluster whose scheduler is at `address`.

    Raises ClusterError where it cannot be reached, or a worker cannot read `root` as we do.
    """
    with _silence():
        client = _connected(address)
        try:
            cluster = _Cluster(client, address, limits, say)
            cluster.admit(cluster.terms(Place(root, None), ()))
            yield cluster.read
        finally:
            with contextlib.suppress(*_BROKEN):
                client.close(timeout=2)


def _connected(address: str) -> Any:
    try:
        # A client that does not get this far neither says why nor gives up soon.
        socket.create_connection(_place(address), timeout=_CONNECT).close()
        return distributed.Client(address, timeout=_CONNECT, set_as_default=False)
    except (OSError, ValueError, TypeError, ImportError) as error:
        raise ClusterError(
            f"no scheduler answers at {address} ({_words(error)})",
            "start one with `dask scheduler` and give the address that it prints, such as"
            " tcp://HOST:8786",
        ) from None


def _place(address: str) -> tuple[str, int]:
    """Host and port; ValueError where it is no address of a scheduler."""
    found = _ADDRESS.fullmatch(address)
    if found is None or not 0 < int(found[2]) < 65536:
        raise ValueError("it is not tcp://HOST:PORT or tls://HOST:PORT")
    return found[1].strip("[]"), int(found[2])


def _words(error: BaseException) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


@dataclass(frozen=True, slots=True)
class _Given:
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
        self._say = say
        self._fit: set[str] = set()
        self._threads = 0  # of the fit workers
        self._judged: dict[str, str] = {}
        self._lonely = 0.0  # since when no worker is there
        self._submitted = 0

    def terms(self, place: Place, units: Sequence[TranslationUnit]) -> Terms:
        """What is asked of a worker that reads some units."""
        shown = [unit.file for unit in units[::max(1, len(units) // _SHOWN)]]
        run, headers = uuid.uuid4().hex, ""
        if place.headers:
            shown += [header.file for header in place.headers]
            headers = str(Path(place.headers[0].file).with_name(f"{run}.headers"))
            Path(headers).write_bytes(pickle.dumps(place.headers))
            shown.append(headers)
        files = tuple((file, digest_of(file)) for file in shown)
        return Terms(run, facts_meaning(), place.root, place.build, files, headers, self._limits)

    def admit(self, terms: Terms) -> None:
        """Wait for a worker. Raises ClusterError where one that is there is unfit."""
        self._fit, self._judged, self._lonely = set(), {}, 0.0
        while not self._fit:
            self._judge(terms)
            for worker, reason in self._judged.items():
                if reason:
                    raise ClusterError(f"worker {worker} cannot take part: {reason}", _hint(reason))
            if not self._fit:
                self._stand_alone()
                time.sleep(_LOOK)

    def read(self, place: Place, units: Sequence[TranslationUnit]
             ) -> Iterator[tuple[TranslationUnit, EncodedUnit | Lost]]:
        """Every unit with its facts, in the order in which they are done."""
        terms = self.terms(place, units)
        self.admit(terms)
        done: queue.SimpleQueue[Any] = queue.SimpleQueue()
        waiting = list(reversed(units))
        given: dict[str, _Given] = {}
        looked = time.monotonic()
        try:
            while waiting or given:
                while waiting and len(given) < max(8, _AHEAD * self._threads):
                    task = self._submit(terms, waiting.pop())
                    given[task.future.key] = task
                    task.future.add_done_callback(done.put)
                with contextlib.suppress(queue.Empty):
                    future = done.get(timeout=_LOOK)
                    if future.key in given:  # else it was taken back
                        outcome = self._outcome(future)
                        unit = given.pop(future.key).unit
                        if outcome is None:
                            self._look(terms)
                            waiting.append(unit)
                        else:
                            yield unit, outcome
                if time.monotonic() > looked + _LOOK:
                    self._look(terms)
                    waiting += self._taken_back(given)
                    looked = time.monotonic()
        finally:
            self._leave(terms, [task.future for task in given.values()])

    def _submit(self, terms: Terms, unit: TranslationUnit) -> "_Given":
        """Hand a unit out: to any worker, or to those that are fit where one is known not to be."""
        only = frozenset(self._fit) if any(self._judged.values()) else frozenset()
        self._submitted += 1
        try:
            future = self._client.submit(
                _task, terms, unit, key=f"kgraph-{terms.run}-{self._submitted}", pure=False,
                workers=sorted(only) or None)
        except _BROKEN as error:
            raise self._gone(error) from None
        return _Given(future, unit, only)

    def _taken_back(self, given: "dict[str, _Given]") -> list[TranslationUnit]:
        """The units that only workers which have gone may read, no longer handed out."""
        lost = [key for key, task in given.items()
                if task.only and self._fit and task.only.isdisjoint(self._fit)]
        tasks = [given.pop(key) for key in lost]
        with contextlib.suppress(*_BROKEN):
            self._client.cancel([task.future for task in tasks], force=True)
        return [task.unit for task in tasks]

    def _outcome(self, future: Any) -> EncodedUnit | Lost | None:
        """What became of a unit; None where a worker that is unfit got it."""
        while True:
            try:
                data = future.result(timeout=_LOOK)
                break
            except distributed.KilledWorker as error:
                return Lost(f"the {error.allowed_failures + 1} workers that had it died")
            except Exception as error:  # noqa: BLE001  what a task raises, or a lost connection
                if future.status == "error":
                    raise ClusterError(
                        f"the cluster at {self._address} cannot run kgraph's tasks"
                        f" ({type(error).__name__}: {error})", _SAME) from None
                self._alive()
                if not isinstance(error, TimeoutError):
                    raise self._gone(error) from None
        if data is None:
            return None
        facts: EncodedUnit | Lost = pickle.loads(data)  # noqa: S301  of a worker of ours
        return facts

    def _look(self, terms: Terms) -> None:
        """Who has come and who has gone."""
        known = dict(self._judged)
        self._judge(terms)
        for worker in self._judged.keys() - known.keys():
            if reason := self._judged[worker]:
                self._say(f"worker {worker} joined and is left out: {reason}")
        if self._fit:
            self._lonely = 0.0
        else:
            self._stand_alone()

    def _stand_alone(self) -> None:
        now = time.monotonic()
        if not self._lonely:
            self._lonely = now
            self._say(f"the scheduler at {self._address} has no worker: waiting for one")
        if now > self._lonely + _NOBODY:
            raise ClusterError(
                f"the scheduler at {self._address} has had no worker for {_NOBODY:g} seconds",
                f"start one that sees the tree with `dask worker {self._address}`")

    def _judge(self, terms: Terms) -> None:
        """Ask the workers that are new whether they are fit."""
        self._alive()
        try:
            there = self._client.nthreads()
            new = sorted(there.keys() - self._judged.keys())
            for worker in new:
                self._judged[worker] = self._asked(worker, terms)
        except _BROKEN as error:
            raise self._gone(error) from None
        self._fit = {worker for worker in there if not self._judged.get(worker)}
        self._threads = sum(there[worker] for worker in self._fit)

    def _asked(self, worker: str, terms: Terms) -> str:
        try:
            answers = self._client.run(unfit, terms, workers=[worker], on_error="return")
        except (ImportError, AttributeError) as error:
            return f"its kgraph cannot be used ({error})"
        answer = answers.get(worker, "")
        if isinstance(answer, OSError):  # it went away meanwhile: the next look finds that out
            return ""
        return answer if isinstance(answer, str) else f"its kgraph cannot be used ({answer})"

    def _alive(self) -> None:
        if self._client.status != "running":
            raise self._gone(None)

    def _gone(self, error: BaseException | None) -> ClusterError:
        reason = f" ({error})" if error is not None and str(error) else ""
        return ClusterError(
            f"the connection to the scheduler at {self._address} was lost{reason}",
            "the index is as it was; see what the scheduler says, and run `kgraph index` again")

    def _leave(self, terms: Terms, unfinished: Sequence[Any]) -> None:
        """Have the cluster forget what is not done."""
        if self._client.status == "running":
            with contextlib.suppress(Exception):
                self._client.cancel(list(unfinished), force=True)
                self._client.run(leave, terms.run, on_error="ignore")
        if terms.headers:
            Path(terms.headers).unlink(missing_ok=True)


def _task(terms: Terms, unit: TranslationUnit) -> bytes | None:
    """Reads a unit, on a worker. One that is unfit gives it back: a task that is only rescheduled
    comes to it again and again."""
    return read_unit(terms, unit)


def _hint(reason: str) -> str:
    if "see" in reason:
        return ("workers read the tree and the cache folder by their paths: share both with them"
                " (the cache folder is $XDG_CACHE_HOME/kgraph)")
    return _SAME


@contextlib.contextmanager
def _silence() -> Iterator[None]:
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
