"""The processes of this machine, as tests look for those that should be gone."""

import contextlib
import time
from collections.abc import Callable
from pathlib import Path

PATIENCE = 600  # seconds: on a machine that is busy nothing is late, only what hangs ends here


def wait_until(there: Callable[[], object]) -> None:
    """Wait for what must come, however busy the machine is."""
    deadline = time.monotonic() + PATIENCE
    while not there():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.02)


def nothing_runs_for(tree: Path) -> None:
    """Wait until no process is left that was given a file of the tree."""
    wait_until(lambda: not any(str(tree).encode() in words for words in command_lines()))


def command_lines() -> list[bytes]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            found.append(path.read_bytes())
    return found
