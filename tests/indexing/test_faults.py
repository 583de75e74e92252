"""Killed and concurrent runs, a full disk, damaged files: every answer is right, or none."""

import contextlib
import errno
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from kgraph.errors import StoreError
from kgraph.graph import CallGraph
from kgraph.indexing.index_tree import index_tree
from kgraph.indexing.write_index import IndexRequest
from kgraph.store import IndexReader
from tests.support.command_line import Answer, answer_here
from tests.support.places import ROOT
from tests.support.processes import PATIENCE, command_lines, nothing_runs_for, wait_until

UNITS = 6


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A tree of a few units that share a header and call each other in a ring."""
    root = tmp_path / "tree"
    root.mkdir()
    (root / "ops.h").write_text("struct ops { int (*run)(int); };\nextern struct ops table;\n")
    for number in range(UNITS):
        (root / f"u{number}.c").write_text(
            f'#include "ops.h"\nint f{(number + 1) % UNITS}(int a);\n'
            f"int f{number}(int a)\n{{\n\treturn table.run(f{(number + 1) % UNITS}(a));\n}}\n"
            + ("struct ops table = { .run = f1 };\n" if number == 0 else ""))
    (root / "compile_commands.json").write_text(json.dumps([
        {"directory": ".", "file": f"u{number}.c",
         "arguments": ["gcc", "-I.", "-c", "-o", f"u{number}.o", f"u{number}.c"]}
        for number in range(UNITS)
    ]))
    return root


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "kgraph", *map(str, arguments)]


def environment(cache: Path) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "XDG_CACHE_HOME": str(cache)}


def run(cache: Path, *arguments: object, cwd: Path | None = None) -> Answer:
    return answer_here([*map(str, arguments)], cwd or cache.parent, {"XDG_CACHE_HOME": str(cache)})


def start(cache: Path, *arguments: object) -> "subprocess.Popen[str]":
    return subprocess.Popen(command(*arguments), env=environment(cache), text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def files(cache: Path) -> set[str]:
    return {str(path.relative_to(cache)) for path in cache.rglob("*") if not path.is_dir()}


def edit(tree: Path, number: int) -> None:
    """Make the next run read units and write an index."""
    path = tree / f"u{number % UNITS}.c"
    path.write_text(path.read_text() + f"int g{number}(int a)\n{{\n\treturn f0(a);\n}}\n")


@pytest.mark.slow
def test_after_a_kill_at_any_moment_the_previous_index_answers_and_nothing_is_left(
    tree: Path, cache: Path
) -> None:
    began = time.monotonic()
    assert run(cache, "index", tree, "-j2").returncode == 0
    lasts = time.monotonic() - began
    left_when_whole = files(cache)
    answer = run(cache, "path", "f0", "f3", cwd=tree).stdout
    random = Random(7)
    killed = 0
    for number in range(50):
        edit(tree, number)
        process = start(cache, "index", tree, "-j2")
        time.sleep(random.uniform(0, 1.1 * lasts))
        process.kill()
        killed += process.wait() == -signal.SIGKILL
        process.communicate()
        asked = run(cache, "callers", "f0", "--json", cwd=tree)
        assert asked.returncode == 0, asked.stderr
        assert json.loads(asked.stdout)["edges"]
    assert killed > 25
    assert run(cache, "index", tree, "-j2").returncode == 0
    assert files(cache) == left_when_whole
    assert run(cache, "path", "f0", "f3", cwd=tree).stdout == answer


def test_workers_end_with_a_killed_run(tree: Path, cache: Path) -> None:
    (tree / "u0.c").write_text('#include "pipe.h"\n')
    os.mkfifo(tree / "pipe.h")  # clang waits for ever for somebody to write there
    process = start(cache, "index", tree, "-j2", "--no-precompiled")
    workers = children_of(process.pid, 2)
    process.kill()
    process.wait()
    wait_until(lambda: not any(Path(f"/proc/{worker}").exists() for worker in workers))


def test_a_compiler_ends_with_a_killed_run(tree: Path, cache: Path) -> None:
    (tree / "u0.S").write_text('#include "pipe.h"\n')
    os.mkfifo(tree / "pipe.h")
    listed = tree / "compile_commands.json"
    listed.write_text(listed.read_text().replace("u0.c", "u0.S"))
    process = start(cache, "index", tree, "-j2", "--no-precompiled")
    source = str(tree / "u0.S").encode()
    wait_until(lambda: any(source in words for words in command_lines()))
    process.kill()
    process.wait()
    nothing_runs_for(tree)


def children_of(parent: int, count: int) -> list[int]:
    """Wait until a process has `count` workers, and return them."""
    found: list[int] = []

    def has_workers() -> bool:
        found.clear()
        for path in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = path.read_text().rpartition(")")[2].split()
                spawned = "worker_main" in (path.parent / "cmdline").read_text(errors="replace")
            except OSError:
                continue
            if int(fields[1]) == parent and spawned:
                found.append(int(path.parent.name))
        return len(found) >= count

    wait_until(has_workers)
    return found


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_a_run_quietly(tree: Path, cache: Path, number: signal.Signals) -> None:
    assert run(cache, "index", tree, "-j2").returncode == 0
    whole = files(cache)
    edit(tree, 0)
    os.mkfifo(tree / "pipe.h")
    (tree / "u1.c").write_text('#include "pipe.h"\n')
    process = start(cache, "index", tree, "-j2", "--no-precompiled")
    children_of(process.pid, 1)
    process.send_signal(number)
    out, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, out, err) == (128 + number, "", "")
    assert files(cache) == whole
    assert run(cache, "path", "f0", "f3", cwd=tree).returncode == 0


def test_concurrent_runs_wait_for_each_other_and_readers_see_whole_indexes(
    tree: Path, cache: Path
) -> None:
    assert run(cache, "index", tree, "-j1").returncode == 0
    edit(tree, 0)
    writers = [start(cache, "index", tree, "-j1", "--again") for _ in range(3)]
    readers = []
    while any(writer.poll() is None for writer in writers):
        readers.append(run(cache, "callers", "f1", "--json", cwd=tree))
    said = [writer.communicate() for writer in writers]
    assert [writer.returncode for writer in writers] == [0, 0, 0], said
    assert sum("waiting" in err for _, err in said) == 2
    for reader in readers:
        assert reader.returncode == 0, reader.stderr
        callers = {edge["caller"]["name"] for edge in json.loads(reader.stdout)["edges"]}
        assert callers == {f"f{number}" for number in range(UNITS)}


@pytest.mark.slow
def test_a_hundred_readers_at_once(tree: Path, cache: Path) -> None:
    assert run(cache, "index", tree, "-j1").returncode == 0
    expected = run(cache, "path", "f0", "f3", "--json", cwd=tree).stdout
    index = next(cache.rglob("*.kgraph"))
    readers = [start(cache, "path", "f0", "f3", "--json", "--index", index) for _ in range(100)]
    for reader in readers:
        out, err = reader.communicate(timeout=PATIENCE)
        assert (reader.returncode, out) == (0, expected), err


@contextlib.contextmanager
def disk(folder: Path, size: str) -> Iterator[Path]:
    """A separate file system."""
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(folder)],
                             capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip("no file system can be mounted here")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    with disk(tmp_path / "disk", "64k") as folder:
        yield folder


@pytest.fixture
def large_disk(tmp_path: Path) -> Iterator[Path]:
    with disk(tmp_path / "disk", "64m") as folder:
        yield folder


def test_a_cache_folder_on_another_file_system(
    tree: Path, cache: Path, large_disk: Path, tmp_path: Path
) -> None:
    assert large_disk.stat().st_dev != tree.stat().st_dev
    assert run(large_disk, "index", tree, "-j2").returncode == 0
    assert run(large_disk, "path", "f0", "f3", cwd=tree).returncode == 0
    edit(tree, 0)
    index = tmp_path / "x.kgraph"
    assert run(large_disk, "index", tree, "-j2", "--index", index).returncode == 0
    assert run(large_disk, "callers", "f0", "--index", index).returncode == 0
    other = large_disk / "x.kgraph"
    assert run(cache, "index", tree, "-j2", "--index", other).returncode == 0
    assert not [name for name in (*files(large_disk), *files(cache)) if "unfinished" in name]


def test_a_cache_folder_on_a_read_only_file_system(
    tree: Path, large_disk: Path
) -> None:
    assert run(large_disk, "index", tree, "-j2").returncode == 0
    whole = files(large_disk)
    edit(tree, 0)
    subprocess.run(["mount", "-o", "remount,ro", str(large_disk)], check=True)
    for arguments in (["path", "f0", "f3"], ["status"], ["status", "--all"], ["callers", "f0"]):
        assert run(large_disk, *arguments, cwd=tree).returncode == 0
    for arguments in (["index", tree], ["index", tree, "--again", "-j2"]):
        message = one_error(run(large_disk, *arguments, cwd=tree))
        assert str(large_disk) in message
        assert os.strerror(errno.EROFS) in message
    assert run(large_disk, "index", "--prune").stdout == "0 KB removed\n"
    assert files(large_disk) == whole


def one_error(answer: Answer) -> str:
    assert answer.returncode == 2, answer.stdout + answer.stderr
    lines = answer.stderr.splitlines()
    assert [line.partition(":")[0] for line in lines] == ["kgraph", "hint"]
    return lines[0]


def test_a_full_disk_is_an_error_and_the_previous_index_stays(
    tree: Path, cache: Path, small_disk: Path
) -> None:
    index = small_disk / "x.kgraph"
    assert "cannot write the index" in one_error(run(cache, "index", tree, "-j1", "--index", index))
    assert os.listdir(small_disk) == []
    assert "cannot write" in one_error(run(small_disk, "index", tree, "-j1"))


@pytest.mark.parametrize("size", [0, 1000, 20_000, 60_000])
def test_a_file_that_may_not_grow(tree: Path, cache: Path, tmp_path: Path, size: int) -> None:
    index = tmp_path / "x.kgraph"
    assert run(cache, "index", tree, "-j1", "--index", index).returncode == 0
    before = index.read_bytes()
    edit(tree, 0)
    answer = subprocess.run(
        command("index", tree, "-j1", "--index", index, "--no-precompiled"),
        env=environment(cache), capture_output=True, text=True, check=False, timeout=PATIENCE,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size)))
    assert "cannot write" in one_error(answer)
    assert index.read_bytes() == before
    assert run(cache, "index", tree, "-j1", "--index", index).returncode == 0


def test_a_cache_folder_that_cannot_be_written(tree: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    message = one_error(run(tmp_path / "file", "index", tree, "-j1"))
    assert str(tmp_path / "file") in message
    assert os.strerror(errno.ENOTDIR) in message


def test_a_read_only_cache_folder_answers(tree: Path, cache: Path) -> None:
    assert run(cache, "index", tree, "-j1").returncode == 0
    for path in (cache, *cache.rglob("*")):
        path.chmod(path.stat().st_mode & ~0o222)
    try:
        assert run(cache, "path", "f0", "f3", cwd=tree).returncode == 0
    finally:
        for path in (cache, *cache.rglob("*")):
            path.chmod(path.stat().st_mode | 0o200)


def damaged(content: bytes, random: Random) -> bytes:
    """The bytes of an index: truncated, with one bit flipped, or partly overwritten."""
    kind = random.randrange(3)
    at = random.randrange(len(content))
    if kind == 0:
        return content[:at]
    if kind == 1:
        turned = bytes([content[at] ^ 1 << random.randrange(8)])
        return content[:at] + turned + content[at + 1:]
    stretch = random.randbytes(random.randrange(1, 5000))
    return (content[:at] + stretch + content[at + len(stretch):])[:len(content)]


def test_a_damaged_index_never_answers(mini_index: Path, tmp_path: Path) -> None:
    content = mini_index.read_bytes()
    random = Random(11)
    copy = tmp_path / "x.kgraph"
    for _ in range(200):
        broken = damaged(content, random)
        if broken == content:
            continue
        copy.write_bytes(broken)
        with pytest.raises(StoreError) as raised:
            CallGraph(IndexReader(copy))
        assert str(copy) in raised.value.message
        assert raised.value.hint


def test_a_damaged_index_is_an_error_until_it_is_made_again(tree: Path, cache: Path) -> None:
    assert run(cache, "index", tree, "-j1").returncode == 0
    index = next(cache.rglob("*.kgraph"))
    content = index.read_bytes()
    random = Random(12)
    for _ in range(10):
        index.write_bytes(damaged(content, random))
        for arguments in (["path", "f0", "f3"], ["status"], ["check", tree / "u0.c"]):
            message = one_error(run(cache, *arguments, "--index", index))
            assert str(index) in message
        summary = index_tree_in(cache, tree)
        assert summary == UNITS
        assert run(cache, "path", "f0", "f3", "--index", index).returncode == 0


def index_tree_in(cache: Path, tree: Path) -> int:
    """Index a tree; how many units were read."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(cache))
        return index_tree(IndexRequest(tree, jobs=0)).units_read


def test_an_index_of_another_tree_is_not_used_for_this_one(
    tree: Path, cache: Path, tmp_path: Path
) -> None:
    index = tmp_path / "x.kgraph"
    assert run(cache, "index", tree, "-j1", "--index", index).returncode == 0
    other = tmp_path / "other"
    shutil.copytree(tree, other)
    (other / "u3.c").write_text("int f3(int a)\n{\n\treturn a;\n}\n")
    assert run(cache, "index", other, "-j1", "--index", index).returncode == 0
    answer = run(cache, "callees", "f3", "--index", index)
    assert answer.returncode == 0
    assert "f4" not in answer.stdout
