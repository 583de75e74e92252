from pathlib import Path

import pytest

from kgraph.build import KernelTree, open_tree
from kgraph.errors import TreeError


def test_release_is_read_from_the_makefile(tree: Path) -> None:
    opened = open_tree(tree)
    assert opened.root == tree
    assert opened.release == "9.1.2-rc3"


def test_a_link_to_a_tree_is_resolved(tree: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tree)
    assert open_tree(tmp_path / "link").root == tree


def test_a_small_tree_needs_only_a_list(tmp_path: Path) -> None:
    (tmp_path / "compile_commands.json").write_text("[]")
    assert open_tree(tmp_path).release == ""


def test_a_makefile_that_is_no_kernels_does_not_hide_the_list(tmp_path: Path) -> None:
    (tmp_path / "compile_commands.json").write_text("[]")
    for makefile in ("all:\n\tcc -c a.c\n", "VERSION = 1\nPATCHLEVEL = 2\n", "obj-m += a.o\n"):
        (tmp_path / "Makefile").write_text(makefile)
        assert open_tree(tmp_path) == KernelTree(tmp_path, "")
    (tmp_path / "compile_commands.json").unlink()
    with pytest.raises(TreeError, match="is not a kernel tree"):
        open_tree(tmp_path)


def test_the_home_of_nobody_is_no_tree() -> None:
    with pytest.raises(TreeError, match="does not exist"):
        open_tree(Path("~nobody-has-this-name/linux"))


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda path: None, "does not exist"),
        (lambda path: path.write_text("x"), "is not a folder"),
        (lambda path: path.mkdir(), "has no Makefile"),
        (lambda path: (path.mkdir(), (path / "Makefile").write_text("all:\n")), "names no VERSION"),
        (
            lambda path: (
                path.mkdir(),
                (path / "Makefile").write_text("VERSION = 1\nPATCHLEVEL = 2\n"),
            ),
            "no Kconfig",
        ),
        (lambda path: path.symlink_to(path), "cannot be read"),
    ],
)
def test_folders_that_are_no_tree_are_refused(tmp_path: Path, make, says: str) -> None:
    path = tmp_path / "linux"
    make(path)
    with pytest.raises(TreeError, match=says) as caught:
        open_tree(path)
    assert caught.value.hint
