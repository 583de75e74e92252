"""Running make: its environment, its log, and what is said when it fails.

Owns the one place of this package that starts make. Must not know what the targets mean.
"""

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from kgraph.errors import ToolError

# What make may see of the user's environment. An exported KBUILD_OUTPUT, MAKEFLAGS, ARCH or CFLAGS
# would change, unasked, what is built and where.
_KEPT_ENVIRONMENT = ("PATH", "HOME", "TMPDIR", "USER", "LOGNAME", "LD_LIBRARY_PATH")
_MEANINGFUL = re.compile(r"error:|\*\*\*|not found|No such file|cannot|undefined", re.IGNORECASE)
_LINES_SHOWN = 3


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
        self.logs.mkdir(parents=True, exist_ok=True)
        command = ["make", "-C", str(folder or self.build), *arguments, *self.variables]
        output, errors = self.logs / f"{name}.log", self.logs / f"{name}.errors.log"
        with output.open("wb") as log, errors.open("wb") as error_log:
            return subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=error_log,
                env=environment(),
                check=False,
            ).returncode

    def failure(self, name: str, what: str) -> ToolError:
        """The error that tells why the run called `name` failed, by its first meaningful lines."""
        errors = self.logs / f"{name}.errors.log"
        lines = errors.read_text(encoding="utf-8", errors="replace").splitlines()
        # What went wrong stands first: make then tells, level by level, that it stops.
        meaningful = [line.strip() for line in lines if _MEANINGFUL.search(line)]
        shown = " | ".join((meaningful or lines)[:_LINES_SHOWN]) or "it says nothing"
        return ToolError(f"{what} failed: {shown}", f"the whole output is in {errors}")


def environment() -> dict[str, str]:
    """The environment of every program that is started: few variables, and messages in English."""
    kept = {name: os.environ[name] for name in _KEPT_ENVIRONMENT if name in os.environ}
    return {**kept, "LC_ALL": "C", "LANG": "C"}
