"""`kgraph index` beside clang's syntax check of the same units and cscope's database of the tree.

Everything that `index` does is in its figure: preparing headers, the dry run, parsing, resolving,
writing. Each is run once: it takes minutes, and its figure is the processor's time.
"""

import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from kgraph.model.units import TranslationUnit
from tests.bench.measuring import Bench, Cost


@pytest.fixture(autouse=True)
def _indexing(bench: Bench) -> None:
    if bench.given is not None:
        pytest.skip("an index was given")


def check_syntax(unit: TranslationUnit) -> int:
    """Run clang's own syntax check on a unit: its exit status. Older ones than libclang refuse its
    flag against configuration files.
    """
    arguments = [word for word in unit.arguments if word != "--no-default-config"]
    return subprocess.run(
        ["clang", "-fsyntax-only", *arguments, unit.file],
        cwd=unit.directory, capture_output=True, check=False,
    ).returncode


def size(folder: Path, pattern: str) -> int:
    return sum(path.stat().st_size for path in folder.glob(pattern))


def test_clang(benchmark, bench: Bench) -> None:
    units = bench.units()
    failed: list[int] = []

    def check() -> None:
        with ThreadPoolExecutor(bench.jobs) as pool:
            failed.extend(filter(None, pool.map(check_syntax, units)))

    benchmark.pedantic(bench.costed("clang", check))
    bench.row(f"`clang -fsyntax-only`, {len(units)} units ({len(failed)} that it refuses)",
              f"{bench.costs['clang'].cpu:.1f} s of CPU")


def test_cscope(benchmark, bench: Bench) -> None:
    command = ["cscope", "-b", "-q", "-k", "-R", "-s", str(bench.tree), "-f", "cscope.out"]
    benchmark.pedantic(bench.costed(
        "cscope", lambda: subprocess.run(command, cwd=bench.folder, check=True)))
    cost, written = bench.costs["cscope"], size(bench.folder, "cscope.*")
    bench.costs["cscope"] = Cost(cost.cpu, cost.wall, written)
    bench.row("`cscope -b -q -k` of the whole tree", f"{cost.cpu:.1f} s of CPU",
              f"{cost.cpu / bench.costs['clang'].cpu:.2f} of clang's; {written / 1e6:.0f} MB")


def test_cold(benchmark, bench: Bench) -> None:
    benchmark.pedantic(bench.costed("cold", bench.index_tree))
    cost, cscope = bench.costs["cold"], bench.costs["cscope"]
    written = bench.index.stat().st_size
    bench.row("`kgraph index`, cold", f"{cost.cpu:.1f} s of CPU, {cost.wall:.1f} s",
              f"{cost.cpu / bench.costs['clang'].cpu:.2f} of clang's,"
              f" {cost.cpu / cscope.cpu:.1f} of cscope's")
    bench.row("the index", f"{written / 1e6:.1f} MB", f"{written / cscope.size:.2f} of cscope's")


def again(benchmark, bench: Bench, what: str) -> None:
    benchmark.pedantic(bench.costed(what, bench.index_tree))
    cost = bench.costs[what]
    bench.row(f"`kgraph index` again, {what}", f"{cost.wall:.1f} s",
              f"{cost.wall / bench.costs['cold'].wall:.3f} of the cold one")


def test_again_unchanged(benchmark, bench: Bench) -> None:
    again(benchmark, bench, "nothing changed")


def edit(bench: Bench, change: str) -> None:
    """Edit the .c file of the unit in the middle."""
    units = sorted({unit.path for unit in bench.units() if unit.path.endswith(".c")})
    file = bench.tree / units[len(units) // 2]
    file.write_bytes(change.encode() + file.read_bytes())


def test_again_moved(benchmark, bench: Bench) -> None:
    edit(bench, "/* A line more. */\n")
    again(benchmark, bench, "one .c file's lines moved")


def test_again_changed(benchmark, bench: Bench) -> None:
    edit(bench, "void bench_b(void);\nvoid bench_a(void);\nvoid bench_a(void) { bench_b(); }\n")
    again(benchmark, bench, "one .c file calls more")
