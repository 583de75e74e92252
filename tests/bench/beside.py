"""`kgraph index` and a query beside clang and cscope, on this machine.

    python tests/bench/beside.py TREE [--only PATH]... [--jobs N] [--ask 'A B']

clang checks the syntax of the same units with the same flags, cscope builds its database of the
whole tree; all are run one after the other, and the figures that count are the ratios. Everything
that `index` does is in its figure: preparing headers, the dry run, parsing, resolving, writing.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from kgraph.kernel import open_tree, translation_units
from kgraph.model.units import TranslationUnit
from kgraph.pipeline import open_index
from kgraph.query import PathQuestion, find_paths


def children_seconds() -> float:
    """CPU seconds of all finished child processes."""
    times = os.times()
    return times.children_user + times.children_system


def check_syntax(unit: TranslationUnit) -> int:
    """Run clang's own syntax check on a unit: its exit status."""
    return subprocess.run(
        ["clang", "-fsyntax-only", *unit.arguments, unit.file],
        cwd=unit.directory, capture_output=True, check=False,
    ).returncode


def run(command: list[str], folder: str, cwd: str | None = None) -> tuple[float, float]:
    """Run a command quietly: its seconds of CPU and of wall time."""
    cpu, wall = children_seconds(), time.monotonic()
    subprocess.run(command, check=True, cwd=cwd, stdout=subprocess.DEVNULL,
                   env={**os.environ, "XDG_CACHE_HOME": folder})
    return children_seconds() - cpu, time.monotonic() - wall


def in_process(index: Path, caller: str, callee: str) -> tuple[float, bool]:
    """Seconds of a path question to an open index that was asked before (whether there are further
    ways left aside), and whether there is one; the median of nine.
    """
    graph = open_index(index)
    question = PathQuestion(caller, callee, others=False)
    found = bool(find_paths(graph, question).paths)
    seconds = []
    for _ in range(9):
        start = time.monotonic()
        find_paths(graph, question)
        seconds.append(time.monotonic() - start)
    graph.close()
    return sorted(seconds)[4], found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("tree", type=Path)
    parser.add_argument("--only", action="append", default=[])
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--ask", default="SyS_sendto veth_xmit", metavar="'A B'",
                        help="the ends of the path that is asked for")
    given = parser.parse_args()
    for tool in ("clang", "cscope"):
        if shutil.which(tool) is None:
            sys.exit(f"{tool} is not installed: apt-get install {tool}")
    with tempfile.TemporaryDirectory() as folder:
        tree = open_tree(given.tree)
        work = Path(folder) / "work"
        units = translation_units(tree, only=given.only, work=work, jobs=given.jobs).units
        start = children_seconds()
        with ThreadPoolExecutor(given.jobs) as pool:
            failed = sum(status != 0 for status in pool.map(check_syntax, units))
        clang = children_seconds() - start
        kgraph = [sys.executable, "-m", "kgraph"]
        options = [word for path in given.only for word in ("--only", path)]
        command = [*kgraph, "index", str(tree.root), *options, "--jobs", str(given.jobs)]
        cold = run(command, folder)
        again = run(command, folder)
        size = sum(path.stat().st_size for path in Path(folder).rglob("*.kgraph"))
        first, last = given.ask.split()
        path = run([*kgraph, "path", first, last], folder)
        index = next(Path(folder).rglob("*.kgraph"))
        there, back = in_process(index, first, last), in_process(index, last, first)
        callers = run([*kgraph, "callers", last], folder)
        start_up = run([sys.executable, "-c", "import click, sqlite3, json"], folder)
        database = f"{folder}/cscope.out"
        cscope = run(["cscope", "-b", "-q", "-k", "-R", "-s", str(tree.root), "-f", database],
                     folder, folder)
        cscope_size = sum(path.stat().st_size for path in Path(folder).glob("cscope.*"))
        asked = run(["cscope", "-d", "-q", "-f", database, "-L", "-3", last], folder, folder)
    print(f"units                 {len(units)} ({failed} that clang refuses)")
    print(f"clang -fsyntax-only   {clang:8.1f} s of CPU")
    print(f"cscope -b -q -k       {cscope[0]:8.1f} s of CPU, {cscope[0] / clang:.2f} of clang's,"
          f" {cscope_size / 1e6:.0f} MB (the whole tree)")
    print(f"kgraph index          {cold[0]:8.1f} s of CPU, {cold[0] / clang:.2f} of clang's,"
          f" {size / 1e6:.0f} MB, {cold[1]:.0f} s wall")
    print(f"  nothing changed     {again[1]:8.2f} s wall")
    print(f"kgraph path           {path[1]:8.2f} s wall")
    for (seconds, found), ends in ((there, (first, last)), (back, (last, first))):
        print(f"  in process          {seconds * 1000:8.1f} ms, {' to '.join(ends)}:"
              f" {'found' if found else 'no path'}")
    print(f"kgraph callers        {callers[1]:8.2f} s wall")
    print(f"cscope, callers       {asked[1]:8.2f} s wall")
    print(f"an interpreter        {start_up[1]:8.2f} s wall (starts, imports click)")


if __name__ == "__main__":
    main()
