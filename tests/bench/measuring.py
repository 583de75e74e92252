"""One run of the benchmarks: the tree, the index, what each step cost.

Knows nothing of pytest.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from kgraph.build import UnitRequest, list_translation_units, open_tree
from kgraph.model.units import TranslationUnit


@dataclass(frozen=True)
class Cost:
    """Seconds of processor and of wall time, and what was written."""

    cpu: float
    wall: float
    size: int = 0


@dataclass
class Bench:
    """One run of the benchmarks."""

    tree: Path
    folder: Path
    only: list[str]
    jobs: int
    ends: tuple[str, str]
    given: Path | None
    rows: list[str]
    costs: dict[str, Cost] = field(default_factory=dict)
    _units: list[TranslationUnit] = field(default_factory=list)

    @property
    def index(self) -> Path:
        """The index that is asked."""
        if self.given is not None:
            return self.given
        return next((self.folder / "kgraph").glob("*.kgraph"))

    def units(self) -> list[TranslationUnit]:
        """The units that are indexed."""
        if not self._units:
            work = self.folder / "work"
            self._units = list(list_translation_units(
                open_tree(self.tree), UnitRequest(only=self.only, jobs=self.jobs), work=work).units)
        return self._units

    def kgraph(self, *words: str) -> None:
        """Run kgraph, quietly; the exit statuses of a question without an answer are good."""
        environment = {**os.environ, "XDG_CACHE_HOME": str(self.folder)}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)  # who uses kgraph has its bytecode
        done = subprocess.run(
            [sys.executable, "-m", "kgraph", *words], check=False, capture_output=True,
            env=environment,
        )
        if done.returncode not in (0, 1, 3):
            raise RuntimeError(done.stderr.decode())

    def ask(self, *words: str) -> None:
        """Ask a question in a process of its own."""
        self.kgraph(*words, "--index", str(self.index))

    def index_tree(self, *words: str) -> None:
        """Index the tree, or the part that was named."""
        options = [word for path in self.only for word in ("--only", path)]
        self.kgraph("index", str(self.tree), *options, "--jobs", str(self.jobs), *words)

    def costed(self, name: str, action: Callable[[], object]) -> Callable[[], None]:
        """The action, with its cost kept under a name."""

        def run() -> None:
            before, start = os.times(), time.monotonic()
            action()
            after, wall = os.times(), time.monotonic() - start
            cpu = sum(after[:4]) - sum(before[:4])
            self.costs[name] = Cost(cpu, wall, self.costs.get(name, Cost(0, 0)).size)

        return run

    def row(self, what: str, figure: str, beside: str = "") -> None:
        """A row of the table."""
        self.rows.append(f"| {what} | {figure} | {beside} |")
