"""The processes of this machine, as tests look for those that should be gone."""

import contextlib
import time
from pathlib import Path


def nothing_runs_for(tree: Path) -> None:
    """Wait until no process is left that was given a file of the tree."""
    deadline = time.monotonic() + 10
    while left := [words for words in command_lines() if str(tree).encode() in words]:
        assert time.monotonic() < deadline, left
        time.sleep(0.05)


def command_lines() -> list[bytes]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            found.append(path.read_bytes())
    return found
