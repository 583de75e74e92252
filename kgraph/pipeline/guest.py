"""What a process of a cluster does for kgraph: reading units in processes of its own.

The cluster's process only supervises: each unit is read by a child that has the limits of one run
and goes on from unit to unit, so that a crash of clang, a unit that does not end, or one that eats
memory is lost alone, as on one machine. Children end with their run, with the process, or when no
task has come for a while. Must not know what joins the machines (cluster.py does).
"""

import hashlib
import pickle
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from kgraph.extract.precompiled import Precompiled
from kgraph.model.units import TranslationUnit
from kgraph.pipeline.attendant import Lost, told
from kgraph.pipeline.child import Child
from kgraph.pipeline.pool import Limits
from kgraph.pipeline.setting import exchange_meaning
from kgraph.pipeline.wire import answer
from kgraph.pipeline.workers import Place, UnitReader
from kgraph.treefile import read_regular

_IDLE = 60.0  # seconds without a task after which a run's children are sent away


@dataclass(frozen=True, slots=True)
class Terms:
    """What a run asks of a process: `run` names it; `meaning` is the kgraph and libclang that read
    facts so; `files` are some that it has to see, with their digests; `headers` is the file that
    holds the precompiled headers, "" for none."""

    run: str
    meaning: str
    root: Path
    build: Path | None
    files: tuple[tuple[str, str], ...]
    headers: str
    limits: Limits


def digest_of(file: str) -> str:
    """The digest of a file, "" where it cannot be read."""
    try:
        return hashlib.blake2b(read_regular(file), digest_size=12).hexdigest()
    except OSError:
        return ""


def unfit(terms: Terms) -> str:
    """Why this process cannot take part in a run, "" if it can."""
    try:
        meaning = exchange_meaning()
    except Exception as error:  # noqa: BLE001  no libclang, an incomplete install ...
        return f"its kgraph cannot be used ({told(error)})"
    if meaning != terms.meaning:
        return "its kgraph or libclang is of another version"
    for folder in filter(None, (terms.root, terms.build)):
        if not folder.is_dir():
            return f"it does not see the folder {folder}"
    for file, digest in terms.files:
        if digest_of(file) != digest:
            return f"it does not see the same {file}"
    return ""


def read_unit(terms: Terms, unit: TranslationUnit) -> bytes | None:
    """The facts of a unit (EncodedUnit or Lost), pickled; None where this process is unfit."""
    crew = _crew(terms)
    return None if crew.unfit else crew.read(unit)


def leave(run: str) -> None:
    """End the children of a run."""
    with _LOCK:
        crew = _CREWS.pop(run, None)
    if crew is not None:
        crew.end()


class _Child(Child):
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
            return pickle.dumps(Lost(self.cause_of_death()))
        if result is not None:
            return result
        self.end()
        return pickle.dumps(Lost(f"it took more than {seconds:g} seconds"))


class _Crew:
    """The children of one run in this process."""

    def __init__(self, terms: Terms) -> None:
        self.unfit = unfit(terms)
        self._terms = terms
        self._lock = threading.Lock()
        self._free: list[_Child] = []
        self._all: set[_Child] = set()
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

    def _take(self, unit: TranslationUnit) -> _Child:
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
            child = _Child(self._reader(), self._terms.limits.memory)
            self._all.add(child)
            return child

    def _reader(self) -> Callable[[], Any]:
        if self._begin is None:
            headers: tuple[Precompiled, ...] = ()
            if self._terms.headers:
                headers = pickle.loads(Path(self._terms.headers).read_bytes())  # noqa: S301  ours
            self._begin = partial(
                UnitReader, Place(self._terms.root, self._terms.build, headers))
        return self._begin

    def _wait(self) -> None:
        self._timer = threading.Timer(_IDLE, leave, (self._terms.run,))
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
_CREWS: dict[str, _Crew] = {}


def _crew(terms: Terms) -> _Crew:
    with _LOCK:
        crew = _CREWS.get(terms.run)
        if crew is None:
            crew = _CREWS[terms.run] = _Crew(terms)
        return crew
