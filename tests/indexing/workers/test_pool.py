"""The worker pool: results and losses, how workers start, and what they may see."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from kgraph.build import list_translation_units, open_tree
from kgraph.errors import ToolError
from kgraph.indexing.index_tree import index_tree
from kgraph.indexing.workers.pool import Limits, run_tasks
from kgraph.indexing.workers.worker_main import LostTask
from kgraph.indexing.write_index import IndexRequest
from kgraph.resources import find_mini_linux
from tests.support.places import ROOT
from tests.support.processes import PATIENCE

FAST = Limits(PATIENCE, 2 << 30)
SHORT = Limits(5, 2 << 30)  # a busy machine may take a while for a task without work
HANGS = 86400.0


def echoes() -> Callable[[bytes], bytes]:
    return bytes.upper


def sleeps() -> Callable[[float], float]:
    return slept


def slept(seconds: float) -> float:
    time.sleep(seconds)
    return seconds


def raises() -> Callable[[object], object]:
    raise OSError("no room for what begins")


def test_tasks_and_results_larger_than_a_pipe_holds() -> None:
    """Neither end blocks the other."""
    tasks = [bytes([letter]) * (1 << 22) for letter in b"abcdef"]
    done = list(run_tasks(tasks, echoes, 2, FAST))
    assert sorted(task for task, _ in done) == tasks
    assert all(result == task.upper() for task, result in done)


def stalls() -> Callable[[int], None]:
    return send_half_a_result


def send_half_a_result(_task: int) -> None:
    """Send the head of a message and a part of it, and then hang."""
    for descriptor in range(3, 64):
        try:
            end = socket.socket(fileno=os.dup(descriptor))
        except OSError:
            continue
        with end:
            end.send((1000).to_bytes(4, "big") + b"half")
    time.sleep(HANGS)


def test_half_a_result_is_not_waited_for() -> None:
    done = dict(run_tasks([1], stalls, 1, Limits(1, 2 << 30)))
    assert done == {1: LostTask("it took more than 1 seconds")}


def dies() -> Callable[[int], int]:
    return die_on_seven


def die_on_seven(task: int) -> int:
    if task == 7:
        os.kill(os.getpid(), signal.SIGKILL)
    return task


def test_a_worker_that_dies_loses_its_task_alone() -> None:
    done = dict(run_tasks(range(12), dies, 2, FAST))
    assert done.pop(7) == LostTask("the worker process died on it (SIGKILL)")
    assert done == {task: task for task in range(12) if task != 7}


def test_a_run_that_is_abandoned_stops_its_workers() -> None:
    results = run_tasks([0.0, HANGS, HANGS, HANGS], sleeps, 2, Limits(HANGS, 2 << 30))
    assert next(results) == (0.0, 0.0)
    results.close()  # or this hangs


STOPPED_PARENT = """
import os, signal, sys, time
sys.path.insert(0, sys.argv[1])
from tests.indexing.workers.test_pool import SHORT, run_tasks, sleeps
if os.fork() == 0:
    time.sleep(3)
    os.kill(os.getppid(), signal.SIGSTOP)
    time.sleep(6)
    os.kill(os.getppid(), signal.SIGCONT)
    os._exit(0)
print(sorted(run_tasks([1.0 + 0.1 * number for number in range(8)], sleeps, 2, SHORT)))
"""


def test_results_that_came_while_we_were_stopped_are_taken() -> None:
    """After a SIGSTOP of our own, all workers seem late."""
    root = str(Path(__file__).resolve().parents[3])
    done = subprocess.run([sys.executable, "-c", STOPPED_PARENT, root], cwd=root, text=True,
                          capture_output=True, timeout=PATIENCE, check=False)
    assert done.returncode == 0, done.stderr
    assert "Lost" not in done.stdout


def test_results_wait_for_a_caller_that_pauses() -> None:
    """The caller may pause for longer than a task's time limit."""
    done = []
    for task, result in run_tasks([0.0, 0.01, 0.02, 0.03], sleeps, 2, SHORT):
        done.append((task, result))
        if len(done) == 1:
            time.sleep(6)
    assert sorted(done) == [(task, task) for task in (0.0, 0.01, 0.02, 0.03)]


def large() -> Callable[[int], bytes]:
    return bytes


def test_large_results_wait_for_a_caller_that_pauses() -> None:
    """Results that are larger than a socket's buffer."""
    done = []
    for task, result in run_tasks([5_000_000] * 4, large, 2, SHORT):
        done.append((task, result))
        if len(done) == 1:
            time.sleep(6)
    assert done == [(5_000_000, bytes(5_000_000))] * 4


def test_workers_write_bytecode_only_where_we_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    assert dict(run_tasks([0], report_bytecode, 1, FAST)) == {0: (True, None)}
    monkeypatch.setattr(sys, "pycache_prefix", str(tmp_path))
    assert dict(run_tasks([0], report_bytecode, 1, FAST)) == {0: (True, str(tmp_path))}


def report_bytecode() -> Callable[[int], tuple[bool, str | None]]:
    return lambda _task: (sys.dont_write_bytecode, sys.pycache_prefix)


def test_a_task_that_takes_too_long_is_lost_alone() -> None:
    done = dict(run_tasks([0.0, HANGS, 0.01], sleeps, 1, SHORT))
    assert done.pop(HANGS) == LostTask("it took more than 5 seconds")
    assert done == {0.0: 0.0, 0.01: 0.01}


def test_a_worker_that_cannot_start_ends_the_run() -> None:
    with pytest.raises(ToolError, match="started: OSError: no room for what begins"):
        list(run_tasks([b"a"], raises, 2, FAST))


@pytest.mark.parametrize("executable", [None, "", "/bin/false", "/nowhere/python", "/"])
def test_without_workers_the_previous_index_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, executable: str | None
) -> None:
    index = tmp_path / "x.kgraph"
    index_tree(IndexRequest(find_mini_linux(), index=index, jobs=0, only=("net/ipv4",)))
    before = index.read_bytes()
    monkeypatch.setattr(sys, "executable", executable)
    with pytest.raises(ToolError, match="no worker process can be started"):
        index_tree(IndexRequest(find_mini_linux(), index=index, jobs=2, again=True))
    assert index.read_bytes() == before


def test_workers_with_the_least_memory(tmp_path: Path) -> None:
    made = index_tree(IndexRequest(
        find_mini_linux(), index=tmp_path / "x.kgraph", jobs=2, limits=Limits(60, 512 << 20)))
    assert (made.failed_units, made.coverage.units) == ((), 63)


PROGRAM = """
import os, sys
from pathlib import Path
from kgraph.indexing.index_tree import IndexRequest, index_tree
os.chdir(sys.argv[1])
made = index_tree(IndexRequest(Path(sys.argv[2]), index=Path(sys.argv[3]), jobs=2))
print(len(made.failed_units), made.coverage.units)
"""


@pytest.mark.parametrize("flags", [["-"], ["-I", "-"], ["-E", "-"]])
def test_workers_see_nothing_of_the_current_folder(tmp_path: Path, flags: list[str]) -> None:
    """A program that Python reads from standard input has the current folder in its search path.
    This one changes the folder once it has loaded all that it needs."""
    here = tmp_path / "here"
    here.mkdir()
    ran = tmp_path / "ran"
    for name in ("sitecustomize", "usercustomize", "pickle", "socket", "kgraph", "ctypes"):
        (here / f"{name}.py").write_text(f"open({str(ran)!r}, 'w')\nraise SystemExit(9)\n")
    root = ROOT
    done = subprocess.run(
        [sys.executable, *flags, here, find_mini_linux(), tmp_path / "x.kgraph"], cwd=tmp_path,
        input=f"import sys; sys.path.append({str(root)!r})\n{PROGRAM}", text=True,
        capture_output=True, timeout=PATIENCE, check=False,
        env={**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache"),
             "PYTHONPATH": "here" if flags[0] != "-" else ""})
    assert (done.returncode, done.stdout) == (0, "0 63\n"), done.stderr
    assert not ran.exists()


def test_a_header_map_is_not_a_folder(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "map").write_bytes(b"pamh" + bytes(100))
    (tree / "a.c").write_text("int f(void) { return 1; }\n")
    (tree / "compile_commands.json").write_text(json.dumps([
        {"directory": ".", "file": "a.c", "arguments": ["gcc", "-Imap", "-c", "a.c"]}]))
    found = list_translation_units(open_tree(tree), work=tmp_path / "work").units
    assert not [word for unit in found for word in unit.arguments if "map" in word]
