"""Running make: its environment, its log, and what is said when it fails.

Owns the one place of this package that starts make. Must not know what the targets mean.
"""

import contextlib
import fcntl
import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from kgraph.errors import ToolError

# What make may see of the user's environment. An exported KBUILD_OUTPUT, MAKEFLAGS, ARCH or CFLAGS
# would change, unasked, what is built and where.
_KEPT_ENVIRONMENT = ("PATH", "HOME", "TMPDIR", "USER", "LOGNAME", "LD_LIBRARY_PATH")
_MEANINGFUL = re.compile(r"error:|\*\*\*|not found|No such file|cannot|undefined", re.IGNORECASE)
_LINES_SHOWN = 3
_RUNNING = "running"


@dataclass(frozen=True, slots=True)
class Make:
    """How make is called for one build folder: the folder, and the variables for each call."""

    build: Path
    variables: tuple[str, ...]
    logs: Path

    def run(self, *arguments: str, folder: Path | None = None, name: str) -> int:
        """Runs make in `folder` (the build folder by default), writing logs/NAME.log.

        Returns the exit status. Standard input is empty, so that no question is ever waited for.
        """
        command = ["make", "-C", str(folder or self.build), *arguments, *self.variables]
        output, errors = self.logs / f"{name}.log", self.logs / f"{name}.errors.log"
        with running(self.logs) as lock, output.open("wb") as log, errors.open("wb") as error_log:
            return subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=error_log,
                env=environment(),
                check=False,
                pass_fds=(lock,),
            ).returncode

    def failure(self, name: str, what: str) -> ToolError:
        """The error that tells why the run called `name` failed, by its first meaningful lines."""
        errors = self.logs / f"{name}.errors.log"
        lines = errors.read_text(encoding="utf-8", errors="replace").splitlines()
        # What went wrong stands first: make then tells, level by level, that it stops.
        meaningful = [line.strip() for line in lines if _MEANINGFUL.search(line)]
        shown = " | ".join((meaningful or lines)[:_LINES_SHOWN]) or "it says nothing"
        return ToolError(f"{what} failed: {shown}", f"the whole output is in {errors}")


@contextlib.contextmanager
def running(logs: Path, kind: int = fcntl.LOCK_SH) -> Iterator[int]:
    """An open file to be handed to programs that write beside `logs`, which is made. They share a
    lock on it, with all that they start, until the last has ended."""
    logs.mkdir(parents=True, exist_ok=True)
    lock = os.open(logs / _RUNNING, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(lock, kind)
        yield lock
    finally:
        os.close(lock)


def await_leftovers(logs: Path) -> None:
    """Wait for programs that a run that was killed has left behind; they are still writing."""
    with running(logs, fcntl.LOCK_EX):
        return


def environment() -> dict[str, str]:
    """The environment of every program that is started: few variables, and messages in English."""
    kept = {name: os.environ[name] for name in _KEPT_ENVIRONMENT if name in os.environ}
    return {**kept, "LC_ALL": "C", "LANG": "C"}
