"""One run at a time in a folder of the cache.

The lock is the system's, on an open file: it ends with the process, however that ends.
"""

import contextlib
import fcntl
import os
from collections.abc import Callable, Iterator
from pathlib import Path

from kgraph.errors import StoreError
from kgraph.store.database import NO_ROOM

LOCK = "lock"


@contextlib.contextmanager
def alone_in(folder: Path, say: Callable[[str], None]) -> Iterator[None]:
    """Makes the folder, and waits until no other run is in it; `say` is told that it waits.

    Raises StoreError where the folder cannot be made, or what is in it not be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise _unwritable(folder, error) from None
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another `kgraph index` of this tree and configuration is at work: waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    except OSError as error:
        if error.errno in NO_ROOM:
            raise _unwritable(folder, error) from None
        raise
    finally:
        os.close(lock)


def _unwritable(folder: Path, error: OSError) -> StoreError:
    return StoreError(
        f"cannot write to the cache folder {folder} ({error.strerror})",
        "make room there, or name another one with XDG_CACHE_HOME",
    )
