"""Read translation units from a compile_commands.json, of this machine or another.

Owns reading the list, reporting what is wrong with it, and relocating its paths: they may name
folders of the machine that recorded it. Runs nothing of the tree.
"""

import json
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec

from kgraph.build.compile_commands import (
    KERNEL_DEFINE,
    CompileCommand,
    find_target_flag,
    parse_compile_arguments,
    split_words,
    strip_launcher,
)
from kgraph.build.flags import find_kernel_of_flags
from kgraph.build.tree import COMPILE_COMMANDS, KernelTree, strip_folder
from kgraph.build.unit_builder import UnitBuilder, prefer_build_folder
from kgraph.errors import ConfigurationError
from kgraph.textfile import (
    MAX_LISTING_BYTES,
    escape_name,
    is_file,
    is_folder,
    is_there,
    read_regular_file,
)

_SAMPLE = 200


@dataclass(frozen=True, slots=True)
class Relocation:
    """Moves paths from `old_root` to `tree`, and from `old_build` to `build`.

    For an in-tree build `old_build` is `old_root`. Files that the tree lacks then come from `build`
    if they were made there.
    """

    old_root: Path
    old_build: Path
    tree: Path
    build: Path | None

    def relocate(self, path: str, directory: str) -> str:
        """The absolute path here of `path`, as a command that runs in `directory` names it."""
        absolute = os.path.normpath(Path(directory, path))
        if self._is_built(absolute):
            return self._move_path(absolute, self.old_build, self.build or self.old_build)
        if not self._is_below(absolute, self.old_root):
            return absolute
        here = self._move_path(absolute, self.old_root, self.tree)
        if self.build is not None and not is_there(here):
            made = self._move_path(absolute, self.old_root, self.build)
            return made if is_there(made) else here
        return here

    def _is_built(self, absolute: str) -> bool:
        """Whether an old path is in the build folder, which may be inside the tree or around it."""
        if self.in_tree or not self._is_below(absolute, self.old_build):
            return False
        return not (strip_folder(str(self.old_root), self.old_build)
                    and self._is_below(absolute, self.old_root))

    @property
    def in_tree(self) -> bool:
        """Whether the list is of an in-tree build."""
        return self.old_build == self.old_root

    def object_name(self, path: str, directory: str) -> str:
        """The object `path`, relative to the folder that its build wrote objects to."""
        return os.path.relpath(os.path.normpath(Path(directory, path)), self.old_build)

    @staticmethod
    def _is_below(path: str, folder: Path) -> bool:
        return path == str(folder) or strip_folder(path, folder) != ""

    @staticmethod
    def _move_path(path: str, old: Path, new: Path) -> str:
        return str(new) + path[len(str(old)) :]


def find_relocation(
    files: Iterable[tuple[str, str]], tree: Path, build: Path | None
) -> Relocation | None:
    """How the paths of a list of (directory, file) map to `tree`; None if no file is there."""
    pairs = list(files)
    step = max(1, len(pairs) // _SAMPLE)
    roots: Counter[str] = Counter()
    for directory, file in islice(pairs, 0, None, step):
        root = _find_old_root(os.path.normpath(Path(directory, file)), tree)
        if root:
            roots[root] += 1
    if not roots:
        return None
    old_root = Path(roots.most_common(1)[0][0])
    folders = Counter(os.path.normpath(directory) for directory, _ in pairs)
    old_build = Path(folders.most_common(1)[0][0])
    # If commands run in sub-folders of the sources, it is still an in-tree build.
    if strip_folder(str(old_build), old_root) and is_folder(
            tree / old_build.relative_to(old_root)):
        old_build = old_root
    return Relocation(old_root, old_build, tree, build)


def _find_old_root(file: str, tree: Path) -> str:
    """The folder that `file` has in the place of `tree`, found by the longest tail that the tree
    has; "" if there is none."""
    if strip_folder(file, tree):
        return str(tree)
    parts = Path(file).parts
    for start in range(1, len(parts)):
        if is_file(Path(tree, *parts[start:])):
            return str(Path(*parts[:start]))
    return ""


PREPROCESSED = "files only preprocessed or assembled"
NO_COMPILER = "entries whose command names no compiler"
_HINT = "give the list that a build recorder or scripts/clang-tools/gen_compile_commands.py wrote"
_AUTOCONF = "generated/autoconf.h"
_KCONFIG = "linux/kconfig.h"


@dataclass(frozen=True, slots=True)
class DatabaseEntry:
    """An entry of the list: the folder in which the command runs, the source, the words of the
    command, the object."""

    directory: str
    file: str
    words: tuple[str, ...]
    output: str


def find_compile_database(tree: KernelTree, given: str | Path | None) -> Path | None:
    """The list to use: the given one, or the tree's own if it has no Makefile; else None."""
    if given is not None:
        return Path(given)
    return None if tree.has_kbuild else tree.root / COMPILE_COMMANDS


def build_database_units(
    tree: KernelTree, path: Path, build: Path | None, remark: Callable[[str], None]
) -> UnitBuilder:
    """Build the units of the list at `path`.

    `build` is the folder of headers that were made outside the tree, if there is one. `remark`
    receives the folders that cannot be used. Raises ConfigurationError if the list cannot be read,
    names no file of the tree, or generated headers that its units need are missing.
    """
    entries = read_compile_database(path)
    moved = find_relocation(((entry.directory, entry.file) for entry in entries), tree.root, build)
    if moved is None:
        raise ConfigurationError(
            f"none of the {len(entries)} sources that {path} names is in {tree.root}",
            "give the list of this tree",
        )
    if build is None and not moved.in_tree and is_folder(moved.old_build):
        if reason := _explain_no_build_folder(moved.old_build, tree.root):
            remark(f"{path}: its commands run in {moved.old_build}, which is not used as build"
                   f" folder ({reason}): nothing in it is cited")
        else:
            build = moved.old_build
    named = [entry for entry in entries if strip_launcher(list(entry.words))]
    nameless = [entry.file for entry in entries if not strip_launcher(list(entry.words))]
    builder = _build_units(named, tree, moved, build)
    if nameless:
        builder.skipped[NO_COMPILER] = len(nameless)
        remark(f"{path}: the command of {escape_name(min(nameless))} names no compiler, so it is"
               f" left out ({len(nameless)} such entries)")
    if count := builder.lost_folders.total():
        remark(f"{path}: {count} commands run in missing folders, such as"
               f" {escape_name(min(builder.lost_folders))}: what they name relative to these is not"
               " found")
    if not builder.units:
        left_out = ", ".join(f"{count} {reason}" for reason, count in builder.skipped.items())
        raise ConfigurationError(f"{path} has no unit of the kernel: {left_out}", _HINT)
    _require_headers(builder, path)
    _explain_foreign_kernel(builder, tree.root, remark)
    return builder


def _explain_no_build_folder(folder: Path, tree: Path) -> str:
    """Why the kernel was not built in this folder, "" if it was: a list may name any folder."""
    if tree.is_relative_to(folder):
        return "the tree is in it"
    if not (folder / ".config").is_file() and not (folder / "include/generated").is_dir():
        return "it has no .config and no include/generated"
    return ""


def _build_units(
    entries: list[DatabaseEntry], tree: KernelTree, moved: Relocation, build: Path | None
) -> UnitBuilder:
    builder = UnitBuilder(
        tree=tree.root,
        build=build,
        paths=moved,
        find_preferred=prefer_build_folder(tree.root, build),
        # A small tree need not define __KERNEL__. In a kernel's list only host programs lack it.
        kernel_only=any(KERNEL_DEFINE in entry.words for entry in entries),
    )
    for entry in entries:
        command = parse_entry_command(entry)
        if command is None:
            builder.skipped[PREPROCESSED] += 1
        else:
            builder.add(command, entry.directory)
    return builder


def parse_entry_command(entry: DatabaseEntry) -> CompileCommand | None:
    """The command of an entry; None if it only preprocesses or assembles."""
    words = strip_launcher(list(entry.words))
    if "-E" in words or "-S" in words:
        return None
    # The entry's file and output say which source and object; the command need not.
    command = parse_compile_arguments([*find_target_flag(words[0]), "-c", *words[1:]], entry.file)
    if command is not None and entry.output:
        return replace(command, object=entry.output)
    return command


def _require_headers(builder: UnitBuilder, path: Path) -> None:
    """Raise ConfigurationError if units include the generated autoconf.h and it is missing.

    Kbuild includes it by kconfig.h, which is on every command line of a tree.
    """
    for unit in builder.units.values():
        kconfig = next((word for word in unit.arguments if word.endswith(_KCONFIG)), "")
        if not kconfig or not _includes_autoconf(Path(kconfig)):
            continue
        folders = [word[2:] for word in unit.arguments if word.startswith("-I")]
        if any(is_file(Path(folder, _AUTOCONF)) for folder in folders):
            return
        raise ConfigurationError(
            f"{path}: include/{_AUTOCONF} and other generated headers are missing, "
            "no unit can be parsed",
            "add --prepare, which makes them outside the tree with the tree's .config",
        )


def _explain_foreign_kernel(
    builder: UnitBuilder, tree: Path, remark: Callable[[str], None]
) -> None:
    """Tell the user where the list is of a module for a kernel that is elsewhere."""
    kernels = {find_kernel_of_flags(unit.arguments, unit.directory)
               for unit in builder.units.values()} - {"", str(tree)}
    if kernels:
        kernel = min(kernels)
        remark(f"the headers are those of the kernel in {kernel}, so their functions are not in"
               f" the index: `kgraph index {kernel} --module {tree}` has them, and what calls them")


def _includes_autoconf(kconfig: Path) -> bool:
    return is_file(kconfig) and f"<{_AUTOCONF}>".encode() in read_regular_file(kconfig)


def _is_file_name(text: str) -> bool:
    """Whether a file can have this name: no null byte, no half of a character."""
    try:
        return b"\0" not in os.fsencode(text)
    except UnicodeEncodeError:
        return False


def read_compile_database(path: Path) -> list[DatabaseEntry]:
    """Read the entries of the list at `path`. Raises ConfigurationError if it is not a list."""
    try:
        content = json.loads(read_regular_file(path, MAX_LISTING_BYTES).decode("utf-8"))
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}", _HINT) from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path} is not text: {error.reason}", _HINT) from error
    except json.JSONDecodeError as error:
        raise ConfigurationError(f"{path}:{error.lineno}: not JSON: {error.msg}", _HINT) from error
    except RecursionError as error:
        raise ConfigurationError(f"{path}: nested too deeply", _HINT) from error
    except ValueError as error:
        raise ConfigurationError(f"{path}: a number has too many digits", _HINT) from error
    if not isinstance(content, list):
        raise ConfigurationError(f"{path} is not a list of compile commands", _HINT)
    if not content:
        raise ConfigurationError(f"{path} is an empty list", _HINT)
    return list(_iter_entries(content, path))


def _iter_entries(content: list[Any], path: Path) -> Iterator[DatabaseEntry]:
    base = path.resolve().parent
    for number, item in enumerate(content, 1):
        try:
            yield _parse_entry(item, base)
        except ValueError as error:
            raise ConfigurationError(f"{path}: entry {number}: {error}", _HINT) from error


class _WrittenEntry(msgspec.Struct):
    """An entry as it is written."""

    file: str
    directory: str = "."
    command: str | None = None
    arguments: list[str] | None = None
    output: str = ""


def _parse_entry(item: Any, base: Path) -> DatabaseEntry:
    """Check an entry of a list in the folder `base`. Raises ValueError saying what is wrong."""
    entry = msgspec.convert(item, _WrittenEntry)
    words = entry.arguments if entry.arguments is not None else split_words(entry.command or "")
    if not entry.file or not words:
        raise ValueError("it needs a file, and a command or arguments")
    for text in (entry.directory, entry.file, entry.output, *words):
        if not _is_file_name(text):
            raise ValueError(f"no file can have the name {text!r}")
    # A relative directory starts at the list, so the list can be moved with its tree.
    return DatabaseEntry(str(base / entry.directory), entry.file, tuple(words), entry.output)
