"""Build translation units from compile commands: path, object, image, arguments, or why none.

Owns the rules that a dry run and a compile_commands.json share. Does not know where commands
come from.
"""

import os
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from kgraph.build.compile_commands import KERNEL_DEFINE, CompileCommand
from kgraph.build.flags import translate_flags
from kgraph.build.link_images import HOST, find_link_image
from kgraph.build.tree import strip_folder
from kgraph.model.units import TranslationUnit
from kgraph.textfile import escape_name, is_file, is_folder, is_link_outside, unescape_name

UNKNOWN_LANGUAGE = "sources in other languages"
HOST_PROGRAM = "host programs"
MODULE_STUB = "*.mod.c written by modpost"
MISSING_SOURCE = "missing sources"
OUTSIDE_TREE = "sources outside the tree"


class CommandPaths(Protocol):
    """Where the paths of compile commands are on this machine."""

    def relocate(self, path: str, directory: str) -> str:
        """The absolute path here of `path`, as a command that runs in `directory` names it."""

    def object_name(self, path: str, directory: str) -> str:
        """The object `path`, relative to the folder that the build writes objects to."""


@dataclass(slots=True)
class UnitBuilder:
    """Collects the units of a list of commands.

    `build` is the folder of generated files, if there is one. `paths` says where the commands'
    paths are on this machine. `find_preferred` is as for `translate_flags`. With `kernel_only`, a
    command without -D__KERNEL__ is a host program. It counts what is not a unit: `skipped` by
    reason, `missing` sources by path, `refused` flags, `lost_folders` in which commands ran.
    """

    tree: Path
    build: Path | None
    paths: CommandPaths
    find_preferred: Callable[[str], str]
    kernel_only: bool
    units: dict[tuple[str, str], TranslationUnit] = field(default_factory=dict)
    skipped: Counter[str] = field(default_factory=Counter)
    missing: list[str] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)
    lost_folders: Counter[str] = field(default_factory=Counter)

    def add(self, command: CompileCommand, directory: str) -> None:
        """Add the unit of a command that runs in `directory`, or count why it is none."""
        target = self._find_object(command, directory)
        if reason := self._explain_no_unit(command, target):
            self.skipped[reason] += 1
            return
        file, path, generated = self._find_source(self.paths.relocate(command.source, directory))
        if not path or is_link_outside(file, self._list_folders()):
            self.skipped[OUTSIDE_TREE] += 1
            return
        if not is_file(file):
            self.skipped[MISSING_SOURCE] += 1
            self.missing.append(escape_name(path))
            return
        path, target = escape_name(path), escape_name(target)
        self.units[path, target] = TranslationUnit(
            path=path,
            object=target,
            image=find_link_image(target, command.arguments),
            file=file,
            directory=self._find_directory(directory),
            arguments=self._translate_arguments(command, directory, path, generated=generated),
            generated=generated,
        )

    def _list_folders(self) -> list[str]:
        return [str(self.tree)] if self.build is None else [str(self.tree), str(self.build)]

    def _explain_no_unit(self, command: CompileCommand, target: str) -> str:
        if command.source.endswith(".mod.c"):
            return MODULE_STUB
        if not command.source.endswith((".c", ".S")):
            return UNKNOWN_LANGUAGE
        if self.kernel_only and KERNEL_DEFINE not in command.arguments:
            return HOST_PROGRAM
        return HOST_PROGRAM if find_link_image(target, command.arguments) == HOST else ""

    def _find_object(self, command: CompileCommand, directory: str) -> str:
        folder, name = os.path.split(self.paths.object_name(command.object, directory))
        # With CONFIG_MODVERSIONS, older trees compile to .tmp_X.o and link that into X.o.
        return str(Path(folder, name.removeprefix(".tmp_")))

    def _find_source(self, file: str) -> tuple[str, str, bool]:
        """The file, its citation path ("" outside both folders), and whether it is generated."""
        if self.build is not None and (path := strip_folder(file, self.build)):
            return file, path, True
        return file, strip_folder(file, self.tree), False

    def _find_directory(self, directory: str) -> str:
        folder = self.paths.relocate(".", directory)
        if is_folder(folder):
            return folder
        self.lost_folders[folder] += 1
        return str(self.tree)

    def _translate_arguments(
        self, command: CompileCommand, directory: str, path: str, *, generated: bool
    ) -> tuple[str, ...]:
        flags = translate_flags(
            command.arguments, lambda word: self.paths.relocate(word, directory),
            self._list_folders(), self.find_preferred,
        )
        self.refused.update(flags.refused)
        # A source may include a generated header in quotes, which then is in the same folder of
        # `build`; and a generated source may include one of the tree.
        other = self.tree if generated else self.build
        beside = other / Path(unescape_name(path)).parent if other is not None else None
        if self.build is None or beside is None or not is_folder(beside):
            return flags.arguments
        return (*flags.arguments, "-iquote", str(beside))


def prefer_build_folder(tree: Path, build: Path | None) -> Callable[[str], str]:
    """A function that maps a folder of the tree to the same folder of `build`, "" if there is none.

    Headers made by an earlier build in the tree belong to another configuration; those in `build`
    must be found before them.
    """

    def find_preferred(folder: str) -> str:
        path = strip_folder(folder, tree)
        if build is None or not path:
            return ""
        made = build / path
        return str(made) if is_folder(made) else ""

    return find_preferred
