import os
from collections.abc import Callable
from pathlib import Path

import pytest

import kgraph
from kgraph.errors import KgraphError, LookupFailed, StoreError
from kgraph.indexing.index_choice import ChoiceReason, choose_index, open_bundled_index
from kgraph.model.results import IndexDescription
from kgraph.resources import find_mini_linux
from kgraph.store import cache_folder, create_index, index_path, write_description


@pytest.fixture(autouse=True)
def _empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def make(tree: Path, built: float, configuration: str = "x") -> Path:
    path = index_path(tree, configuration)
    with create_index(path) as connection:
        write_description(connection, IndexDescription(str(tree), "1", configuration, built=built))
    return path


def test_named_then_environment_then_tree_then_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside = tmp_path / "one" / "net"
    inside.mkdir(parents=True)
    first, last = make(tmp_path / "one", 1.0), make(tmp_path / "two", 2.0)
    assert choose_index(folder=tmp_path).path == last
    assert choose_index(folder=tmp_path).choice is ChoiceReason.LAST
    assert choose_index(folder=inside).path == first
    assert choose_index(folder=inside).choice is ChoiceReason.TREE
    newer = make(tmp_path / "one", 1.5, "other")
    assert choose_index(folder=inside).path == newer
    monkeypatch.setenv("KGRAPH_INDEX", str(first))
    assert choose_index(folder=tmp_path).path == first
    named = choose_index(Path("named"), tmp_path)
    assert (named.path, named.choice) == (Path("named"), ChoiceReason.NAMED)


def test_mini_linux_answers_where_there_is_no_index_and_is_never_the_last_built(
    tmp_path: Path,
) -> None:
    assert choose_index(folder=tmp_path).choice is ChoiceReason.BUNDLED
    told: list[str] = []
    graph = open_bundled_index(("veth_xmit", "net/socket.c:SYSC_sendto"), told.append)
    assert graph.description.bundled
    graph.close()
    assert len(told) == 2
    with pytest.raises(LookupFailed, match="mini-linux has no function `nope`"):
        open_bundled_index(("nope",))
    assert choose_index(folder=tmp_path).choice is ChoiceReason.BUNDLED
    tree = make(tmp_path / "one", 1.0)
    assert choose_index(folder=tmp_path).path == tree


def test_in_a_kernel_tree_without_an_index_mini_linux_does_not_answer(tmp_path: Path) -> None:
    tree = tmp_path / "linux"
    (tree / "scripts").mkdir(parents=True)
    (tree / "net" / "scripts").mkdir(parents=True)
    for name in ("Makefile", "Kconfig", "net/Makefile", "net/Kconfig"):
        (tree / name).touch()
    for folder in (tree, tree / "net"):
        with pytest.raises(StoreError, match="there is no index of") as raised:
            choose_index(folder=folder)
        assert raised.value.hint == f"run `kgraph index {tree}`"
    other = make(tmp_path / "other", 1.0)
    chosen = choose_index(folder=tree)
    assert (chosen.path, chosen.choice, chosen.unindexed) == (other, ChoiceReason.LAST, tree)
    assert choose_index(folder=find_mini_linux() / "net").unindexed is None


def test_a_file_that_is_no_index_is_skipped(tmp_path: Path) -> None:
    cache_folder().mkdir(parents=True)
    (cache_folder() / "junk.kgraph").write_bytes(b"junk")
    assert choose_index(folder=tmp_path).choice is ChoiceReason.BUNDLED


@pytest.mark.parametrize("damage", [
    lambda data: b"", lambda data: data[:50], lambda data: b"x" * len(data),
    lambda data: data[:8192], lambda data: data[:60] + bytes((0, 0, 0, 3)) + data[64:]])
def test_no_other_index_answers_for_one_that_cannot_be_read(
    tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    tree = tmp_path / "one"
    (tree / "net").mkdir(parents=True)
    index = make(tree, 1.0)
    index.write_bytes(damage(index.read_bytes()))
    for folder in (tree, tree / "net"):
        with pytest.raises(StoreError) as raised:
            choose_index(folder=folder)
        assert raised.value.hint == f"run `kgraph index {tree}`"
    with pytest.raises(StoreError):  # no more does mini-linux
        choose_index(folder=tmp_path)
    make(tmp_path / "two", 2.0)
    with pytest.raises(StoreError):
        choose_index(folder=tree)
    assert choose_index(folder=tmp_path).choice is ChoiceReason.LAST
    newer = make(tree, 3.0, "other")
    assert choose_index(folder=tree).path == newer
    os.utime(index, (1e11, 1e11))
    with pytest.raises(StoreError):
        choose_index(folder=tree)


def test_an_index_of_another_version_says_which_tree_it_is_of(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name / "linux").mkdir(parents=True)
    good, old = make(tmp_path / "a/linux", 1.0), make(tmp_path / "b/linux", 2.0)
    data = old.read_bytes()
    old.write_bytes(data[:60] + bytes((0, 0, 0, 3)) + data[64:])
    assert choose_index(folder=tmp_path / "a/linux").path == good
    with pytest.raises(StoreError, match="written by another version"):
        choose_index(folder=tmp_path / "b/linux")


def test_no_home_folder_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os, "getuid", lambda: 12345678)
    with pytest.raises(StoreError, match="no home folder"):
        choose_index()


def test_in_process(mini_index: Path, tmp_path: Path) -> None:
    index = kgraph.open_index(mini_index)
    assert index.function("veth_xmit")
    index.close()
    with pytest.raises(KgraphError, match="there is no index"):
        kgraph.open_index(tmp_path / "none")
