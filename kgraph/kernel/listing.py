"""A compile_commands.json, of this machine or another, in the place of a dry run.

Owns reading the list, and telling what is wrong with it. Runs nothing of the tree.
"""

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from kgraph.errors import ConfigurationError
from kgraph.kernel.assembly import KERNEL_DEFINE, Assembly, build_folder_first
from kgraph.kernel.commands import (
    CompileCommand,
    compile_arguments,
    split_words,
    strip_launcher,
    target_of,
)
from kgraph.kernel.relocation import Relocation, relocation
from kgraph.kernel.tree import COMPILE_COMMANDS, KernelTree
from kgraph.treefile import MOST_LISTED, cited_name, is_file, is_folder, read_regular

PREPROCESSED = "files only preprocessed or assembled"
_HINT = "give the list that a build recorder or scripts/clang-tools/gen_compile_commands.py wrote"
_AUTOCONF = "generated/autoconf.h"
_KCONFIG = "linux/kconfig.h"


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the list: the folder the command runs in, the source, the words, the object."""

    directory: str
    file: str
    words: tuple[str, ...]
    output: str


def find_list(tree: KernelTree, given: str | Path | None) -> Path | None:
    """The list to use: the given one, or the tree's own where it has no Makefile to ask."""
    if given is not None:
        return Path(given)
    return None if tree.has_kbuild else tree.root / COMPILE_COMMANDS


def units_of_list(
    tree: KernelTree, path: Path, build: Path | None, remark: Callable[[str], None]
) -> Assembly:
    """The units of the list at `path`; headers made outside the tree are in `build`, if any.
    `remark` is told of folders that cannot be what the list takes them for.

    Raises ConfigurationError when it cannot be read, names no file of the tree, or the generated
    headers that its units need are nowhere.
    """
    entries = read_list(path)
    moved = relocation(((entry.directory, entry.file) for entry in entries), tree.root, build)
    if moved is None:
        raise ConfigurationError(
            f"none of the {len(entries)} sources that {path} names is in {tree.root}",
            "give the list of this tree",
        )
    if build is None and not moved.in_tree and is_folder(moved.old_build):
        if reason := _no_build_folder(moved.old_build, tree.root):
            remark(f"{path}: its commands run in {moved.old_build}, which is not taken for a build"
                   f" folder ({reason}): nothing in it is cited")
        else:
            build = moved.old_build
    assembly = _assemble(entries, tree, moved, build)
    if count := assembly.lost.total():
        remark(f"{path}: {count} commands run in folders that are not there, such as"
               f" {cited_name(min(assembly.lost))}: what they name from there is not found")
    if not assembly.units:
        left_out = ", ".join(f"{count} {reason}" for reason, count in assembly.skipped.items())
        raise ConfigurationError(f"{path} holds no unit of the kernel: {left_out}", _HINT)
    _require_headers(assembly, path)
    return assembly


def _no_build_folder(folder: Path, tree: Path) -> str:
    """Why a folder is not one that the kernel was built in, "" if it is: a list may name any."""
    if tree.is_relative_to(folder):
        return "the tree lies in it"
    if not (folder / ".config").is_file() and not (folder / "include/generated").is_dir():
        return "it has no .config and no include/generated"
    return ""


def _assemble(
    entries: list[Entry], tree: KernelTree, moved: Relocation, build: Path | None
) -> Assembly:
    assembly = Assembly(
        tree=tree.root,
        build=build,
        place=moved.place,
        object_name=moved.object_name,
        also=build_folder_first(tree.root, build),
        # A small tree of one's own need not define __KERNEL__; in a kernel's list only its host
        # programs do not.
        kernel_only=any(KERNEL_DEFINE in entry.words for entry in entries),
    )
    for entry in entries:
        command = _command(entry)
        if command is None:
            assembly.skipped[PREPROCESSED] += 1
        else:
            assembly.add(command, entry.directory)
    return assembly


def _command(entry: Entry) -> CompileCommand | None:
    words = strip_launcher(list(entry.words))
    if "-E" in words or "-S" in words:
        return None
    # The entry's own file and output say which source and object; the command need not.
    command = compile_arguments([*target_of(words[0]), "-c", *words[1:]], entry.file)
    if command is not None and entry.output:
        return replace(command, object=entry.output)
    return command


def _require_headers(assembly: Assembly, path: Path) -> None:
    """Refuses a list whose units include the generated autoconf.h when it is nowhere.

    Kbuild includes it through kconfig.h, which stands on every command line of a tree.
    """
    for unit in assembly.units.values():
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


def _includes_autoconf(kconfig: Path) -> bool:
    return is_file(kconfig) and f"<{_AUTOCONF}>".encode() in read_regular(kconfig)


def _may_be_named(text: str) -> bool:
    """Whether a file may have this name: no null byte, no half of a character."""
    try:
        return b"\0" not in os.fsencode(text)
    except UnicodeEncodeError:
        return False


def read_list(path: Path) -> list[Entry]:
    """The entries of the list at `path`; raises ConfigurationError where it is not such a list."""
    try:
        content = json.loads(read_regular(path, MOST_LISTED).decode("utf-8"))
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
    return list(_entries(content, path))


def _entries(content: list[Any], path: Path) -> Iterator[Entry]:
    base = path.resolve().parent
    for number, item in enumerate(content, 1):
        entry = _entry(item, base)
        if entry is None:
            raise ConfigurationError(
                f"{path}: entry {number} lacks a file, or a command or arguments, or holds what"
                " no name of a file can hold", _HINT
            )
        yield entry


def _entry(item: Any, base: Path) -> Entry | None:
    if not isinstance(item, dict):
        return None
    directory, file = item.get("directory", "."), item.get("file")
    command, arguments = item.get("command"), item.get("arguments")
    output = item.get("output", "")
    if not all(isinstance(text, str) for text in (directory, file, output)) or not file:
        return None
    if isinstance(arguments, list) and all(isinstance(word, str) for word in arguments):
        words = tuple(arguments)
    elif isinstance(command, str):
        words = tuple(split_words(command))
    else:
        return None
    if not words:
        return None
    if not all(map(_may_be_named, (directory, file, output, *words))):
        return None
    # A relative directory is relative to the list, which makes a list that can be moved.
    return Entry(str(base / directory), file, words, output)
