"""The compiler that preprocesses assembler: what it may see, and how it ends."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kgraph.extract.asm import preprocess as preprocess_module
from kgraph.extract.asm.preprocess import PreprocessorFailed, preprocess
from kgraph.model.units import TranslationUnit


@pytest.fixture
def fake_compiler(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[str], None]]:
    """Puts a shell script in the place of the compiler."""

    def put(script: str) -> None:
        program = tmp_path / "bin" / "gcc"
        program.parent.mkdir()
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f":bin:{program.parent}:/usr/bin:/bin")
        preprocess_module.find_compiler.cache_clear()

    yield put
    preprocess_module.find_compiler.cache_clear()


def assembler(folder: Path) -> TranslationUnit:
    (folder / "a.S").write_text("\n")
    return TranslationUnit("a.S", "a.o", "vmlinux", str(folder / "a.S"), str(folder), ())


def test_a_compiler_looks_for_nothing_in_the_tree(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fake_compiler: Callable[[str], None]
) -> None:
    fake_compiler("pwd; env")
    monkeypatch.setenv("LD_LIBRARY_PATH", "/usr/local/lib::lib:")
    monkeypatch.setenv("TMPDIR", "tmp")
    monkeypatch.chdir(tmp_path)
    folder, *variables = preprocess(assembler(tmp_path)).splitlines()
    found = dict(line.split("=", 1) for line in variables)
    assert folder == "/"
    assert found["LD_LIBRARY_PATH"] == "/usr/local/lib"
    assert found["PATH"] == f"{tmp_path}/bin:/usr/bin:/bin"
    assert "TMPDIR" not in found


def test_a_compiler_and_what_it_started_end_at_the_time_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fake_compiler: Callable[[str], None]
) -> None:
    fake_compiler(f"sleep 1000 & echo $! > {tmp_path}/started; wait")
    monkeypatch.setattr(preprocess_module, "_TIME_LIMIT", 1)
    with pytest.raises(PreprocessorFailed, match="took more than 1 seconds"):
        preprocess(assembler(tmp_path))
    started = int((tmp_path / "started").read_text())
    for _ in range(100):
        state = Path(f"/proc/{started}/stat")
        if not state.exists() or state.read_text().split()[2] == "Z":
            return
        time.sleep(0.05)
    raise AssertionError(f"{started} is still there")


TARGETS = """#if defined(__aarch64__) && __SIZEOF_LONG__ == 8 && !defined(__x86_64__)
arm64
#elif defined(__x86_64__)
x86
#endif
#ifdef __ASSEMBLER__
assembler
#endif
"""


def test_the_target_of_a_unit_decides_without_its_compiler(tmp_path: Path) -> None:
    (tmp_path / "a.S").write_text(TARGETS)
    for target, found in (("aarch64-linux-gnu", "arm64"), ("x86_64-linux-gnu", "x86")):
        flags = ("-nostdinc", f"--target={target}", "-mlittle-endian", "-march=armv8.2-a")
        unit = TranslationUnit(
            "a.S", "a.o", "vmlinux", str(tmp_path / "a.S"), str(tmp_path), flags)
        text = [line for line in preprocess(unit).splitlines() if line and line[0] != "#"]
        assert text == [found, "assembler"]
