"""Errors of users and of the machine: two lines, an exit status, the index stays intact."""

import json
import os
import re
import shlex
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from kgraph.resources import find_mini_linux
from kgraph.store.schema import APPLICATION_ID, SCHEMA_VERSION
from tests.support.complaints import assert_error
from tests.support.places import ROOT
from tests.support.processes import PATIENCE, wait_until

PREVIOUS = b"SQLite format 3\0" + bytes(52) + APPLICATION_ID.to_bytes(4, "big") + b"what was before"


@pytest.fixture
def previous(tmp_path: Path) -> Path:
    path = tmp_path / "previous.kgraph"
    path.write_bytes(PREVIOUS)
    return path


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    return Path(shutil.copytree(find_mini_linux(), tmp_path / "tree"))


def test_a_tree_that_is_missing_or_not_a_kernel(kgraph, tmp_path: Path, previous: Path) -> None:
    assert_error(kgraph("index", tmp_path / "none", "--index", previous), "none")
    (tmp_path / "empty").mkdir()
    assert_error(kgraph("index", tmp_path / "empty", "--index", previous), "kernel tree")
    (tmp_path / "file").write_text("")
    assert_error(kgraph("index", tmp_path / "file", "--index", previous), "file")
    assert previous.read_bytes() == PREVIOUS


@pytest.mark.skipif(os.geteuid() == 0, reason="root can read everything")
def test_the_tree_is_unreadable(kgraph, tree: Path, previous: Path) -> None:
    tree.chmod(0)
    assert_error(kgraph("index", tree, "--index", previous))
    tree.chmod(0o755)
    assert previous.read_bytes() == PREVIOUS


OTHER_FILES = [
    b"notes of years", b"SQLite format 3\0" + bytes(200), b"SQLite format 4", b"\0" * 100_000,
    b"kgraph crc32 is explained here",
]


@pytest.mark.parametrize("content", OTHER_FILES)
def test_a_file_that_is_not_an_index_is_not_replaced(
    kgraph, tree: Path, tmp_path: Path, content: bytes
) -> None:
    target = tmp_path / "notes"
    target.write_bytes(content)
    assert_error(kgraph("index", tree, "--index", target), "notes is not a kgraph index", "--index")
    assert target.read_bytes() == content


def test_a_folder_or_pipe_is_not_replaced(kgraph, tree: Path, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    for target in (tmp_path / "pipe", tmp_path / "folder", Path("/dev/null")):
        previous = target.stat()
        assert_error(kgraph("index", tree, "--index", target), f"{target} is ", "--index")
        assert target.stat().st_ino == previous.st_ino


def test_an_empty_file_and_remains_of_an_index_are_replaced(
    kgraph, tree: Path, tmp_path: Path, mini_index: Path
) -> None:
    content = mini_index.read_bytes()
    target = tmp_path / "x.kgraph"
    rest = (b"", content[:5], content[:90], content[:5000], b"x" * 9000 + content[9000:],
            content[:60] + b"x" * 20 + content[80:-16])
    for left in rest:
        target.write_bytes(left)
        assert kgraph("index", tree, "--only", "net/ipv4/raw.c", "-j1", "--index", target
                      ).returncode == 0, len(left)


def test_only_matches_nothing(kgraph, previous: Path) -> None:
    answer = kgraph("index", find_mini_linux(), "--only", "net/nosuch", "--index", previous)
    assert_error(answer, "net/nosuch")
    assert previous.read_bytes() == PREVIOUS


def test_compile_commands_that_cannot_be_used(kgraph, tree: Path, previous: Path) -> None:
    listed = tree / "compile_commands.json"
    entries = json.loads(listed.read_text())
    listed.write_text("{ no json")
    assert_error(kgraph("index", tree, "--index", previous), "JSON")
    for entry in entries:
        entry["file"] = "gone/" + entry["file"]
    listed.write_text(json.dumps(entries))
    assert_error(kgraph("index", tree, "--index", previous), "missing sources")
    assert_error(
        kgraph("index", tree, "--compile-commands", tree / "none.json", "--index", previous),
        "none.json",
    )
    assert previous.read_bytes() == PREVIOUS


def test_some_units_of_the_list_are_gone(kgraph, tree: Path, tmp_path: Path) -> None:
    (tree / "net/ipv4/raw.c").unlink()
    answer = kgraph("index", tree, "--index", tmp_path / "x.kgraph", "-j1")
    assert answer.returncode == 0, answer.stderr
    assert "net/ipv4/raw.c" in answer.stderr


def test_a_unit_with_errors_is_kept_flagged_and_counted(
    kgraph, tree: Path, tmp_path: Path
) -> None:
    source = tree / "net/ipv4/raw.c"
    source.write_text(source.read_text() + "\nint broken(void) { return nonsense; }\n")
    answer = kgraph("index", tree, "--index", tmp_path / "x.kgraph", "-j1", "--json")
    record = json.loads(answer.stdout)
    assert record["units"]["errors"] == 1
    assert record["with_errors"][0][0] == "net/ipv4/raw.c"
    assert "nonsense" in record["with_errors"][0][1]
    assert kgraph("callers", "raw_sendmsg", "--index", tmp_path / "x.kgraph").stdout


@pytest.mark.parametrize("signal_number", [signal.SIGINT])
def test_an_interrupt_is_quiet_and_leaves_the_earlier_index(
    tmp_path: Path, previous: Path, signal_number: int
) -> None:
    # A tree whose units take long enough to be interrupted among them.
    tree = tmp_path / "slow"
    tree.mkdir()
    body = "".join(f"int f{n}(int x) {{ return x + {n}; }}\n" for n in range(40_000))
    entries = []
    for number in range(4):
        (tree / f"unit{number}.c").write_text(body)
        name = f"unit{number}"
        entries.append({"directory": ".", "file": f"{name}.c", "output": f"{name}.o",
                        "arguments": ["clang", "-c", "-o", f"{name}.o", f"{name}.c"]})
    (tree / "compile_commands.json").write_text(json.dumps(entries))
    process = subprocess.Popen(
        [sys.executable, "-m", "kgraph", "index", str(tree), "--index", str(previous), "-j2"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        # a job in the background, as a test may be, starts with SIGINT ignored
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
    )
    wait_until(lambda: list(tmp_path.glob(".*.unfinished")))
    time.sleep(0.3)
    os.killpg(process.pid, signal_number)  # as a terminal does: to parent and workers
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130, err
    assert (out, err) == ("", "")
    assert previous.read_bytes() == PREVIOUS
    assert not list(tmp_path.glob(".*.unfinished"))


@pytest.mark.parametrize("module", ["click", "sqlite3", "kgraph.store"])
def test_an_interrupt_while_kgraph_is_imported_is_quiet(
    tmp_path: Path, mini_index: Path, module: str
) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import os, signal, sys\n"
        "class Finder:\n"
        "    def find_spec(self, name, path, target=None):\n"
        f"        if name == {module!r}:\n"
        "            os.kill(os.getpid(), signal.SIGINT)\n"
        "sys.meta_path.insert(0, Finder())\n")
    answer = subprocess.run(
        [sys.executable, "-m", "kgraph", "status", "--index", str(mini_index)],
        env={**os.environ, "PYTHONPATH": f"{tmp_path}:{ROOT}"}, capture_output=True, text=True,
        check=False, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
    assert (answer.returncode, answer.stdout, answer.stderr) == (130, "", "")


def in_shell(*arguments: object, where: str) -> "subprocess.CompletedProcess[str]":
    """kgraph in a shell, with streams of its own."""
    command = shlex.join([sys.executable, "-m", "kgraph", *map(str, arguments)])
    return subprocess.run(
        ["bash", "-c", f"{command} {where}"], env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, check=False, timeout=PATIENCE)


@pytest.mark.parametrize("where", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-", ">&- 2>&-"])
def test_closed_streams_are_quiet(
    tree: Path, mini_index: Path, tmp_path: Path, where: str
) -> None:
    asked = ("veth_xmit", "--index", mini_index)
    for arguments, status in (
        (("callers", *asked), 0), (("callers", *asked, "--json"), 0), (("callers", "nosuch"), 2),
        (("path", "SyS_sendto", *asked), 0), (("nosuchverb",), 2), ((), 2),
        (("index", tree, "--only", "net/ipv4/raw.c", "-j1", "--index", tmp_path / "x.kgraph"), 0),
    ):
        answer = in_shell(*arguments, where=where)
        assert answer.returncode == status, (arguments, answer.stderr)
        assert "Traceback" not in answer.stderr
        assert "Exception" not in answer.stderr
        if ">&-" in where.replace("2>&-", ""):
            assert answer.stdout == ""
    assert in_shell("status", "--index", tmp_path / "x.kgraph", where="").returncode == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_a_full_device_is_reported_once(mini_index: Path) -> None:
    answer = in_shell("callers", "veth_xmit", "--index", mini_index, where="> /dev/full")
    assert_error(answer, "No space left")
    assert len(answer.stderr.splitlines()) == 2
    for where in ("2> /dev/full", "> /dev/full 2>&1"):
        assert in_shell("callers", "nosuch", "--index", mini_index, where=where).returncode == 2


def test_an_index_of_another_version_or_damaged(kgraph, mini_index: Path, tmp_path: Path) -> None:
    copy = tmp_path / "x.kgraph"
    copy.write_bytes(mini_index.read_bytes())
    connection = sqlite3.connect(copy)
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    connection.close()
    assert_error(kgraph("status", "--index", copy), "another version of kgraph", "kgraph index")
    copy.write_bytes(mini_index.read_bytes()[: mini_index.stat().st_size // 2])
    assert_error(kgraph("path", "SyS_sendto", "veth_xmit", "--index", copy), "damaged")
    copy.write_text("not an index")
    assert_error(kgraph("callers", "veth_xmit", "--index", copy), "index")
    assert_error(kgraph("status", "--index", tmp_path / "none.kgraph"), "there is no index")


@pytest.mark.parametrize("arguments", [
    ("path", "SyS_sendto"), ("nosuchverb",), ("path", "a", "b", "-k", "0"),
    ("path", "a", "b", "--format", "xml"), ("callers", "a", "--nosuch"),
    ("path", "a", "b", "-k", "9" * 20), ("callees", "a", "--depth", "9" * 20),
    ("index", ".", "--unit-seconds", "nan"), ("index", ".", "--unit-seconds", "inf"),
    ("index", ".", "--unit-memory", "9" * 20),
])
def test_usage(kgraph, arguments: tuple[str, ...]) -> None:
    assert_error(kgraph(*arguments), "--help")


@pytest.mark.parametrize("digits", [20, 5000])
def test_numbers_of_lines_that_no_file_has(kgraph, mini_index: Path, digits: int) -> None:
    place = f"net/socket.c:{'9' * digits}"
    assert_error(kgraph("site", place, "--index", mini_index), r"is not a place \(FILE:LINE\)")
    assert_error(kgraph("path", "SyS_sendto", "veth_xmit", "--bind", f"{place}=raw_sendmsg",
                      "--index", mini_index), "net/socket.c:9")


def test_no_depth_is_too_much(kgraph, mini_index: Path) -> None:
    answer = kgraph("callees", "SyS_sendto", "--depth", 1_000_000, "--index", mini_index)
    assert answer.returncode == 0
    assert "veth_xmit" in answer.stdout


def test_a_document_whose_name_is_not_text(kgraph, mini_index: Path, tmp_path: Path) -> None:
    name = os.fsdecode(b"doc-\xff.md")
    (tmp_path / name).write_text("SyS_sendto()\n  sock_sendmsg()\n")
    answer = subprocess.run(
        [sys.executable, "-m", "kgraph", "check", name, "--junit", "j.xml", "--sarif", "s.json",
         "--index", mini_index], cwd=tmp_path, capture_output=True, timeout=PATIENCE, check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert answer.returncode in (0, 1), answer.stderr
    assert b"Traceback" not in answer.stderr
    assert "doc-" in (tmp_path / "j.xml").read_text()
    assert json.loads((tmp_path / "s.json").read_text())


def test_unknown_and_ambiguous_names(kgraph, mini, mini_index: Path) -> None:
    assert_error(
        kgraph("path", "SyS_sendto", "vet_xmit", "--index", mini_index), "did you mean.*`veth_xmit`"
    )
    [(name,), *_] = mini.reader.fetch_rows(
        "SELECT name FROM function WHERE file NOT NULL GROUP BY name HAVING count(*) > 1"
    )
    answer = kgraph("callees", name, "--index", mini_index)
    assert_error(answer, "is ambiguous")
    assert answer.stderr.count(f".c:{name}`") > 1  # each candidate as you write it
    written = re.findall(r"`(\S+)`", answer.stderr.splitlines()[1])
    assert len(written) == len(set(written))


def test_an_empty_name_is_refused(kgraph, mini_index: Path) -> None:
    for name in ("", " ", "."):
        assert_error(kgraph("ops", name, "--index", mini_index), "no name is given")


def test_no_path(kgraph, mini_index: Path) -> None:
    answer = kgraph("path", "veth_xmit", "SyS_sendto", "--index", mini_index)
    assert answer.returncode in (1, 3)
    assert "no path from veth_xmit to SyS_sendto" in answer.stdout
    answer = kgraph("path", "veth_xmit", "SyS_sendto", "--json", "--index", mini_index)
    record = json.loads(answer.stdout)
    assert record["paths"] == []
    assert record["frontier"]["forward"]["deepest"]


def test_a_closed_pipe_is_quiet(mini_index: Path) -> None:
    command = f"{sys.executable} -m kgraph export --index {mini_index} | head -1"
    answer = subprocess.run(
        ["bash", "-c", f"{command}; echo ${{PIPESTATUS[0]}}"], capture_output=True, text=True,
        check=True, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert answer.stderr == ""
    assert answer.stdout.splitlines()[-1] == "141"


def test_mini_linux_answers_without_an_index_and_says_so(kgraph, tmp_path: Path) -> None:
    env = {"XDG_CACHE_HOME": str(tmp_path / "fresh")}
    answer = kgraph("path", "SyS_sendto", "veth_xmit", env=env)
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.startswith("SyS_sendto() (net/socket.c:")
    assert "mini-linux" in answer.stderr
    again = kgraph("path", "SyS_sendto", "veth_xmit", env=env)
    assert again.stdout == answer.stdout
    assert_error(kgraph("path", "SyS_sendto", "nowhere", env=env), "no function `nowhere`")


def test_the_last_built_is_named_unless_chosen(kgraph, tree: Path, tmp_path: Path) -> None:
    env = {"XDG_CACHE_HOME": str(tmp_path / "fresh")}
    assert kgraph("index", tree, "-j1", env=env).returncode == 0
    asked = kgraph("callers", "veth_xmit", env=env)
    assert f"built last, of {tree}" in asked.stderr
    assert kgraph("callers", "veth_xmit", env=env, cwd=tree / "net").stderr == ""
