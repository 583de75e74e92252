"""The folder of an out-of-tree module: what may be one, and its copy in the build folder.

Citations name files of the tree or of the build folder. A module is in neither, so its sources are
copied to BUILD/NAME, and cited as NAME/FILE. What Kbuild left in the folder is not copied. Never
writes to the module's own folder.
"""

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from kgraph.build.kbuild import find_built_names
from kgraph.build.tree import COMPILE_COMMANDS, KernelTree
from kgraph.errors import TreeError
from kgraph.model.units import ModuleFolder
from kgraph.textfile import (
    escape_name,
    expand_home,
    is_file,
    is_there,
    read_regular_file,
    replace_file,
)

MAKEFILES = ("Kbuild", "Makefile")
_ORIGIN = ".kgraph-module"  # in a copy: the folder that it is a copy of
_MAX_BYTES = 16 << 20  # of a file that may be a source
_INCLUDE_ABOVE = re.compile(rb'^\s*#\s*include\s*"((?:[^"\n]*/)?\.\./[^"\n]*)"', re.MULTILINE)


def check_module(folder: Path, tree: KernelTree) -> Path:
    """The absolute path of a module's folder. Raises TreeError if it cannot be one."""
    root = expand_home(folder).resolve()
    if not root.is_dir():
        what = "is not a folder" if root.exists() else "does not exist"
        raise TreeError(f"--module {folder}: it {what}", "give the folder of the module's Makefile")
    if root.is_relative_to(tree.root):
        raise TreeError(
            f"--module {folder}: it is inside the tree {tree.root}",
            "leave it out: what the tree's configuration compiles is indexed without it")
    if tree.root.is_relative_to(root):
        raise TreeError(f"--module {folder}: the tree {tree.root} is inside it",
                        "give the folder of the module's Makefile")
    if not any(is_file(root / name) for name in (*MAKEFILES, COMPILE_COMMANDS)):
        raise TreeError(
            f"--module {folder}: it has no Makefile and no Kbuild",
            f"give the folder that you give to make as M=, or one with a {COMPILE_COMMANDS}")
    return root


def copy_module(folder: Path, build: Path, tree: Path) -> ModuleFolder:
    """Copy the sources of the module in `folder` below `build`, or bring the copy up to date.

    It is named after the folder, with a number where the tree, the build or another module has that
    name.
    """
    name = next(name for name in _iter_names(folder)
                if _is_copy(build / name, folder)
                or not (is_there(tree / name) or is_there(build / name)))
    copy = build / name
    copy.mkdir(exist_ok=True)
    (copy / _ORIGIN).write_bytes(os.fsencode(folder))
    _mirror(folder, copy)
    return ModuleFolder(escape_name(name), str(folder))


def _iter_names(folder: Path) -> Iterator[str]:
    yield folder.name
    number = 1
    while True:
        number += 1
        yield f"{folder.name}-{number}"


def _is_copy(place: Path, folder: Path) -> bool:
    try:
        return read_regular_file(place / _ORIGIN) == os.fsencode(folder)
    except OSError:
        return False


def _mirror(folder: Path, copy: Path) -> None:
    """Make `copy` equal to `folder`, without touching what is equal already."""
    for place, folders, files in os.walk(folder):
        relative = os.path.relpath(place, folder)
        made = find_built_names(relative, folders, files)
        names = {name for name in (*folders, *files)
                 if name not in made and not name.startswith(".")}
        target = copy / relative
        for entry in list(target.iterdir()):
            if entry.name not in names and entry.name != _ORIGIN:
                _remove(entry)
        folders[:] = [name for name in folders if name in names]
        for name in names:
            _mirror_entry(Path(place, name), target / name, (folder, copy))


def _mirror_entry(source: Path, target: Path, roots: tuple[Path, Path]) -> None:
    """Make `target` what `source` is. A link to something in the module leads into the copy."""
    if source.is_symlink():
        real = Path(os.path.realpath(source))
        if real.is_relative_to(roots[0]):
            real = roots[1] / real.relative_to(roots[0])
        if not target.is_symlink() or target.readlink() != real:
            _remove(target)
            target.symlink_to(real)
    elif source.is_dir():
        if target.is_symlink() or not target.is_dir():
            _remove(target)
            target.mkdir()
    else:
        _copy_file(source, target)


def _copy_file(source: Path, target: Path) -> None:
    try:
        content = read_regular_file(source, _MAX_BYTES)
    except OSError:  # a pipe, a huge or an unreadable file: if it is needed, it will be missed
        _remove(target)
        return
    try:
        if not target.is_symlink() and read_regular_file(target) == content:
            return
    except OSError:
        _remove(target)
    replace_file(target, content)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def includes_from_above(file: Path, copy: Path) -> bool:
    """Whether a source may include, by "../", what is around the module: the copy lacks it."""
    return any(
        not Path(os.path.normpath(file.parent / os.fsdecode(name))).is_relative_to(copy)
        for name in _INCLUDE_ABOVE.findall(read_regular_file(file)))
