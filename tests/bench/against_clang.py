"""CPU time of `kgraph index` beside `clang -fsyntax-only` over the same units with the same flags.

    python tests/bench/against_clang.py TREE [--only PATH]... [--jobs N]

Both are run one after the other on this machine; the figures that count are the ratios. Everything
that `index` does is in its figure: preparing headers, the dry run, parsing, resolving, writing.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from kgraph.kernel import open_tree, translation_units
from kgraph.model.units import TranslationUnit


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


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("tree", type=Path)
    parser.add_argument("--only", action="append", default=[])
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    given = parser.parse_args()
    if shutil.which("clang") is None:
        sys.exit("clang is not installed: apt-get install clang")
    with tempfile.TemporaryDirectory() as folder:
        tree = open_tree(given.tree)
        work = Path(folder) / "work"
        units = translation_units(tree, only=given.only, work=work, jobs=given.jobs).units
        start = children_seconds()
        with ThreadPoolExecutor(given.jobs) as pool:
            failed = sum(status != 0 for status in pool.map(check_syntax, units))
        clang = children_seconds() - start
        options = [word for path in given.only for word in ("--only", path)]
        command = [sys.executable, "-m", "kgraph", "index", str(tree.root), *options,
                   "--jobs", str(given.jobs)]
        start = children_seconds()
        subprocess.run(command, check=True, env={**os.environ, "XDG_CACHE_HOME": folder})
        kgraph = children_seconds() - start
        size = sum(path.stat().st_size for path in Path(folder).rglob("*.kgraph"))
    print(f"units           {len(units)} ({failed} that clang refuses)")
    print(f"clang           {clang:8.1f} s of CPU")
    print(f"kgraph index    {kgraph:8.1f} s of CPU, {kgraph / clang:.2f} of clang's")
    print(f"index file      {size / 1e6:8.1f} MB")


if __name__ == "__main__":
    main()
