"""Build translation units from compile commands: path, object, image, arguments, or why none.

Owns the rules that a dry run and a compile_commands.json share. Does not know where commands
come from.
"""

import os
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from kgraph.build.compile_commands import KERNEL_DEFINE, CompileCommand
from kgraph.build.flags import translate_flags
from kgraph.build.link_images import HOST, find_link_image
from kgraph.build.tree import strip_folder
from kgraph.model.units import TranslationUnit
from kgraph.textfile import escape_name, is_file, is_folder, is_link_outside, unescape_name

UNKNOWN_LANGUAGE = "sources in no language that is read"
HOST_PROGRAM = "host programs"
MODULE_STUB = "*.mod.c written by modpost"
MISSING_SOURCE = "sources that are not there"
OUTSIDE_TREE = "sources outside the tree"


@dataclass(slots=True)
class UnitBuilder:
    """Collects the units of one list of commands.

    `place` turns a path as a command gives it and the folder the command runs in into an absolute
    path here; `object_name` gives, from the same, the object's name relative to where objects go.
    `build` is the folder of generated files, if any. `also` is as in flags.py. `kernel_only`: a
    command without -D__KERNEL__ is a host program.
    """

    tree: Path
    build: Path | None
    place: Callable[[str, str], str]
    object_name: Callable[[str, str], str]
    also: Callable[[str], str]
    kernel_only: bool
    units: dict[tuple[str, str], TranslationUnit] = field(default_factory=dict)
    skipped: Counter[str] = field(default_factory=Counter)
    missing: list[str] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)
    lost: Counter[str] = field(default_factory=Counter)  # folders of commands, not there

    def add(self, command: CompileCommand, directory: str) -> None:
        """Adds the unit of `command`, or counts why it is none."""
        target = self._object(command, directory)
        if reason := self._no_unit(command, target):
            self.skipped[reason] += 1
            return
        file, path, generated = self._source(self.place(command.source, directory))
        if not path or is_link_outside(file, self._folders()):
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
            directory=self._directory(directory),
            arguments=self._arguments(command, directory, path, generated=generated),
            generated=generated,
        )

    def _folders(self) -> list[str]:
        return [str(self.tree)] if self.build is None else [str(self.tree), str(self.build)]

    def _no_unit(self, command: CompileCommand, target: str) -> str:
        if command.source.endswith(".mod.c"):
            return MODULE_STUB
        if not command.source.endswith((".c", ".S")):
            return UNKNOWN_LANGUAGE
        if self.kernel_only and KERNEL_DEFINE not in command.arguments:
            return HOST_PROGRAM
        return HOST_PROGRAM if find_link_image(target, command.arguments) == HOST else ""

    def _object(self, command: CompileCommand, directory: str) -> str:
        folder, name = os.path.split(self.object_name(command.object, directory))
        # With CONFIG_MODVERSIONS older trees compile to .tmp_X.o and link that into X.o.
        return str(Path(folder, name.removeprefix(".tmp_")))

    def _source(self, file: str) -> tuple[str, str, bool]:
        """(file here, citation path, generated); an empty path for a file outside both folders."""
        if self.build is not None and (path := strip_folder(file, self.build)):
            return file, path, True
        return file, strip_folder(file, self.tree), False

    def _directory(self, directory: str) -> str:
        place = self.place(".", directory)
        if is_folder(place):
            return place
        self.lost[place] += 1
        return str(self.tree)

    def _arguments(
        self, command: CompileCommand, directory: str, path: str, *, generated: bool
    ) -> tuple[str, ...]:
        roots = [self.tree] if self.build is None else [self.tree, self.build]
        flags = translate_flags(
            command.arguments, lambda word: self.place(word, directory), roots, self.also
        )
        self.refused.update(flags.refused)
        # A quoted header beside the source may be a generated one, then it is beside it in `build`,
        # and a generated source may quote one of the tree.
        other = self.tree if generated else self.build
        beside = other / Path(unescape_name(path)).parent if other is not None else None
        if self.build is None or beside is None or not is_folder(beside):
            return flags.arguments
        return (*flags.arguments, "-iquote", str(beside))


def prefer_build_folder(tree: Path, build: Path | None) -> Callable[[str], str]:
    """For a header folder of the tree: the same folder of `build`, where it has one.

    Headers made by an earlier build inside the tree belong to another configuration; those in
    `build` are found before them.
    """

    def also(folder: str) -> str:
        path = strip_folder(folder, tree)
        if build is None or not path:
            return ""
        made = build / path
        return str(made) if is_folder(made) else ""

    return also
