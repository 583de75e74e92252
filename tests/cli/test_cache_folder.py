"""Index matrices, the cache folder, and removing what no index uses."""

import fcntl
import json
import os
import re
import shutil
from pathlib import Path

import pytest

from kgraph.resources import find_mini_linux
from tests.support.complaints import assert_error

WRONG = {
    "tree = 3": (1, "tree must be a list of tables"),
    "\nextra = 1\n[[tree]]\npath='tree'\n[[configuration]]": (2, "a matrix has no key extra"),
    "only = ['a'": (1, ""),
    "[[tree]]\npath='tree'\n": (1, r"there is no \[\[configuration\]\]"),
    "[[configuration]]\n": (1, r"there is no \[\[tree\]\]"),
    "[[tree]]\n[[configuration]]\n": (1, r"\[\[tree\]\] has no path"),
    "[[tree]]\npath='tree'\n[[tree]]\npath=3\n[[configuration]]\n": (4, "path must be a text"),
    "[[tree]]\npath='tree'\n[[configuration]]\n\nconfig='a'\ndefconfig='b'\n": (
        6, "config and defconfig cannot be given together"),
    "[[tree]]\npath='tree'\n[[configuration]]\ntrees=['tere']\n": (4, "no .* has the path .*tere"),
    "[[tree]]\npath='tree'\n[[configuration]]\nprepare='x'\n": (4, "prepare must be true or false"),
    "[[tree]]\npath='tree'\n[[configuration]]\ncfg='x'\n": (4, "has no key cfg"),
    "[[tree]]\npath='tree'\n[[configuration]]\n[[configuration]]\n": (4, "is already on line 3"),
    "[[tree]]\npath='none'\n[[configuration]]\n": (3, "none"),
    "[[tree]]\npath='tree'\n[[configuration]]\ncompile_commands='none.json'\n": (3, "none.json"),
}


@pytest.mark.parametrize("text", WRONG)
def test_an_error_in_a_matrix_file_names_its_line(
    kgraph, cache: Path, tree: Path, tmp_path: Path, text: str
) -> None:
    line, what = WRONG[text]
    (tmp_path / "set.toml").write_text(text)
    answer = kgraph("index", "--matrix", tmp_path / "set.toml")
    assert_error(answer, rf"set\.toml:{line}: .*{what}")
    assert not cache.exists()


def test_options_that_do_not_go_together(kgraph, cache: Path, tree: Path, tmp_path: Path) -> None:
    assert_error(kgraph("index"), "give one of TREE")
    assert_error(kgraph("index", tree, "--prune"), "give one of TREE")
    assert_error(kgraph("index", tree, "--matrix", "x.toml"), "give one of TREE")
    assert_error(kgraph("index", "--prune", "--jobs", "2"), "--jobs cannot be given with --prune")
    assert_error(kgraph("index", "--matrix", "x", "--config", "y"), "--config cannot be given with")
    assert_error(kgraph("index", "--matrix", tmp_path / "none.toml"), "none.toml: cannot be read")
    assert_error(kgraph("status", "--all", "--index", "x"), "--all and --index")


def test_one_failing_index_of_a_matrix_does_not_stop_the_others(
    kgraph, cache: Path, tree: Path, tmp_path: Path
) -> None:
    other = Path(shutil.copytree(tree, tmp_path / "other"))
    (tree / "compile_commands.json").write_text("[{]")
    (tmp_path / "set.toml").write_text(
        "[[tree]]\npath='tree'\n[[tree]]\npath='other'\n[[configuration]]\n")
    answer = kgraph("index", "--matrix", tmp_path / "set.toml")
    assert answer.returncode == 2
    assert re.search(r"set\.toml:5: .*/tree, configuration its own: .*json", answer.stderr)
    assert f"{other}, configuration its own:" in answer.stdout
    assert kgraph("status", cwd=other).returncode == 0


def test_an_os_error_in_one_index_of_a_matrix_does_not_stop_the_others(
    kgraph, cache: Path, tree: Path, tmp_path: Path
) -> None:
    other = Path(shutil.copytree(tree, tmp_path / "other"))
    assert kgraph("index", tree).returncode == 0
    [work] = cache.glob("build/tree-*")
    (work / "indexes.json").unlink()
    (work / "indexes.json").mkdir()  # where a file is to be written
    (tmp_path / "set.toml").write_text(
        "[[tree]]\npath='tree'\n[[tree]]\npath='other'\n[[configuration]]\n")
    answer = kgraph("index", "--matrix", tmp_path / "set.toml")
    assert answer.returncode == 2
    assert answer.stderr.count("kgraph: ") == 1
    assert re.search(r"set\.toml:5: .*/tree, configuration its own: .*Is a directory.*indexes",
                     answer.stderr)
    assert f"{other}, configuration its own:" in answer.stdout
    record = json.loads(kgraph("index", "--matrix", tmp_path / "set.toml", "--json").stdout)
    assert ["error" in each for each in record["indexes"]] == [True, False]
    assert "Is a directory" in record["indexes"][0]["error"]


def test_files_that_no_index_uses_are_removed(
    kgraph, cache: Path, tree: Path, tmp_path: Path
) -> None:
    other = Path(shutil.copytree(tree, tmp_path / "other"))
    elsewhere = Path(shutil.copytree(tree, tmp_path / "elsewhere"))
    for root in (tree, other):
        assert kgraph("index", root).returncode == 0
    assert kgraph("index", elsewhere, "--index", tmp_path / "x.kgraph").returncode == 0
    [gone] = cache.glob("other-*.kgraph")
    work = cache / "build" / gone.stem
    (work / "big").write_bytes(b"x" * 3_000_000)
    gone.unlink()
    (cache / ".x.kgraph.1-1.unfinished").write_bytes(b"x" * 100_000)
    (cache / ".film.mkv.unfinished").write_bytes(b"x")  # not ours
    [left] = (cache / "build").glob("tree-*")
    (left / "precompiled").mkdir()
    (left / "precompiled/0.pch").write_bytes(b"x" * 100_000)
    (cache / "trees").mkdir()  # not ours
    listed = json.loads(kgraph("status", "--all", "--json").stdout)
    assert [Path(index["tree"]).name for index in listed["indexes"]] == ["tree"]
    assert {Path(spare["path"]).name for spare in listed["spare"]} == {
        work.name, ".x.kgraph.1-1.unfinished", "precompiled"}
    assert 3_200_000 <= listed["spare_bytes"] < 3_400_000
    assert "3.1 MB that no index uses" in kgraph("status", "--all").stdout
    dropped = kgraph("index", "--prune", "--json")
    assert json.loads(dropped.stdout)["spare"] == listed["spare"]
    assert not work.exists()
    assert (cache / ".film.mkv.unfinished").exists()
    assert not (left / "precompiled").exists()
    assert {path.name for path in cache.iterdir()} == {
        "build", "trees", ".film.mkv.unfinished",
        *(path.name for path in cache.glob("tree-*.kgraph"))}
    assert len(list((cache / "build").iterdir())) == 2  # of tree, and of the one elsewhere
    assert kgraph("index", "--prune").stdout == "0 KB removed\n"
    (tmp_path / "x.kgraph").unlink()
    assert "elsewhere-" in kgraph("index", "--prune").stdout


def test_the_folder_of_an_active_run_is_left_alone(kgraph, cache: Path, tree: Path) -> None:
    assert kgraph("index", tree).returncode == 0
    for index in cache.glob("*.kgraph"):
        index.unlink()
    [work] = (cache / "build").iterdir()
    (cache / ".x.kgraph.1-1.unfinished").write_bytes(b"x")
    with (work / "lock").open("w") as lock, (
            cache / ".x.kgraph.1-1.unfinished").open("r+") as unfinished:
        fcntl.flock(lock, fcntl.LOCK_EX)
        fcntl.flock(unfinished, fcntl.LOCK_EX)
        answer = kgraph("index", "--prune", "--json")
        record = json.loads(answer.stdout)
        assert (record["spare"], record["busy"]) == ([], [str(work)])
        assert (cache / ".x.kgraph.1-1.unfinished").exists()
    assert len(json.loads(kgraph("index", "--prune", "--json").stdout)["spare"]) == 2
    assert not work.exists()


def test_an_index_of_another_version_is_listed_with_its_trouble(
    kgraph, cache: Path, tree: Path
) -> None:
    assert kgraph("index", tree).returncode == 0
    [index] = cache.glob("*.kgraph")
    content = bytearray(index.read_bytes())
    content[60:64] = (99).to_bytes(4, "big")
    index.write_bytes(content)
    assert "its schema is 99" in kgraph("status", "--all").stdout
    assert kgraph("index", "--prune").returncode == 0
    assert index.exists()
    assert (cache / "build" / index.stem).exists()


def test_an_empty_cache_folder(kgraph, cache: Path) -> None:
    assert kgraph("status", "--all").stdout.startswith("0 indexes, 0 KB\n")
    assert kgraph("index", "--prune").stdout == "0 KB removed\n"
    assert not cache.exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="root can write everywhere")
def test_a_cache_folder_that_cannot_be_written(kgraph, cache: Path, tree: Path) -> None:
    assert kgraph("index", tree).returncode == 0
    for index in cache.glob("*.kgraph"):
        index.unlink()
    [work] = (cache / "build").iterdir()
    work.chmod(0o500)
    assert_error(kgraph("index", "--prune"), "lock")
    work.chmod(0o700)


def test_mini_linux_keeps_its_folder(kgraph, cache: Path) -> None:
    assert kgraph("callers", "veth_xmit").returncode == 0  # the bundled index is made
    before = sorted(cache.rglob("*"))
    assert before
    assert kgraph("index", "--prune").stdout == "0 KB removed\n"
    assert sorted(cache.rglob("*")) == before
    assert find_mini_linux().is_dir()


@pytest.mark.parametrize("which", ["", "build", "build/own"])
def test_a_cache_folder_that_others_may_write_is_refused(
    kgraph, cache: Path, tree: Path, which: str
) -> None:
    assert kgraph("index", tree).returncode == 0
    [own] = (cache / "build").iterdir()
    assert own.stat().st_mode & 0o077 == 0
    folder = own if which == "build/own" else cache / which
    folder.chmod(0o777)
    assert_error(kgraph("index", tree), "others may write into it")
    folder.chmod(0o755)
    assert kgraph("index", tree).returncode == 0


def test_links_in_the_cache_folder_are_not_written_through(kgraph, cache: Path, tree: Path) -> None:
    assert kgraph("index", tree).returncode == 0
    [own] = (cache / "build").iterdir()
    target = cache / "target"
    target.write_text("mine")
    for name in ("indexes.json.new", "indexes.json", "units.json.new", "units.json"):
        (own / name).unlink(missing_ok=True)
        (own / name).symlink_to(target)
    assert kgraph("index", tree, "--again").returncode == 0
    assert target.read_text() == "mine"
    (own / "lock").unlink()
    (own / "lock").symlink_to(target)
    assert_error(kgraph("index", tree), str(own))
