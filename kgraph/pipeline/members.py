"""Who takes part in a run on a cluster: the workers that are there, and whether each is fit.

A worker that would read something else is unfit: it is refused where it is there before the work,
and left out, which is said, where it joins later. Owns what a worker has to agree with, and how
long nobody may be there. Must not know how tasks are handed out (cluster.py does).
"""

import pickle
import time
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError
from pathlib import Path
from typing import Any

from kgraph.errors import ClusterError
from kgraph.model.units import TranslationUnit
from kgraph.pipeline.guest import Terms, digest_of, unfit
from kgraph.pipeline.pool import Limits
from kgraph.pipeline.setting import exchange_meaning
from kgraph.pipeline.workers import Place

_NOBODY = 60.0  # seconds without a worker after which a run is given up
LOOK = 1.0  # seconds between two looks at who is there
_SHOWN = 24  # sources that a worker has to see as we do, before it gets a task
SAME = "install the same kgraph, libclang and distributed on the scheduler and all workers"
BROKEN = (OSError, CancelledError, TimeoutError, RuntimeError)  # what a client says of a lost one


def terms_of(place: Place, units: Sequence[TranslationUnit], limits: Limits) -> Terms:
    """What is asked of a worker that reads some units."""
    shown = [unit.file for unit in units[::max(1, len(units) // _SHOWN)]]
    run, headers = uuid.uuid4().hex, ""
    if place.headers:
        shown += [header.file for header in place.headers]
        headers = str(Path(place.headers[0].file).with_name(f"{run}.headers"))
        Path(headers).write_bytes(pickle.dumps(place.headers))
        shown.append(headers)
    files = tuple((file, digest_of(file)) for file in shown)
    return Terms(run, exchange_meaning(), place.root, place.build, files, headers, limits)


class Members:
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

    def admit(self, terms: Terms) -> None:
        """Wait for a worker. Raises ClusterError where one that is there is unfit."""
        self.fit, self._judged, self._lonely = set(), {}, 0.0
        while not self.fit:
            self._judge(terms)
            for worker, reason in self._judged.items():
                if reason:
                    raise ClusterError(f"worker {worker} cannot take part: {reason}", _hint(reason))
            if not self.fit:
                self._stand_alone()
                time.sleep(LOOK)

    def look(self, terms: Terms) -> None:
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
        if now > self._lonely + _NOBODY:
            raise ClusterError(
                f"the scheduler at {self._address} has had no worker for {_NOBODY:g} seconds",
                f"start one that sees the tree with `dask worker {self._address}`")

    def _judge(self, terms: Terms) -> None:
        """Ask the workers that are new whether they are fit."""
        self.alive()
        try:
            there = self._client.nthreads()
            new = sorted(there.keys() - self._judged.keys())
            for worker in new:
                self._judged[worker] = self._asked(worker, terms)
        except BROKEN as error:
            raise self.gone(error) from None
        self.fit = {worker for worker in there if not self._judged.get(worker)}
        self.threads = sum(there[worker] for worker in self.fit)

    def _asked(self, worker: str, terms: Terms) -> str:
        try:
            answers = self._client.run(unfit, terms, workers=[worker], on_error="return")
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


def _hint(reason: str) -> str:
    if "see" in reason:
        return ("workers read the tree and the cache folder by their paths: share both with them"
                " (the cache folder is $XDG_CACHE_HOME/kgraph)")
    return SAME
