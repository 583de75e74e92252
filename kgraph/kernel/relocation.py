"""Where the paths of a compile_commands.json are here: it may be of another machine.

Owns finding the list's own source and build folders, by matching the ends of its paths against the
tree, and moving paths from there to here. Must not know about flags or units.
"""

import os
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from kgraph.kernel.assembly import relative
from kgraph.treefile import is_file, is_folder, is_there

_SAMPLE = 200


@dataclass(frozen=True, slots=True)
class Relocation:
    """Moves paths below `old_root` to `tree`, and below `old_build` to `build`.

    For an in-tree build `old_build` is `old_root`; what is then not in the tree and was made in
    `build` is taken from there.
    """

    old_root: Path
    old_build: Path
    tree: Path
    build: Path | None

    def place(self, path: str, directory: str) -> str:
        """The absolute path here of `path` as a command run in `directory` names it."""
        absolute = os.path.normpath(Path(directory, path))
        if self._is_built(absolute):
            return self._moved(absolute, self.old_build, self.build or self.old_build)
        if not self._is_below(absolute, self.old_root):
            return absolute
        here = self._moved(absolute, self.old_root, self.tree)
        if self.build is not None and not is_there(here):
            made = self._moved(absolute, self.old_root, self.build)
            return made if is_there(made) else here
        return here

    def _is_built(self, absolute: str) -> bool:
        """Whether a path there is of the build folder; that may lie in the tree, or around it."""
        if self.in_tree or not self._is_below(absolute, self.old_build):
            return False
        return not (relative(str(self.old_root), self.old_build)
                    and self._is_below(absolute, self.old_root))

    @property
    def in_tree(self) -> bool:
        """Whether the list is of a build inside the source folder."""
        return self.old_build == self.old_root

    def object_name(self, path: str, directory: str) -> str:
        """The object `path` relative to the folder that its build wrote objects to."""
        return os.path.relpath(os.path.normpath(Path(directory, path)), self.old_build)

    @staticmethod
    def _is_below(path: str, folder: Path) -> bool:
        return path == str(folder) or relative(path, folder) != ""

    @staticmethod
    def _moved(path: str, old: Path, new: Path) -> str:
        return str(new) + path[len(str(old)) :]


def relocation(
    files: Iterable[tuple[str, str]], tree: Path, build: Path | None
) -> Relocation | None:
    """How a list of (directory, file) is moved to `tree`; None when no file of it is there."""
    pairs = list(files)
    step = max(1, len(pairs) // _SAMPLE)
    roots: Counter[str] = Counter()
    for directory, file in islice(pairs, 0, None, step):
        root = _root_of(os.path.normpath(Path(directory, file)), tree)
        if root:
            roots[root] += 1
    if not roots:
        return None
    old_root = Path(roots.most_common(1)[0][0])
    folders = Counter(os.path.normpath(directory) for directory, _ in pairs)
    old_build = Path(folders.most_common(1)[0][0])
    # Commands that run in sub-folders of the sources are still an in-tree build.
    if relative(str(old_build), old_root) and is_folder(
            tree / old_build.relative_to(old_root)):
        old_build = old_root
    return Relocation(old_root, old_build, tree, build)


def _root_of(file: str, tree: Path) -> str:
    """The folder that stands for `tree` in `file`, found by the longest end that the tree has."""
    if relative(file, tree):
        return str(tree)
    parts = Path(file).parts
    for start in range(1, len(parts)):
        if is_file(Path(tree, *parts[start:])):
            return str(Path(*parts[:start]))
    return ""
