"""What is dear to make is made by one worker of pytest-xdist, for all of them."""

import fcntl
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest

Made = TypeVar("Made")


def make_once(
    factory: pytest.TempPathFactory, name: str, make: Callable[[Path], Made]
) -> Made:
    """What `make` gives for a folder of that name: made by the first worker that asks, while the
    others wait. It has to be picklable; files that it names stay where they are.
    """
    base = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        base = base.parent
    folder, made = base / name, base / f"{name}.pickle"
    with (base / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if made.exists():
            found: Made = pickle.loads(made.read_bytes())
            return found
        folder.mkdir()
        fresh = make(folder)
        made.write_bytes(pickle.dumps(fresh))
        return fresh
