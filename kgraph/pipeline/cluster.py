"""Reading units on a cluster: the only importer of `distributed`.

    with joined(address, root, limits, say) as read:
        for unit, facts in read(place, units): ...

Dask distributes units over its workers and gives those of a lost worker to others; each worker
reads them in children of its own (guest.py). The same facts come back as from the local pool: the
precompiled headers are those that this machine made, and the limits are the same. Who may take
part is members.py's to say. What `distributed` logs is kept from the terminal.
"""

import contextlib
import logging
import pickle
import queue
import re
import socket
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import distributed

from kgraph.errors import ClusterError
from kgraph.model.units import TranslationUnit
from kgraph.pipeline.attendant import Lost
from kgraph.pipeline.guest import Terms, leave, read_unit
from kgraph.pipeline.members import BROKEN, LOOK, SAME, Members, terms_of
from kgraph.pipeline.pool import Limits
from kgraph.pipeline.workers import Place, ReadUnits
from kgraph.store.facts import EncodedUnit

_CONNECT = 10.0  # seconds to reach the scheduler
_ANSWER = 20.0  # seconds until a scheduler that was reached has said who it is
_AHEAD = 3  # tasks that are handed out, for each thread of a worker
_ADDRESS = re.compile(r"(?:tcp|tls)://([^/:\s]+|\[[^\]\s]+\]):([0-9]{1,5})/?")
_LOGGERS = ("distributed", "distributed.client", "tornado", "tornado.application", "asyncio",
            "bokeh")


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
            cluster.admit(root)
            yield cluster.read
        finally:
            with contextlib.suppress(*BROKEN):
                client.close(timeout=2)


def _connected(address: str) -> Any:
    try:
        # A client that does not get this far neither says why nor gives up soon.
        socket.create_connection(_place(address), timeout=_CONNECT).close()
        made = _made(address)
    except (OSError, ValueError) as error:
        made = error
    if not isinstance(made, BaseException):
        return made
    raise ClusterError(
        f"no scheduler answers at {address} ({_words(made)})",
        "start one with `dask scheduler` and give the address that it prints, such as"
        " tcp://HOST:8786",
    )


def _made(address: str) -> Any:
    """A client, or what kept it from being one. It is made aside, for it waits for ever where a
    connection is taken and nothing is said."""
    done: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def make() -> None:
        try:
            done.put(distributed.Client(address, timeout=_CONNECT, set_as_default=False))
        except Exception as error:  # noqa: BLE001  who knows what answers there
            done.put(error)

    threading.Thread(target=make, daemon=True).start()
    try:
        return done.get(timeout=_ANSWER)
    except queue.Empty:
        return TimeoutError(f"connections are taken, but nothing is said in {_ANSWER:g} seconds")


def _place(address: str) -> tuple[str, int]:
    """Host and port; ValueError where it is no address of a scheduler."""
    found = _ADDRESS.fullmatch(address)
    if found is None or not 0 < int(found[2]) < 65536:
        raise ValueError("it is not tcp://HOST:PORT or tls://HOST:PORT")
    return found[1].strip("[]"), int(found[2])


def _words(error: BaseException) -> str:
    if not isinstance(error, OSError | ValueError | TypeError | ImportError):
        return f"what answers speaks otherwise: {type(error).__name__}"
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
        self._members = Members(client, address, say)
        self._submitted = 0

    def admit(self, root: Path) -> None:
        """Wait for a worker. Raises ClusterError where one that is there is unfit."""
        self._members.admit(terms_of(Place(root, None), (), self._limits))

    def read(self, place: Place, units: Sequence[TranslationUnit]
             ) -> Iterator[tuple[TranslationUnit, EncodedUnit | Lost]]:
        """Every unit with its facts, in the order in which they are done."""
        terms = terms_of(place, units, self._limits)
        self._members.admit(terms)
        done: queue.SimpleQueue[Any] = queue.SimpleQueue()
        waiting = list(reversed(units))
        given: dict[str, _Given] = {}
        looked = time.monotonic()
        try:
            while waiting or given:
                while waiting and len(given) < max(8, _AHEAD * self._members.threads):
                    task = self._submit(terms, waiting.pop())
                    given[task.future.key] = task
                    task.future.add_done_callback(done.put)
                with contextlib.suppress(queue.Empty):
                    future = done.get(timeout=LOOK)
                    if future.key in given:  # else it was taken back
                        outcome = self._outcome(future)
                        unit = given.pop(future.key).unit
                        if outcome is None:
                            self._members.look(terms)
                            waiting.append(unit)
                        else:
                            yield unit, outcome
                if time.monotonic() > looked + LOOK:
                    self._members.look(terms)
                    waiting += self._taken_back(given)
                    looked = time.monotonic()
        finally:
            self._leave(terms, [task.future for task in given.values()])

    def _submit(self, terms: Terms, unit: TranslationUnit) -> "_Given":
        """Hand a unit out: to any worker, or to those that are fit where one is known not to be."""
        only = self._members.only
        self._submitted += 1
        try:
            future = self._client.submit(
                _task, terms, unit, key=f"kgraph-{terms.run}-{self._submitted}", pure=False,
                workers=sorted(only) or None)
        except BROKEN as error:
            raise self._members.gone(error) from None
        return _Given(future, unit, only)

    def _taken_back(self, given: "dict[str, _Given]") -> list[TranslationUnit]:
        """The units that only workers which have gone may read, no longer handed out."""
        lost = [key for key, task in given.items()
                if task.only and self._members.fit and task.only.isdisjoint(self._members.fit)]
        tasks = [given.pop(key) for key in lost]
        with contextlib.suppress(*BROKEN):
            self._client.cancel([task.future for task in tasks], force=True)
        return [task.unit for task in tasks]

    def _outcome(self, future: Any) -> EncodedUnit | Lost | None:
        """What became of a unit; None where a worker that is unfit got it."""
        while True:
            try:
                data = future.result(timeout=LOOK)
                break
            except distributed.KilledWorker as error:
                return Lost(_died(error.allowed_failures + 1))
            except Exception as error:  # noqa: BLE001  what a task raises, or a lost connection
                if future.status == "error":
                    raise ClusterError(
                        f"the cluster at {self._address} cannot run kgraph's tasks"
                        f" ({type(error).__name__}: {error})", SAME) from None
                self._members.alive()
                if not isinstance(error, TimeoutError):
                    raise self._members.gone(error) from None
        if data is None:
            return None
        facts: EncodedUnit | Lost = pickle.loads(data)  # noqa: S301  of a worker of ours
        return facts

    def _leave(self, terms: Terms, unfinished: Sequence[Any]) -> None:
        """Have the cluster forget what is not done."""
        if self._client.status == "running":
            with contextlib.suppress(Exception):
                self._client.cancel(list(unfinished), force=True)
                self._client.run(leave, terms.run, on_error="ignore")
        if terms.headers:
            Path(terms.headers).unlink(missing_ok=True)


def _died(workers: int) -> str:
    return "the worker that had it died" if workers == 1 else f"{workers} workers died on it"


def _task(terms: Terms, unit: TranslationUnit) -> bytes | None:
    """Reads a unit, on a worker. One that is unfit gives it back: a task that is only rescheduled
    comes to it again and again."""
    return read_unit(terms, unit)


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
