"""What a long run says while it runs, and a checkout without its packages."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from kgraph.cli.output import ProgressBar
from tests.support.places import ROOT


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ProgressBar, "_MINUTE", 0.05)


@pytest.mark.usefixtures("quick")
def test_in_a_log_a_line_a_minute(capfd: pytest.CaptureFixture[str]) -> None:
    bar = ProgressBar()
    with bar.run_timer():
        bar.begin_step("preparing headers")
        time.sleep(0.12)  # as make does: nobody counts
        bar(3, 10, "net/a.c")
        subprocess.run(["sleep", "0.12"], check=True)
    time.sleep(0.12)
    lines = capfd.readouterr().err.splitlines()
    assert lines[0] == "kgraph: 1 min: preparing headers"
    assert lines[-1].endswith(" min: 3 of 10, net/a.c")
    assert 3 <= len(lines) <= 5


def test_on_a_terminal_the_bar_moves(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setattr(ProgressBar, "_SECOND", 0.05)
    bar = ProgressBar()
    with bar.run_timer():
        bar.begin_step("preparing headers")
        bar._step_started -= 7
        time.sleep(0.1)
    assert "preparing headers (7 s)" in capfd.readouterr().err


def test_short_runs_say_nothing_of_time(capfd: pytest.CaptureFixture[str]) -> None:
    with ProgressBar().run_timer():
        pass
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("package", ["click", "msgspec"])
def test_a_missing_package_is_no_mistake_of_kgraph(tmp_path: Path, package: str) -> None:
    (tmp_path / package).mkdir()
    (tmp_path / package / "__init__.py").write_text(
        f"raise ModuleNotFoundError('No module named {package}', name='{package}')\n")
    done = subprocess.run(
        [sys.executable, "-m", "kgraph", "callers", "x"], capture_output=True, text=True,
        check=False, cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{tmp_path}:{ROOT}", "XDG_CACHE_HOME": str(tmp_path)})
    assert done.returncode == 2
    first, second = done.stderr.splitlines()
    assert f"the Python package {package}, which kgraph needs, is not installed" in first
    assert "pip install" in second
