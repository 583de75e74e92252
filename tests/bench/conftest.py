"""What the benchmarks share: the tree, the commands beside which they stand, and the table.

A figure of its own says little, as machines differ and are busy: the table gives each beside
another of the same run.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bench.measuring import Bench

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
