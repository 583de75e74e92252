"""A real scheduler and real workers on the loopback: the index is that of the local pool, even if
workers are killed, join late or do not fit."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from kgraph.errors import ClusterError
from kgraph.indexing.fingerprint import compute_exchange_version
from kgraph.indexing.workers.cluster import connect_cluster
from kgraph.indexing.workers.cluster_worker import RunTerms, digest_file, find_mismatch
from kgraph.indexing.workers.pool import DEFAULT_LIMITS
from kgraph.resources import find_mini_linux
from kgraph.store.cache_paths import INDEX_SUFFIX
from tests.support.index_contents import all_tables
from tests.support.places import ROOT
from tests.support.processes import PATIENCE, wait_until

pytestmark = pytest.mark.cluster
UNITS = 24


class Dask:
    """A scheduler and its workers, each a process."""

    def __init__(self, folder: Path, **environment: str) -> None:
        """`environment` is the scheduler's."""
        self._folder = folder
        self._file = folder / "scheduler.json"
        self.processes: list[subprocess.Popen[bytes]] = []
        self.scheduler = self._start(
            "dask_scheduler", "--port", "0", "--scheduler-file", self._file, "--no-dashboard",
            **environment)
        self.address = json.loads(self._written())["address"]

    def worker(self, *, nanny: bool = False, **environment: str) -> "subprocess.Popen[bytes]":
        """Start a worker and wait until it has joined. With `nanny`, the process is its parent."""
        log = self._folder / f"log{len(self.processes)}"
        process = self._start(
            "dask_worker", self.address, "--nthreads", "1", "--no-dashboard",
            "--nanny" if nanny else "--no-nanny",
            **environment)
        wait_until(lambda: b"Registered to" in log.read_bytes())
        return process

    def _start(self, module: str, *arguments: object, **environment: str
               ) -> "subprocess.Popen[bytes]":
        with (self._folder / f"log{len(self.processes)}").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", f"distributed.cli.{module}", "--host", "127.0.0.1",
                 *map(str, arguments)],
                stdout=log, stderr=log, cwd=self._folder,
                env={**os.environ, "PYTHONPATH": str(ROOT), **environment})
        self.processes.append(process)
        return process

    def _written(self) -> str:
        wait_until(lambda: self._file.exists() and self._file.read_text().rstrip().endswith("}"))
        return self._file.read_text()

    def stop(self) -> None:
        for process in self.processes:
            process.kill()
        for process in self.processes:
            process.wait()


@contextlib.contextmanager
def cluster(folder: Path, **environment: str) -> Iterator[Dask]:
    """A cluster without workers; `environment` is its scheduler's."""
    folder.mkdir()
    dask = Dask(folder, **environment)
    try:
        yield dask
    finally:
        dask.stop()


@pytest.fixture
def dask(tmp_path: Path) -> Iterator[Dask]:
    with cluster(tmp_path / "dask") as dask:
        yield dask


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Units that share a header, which is worth precompiling. The first two include an empty header
    of their own, the gate; a pipe in its place makes clang wait."""
    root = tmp_path / "tree"
    (root / "linux").mkdir(parents=True)
    (root / "linux/ops.h").write_text(
        "struct ops { int (*run)(int); };\nextern struct ops table;\n"
        "static inline int twice(int a) { return table.run(table.run(a)); }\n")
    for number in range(UNITS):
        gate = f'#include "gate{number}.h"\n' if number < 2 else ""
        (root / f"u{number}.c").write_text(
            f"#include <linux/ops.h>\n{gate}int f{(number + 1) % UNITS}(int a);\n"
            f"int f{number}(int a)\n{{\n\treturn twice(f{(number + 1) % UNITS}(a));\n}}\n"
            + ("struct ops table = { .run = f1 };\n" if number == 0 else ""))
    for number in range(2):
        open_gate(root, number)
    (root / "compile_commands.json").write_text(json.dumps([
        {"directory": ".", "file": f"u{number}.c",
         "arguments": ["gcc", "-I.", "-c", "-o", f"u{number}.o", f"u{number}.c"]}
        for number in range(UNITS)]))
    return root


def shut_gate(tree: Path, number: int) -> None:
    (tree / f"gate{number}.h").unlink()
    os.mkfifo(tree / f"gate{number}.h")


def open_gate(tree: Path, number: int) -> None:
    """Replace the gate by an empty file with an old time."""
    (tree / "new").write_text("")
    os.utime(tree / "new", (10**9, 10**9))
    (tree / "new").replace(tree / f"gate{number}.h")


class Waiting:
    """A unit that waits at a shut gate, once a process reads there."""

    def __init__(self, tree: Path, number: int) -> None:
        self._gate = tree, number
        self._path = tree / f"gate{number}.h"
        self._end = -1
        wait_until(self._has_reader)

    def _has_reader(self) -> bool:
        with contextlib.suppress(OSError):  # as long as there is none
            self._end = os.open(self._path, os.O_WRONLY | os.O_NONBLOCK)
        return self._end >= 0

    def reader(self) -> int:
        """The worker whose child waits."""
        wait_until(lambda: bool(self._readers()))
        return self._readers()[0]

    def _readers(self) -> list[int]:
        found = []
        for held in Path("/proc").glob("[0-9]*/fd/*"):
            with contextlib.suppress(OSError):
                if held.resolve() == self._path and int(held.parts[2]) != os.getpid():
                    status = Path("/proc", held.parts[2], "stat").read_text()
                    found.append(int(status.rpartition(")")[2].split()[1]))
        return found

    def leave(self) -> None:
        """Close our end, so that no process waits for us."""
        os.close(self._end)

    def go_on(self) -> None:
        """Open the gate."""
        open_gate(*self._gate)
        os.close(self._end)


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "kgraph", "index", *map(str, arguments)]


def environment(cache: Path) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "XDG_CACHE_HOME": str(cache)}


def start(cache: Path, *arguments: object) -> "subprocess.Popen[str]":
    return subprocess.Popen(command(*arguments), env=environment(cache), text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def run(cache: Path, *arguments: object) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(command(*arguments), env=environment(cache), capture_output=True,
                          text=True, timeout=PATIENCE, check=False)


def index_in(cache: Path) -> Path:
    [index] = cache.glob(f"kgraph/*{INDEX_SUFFIX}")
    return index


def all_of(cache: Path) -> dict[str, list[tuple[object, ...]]]:
    """All tables of the only index in a cache folder. A gate may have been opened while the run
    read it, so that nobody knows its state."""
    found = all_tables(index_in(cache))
    found["unit_file"] = [row for row in found["unit_file"] if "gate" not in str(row[1])]
    return found


def bytes_of(cache: Path) -> list[bytes]:
    """The pages of the only index in a cache folder, without its checksum and the page that has
    the time at which it was made."""
    size = 8192
    content = index_in(cache).read_bytes()
    pages = [content[at:at + size] for at in range(0, len(content) - size + 1, size)]
    kept = [page for page in pages if b'"built": ' not in page]
    assert len(kept) == len(pages) - 1
    return kept


def test_a_worker_is_killed_and_another_joins_late(
    dask: Dask, tree: Path, tmp_path: Path
) -> None:
    local = run(tmp_path / "local", tree, "-j2", "--no-precompiled")
    assert local.returncode == 0, local.stderr
    for number in range(2):
        shut_gate(tree, number)
    workers = {worker.pid: worker for worker in (dask.worker(), dask.worker())}
    process = start(
        tmp_path / "far", tree, "--scheduler", dask.address, "--no-precompiled")
    first, second = Waiting(tree, 0), Waiting(tree, 1)
    late = dask.worker()
    killed = workers.pop(first.reader())
    assert second.reader() in workers
    killed.kill()
    killed.wait()
    first.leave()
    again = Waiting(tree, 0)
    assert again.reader() == late.pid  # the other one still waits
    again.go_on()
    second.go_on()
    _, told = process.communicate(timeout=PATIENCE)
    assert (process.returncode, told) == (0, "")
    assert all_of(tmp_path / "far") == all_of(tmp_path / "local")


def test_mini_linux_is_the_same_on_two_workers(dask: Dask, tmp_path: Path) -> None:
    for _ in range(2):
        dask.worker()
    assert run(tmp_path / "local", find_mini_linux(), "-j2").returncode == 0
    far = run(tmp_path / "far", find_mini_linux(), "--scheduler", dask.address)
    assert (far.returncode, far.stderr) == (0, "")
    assert all_of(tmp_path / "far") == all_of(tmp_path / "local")
    assert bytes_of(tmp_path / "far") == bytes_of(tmp_path / "local")


@pytest.mark.slow
def test_a_unit_that_takes_too_long_is_lost_alone(dask: Dask, tree: Path, tmp_path: Path) -> None:
    dask.worker()
    shut_gate(tree, 0)
    limit = ("--unit-seconds", "9")
    far = run(tmp_path / "far", tree, "--scheduler", dask.address, *limit)
    assert far.returncode == 0
    lines = far.stderr.splitlines()
    assert lines == ["kgraph: u0.c: it took more than 9 seconds; it is read again, alone",
                     "kgraph: u0.c failed: it took more than 9 seconds"]
    assert run(tmp_path / "local", tree, "-j1", *limit).stderr == far.stderr
    assert all_of(tmp_path / "far") == all_of(tmp_path / "local")


def test_the_scheduler_goes_away(dask: Dask, tree: Path, tmp_path: Path) -> None:
    dask.worker()
    assert run(tmp_path / "cache", tree, "-j1").returncode == 0
    before = all_of(tmp_path / "cache")
    shut_gate(tree, 0)
    process = start(tmp_path / "cache", tree, "--again", "--scheduler", dask.address)
    waiting = Waiting(tree, 0)
    dask.scheduler.kill()
    _, told = process.communicate(timeout=PATIENCE)
    waiting.leave()
    assert process.returncode == 2
    first, second = told.splitlines()
    assert first.startswith("kgraph: the connection to the scheduler at tcp://127.0.0.1:")
    assert second.startswith("hint: ")
    assert all_of(tmp_path / "cache") == before
    assert not list((tmp_path / "cache").rglob("*unfinished"))


def children_of(process: int) -> list[str]:
    """The children of all threads of a process."""
    return [child for told in Path(f"/proc/{process}/task").glob("*/children")
            for child in told.read_text().split()]


def test_an_interrupt_ends_the_run_and_its_tasks(dask: Dask, tree: Path, tmp_path: Path) -> None:
    worker = dask.worker()
    shut_gate(tree, 0)
    process = start(tmp_path / "cache", tree, "--scheduler", dask.address)
    waiting = Waiting(tree, 0)
    assert waiting.reader() == worker.pid
    assert children_of(worker.pid)
    process.send_signal(signal.SIGINT)
    out, told = process.communicate(timeout=PATIENCE)
    assert (process.returncode, out, told) == (128 + signal.SIGINT, "", "")
    wait_until(lambda: not children_of(worker.pid))
    waiting.go_on()
    far = run(tmp_path / "cache", tree, "--scheduler", dask.address)  # the worker is free again
    assert (far.returncode, far.stderr) == (0, "")


def test_no_scheduler_answers(tree: Path, tmp_path: Path) -> None:
    for address in ("tcp://127.0.0.1:1", "nonsense", "tcp://127.0.0.1:port", "gopher://x:1"):
        answer = run(tmp_path / "cache", tree, "--scheduler", address)
        assert answer.returncode == 2
        first, second = answer.stderr.splitlines()
        assert first.startswith(f"kgraph: no scheduler answers at {address}")
        assert second.startswith("hint: ")


HTTP = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"


@pytest.mark.parametrize(("answer", "says"), [
    (b"", "is silent"), (b"\x08", "is silent"), (HTTP, "speaks another protocol|closed"),
    (b"\0" * 64, "."), (b"\x01" + bytes(7) + b"\x08" + bytes(7) + b"\xff" * 8, ".")])
def test_a_server_that_is_no_scheduler(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: bytes, says: str
) -> None:
    monkeypatch.setattr("kgraph.indexing.workers.cluster._ANSWER_SECONDS", 2)
    taken = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = server.accept()
                    connection.sendall(answer)
                    taken.append(connection)

        threading.Thread(target=serve, daemon=True).start()
        address = f"tcp://127.0.0.1:{server.getsockname()[1]}"
        with pytest.raises(ClusterError, match=f"no scheduler answers at {address}.*{says}"):
            with connect_cluster(address, tmp_path, DEFAULT_LIMITS, print):
                pass
    for connection in taken:
        connection.close()


def other_version(folder: Path) -> str:
    """A folder with a kgraph that extracts facts in another way."""
    shutil.copytree(ROOT / "kgraph", folder / "other/kgraph",
                    ignore=shutil.ignore_patterns("__pycache__"))
    with (folder / "other/kgraph/extract/calls.py").open("a") as file:
        file.write("# of another version\n")
    return str(folder / "other")


def test_a_worker_of_another_version_is_refused(dask: Dask, tree: Path, tmp_path: Path) -> None:
    dask.worker(PYTHONPATH=other_version(tmp_path))
    answer = run(tmp_path / "cache", tree, "--scheduler", dask.address)
    assert answer.returncode == 2
    first, second = answer.stderr.splitlines()
    assert first.startswith("kgraph: worker tcp://127.0.0.1:")
    assert first.endswith("its kgraph or libclang is of another version")
    assert second.startswith("hint: ")
    assert not list((tmp_path / "cache").rglob(f"*{INDEX_SUFFIX}"))


def test_a_worker_of_another_version_that_joins_late_is_left_out(
    dask: Dask, tree: Path, tmp_path: Path
) -> None:
    dask.worker()
    shut_gate(tree, 0)
    process = start(tmp_path / "cache", tree, "--scheduler", dask.address)
    waiting = Waiting(tree, 0)
    dask.worker(PYTHONPATH=other_version(tmp_path))
    assert process.stderr is not None
    line = process.stderr.readline()
    assert line.endswith("is left out: its kgraph or libclang is of another version\n")
    time.sleep(2)  # it may ask for tasks
    waiting.go_on()
    _, told = process.communicate(timeout=PATIENCE)
    assert (process.returncode, told) == (0, "")


def no_kgraph(folder: Path) -> str:
    """A folder with a kgraph that cannot be imported, as if none were installed."""
    (folder / "none/kgraph").mkdir(parents=True)
    (folder / "none/kgraph/__init__.py").write_text("raise ImportError('No module named kgraph')\n")
    return str(folder / "none")


def test_a_worker_without_kgraph_is_refused(dask: Dask, tree: Path, tmp_path: Path) -> None:
    dask.worker(PYTHONPATH=no_kgraph(tmp_path))
    answer = run(tmp_path / "cache", tree, "--scheduler", dask.address)
    assert answer.returncode == 2
    first, second = answer.stderr.splitlines()
    assert first.startswith("kgraph: worker tcp://127.0.0.1:")
    assert "its kgraph cannot be used" in first
    assert second.startswith("hint: install the same kgraph")


def test_a_scheduler_without_kgraph(tree: Path, tmp_path: Path) -> None:
    """Newer releases of Dask unpickle tasks in the scheduler too. Then there is an error, and the
    previous index stays."""
    assert run(tmp_path / "local", tree, "-j2").returncode == 0
    assert run(tmp_path / "far", tree, "-j2").returncode == 0
    before = all_of(tmp_path / "far")
    with cluster(tmp_path / "dask", PYTHONPATH=no_kgraph(tmp_path)) as dask:
        dask.worker()
        far = run(tmp_path / "far", tree, "--again", "--scheduler", dask.address)
    if far.returncode == 0:
        assert far.stderr == ""
    else:
        assert far.returncode == 2
        first, second = far.stderr.splitlines()
        assert first.startswith(f"kgraph: the cluster at {dask.address} cannot run kgraph's tasks")
        assert second.startswith("hint: install the same kgraph")
    assert all_of(tmp_path / "far") == before


def test_a_unit_on_which_workers_die_is_read_again_alone(tree: Path, tmp_path: Path) -> None:
    """The scheduler's setting says how many may die (3); here it is none."""
    local = run(tmp_path / "local", tree, "-j2", "--no-precompiled")
    assert local.returncode == 0, local.stderr
    with cluster(tmp_path / "dask", DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES="0") as dask:
        workers = {worker.pid: worker for worker in (dask.worker(), dask.worker())}
        shut_gate(tree, 0)
        process = start(
            tmp_path / "far", tree, "--scheduler", dask.address, "--no-precompiled")
        waiting = Waiting(tree, 0)
        workers[waiting.reader()].kill()
        assert process.stderr is not None
        told = process.stderr.readline()
        waiting.go_on()
        _, rest = process.communicate(timeout=PATIENCE)
    lines = [told, *rest.splitlines(keepends=True)]
    assert "kgraph: u0.c: the worker that had it died; it is read again, alone\n" in lines
    assert all(line.endswith("it is read again, alone\n") for line in lines)
    assert process.returncode == 0
    assert all_of(tmp_path / "far") == all_of(tmp_path / "local")


def test_a_worker_that_its_nanny_starts_again(dask: Dask, tree: Path, tmp_path: Path) -> None:
    local = run(tmp_path / "local", tree, "-j2", "--no-precompiled")
    assert local.returncode == 0, local.stderr
    dask.worker(nanny=True)
    shut_gate(tree, 0)
    process = start(tmp_path / "far", tree, "--scheduler", dask.address, "--no-precompiled")
    first = Waiting(tree, 0)
    killed = first.reader()
    os.kill(killed, signal.SIGKILL)
    first.leave()
    again = Waiting(tree, 0)
    assert again.reader() != killed
    again.go_on()
    _, told = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0
    assert told in ("", f"kgraph: the scheduler at {dask.address} has no worker: waiting for one\n")
    assert all_of(tmp_path / "far") == all_of(tmp_path / "local")


def test_what_a_worker_must_see(tree: Path) -> None:
    file = str(tree / "u3.c")
    terms = RunTerms(
        "run",
        compute_exchange_version(),
        tree,
        None,
        ((file, digest_file(file)),),
        "",
        DEFAULT_LIMITS,
    )
    assert find_mismatch(terms) == ""
    (tree / "u3.c").write_text("int other;\n")
    assert find_mismatch(terms) == f"it does not see the same {file}"
    assert "does not see the folder" in find_mismatch(replace(terms, root=tree / "none"))
    assert "does not see the folder" in find_mismatch(replace(terms, build=tree / "none"))
    assert "another version" in find_mismatch(replace(terms, exchange_version="other"))


def test_distributed_is_not_installed(tree: Path, tmp_path: Path) -> None:
    (tmp_path / "without").mkdir()
    (tmp_path / "without/distributed.py").write_text("raise ImportError('No distributed')\n")
    answer = subprocess.run(
        command(tree, "--scheduler", "tcp://127.0.0.1:1"), capture_output=True, text=True,
        check=False, cwd=ROOT, env={
            **environment(tmp_path / "cache"),
            "PYTHONPATH": f"{tmp_path / 'without'}:{ROOT}"})
    assert answer.returncode == 2
    assert answer.stderr.splitlines()[-1] == "hint: pip install 'kgraph[cluster]'"
