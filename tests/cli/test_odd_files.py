"""Pipes, devices and folders where kgraph expects a file."""

import json
import os
import shutil
import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kgraph.model.verdicts import ChainCheck
from kgraph.report import citation_fix
from tests.support.complaints import assert_error

NESTED = "[" * 100_000
DESCRIPTIONS = {
    "nested": NESTED, "a list": "[]", "no text": json.dumps({"tree": 5, "only": []}),
    "no number": json.dumps({"tree": "/x", "release": "", "config": "", "only": [], "built": "x"}),
}


@pytest.fixture(params=["pipe", "zero", "huge", "folder"])
def odd(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A pipe, a device without end, a file that is far too large, a folder."""
    path = tmp_path / "odd"
    if request.param == "pipe":
        os.mkfifo(path)
    elif request.param == "zero":
        path.symlink_to("/dev/zero")
    elif request.param == "huge":
        path.touch()
        os.truncate(path, 1 << 40)
    else:
        path.mkdir()
    return path


@pytest.mark.parametrize("option", ["--compile-commands", "--config", "--matrix", "--deferred"])
def test_what_is_not_a_file_is_refused(kgraph, cache: Path, tree: Path, odd: Path, option: str
                                    ) -> None:
    if option == "--config":
        (tree / "Makefile").write_text("VERSION = 4\nPATCHLEVEL = 6\n")
        (tree / "Kconfig").write_text("")
        (tree / "scripts").mkdir()
    subject = () if option == "--matrix" else (tree,)
    assert_error(kgraph("index", *subject, option, odd), str(odd))


def test_a_document_that_is_not_a_file_is_refused(kgraph, mini_index: Path, odd: Path) -> None:
    assert_error(kgraph("check", odd, "--index", mini_index), str(odd), "64 MB")


@pytest.mark.parametrize("content", [NESTED, '{"a": [1]}', "[[1], null]", "\udcff", '["\\u0000"]'])
def test_any_list_of_indexes_is_read(kgraph, cache: Path, tree: Path, content: str) -> None:
    assert kgraph("index", tree).returncode == 0
    [listed] = cache.glob("build/*/indexes.json")
    for verb in (["status", "--all"], ["index", tree], ["index", "--prune"]):
        listed.write_text(content, "utf-8", "surrogateescape")
        answer = kgraph(*verb)
        assert (answer.returncode, answer.stderr) == (0, "")


def test_a_cached_dry_run_that_is_nested_too_deeply_is_repeated(tmp_path: Path) -> None:
    from kgraph.build import choose_configuration, open_tree
    from kgraph.build.dry_run import load_dry_run

    (tmp_path / "compile_commands.json").write_text("[]")
    tree = open_tree(tmp_path)
    (tmp_path / "units.json").write_text(NESTED)
    assert load_dry_run(tmp_path, tree, choose_configuration(tree), print) is None


@pytest.mark.parametrize("what", DESCRIPTIONS)
def test_any_description_is_read_or_reported(
    kgraph, cache: Path, tree: Path, mini_index: Path, what: str
) -> None:
    assert kgraph("index", tree).returncode == 0
    for number, name in enumerate(("description", "coverage")):
        other = Path(shutil.copy(mini_index, cache / f"other{number}.kgraph"))
        connection = sqlite3.connect(other)
        connection.execute("UPDATE meta SET value = ? WHERE name = ?", (DESCRIPTIONS[what], name))
        connection.commit()
        connection.close()
    listed = kgraph("status", "--all")
    assert (listed.returncode, listed.stderr) == (0, "")
    assert listed.stdout.count("damaged") == 2
    (cache / "other1.kgraph").unlink()
    assert kgraph("status", cwd=tree).returncode == 0
    assert kgraph("index", tree).returncode == 0


def test_a_lock_that_is_a_folder_is_reported(kgraph, cache: Path, tree: Path) -> None:
    assert kgraph("index", tree).returncode == 0
    [lock] = cache.glob("build/*/lock")
    lock.unlink()
    lock.mkdir()
    assert_error(kgraph("index", tree), f"{lock} must be a file", "remove it")
    for verb in (["status", "--all"], ["index", "--prune"], ["status"]):
        assert kgraph(*verb, cwd=tree).returncode == 0


def test_folders_of_others_in_the_cache_folder_are_left_alone(
    kgraph, cache: Path, tree: Path
) -> None:
    assert kgraph("index", tree).returncode == 0
    [own] = cache.glob("build/*")
    foreign = [cache / "build" / name for name in ("notes", "tree-0123456789ab", f"{own.name}-old")]
    for folder in foreign:
        folder.mkdir()
        (folder / "work").write_text("of years")
    assert json.loads(kgraph("status", "--all", "--json").stdout)["spare"] == []
    assert kgraph("index", "--prune").stdout == "0 KB removed\n"
    assert all(os.listdir(folder) == ["work"] for folder in foreign)


CHAIN = "```\nsock_sendmsg() (net/socket.c:1)\n|-sock_sendmsg_nosec() (net/socket.c:1)\n```\n"


def test_a_document_that_may_not_be_written_is_not(kgraph, mini_index: Path, tmp_path: Path
                                                   ) -> None:
    document = tmp_path / "a.md"
    document.write_text(CHAIN)
    document.chmod(0o444)
    assert_error(kgraph("check", document, "--fix", "--index", mini_index), "read-only")
    assert document.read_text() == CHAIN


def test_what_an_editor_saves_meanwhile_stays(
    kgraph, mini_index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = tmp_path / "a.md"
    document.write_text(CHAIN)
    fix = citation_fix.fix_citations

    def fix_and_save(*arguments: Any, **options: Any) -> bytes:
        document.write_text("saved\n")
        return fix(*arguments, **options)

    monkeypatch.setattr(citation_fix, "fix_citations", fix_and_save)
    assert_error(kgraph("check", document, "--fix", "--index", mini_index), "changed meanwhile")
    assert document.read_text() == "saved\n"


def test_citations_are_right_after_one_run(
    kgraph, mini_index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where a line can be corrected only after another was."""
    document = tmp_path / "a.md"
    document.write_text(CHAIN)
    fix = citation_fix.fix_citations

    def fix_last_wrong(data: bytes, check: ChainCheck, *, cite: bool = False) -> bytes:
        wrong = [line for line in check.lines if line.line.citation and not line.citation.is_right]
        return fix(data, replace(check, lines=tuple(wrong[-1:])), cite=cite)

    monkeypatch.setattr(citation_fix, "fix_citations", fix_last_wrong)
    assert kgraph("check", document, "--fix", "--index", mini_index).returncode == 0
    monkeypatch.undo()
    fixed = document.read_text()
    assert ":1)" not in fixed
    assert kgraph("check", document, "--diff", "--index", mini_index).stdout == ""
