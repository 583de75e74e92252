from pathlib import Path

import pytest

from kgraph.build import ConfigurationSource, choose_configuration, open_tree
from kgraph.errors import ConfigurationError

CONFIG = "#\n# Linux/x86 4.6.2 Kernel Configuration\n#\nCONFIG_NET=y\n"


def test_the_named_file_comes_first(tree: Path, tmp_path: Path) -> None:
    (tree / ".config").write_text(CONFIG)
    (tmp_path / "mine").write_text("CONFIG_X=y\n")
    chosen = choose_configuration(open_tree(tree), config=tmp_path / "mine")
    assert (chosen.source, chosen.path) == (ConfigurationSource.FILE, tmp_path / "mine")


def test_then_the_trees_own_with_a_warning_of_another_release(tree: Path) -> None:
    (tree / ".config").write_text(CONFIG)
    opened = open_tree(tree)
    chosen = choose_configuration(opened)
    assert (chosen.source, chosen.release, chosen.arch) == (
        ConfigurationSource.TREE,
        "4.6.2",
        "x86",
    )
    assert "4.6.2" in chosen.explain_release_mismatch(opened)
    assert "9.1.2-rc3" in chosen.explain_release_mismatch(opened)


def test_an_explicit_target_beats_the_trees_own(tree: Path) -> None:
    (tree / ".config").write_text(CONFIG)
    assert str(choose_configuration(open_tree(tree), defconfig="tinyconfig")) == "tinyconfig"


def test_else_defconfig(tree: Path) -> None:
    chosen = choose_configuration(open_tree(tree))
    assert (chosen.source, chosen.target) == (ConfigurationSource.DEFCONFIG, "defconfig")


def test_the_digest_is_of_the_content(tree: Path, tmp_path: Path) -> None:
    for name, text in (("a", CONFIG), ("b", CONFIG), ("c", CONFIG + "CONFIG_A=y\n")):
        (tmp_path / name).write_text(text)
    opened = open_tree(tree)
    one, same, other = (choose_configuration(opened, config=tmp_path / n).digest for n in "abc")
    assert one == same != other


@pytest.mark.parametrize("target", ["vmlinux", "a b config", "$(shell x)config", "-fconfig", ""])
def test_a_bad_target_is_refused(tree: Path, target: str) -> None:
    if not target:
        assert choose_configuration(open_tree(tree), defconfig="").target == "defconfig"
        return
    with pytest.raises(ConfigurationError, match="not a configuration target"):
        choose_configuration(open_tree(tree), defconfig=target)


def test_bad_files_are_refused(tree: Path, tmp_path: Path) -> None:
    opened = open_tree(tree)
    (tmp_path / "text").write_text("hello\n")
    for config in (tmp_path / "none", tmp_path, tmp_path / "text"):
        with pytest.raises(ConfigurationError):
            choose_configuration(opened, config=config)
    with pytest.raises(ConfigurationError, match="together"):
        choose_configuration(opened, config=tmp_path / "text", defconfig="defconfig")
