"""The kernel tree: where it is and which release it is.

Owns KernelTree and the checks that a path must pass to be one. Only reads.
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from kgraph.errors import TreeError
from kgraph.textfile import expand_home, is_file, read_regular_file

COMPILE_COMMANDS = "compile_commands.json"
_TREE_HINT = (
    "give the top folder of a Linux source tree, the one that holds Makefile and Kconfig, or of a C"
    " project with a compile_commands.json")
_OBJECTS = re.compile(rb"^\s*obj-(?:m|\$\(\w+\))\s*[:+]?=", re.MULTILINE)  # a makefile of Kbuild
_VERSION = re.compile(
    r"^(VERSION|PATCHLEVEL|SUBLEVEL|EXTRAVERSION)[ \t]*=[ \t]*(\S*)", re.MULTILINE
)


@dataclass(frozen=True, slots=True)
class KernelTree:
    """A folder of kernel sources.

    `root` is absolute, without symbolic links. `release` comes from its Makefile ("4.6.2"); it is
    "" for a tree that has a compile_commands.json and no kernel's Makefile.
    """

    root: Path
    release: str

    @property
    def has_kbuild(self) -> bool:
        """Whether make can be run on the tree: it has a Makefile."""
        return self.release != ""


def open_tree(path: str | Path, *, compile_commands: str | Path | None = None) -> KernelTree:
    """Open the tree at `path`. Raises TreeError if it is not a kernel tree, or cannot be read.

    A folder without a kernel's Makefile is accepted if `compile_commands` is given, or if it has a
    compile_commands.json: the list says all that make would.
    """
    root = _resolve_folder(Path(path))
    makefile = root / "Makefile"
    is_listed = compile_commands is not None or (root / COMPILE_COMMANDS).is_file()
    if not makefile.exists():
        if is_listed:
            return KernelTree(root, "")
        if _is_module(root):
            raise _explain_module(root, path)
        raise TreeError(f"{root} is not a kernel tree: it has no Makefile", _TREE_HINT)
    release = _read_release(makefile)
    if release and (root / "Kconfig").is_file() and (root / "scripts").is_dir():
        return KernelTree(root, release)
    if is_listed:
        return KernelTree(root, "")
    if not release and _is_module(root):
        raise _explain_module(root, path)
    if not release:
        reason = "its Makefile names no VERSION and PATCHLEVEL"
    else:
        reason = "it has no Kconfig or no scripts folder"
    raise TreeError(f"{root} is not a kernel tree: {reason}", _TREE_HINT)


def _is_module(root: Path) -> bool:
    """Whether a folder has a makefile of Kbuild's for modules."""
    return any(_OBJECTS.search(read_regular_file(root / name)) is not None
               for name in ("Kbuild", "Makefile") if is_file(root / name))


def _explain_module(root: Path, path: str | Path) -> TreeError:
    return TreeError(f"{root} is not a kernel tree, but an out-of-tree module",
                     f"index it with its kernel: `kgraph index TREE --module {path}`")


def _resolve_folder(path: Path) -> Path:
    try:
        root = expand_home(path).resolve()
        if not root.exists():
            raise TreeError(f"{path} does not exist", _TREE_HINT)
        if not root.is_dir():
            raise TreeError(f"{path} is not a folder", _TREE_HINT)
        with os.scandir(root):
            return root
    except (OSError, RuntimeError) as error:
        detail = error.strerror if isinstance(error, OSError) else str(error)
        raise TreeError(
            f"{path} cannot be read: {detail}", "check its permissions, or give another folder"
        ) from error


def _read_release(makefile: Path) -> str:
    try:
        # The four assignments are among the first lines; the first one of a name counts.
        head = read_regular_file(makefile)[:4096].decode("utf-8", "replace")
    except OSError as error:
        raise TreeError(
            f"{makefile} cannot be read: {error.strerror}", "check its permissions"
        ) from error
    found: dict[str, str] = {}
    for name, value in _VERSION.findall(head):
        found.setdefault(name, value)
    if not found.get("VERSION") or not found.get("PATCHLEVEL"):
        return ""
    numbers = (found.get(name, "") for name in ("VERSION", "PATCHLEVEL", "SUBLEVEL"))
    return ".".join(number for number in numbers if number) + found.get("EXTRAVERSION", "")


def strip_folder(file: str, folder: Path) -> str:
    """`file` relative to `folder`, both absolute; "" if it is not inside."""
    prefix = f"{folder}{os.sep}"
    return file[len(prefix) :] if file.startswith(prefix) else ""
