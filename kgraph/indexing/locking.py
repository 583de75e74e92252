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
from kgraph.store.cache_paths import cache_folder
from kgraph.store.connection import UNWRITABLE
from kgraph.textfile import make_private_folder

LOCK_FILE = "lock"


@contextlib.contextmanager
def lock_folder(folder: Path, say: Callable[[str], None]) -> Iterator[None]:
    """Make the folder and hold its lock during the block. If another run holds it, wait, and
    say so to `say`.

    Raises StoreError if the folder cannot be made, or files in it cannot be written.
    """
    try:
        lock = _acquire_lock(folder, say)
    except IsADirectoryError:
        raise StoreError(f"{folder / LOCK_FILE} must be a file, and is a folder",
                         "remove it, or set XDG_CACHE_HOME to another folder") from None
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
    """Hold the lock of a folder during the block if no run holds it; yields whether it was free.

    The block may remove the folder, with its lock.
    """
    try:
        lock = _open_lock(folder)
    except OSError as error:
        if error.errno not in (errno.EROFS, errno.EACCES):
            raise
        yield True  # no run can work in a read-only folder
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
    """The descriptor of the folder's lock, which is held."""
    while True:
        for each in (cache_folder(), folder.parent, folder):
            make_private_folder(each)
        try:
            lock = _open_lock(folder)
        except FileNotFoundError:  # the folder was removed just now
            continue
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("waiting for another `kgraph index` of this tree and configuration")
            fcntl.flock(lock, fcntl.LOCK_EX)
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(lock), (folder / LOCK_FILE).stat()):
                return lock
        os.close(lock)  # the folder was removed while we waited


def _open_lock(folder: Path) -> int:
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    return os.open(folder / LOCK_FILE, flags, 0o600)


def _make_write_error(folder: Path, error: OSError) -> StoreError:
    return StoreError(
        f"cannot write to the cache folder {folder} ({error.strerror})",
        "check free disk space and permissions, or set XDG_CACHE_HOME to another folder",
    )
