"""The units of an out-of-tree module: what Kbuild compiles with M=, or the module's own list.

Owns asking for them, and where the paths of their commands are: those of the module are in its
copy, those of the kernel that a list names are in the tree.
"""

import os
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from kgraph.build.compile_commands import KERNEL_DEFINE, CompileCommand
from kgraph.build.compile_database import (
    DatabaseEntry,
    Relocation,
    parse_entry_command,
    read_compile_database,
)
from kgraph.build.dry_run import run_module_dry_run
from kgraph.build.flags import find_kernel_of_flags
from kgraph.build.kbuild import PreparedBuild, has_in_tree_build
from kgraph.build.module_folder import MAKEFILES, includes_from_above
from kgraph.build.tree import COMPILE_COMMANDS, strip_folder
from kgraph.build.unit_builder import MISSING_SOURCE, UnitBuilder, prefer_build_folder
from kgraph.errors import ConfigurationError
from kgraph.model.units import ModuleFolder, TranslationUnit
from kgraph.textfile import is_file, unescape_name

_Commands = list[tuple[CompileCommand, str]]  # with the folder in which each runs


@dataclass(frozen=True, slots=True)
class _ModulePaths:
    """Where paths of commands are on this machine; see unit_builder.CommandPaths."""

    module: Path
    copy: Path
    build: Path
    kernel: Relocation

    def relocate(self, path: str, directory: str) -> str:
        """The absolute path: of the module's files, that of the copy."""
        absolute = os.path.normpath(Path(directory, path))
        if absolute == str(self.module):
            return str(self.copy)
        if inside := strip_folder(absolute, self.module):
            return f"{self.copy}/{inside}"
        return self.kernel.relocate(absolute, "/")

    def object_name(self, path: str, directory: str) -> str:
        """The object relative to the build folder."""
        return os.path.relpath(self.relocate(path, directory), self.build)


def find_module_units(
    module: ModuleFolder, tree: Path, build: Path, prepared: PreparedBuild | None,
    remark: Callable[[str], None],
) -> UnitBuilder:
    """Build the units of a module that was copied into `build`.

    Kbuild is asked if the tree is `prepared` for it and the module has a makefile. Where it has
    nothing to compile, the module's list is read. Raises ConfigurationError if there is no unit.
    """
    folder = Path(module.path)
    commands, kernel = _ask_kbuild(folder, tree, build, prepared)
    if not commands and is_file(folder / COMPILE_COMMANDS):
        commands, kernel = _read_list(folder, tree, build)
        if prepared is not None and any(is_file(folder / name) for name in MAKEFILES):
            remark(f"make M={folder} compiles nothing: {COMPILE_COMMANDS} is read instead")
    copy = build / unescape_name(module.name)
    builder = UnitBuilder(
        tree=tree, build=build, paths=_ModulePaths(folder, copy, build, kernel),
        find_preferred=prefer_build_folder(tree, build if has_in_tree_build(tree) else None),
        kernel_only=any(KERNEL_DEFINE in command.arguments for command, _ in commands))
    for command, directory in commands:
        builder.add(command, directory)
    if not builder.units:
        raise _explain_no_units(module, builder, was_asked=prepared is not None)
    if count := builder.skipped[MISSING_SOURCE]:
        remark(f"module {module.name}: {count} sources are missing, such as"
               f" {min(builder.missing)}: build it once if its build generates them")
    for key, unit in builder.units.items():
        builder.units[key] = _search_original(unit, folder, copy)
    return builder


def _ask_kbuild(
    folder: Path, tree: Path, build: Path, prepared: PreparedBuild | None
) -> tuple[_Commands, Relocation]:
    """The commands that `make -n M=` prints, and where the kernel's files are for them."""
    here = Relocation(tree, build, tree, build)
    if prepared is None or not any(is_file(folder / name) for name in MAKEFILES):
        return [], here
    if any(character in str(folder) for character in " :"):
        raise ConfigurationError(
            f"--module {folder}: make cannot work in a folder whose path has a space or a colon",
            "move it, or make a link to it elsewhere")
    # Since 6.13 the compiler runs in the module's folder, before in the kernel's.
    return [(command, str(build if is_file(build / command.source) else folder))
            for command in run_module_dry_run(prepared, folder)], here


def _read_list(folder: Path, tree: Path, build: Path) -> tuple[_Commands, Relocation]:
    """The commands of the module's list, and where the files are of the kernel that it names."""
    entries = read_compile_database(folder / COMPILE_COMMANDS)
    commands = [(command, entry.directory) for entry in entries
                if (command := parse_entry_command(entry)) is not None]
    kernels = Counter(
        root for command, directory in commands
        if (root := find_kernel_of_flags(command.arguments, directory)))
    old_root = Path(kernels.most_common(1)[0][0]) if kernels else tree
    return commands, Relocation(old_root, _find_old_build(entries, folder, old_root), tree, build)


def _find_old_build(entries: list[DatabaseEntry], folder: Path, old_root: Path) -> Path:
    """The folder in which the kernel of a list was built: where most commands run, unless that is
    the module's."""
    places = Counter(os.path.normpath(entry.directory) for entry in entries)
    place = Path(places.most_common(1)[0][0])
    return old_root if place.is_relative_to(folder) else place


def _search_original(unit: TranslationUnit, folder: Path, copy: Path) -> TranslationUnit:
    """The unit, which finds what is around the module if it includes such a file by "../"."""
    file = Path(unit.file)
    if unit.is_assembly or not includes_from_above(file, copy):
        return unit
    original = folder / file.parent.relative_to(copy)
    return msgspec.structs.replace(unit, arguments=(*unit.arguments, "-iquote", str(original)))


def _explain_no_units(
    module: ModuleFolder, builder: UnitBuilder, *, was_asked: bool
) -> ConfigurationError:
    if not was_asked:
        return ConfigurationError(
            f"--module {module.path}: it has no {COMPILE_COMMANDS} with a unit, and a tree that is"
            " read from a list has no Kbuild to ask",
            "leave --compile-commands out, or add --prepare")
    left_out = ", ".join(f"{count} {reason}" for reason, count in builder.skipped.items())
    return ConfigurationError(
        f"--module {module.path}: Kbuild compiles nothing there"
        f"{f' but {left_out}' if left_out else ''}",
        "check its obj-m, also which CONFIG_ options it asks for; or record a build with a tool"
        f" such as bear, which writes {module.path}/{COMPILE_COMMANDS}")
