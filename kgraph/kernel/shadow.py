"""The shadow: a folder of symbolic links that make takes for the source tree.

Kbuild refuses a source tree that holds a .config or an in-tree build ("is not clean"), and people's
trees do. The tree must not be touched, so make is given a folder that shows the same files except
the dot files (.config, and .git, so that no git runs on the tree) and what an in-tree build left.
Owns the making of it and the way back from its paths to the tree's.
"""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

# What an in-tree build leaves that is not named by a .FILE.cmd beside it.
_LEFT_BY_BUILD = ("include/config", "include/generated", ".tmp_versions")
# Firmware and test blobs may be checked in under these; hiding one makes no command wrong.
_BUILT_SUFFIXES = (".o", ".a", ".ko", ".mod", ".mod.c", ".order", ".cmd")


@dataclass(frozen=True, slots=True)
class Shadow:
    """The links at `root` that stand for `tree`."""

    root: Path
    tree: Path

    def in_tree(self, text: str) -> str:
        """`text` with every path of the shadow turned into the tree's own."""
        return text.replace(str(self.root), str(self.tree))


def make_shadow(tree: Path, root: Path) -> Shadow:
    """Makes the shadow of `tree` at `root`, which is removed first if it is there."""
    if root.is_symlink() or root.exists():
        shutil.rmtree(root)
    root.mkdir(parents=True)
    if is_built(tree):
        _mirror(tree, root)
    else:
        for entry in sorted(tree.iterdir()):
            if not entry.name.startswith("."):
                (root / entry.name).symlink_to(entry)
    return Shadow(root, tree)


def is_built(tree: Path) -> bool:
    """Whether the tree holds (part of) an in-tree build."""
    return any((tree / name).exists() for name in _LEFT_BY_BUILD)


def _mirror(tree: Path, root: Path) -> None:
    """Real folders all the way down, links to the files that no build made.

    Links to folders would not do: rules name arch/x86/entry/syscalls/../../include/generated, and
    the .. behind a link leads into the tree, where the old header passes for a made one.
    """
    for folder, folders, files in os.walk(tree):
        relative = os.path.relpath(folder, tree)
        made = _made_here(relative, folders, files)
        folders[:] = [name for name in folders if name not in made and not name.startswith(".")]
        target = root / relative
        for name in folders:
            path = Path(folder, name)
            if path.is_symlink():
                (target / name).symlink_to(path)
            else:
                (target / name).mkdir()
        for name in files:
            if name not in made and not name.startswith("."):
                (target / name).symlink_to(Path(folder, name))


def _made_here(relative: str, folders: list[str], files: list[str]) -> set[str]:
    """The names in one folder that a build made."""
    # Kbuild writes .FILE.cmd beside each FILE it makes: that is how a made file is known.
    recorded = {name[1:-4] for name in files if name.startswith(".") and name.endswith(".cmd")}
    made = {name for name in files if name in recorded or name.endswith(_BUILT_SUFFIXES)}
    for name in folders:
        path = os.path.normpath(f"{relative}/{name}")
        if path in _LEFT_BY_BUILD or path.endswith("/include/generated"):
            made.add(name)
    return made
