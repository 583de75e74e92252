"""Programs that start others: whatever ends the run ends all of them."""

import fcntl
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from kgraph.build.kbuild import lock_logs, wait_for_leftovers
from kgraph.build.programs import run_program
from kgraph.errors import ToolError
from tests.support.places import ROOT
from tests.support.processes import nothing_runs_for

RUN = ("import signal; from kgraph.build.programs import run_program\n"
       "for number in (signal.SIGTERM, signal.SIGHUP): signal.signal(number, lambda *_: 1 / 0)\n"
       "run_program(['make', '-C', {folder!r}, '-j2'])")


@pytest.mark.parametrize("number", [
    signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGKILL])
def test_a_signal_ends_make_and_what_it_started(tmp_path: Path, number: signal.Signals) -> None:
    tail = f"\ttouch $@; tail -f /dev/null {tmp_path}/Makefile\n"
    (tmp_path / "Makefile").write_text(f"all: a b\na:\n{tail}b:\n{tail}")
    process = subprocess.Popen(
        [sys.executable, "-c", RUN.format(folder=str(tmp_path))], stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL, env={**os.environ, "PYTHONPATH": str(ROOT)})
    while not all((tmp_path / name).exists() for name in "ab"):
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(number)
    assert process.wait() != 0
    nothing_runs_for(tmp_path / "Makefile")


def test_a_time_limit_ends_what_was_started(tmp_path: Path) -> None:
    with pytest.raises(subprocess.TimeoutExpired):
        run_program(["sh", "-c", f"tail -f /dev/null {tmp_path} & wait"], timeout=0.5,
                    stderr=subprocess.DEVNULL)
    nothing_runs_for(tmp_path)


def test_what_a_killed_run_left_is_waited_for_and_said(tmp_path: Path) -> None:
    told: list[str] = []
    wait_for_leftovers(tmp_path, told.append)
    assert not told
    with lock_logs(tmp_path, fcntl.LOCK_SH), pytest.raises(ToolError, match="did not end") as error:
        wait_for_leftovers(tmp_path, told.append, seconds=0.3)
    assert "fuser" in error.value.hint
    assert len(told) == 1
