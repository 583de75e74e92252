"""Opens and creates index files: one SQLite file each, written whole or not at all.

A new index is written beside its final name and renamed when it is complete, so that a reader
sees either the previous index or the new one. Knows versions, damage and locks; must not know
what the tables mean.
"""

import contextlib
import errno
import fcntl
import os
import re
import shutil
import sqlite3
import stat
import time
import traceback
import zlib
from collections.abc import Iterator
from pathlib import Path

from kgraph.errors import StoreError
from kgraph.logs import PackageLogger
from kgraph.store.arrays import REBUILD_HINT
from kgraph.store.checksum import check_checksum, check_header, looks_like_index, write_checksum
from kgraph.store.schema import APPLICATION_ID, SCHEMA_VERSION, read_schema_sql

Connection = sqlite3.Connection  # for modules above the store, which do not import sqlite3

_LOG = PackageLogger("kgraph.store")
_UNFINISHED = ".unfinished"
_CLAIMED = re.compile(r"\..+\.\d+-[0-9a-f]+\.unfinished", re.ASCII | re.DOTALL)
_ELSEWHERE = "give --index the name of a new file or of an index"
# Raised by code that finds other data than it expects.
_UNEXPECTED = (
    ArithmeticError, AssertionError, AttributeError, LookupError, RecursionError, TypeError,
    ValueError, sqlite3.Error, zlib.error,
)
UNWRITABLE = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EFBIG)


def open_read_only(path: Path, *, verify: bool = True) -> sqlite3.Connection:
    """A read-only connection to an index.

    `verify` checks the checksum of the whole file, which takes longer the larger it is. Raises
    StoreError if there is no index of this version at `path`, or it is damaged.
    """
    if not path.is_file():
        raise StoreError(f"there is no index at {path}", "run `kgraph index TREE` to make one")
    check_header(path)
    if verify:
        check_checksum(path)
    return connect_read_only(path)


def connect_read_only(path: Path) -> sqlite3.Connection:
    """A read-only connection to a file that may be no index. Raises StoreError."""
    try:
        # immutable: the file is never written after its rename, so no locks are needed, and a
        # read-only cache folder will do.
        return sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)
    except sqlite3.Error as error:
        raise StoreError(f"the index {path} cannot be opened ({error})", REBUILD_HINT) from None


def check_replaceable(target: Path, *, own: bool) -> None:
    """Raise StoreError if a new index must not replace what is at `target`: a folder or a device,
    and, unless it is kgraph's `own` place, a file that is not even a damaged index."""
    try:
        mode = target.stat().st_mode
        if not stat.S_ISREG(mode):
            kind = "a folder" if stat.S_ISDIR(mode) else "not a regular file"
            raise StoreError(f"{target} is {kind}", _ELSEWHERE)
        if not own and not looks_like_index(target):
            raise StoreError(
                f"{target} is not a kgraph index; kgraph does not overwrite it", _ELSEWHERE)
    except (FileNotFoundError, NotADirectoryError):
        return  # an error of writing is reported when it happens
    except OSError as error:
        raise StoreError(f"{target} cannot be read: {error.strerror}", _ELSEWHERE) from None


@contextlib.contextmanager
def report_damage(path: Path) -> Iterator[None]:
    """Turn whatever goes wrong while the index `path` is open into a StoreError that names it.

    Every verb that asks, and every use of a previous index, runs inside of this. The checksum is
    checked when an index is opened: an error after that is rare, and may be an internal one as
    well.
    """
    try:
        yield
    except _UNEXPECTED as error:
        what = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        _LOG.debug("%s", traceback.format_exc())
        raise StoreError(
            f"the index {path} may be damaged ({what})",
            f"{REBUILD_HINT}; if that does not help, report it with KGRAPH_TRACEBACK=1",
        ) from error


@contextlib.contextmanager
def create_index(target: Path, *, from_copy: bool = False) -> Iterator[sqlite3.Connection]:
    """An empty index, or a copy of `target`, that replaces `target` if the block ends without an
    error.

    Raises StoreError if the folder cannot be written. Removes files that killed runs left beside
    `target`.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        remove_unfinished(target.parent)
        unfinished, lock = _claim(target)
    except OSError as error:
        raise _make_write_error(target, error) from None
    try:
        if from_copy:
            shutil.copyfile(target, unfinished)
        connection = sqlite3.connect(unfinished, isolation_level=None)
        try:
            # No journal: an unfinished index is deleted, never repaired.
            connection.executescript(
                "PRAGMA page_size = 8192; PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;"
                "PRAGMA locking_mode = EXCLUSIVE; PRAGMA foreign_keys = OFF;"
            )
            if not from_copy:
                connection.executescript(
                    f"PRAGMA application_id = {APPLICATION_ID};"
                    f" PRAGMA user_version = {SCHEMA_VERSION};"
                    + read_schema_sql()
                )
            connection.execute("BEGIN")
            yield connection
            connection.execute("COMMIT")
        finally:
            connection.close()
        write_checksum(unfinished)
        _put_in_place(unfinished, target)
    except sqlite3.OperationalError as error:
        raise _make_write_error(target, error) from None
    except OSError as error:
        if error.errno in UNWRITABLE:
            raise _make_write_error(target, error) from None
        raise
    finally:
        with contextlib.suppress(FileNotFoundError):
            unfinished.unlink()
        os.close(lock)


def _claim(target: Path) -> tuple[Path, int]:
    """A new file beside `target`, and the descriptor that holds its lock until we end."""
    while True:
        name = f".{target.name}.{os.getpid()}-{time.monotonic_ns():x}{_UNFINISHED}"
        unfinished = target.with_name(name)
        lock = os.open(unfinished, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
        fcntl.flock(lock, fcntl.LOCK_EX)
        if unfinished.exists():  # otherwise another run has taken it for abandoned
            return unfinished, lock
        os.close(lock)


def _list_claimed(folder: Path) -> list[Path]:
    """The files of a folder that have a name as `_claim` gives them."""
    return sorted(path for path in folder.glob(f".*{_UNFINISHED}")
                  if _CLAIMED.fullmatch(path.name) and path.is_file() and not path.is_symlink())


def remove_unfinished(folder: Path) -> None:
    """Remove the unfinished indexes of killed runs from a folder."""
    for path in _list_claimed(folder):
        with _hold_if_abandoned(path) as abandoned:
            if abandoned:
                with contextlib.suppress(OSError):
                    path.unlink()


def list_unfinished(folder: Path) -> list[Path]:
    """The unfinished indexes of killed runs in a folder."""
    found = []
    for path in _list_claimed(folder):
        with _hold_if_abandoned(path) as abandoned:
            if abandoned:
                found.append(path)
    return found


@contextlib.contextmanager
def _hold_if_abandoned(path: Path) -> Iterator[bool]:
    """Whether the run of an unfinished index has ended. If so, hold its lock in the block."""
    descriptor = -1
    abandoned = False
    with contextlib.suppress(OSError):
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        abandoned = True
    try:
        yield abandoned
    finally:
        if descriptor >= 0:
            os.close(descriptor)


def _put_in_place(unfinished: Path, target: Path) -> None:
    _flush_to_disk(unfinished)
    unfinished.replace(target)
    _flush_to_disk(target.parent)


def _flush_to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _make_write_error(target: Path, error: Exception) -> StoreError:
    return StoreError(
        f"cannot write the index {target} ({error})",
        "check free disk space and permissions, or name another file with --index or another"
        " folder with XDG_CACHE_HOME",
    )
