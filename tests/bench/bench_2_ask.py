"""Questions: each in a process of its own, beside the interpreter's start and cscope; and to an
open index that was asked before.
"""

import os
import subprocess
import sys
import time

import pytest

from kgraph.api import open_graph
from kgraph.query import PathQuestion, find_paths
from tests.bench.measuring import Bench

VERBS = ("path", "path --no-scenario", "no path", "callers", "ops", "site")
ROUNDS = 7


def cold(benchmark, action) -> tuple[float, str]:
    """Seconds of CPU of a process, on average, and these with the median of its wall time."""
    action()  # which reads the files from the disk
    before = os.times()
    benchmark.pedantic(action, rounds=ROUNDS)
    after = os.times()
    cpu = (sum(after[2:4]) - sum(before[2:4])) / ROUNDS
    return cpu, f"{cpu:.2f} s of CPU, {benchmark.stats.stats.median:.2f} s"


@pytest.fixture(scope="module")
def seconds() -> dict[str, float]:
    return {}


def test_interpreter(benchmark, bench: Bench, seconds) -> None:
    command = [sys.executable, "-c", "import click, sqlite3, json"]
    seconds["start"], said = cold(benchmark, lambda: subprocess.run(command, check=True))
    bench.row("an interpreter that imports click, sqlite3, json", said)


def test_cscope(benchmark, bench: Bench, seconds) -> None:
    if "cscope" not in bench.costs:
        pytest.skip("an index was given: there is no database of cscope")
    command = ["cscope", "-d", "-q", "-f", "cscope.out", "-L", "-3", bench.ends[1]]
    seconds["cscope"], said = cold(benchmark, lambda: subprocess.run(
        command, cwd=bench.folder, check=True, capture_output=True))
    bench.row(f"`cscope -d -L -3 {bench.ends[1]}`", said)


@pytest.mark.parametrize("verb", VERBS)
def test_cold(benchmark, bench: Bench, seconds, verb: str) -> None:
    first, last = bench.ends
    words = {"path": ["path", first, last],
             "path --no-scenario": ["path", first, last, "--no-scenario"],
             "no path": ["path", last, first], "callers": ["callers", last],
             "ops": ["ops", last], "site": ["site", _place(bench)]}[verb]
    cpu, said = cold(benchmark, lambda: bench.ask(*words))
    beside = f"{cpu / seconds['start']:.1f} of the interpreter's start"
    if seconds.get("cscope"):
        beside += f", {cpu / seconds['cscope']:.1f} of cscope's"
    bench.row(f"`kgraph {' '.join(words)}`" + (" (there is none)" if verb == "no path" else ""),
              said, beside)


def _place(bench: Bench) -> str:
    """Where the last call of the path is."""
    graph = open_graph(bench.index)
    [path] = find_paths(graph, PathQuestion(*bench.ends, count_others=False)).paths
    graph.close()
    place = path.hops[-1].site.location
    return f"{place.path}:{place.line}"


@pytest.mark.benchmark(timer=time.process_time)
@pytest.mark.parametrize("found", [True, False])
def test_in_process(benchmark, bench: Bench, seconds, found: bool) -> None:
    graph = open_graph(bench.index)
    ends = bench.ends if found else bench.ends[::-1]
    question = PathQuestion(*ends)
    if bool(find_paths(graph, question).paths) is not found:
        pytest.skip(f"{'no' if found else 'a'} path from {ends[0]} to {ends[1]}")
    benchmark(find_paths, graph, question)
    graph.close()
    seconds[f"{found}"] = median = benchmark.stats.stats.median
    beside = "" if found or "True" not in seconds else f"{median / seconds['True']:.1f} of it"
    what = "the path, with others counted," if found else "no path back,"
    bench.row(f"{what} in an open index that was asked before", f"{median * 1000:.1f} ms of CPU",
              beside)
