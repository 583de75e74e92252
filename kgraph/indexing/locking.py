"""One run at a time in a folder of the cache.

The lock is flock() on an open file: it is released when the process ends, however it ends.
"""

import contextlib
import errno
import fcntl
import os
from collections.abc import Callable, Iterator
from pathlib import Path

from kgraph.errors import StoreError
from kgraph.store.connection import UNWRITABLE

LOCK_FILE = "lock"


@contextlib.contextmanager
def lock_folder(folder: Path, say: Callable[[str], None]) -> Iterator[None]:
    """Makes the folder, and waits until no other run is in it; `say` is told that it waits.

    Raises StoreError where the folder cannot be made, or what is in it not be written.
    """
    try:
        lock = _acquire_lock(folder, say)
    except IsADirectoryError:
        raise StoreError(f"{folder / LOCK_FILE} is a folder, where a file is to be locked",
                         "remove it, or name another cache folder with XDG_CACHE_HOME") from None
    except OSError as error:
        raise _make_write_error(folder, error) from None
    try:
        yield
    except OSError as error:
        if error.errno in UNWRITABLE:
            raise _make_write_error(folder, error) from None
        raise
    finally:
        os.close(lock)


@contextlib.contextmanager
def try_lock_folder(folder: Path) -> Iterator[bool]:
    """Whether no run is in a folder, none of which can come until the block ends. In it the folder
    may be removed, its lock too."""
    try:
        lock = _open_lock(folder)
    except OSError as error:
        if error.errno not in (errno.EROFS, errno.EACCES):
            raise
        yield True  # no run can be in a folder that can only be read
        return
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            free = True
        except BlockingIOError:
            free = False
        yield free
    finally:
        os.close(lock)


def _acquire_lock(folder: Path, say: Callable[[str], None]) -> int:
    """The descriptor of the folder's lock, held."""
    while True:
        folder.mkdir(parents=True, exist_ok=True)
        try:
            lock = _open_lock(folder)
        except FileNotFoundError:  # the folder was removed just now
            continue
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another `kgraph index` of this tree and configuration is at work: waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(lock), (folder / LOCK_FILE).stat()):
                return lock
        os.close(lock)  # the folder was removed while we waited


def _open_lock(folder: Path) -> int:
    return os.open(folder / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)


def _make_write_error(folder: Path, error: OSError) -> StoreError:
    return StoreError(
        f"cannot write to the cache folder {folder} ({error.strerror})",
        "make room there, or name another one with XDG_CACHE_HOME",
    )
