"""What writing to a tree would change, and a copy that may be written to."""

import os
import shutil
from pathlib import Path


def listing(root: Path) -> list[tuple[str, int, int]]:
    """Every entry below `root` with its time and size: what writing to it would change."""
    found = []
    for path in sorted([root, *root.rglob("*")]):
        state = path.lstat()
        found.append((str(path), state.st_mtime_ns, state.st_size))
    return found


def linked_copy(tree: Path, target: Path) -> None:
    """The tree again, without its history, of hard links where that is possible."""
    def link(source: str, name: str) -> None:
        try:
            os.link(source, name, follow_symlinks=False)
        except OSError:
            shutil.copy2(source, name, follow_symlinks=False)

    shutil.copytree(tree, target, copy_function=link, symlinks=True,
                    ignore=shutil.ignore_patterns(".git"))
