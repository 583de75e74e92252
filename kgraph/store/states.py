"""Whether files are what they were: size and time where these can be trusted, else content."""

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from kgraph.treefile import file_name, read_regular

_TICK = 20_000_000  # ns: two writes within a clock tick of a file system may have one time


@dataclass(frozen=True, slots=True)
class FileState:
    """The state of a file: `stat` as text, and the digest of its bytes. Either is empty where the
    file was written while it was read, so that it equals no other."""

    stat: str
    digest: bytes


class FileStates:
    """The states of files by citation path, now; each is looked at once."""

    def __init__(
        self, root: Path, build: Path | None, started: int, known: Mapping[str, FileState]
    ) -> None:
        """`started` is when reading began, in ns since the epoch: what was written after that may
        not be what was read. `known` are earlier states."""
        self._roots = [str(root)] + ([str(build)] if build is not None else [])
        self._started = started
        self._known = known
        self._now: dict[str, FileState] = {}

    def now(self, path: str) -> FileState:
        """The state of the file that a citation path names, in the tree and the build folder."""
        state = self._now.get(path)
        if state is None:
            state = self._now[path] = self._look(path)
        return state

    def changed(self, path: str) -> bool:
        """Whether the file is not what it was when its earlier state was taken."""
        before = self._known.get(path)
        return before is None or not before.digest or self.now(path).digest != before.digest

    def touched(self, path: str) -> bool:
        """Whether the file was written since, be it with the same content."""
        return self._known.get(path) != self.now(path)

    def _look(self, path: str) -> FileState:
        names = [f"{root}/{file_name(path)}" for root in self._roots]
        stats = [_stat(name) for name in names]
        text = ";".join(f"{s.st_size}:{s.st_mtime_ns}" if s else "-" for s in stats)
        before = self._known.get(path)
        if before is not None and before.stat == text and before.digest:
            return before
        written = max((s.st_mtime_ns for s in stats if s), default=0)
        if written > self._started and before is None:
            return FileState("", b"")  # who knows what of it was read
        return FileState("" if written > self._started - _TICK else text, _digest(names))


def _stat(name: str) -> os.stat_result | None:
    try:
        return Path(name).stat()
    except OSError:
        return None


def _digest(names: list[str]) -> bytes:
    digest = hashlib.blake2b(digest_size=12)
    for name in names:
        try:
            digest.update(read_regular(name))
        except OSError:
            digest.update(b"\0missing\0")
    return digest.digest()
