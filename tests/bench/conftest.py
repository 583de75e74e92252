"""What the benchmarks share: the tree, the commands beside which they stand, and the table.

A figure of its own says little, as machines differ and are busy: the table gives each beside
another of the same run.
"""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from kgraph.build import list_translation_units, open_tree
from kgraph.model.units import TranslationUnit

ROWS = pytest.StashKey[list[str]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("kgraph")
    group.addoption("--tree", type=Path, help="the kernel tree to measure on (it is copied)")
    group.addoption("--only", action="append", default=[], help="only this part (repeatable)")
    group.addoption("--jobs", type=int, default=os.cpu_count() or 1)
    group.addoption("--index", type=Path, help="ask this index, and measure no indexing")
    group.addoption("--ask", default="SyS_sendto veth_xmit", metavar="'A B'",
                    help="the ends of a path; there must be none back")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[ROWS] = []
    if config.option.tree is None:
        raise pytest.UsageError("name a kernel tree: --tree TREE")
    for tool in ("clang", "cscope"):
        if shutil.which(tool) is None:
            raise pytest.UsageError(f"{tool} is not installed: apt-get install {tool}")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter,
                            config: pytest.Config) -> None:
    rows = config.stash[ROWS]
    if rows:
        only = ", ".join(config.option.only) or "the whole tree"
        terminalreporter.write_line("")
        head = f"| {only}, jobs: {config.option.jobs} | | beside it |"
        for row in (head, "|---|---|---|", *rows):
            terminalreporter.write_line(row)


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
                open_tree(self.tree), only=self.only, work=work, jobs=self.jobs).units)
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


@pytest.fixture(scope="session")
def bench(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    option = pytestconfig.option
    folder = tmp_path_factory.mktemp("bench")
    tree = option.tree.resolve()
    if option.index is None:  # it will be edited
        tree = folder / tree.name
        subprocess.run(["cp", "-a", "--reflink=auto", str(option.tree.resolve()), str(tree)],
                       check=True)
    first, last = option.ask.split()
    yield Bench(tree, folder, option.only, option.jobs, (first, last),
                option.index and option.index.resolve(), pytestconfig.stash[ROWS])
    shutil.rmtree(folder, ignore_errors=True)
