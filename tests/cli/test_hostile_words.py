"""Hostile names, texts and files from users and documents are reported, never obeyed."""

import errno
import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from kgraph import api
from kgraph.check.document.parser import MAX_LINES
from kgraph.cli import entry, output
from kgraph.indexing.index_tree import index_tree
from kgraph.indexing.write_index import IndexRequest
from kgraph.resources import find_mini_linux
from tests.support.complaints import assert_error
from tests.support.places import ROOT

NO_TEXT = os.fsdecode(b"\xff")


@pytest.mark.parametrize("question", [
    ("callers", NO_TEXT), ("callees", NO_TEXT), ("ops", NO_TEXT), ("site", f"{NO_TEXT}:1"),
    ("path", "SyS_sendto", NO_TEXT, "--format", "html"), ("path", NO_TEXT, "veth_xmit"),
    ("path", "SyS_sendto", "veth_xmit", "--via", NO_TEXT),
    ("path", "SyS_sendto", "veth_xmit", "--avoid", NO_TEXT),
    ("path", "SyS_sendto", "veth_xmit", "--bind", f"{NO_TEXT}=raw_prot"),
    ("path", "SyS_sendto", "veth_xmit", "--bind", f"socket.ops={NO_TEXT}"),
    ("path", "SyS_sendto", "veth_xmit", "--bind", f"{NO_TEXT}.c:3=raw_prot"),
    ("path", "SyS_sendto", "veth_xmit", "--scenario", NO_TEXT),
    ("report", "-o", "new", "--path", "SyS_sendto", NO_TEXT), ("check", NO_TEXT),
])
def test_words_that_are_not_text(kgraph, mini_index: Path, tmp_path: Path, question) -> None:
    answer = kgraph(*question, "--index", mini_index, cwd=tmp_path)
    assert_error(answer)
    assert "mistake" not in answer.stderr
    assert "\\xff" in answer.stderr


def test_a_file_is_named_by_its_bytes_or_as_it_is_cited(kgraph, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    name = os.fsdecode(b"caf\xe9.c")
    (tree / name).write_text("int g(void);\nint f(void)\n{\n\treturn g();\n}\n")
    (tree / "compile_commands.json").write_text(json.dumps([
        {"directory": ".", "file": name, "arguments": ["gcc", "-c", name]}]))
    index = index_tree(IndexRequest(tree, index=tmp_path / "x.kgraph", jobs=0)).index
    for named in (name, "caf\\xe9.c"):
        answer = kgraph("site", f"{named}:4", "--index", index)
        assert "f() -> g()" in answer.stdout, answer.stderr
        assert kgraph("callees", f"{named}:f", "--index", index).returncode == 0


LINES = "void g(void);\rvoid h(void){\n g();}\nvoid k(void){\r\n g();\r\n}\r"


@pytest.mark.parametrize("ending", ["", "\n", "\n\n"])
def test_lines_end_as_for_the_compiler(kgraph, tmp_path: Path, ending: str) -> None:
    """A carriage return ends one: what is cited is what stands there."""
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "a.c").write_bytes((LINES + ending).encode())
    (tree / "b.c").write_bytes(b"void g(void);\nvoid f(void){g();}\rvoid f2(void){g();}\r\n")
    (tree / "compile_commands.json").write_text(json.dumps([
        {"directory": ".", "file": name, "arguments": ["gcc", "-c", name]}
        for name in ("a.c", "b.c")]))
    made = index_tree(IndexRequest(tree, index=tmp_path / "x.kgraph", jobs=0))
    assert not made.failed_units
    for place, text in (("a.c:3", "g();}"), ("a.c:5", "g();"), ("b.c:3", "void f2(void){g();}")):
        found = json.loads(kgraph("site", place, "--json", "--index", made.index).stdout)
        assert found["sites"][0]["site"]["text"] == text


def test_conditions_on_lines_that_are_not_utf8(kgraph, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "a.c").write_bytes(
        b"void g(void);\nvoid f(int cond)\n{\n\tif (/* \xe9\xe9\xe9 */ cond > 1)\n\t\tg();\n}\n")
    (tree / "compile_commands.json").write_text(json.dumps([
        {"directory": ".", "file": "a.c", "arguments": ["gcc", "-c", "a.c"]}]))
    index = index_tree(IndexRequest(tree, index=tmp_path / "x.kgraph", jobs=0)).index
    answer = kgraph("path", "f", "g", "--guards", "--index", index)
    assert "// only if cond > 1 (a.c:4)" in answer.stdout


STRANGE = "`SyS_sendto()` calls\n```\nSyS_sendto()\n|-nosuch_fn(\x9b2J\x7f \u202e)\n```\n"


def test_no_output_of_verdicts_has_controls(kgraph, mini_index: Path, tmp_path: Path) -> None:
    document = tmp_path / "a.md"
    document.write_text(STRANGE)
    written = [tmp_path / "j.xml", tmp_path / "s.json"]
    texts = [kgraph("check", document, "--index", mini_index, *more).stdout
             for more in ((), ("--json",))]
    odd = document.rename(tmp_path / os.fsdecode(b"\xff.md"))
    kgraph("check", odd, "--junit", written[0], "--sarif", written[1], "--json", "--index",
           mini_index)
    texts += [path.read_text() for path in written]
    for text in texts:
        assert "nosuch_fn" in text
        assert not any(control in text for control in "\x7f\x9b\x1b")
    assert "\u202e" not in texts[0]
    claim = next(line for line in json.loads(texts[1])["documents"][0]["lines"]
                 if "nosuch_fn" in line["text"])
    assert "\x9b2J\x7f" in claim["text"]
    uri = json.loads(texts[-1])["runs"][0]["results"][0]["locations"][0]["physicalLocation"]
    assert uri["artifactLocation"]["uri"].endswith("/%FF.md")


def test_a_patch_on_a_terminal_has_no_control_characters(mini_index: Path, tmp_path: Path) -> None:
    document = tmp_path / "a.md"
    document.write_text("```\nSyS_sendto() (net/socket.c:1) // \x1b[31m \x1b]0;t\x07\n```\n")
    command = [sys.executable, "-m", "kgraph", "check", str(document), "--diff", "--index",
               str(mini_index)]
    root = ROOT
    environment = {**os.environ, "PYTHONPATH": str(root)}
    piped = subprocess.run(command, capture_output=True, check=False, env=environment)
    assert b"\x1b[31m" in piped.stdout
    ours, theirs = pty.openpty()
    with subprocess.Popen(
            command, stdout=theirs, stderr=subprocess.DEVNULL, env=environment) as run:
        run.wait(60)
    os.close(theirs)
    shown = os.read(ours, 100_000)
    os.close(ours)
    assert b"\\x1b[31m" in shown
    assert b"\x1b" not in shown
    assert b"\x07" not in shown


def test_a_file_that_is_read_is_not_written(kgraph, mini_index: Path, tmp_path: Path) -> None:
    document = tmp_path / "a.md"
    document.write_text("SyS_sendto()\n")
    (tmp_path / "link").symlink_to(document)
    for option in ("--junit", "--sarif"):
        for target in (mini_index, document, tmp_path / "link"):
            before = target.read_bytes()
            assert_error(kgraph("check", document, option, target, "--index", mini_index), "twice")
            assert target.read_bytes() == before
    both = tmp_path / "both"
    assert_error(kgraph("check", document, "--junit", both, "--sarif", both, "--index", mini_index))
    assert not both.exists()


def test_reports_for_machines_are_written_whole(
    kgraph, kgraph_apart, mini_index: Path, tmp_path: Path
) -> None:
    document = tmp_path / "a.md"
    document.write_text("SyS_sendto()\n")
    target = tmp_path / "j.xml"
    target.write_text("previous")
    target.chmod(0o640)
    assert kgraph("check", document, "--junit", target, "--index", mini_index).returncode == 0
    assert target.read_text().startswith("<?xml")
    assert target.stat().st_mode & 0o777 == 0o640
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.md", "j.xml"]
    answer = kgraph_apart("check", document, "--junit", "/dev/stdout", "--index", mini_index)
    assert "<testsuites" in answer.stdout
    answer = kgraph("check", document, "--junit", tmp_path, "--index", mini_index)
    assert answer.returncode == 2
    assert "cannot be written: Is a directory" in answer.stderr


def test_reports_for_machines_where_no_file_can_be_put(
    kgraph, mini_index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = tmp_path / "a.md"
    document.write_text("SyS_sendto()\n")
    answer = kgraph("check", document, "--junit", "/dev/null", "--sarif", "/dev/null", "--index",
                    mini_index)
    assert answer.returncode == 0, answer.stderr
    long = tmp_path / ("文" * 83 + ".xml")
    assert kgraph("check", document, "--junit", long, "--index", mini_index).returncode == 0
    assert long.read_text().startswith("<?xml")

    def busy(*_: object) -> None:  # as a file that is mounted by itself
        raise OSError(errno.EBUSY, "busy")

    target = tmp_path / "j.xml"
    target.write_text("previous")
    monkeypatch.setattr(Path, "replace", busy)
    output.write_file(target, b"new")
    assert target.read_bytes() == b"new"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.md", "j.xml", long.name]


def test_documents_of_too_many_lines(kgraph, mini_index: Path, tmp_path: Path) -> None:
    document = tmp_path / "a.md"
    document.write_text("\n" * (MAX_LINES + 1))
    assert_error(kgraph("check", document, "--index", mini_index), f"a.md:{MAX_LINES + 1}:")


@pytest.mark.parametrize("key", ["path", "only", "compile_commands", "defconfig"])
def test_texts_with_a_nul(kgraph, tmp_path: Path, key: str) -> None:
    values = {"path": '"."', "only": '["net"]', "compile_commands": '"x"', "defconfig": '"x"'}
    values[key] = values[key].replace('"]', '\\u0000"]').replace('."', '.\\u0000"').replace(
        'x"', 'x\\u0000"')
    chosen = "defconfig" if key == "defconfig" else "compile_commands"
    file = tmp_path / "m.toml"
    file.write_text(f"only = {values['only']}\n[[tree]]\npath = {values['path']}\n"
                    f"[[configuration]]\n{chosen} = {values[chosen]}\n")
    assert_error(kgraph("index", "--matrix", file), r"m\.toml:\d+: .* holds a NUL")


def test_no_report_takes_the_place_of_the_root(kgraph, mini_index: Path) -> None:
    assert_error(kgraph("report", "veth", "-o", "/", "--index", mini_index), "cannot be replaced")


def test_in_a_folder_that_was_removed(kgraph, mini_index: Path, tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    root = ROOT
    command = f"mkdir {gone} && cd {gone} && rmdir {gone} && exec {sys.executable} -P -m kgraph"
    for arguments, status, says in (
        (f"status --index {mini_index}", 0, ""), ("index tree", 2, "tree cannot be read"),
            (f"index {find_mini_linux()} --index new", 2, "the current folder is gone"),
    ):
        answer = subprocess.run(
            ["sh", "-c", f"{command} {arguments}"], capture_output=True, text=True, check=False,
            env={**os.environ, "PYTHONPATH": str(root)})
        assert answer.returncode == status, answer.stderr
        assert says in answer.stderr


def test_an_internal_error_is_not_an_answer(monkeypatch: pytest.MonkeyPatch, capfd) -> None:
    """Python's own status would say that there is no path, or that a line is refuted."""
    def fails(*_: object) -> None:
        raise KeyError("a mistake")

    monkeypatch.setattr(sys, "argv", ["kgraph", "status"])
    monkeypatch.setattr(entry.cli, "invoke", fails)
    with pytest.raises(SystemExit) as left:
        entry.run()
    assert left.value.code == 2
    said = capfd.readouterr().err.splitlines()
    assert said[0].startswith("kgraph: internal error: KeyError: 'a mistake'")
    assert said[1].startswith("hint: please report it")
    monkeypatch.setenv("KGRAPH_TRACEBACK", "1")
    with pytest.raises(SystemExit):
        entry.run()
    assert "Traceback" in capfd.readouterr().err


def test_what_is_unexpected_in_an_index_is_damage(
    mini_index: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise KeyError("a mistake")

    monkeypatch.setattr(sys, "argv", ["kgraph", "callers", "veth_xmit", "--index", str(mini_index)])
    monkeypatch.setattr(api, "callers", fails)
    with pytest.raises(SystemExit) as left:
        entry.run()
    assert left.value.code == 2
    error, hint = capfd.readouterr().err.splitlines()
    assert error == f"kgraph: the index {mini_index} may be damaged (KeyError: 'a mistake')"
    assert "kgraph index TREE --again" in hint
    monkeypatch.setenv("KGRAPH_TRACEBACK", "1")
    with pytest.raises(SystemExit):
        entry.run()
    shown = capfd.readouterr().err
    assert "Traceback" in shown
    assert 'raise KeyError("a mistake")' in shown


def test_a_cache_that_can_only_be_read_is_named(tmp_path: Path,
                                                monkeypatch: pytest.MonkeyPatch) -> None:
    """Where what nothing needs cannot be removed."""
    from kgraph.indexing import cache_inventory

    folder = tmp_path / "kgraph" / "build" / "tree-0123456789ab"
    folder.mkdir(parents=True)
    (folder / "lock").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))

    def fails(path: Path) -> None:
        raise OSError(30, "Read-only file system", "lock")

    monkeypatch.setattr(cache_inventory.shutil, "rmtree", fails)
    answer = CliRunner().invoke(entry.cli, ["index", "--prune"], standalone_mode=False)
    assert str(answer.exception) == f"{folder} cannot be removed: Read-only file system"
