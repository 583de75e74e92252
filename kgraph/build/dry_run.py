"""The Kbuild dry run: the compile commands of vmlinux and modules, printed and not run.

Owns asking make for it, reading compile commands out of its output, and saving the result, so
that indexing an unchanged tree again runs no make. The saved result is valid for the same tree,
configuration, compiler, kgraph, and the same files that Kbuild reads (Makefile, Kbuild,
Kconfig, scripts) by time and size. Its commands name the work folder: a folder that was copied
or moved is prepared again.

Limit: it does not notice an edited header that would change a generated one (asm-offsets.h).
"""

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from kgraph.build.compile_commands import (
    KERNEL_DEFINE,
    CompileCommand,
    parse_compile_command,
    split_commands,
    split_words,
)
from kgraph.build.configuration import Configuration
from kgraph.build.flags import is_translated
from kgraph.build.kbuild import PreparedBuild
from kgraph.build.toolchain import Toolchain, read_compiler_version
from kgraph.build.tree import KernelTree
from kgraph.errors import ToolError
from kgraph.model.units import TranslationUnit
from kgraph.textfile import read_regular_file, replace_file

_LOG_NAME = "dry-run"
_TARGETS = ("vmlinux", "modules")


def run_dry_run(prepared: PreparedBuild) -> str:
    """Run `make -n` in the prepared folder and return what it prints.

    The run is serial, because parallel sub-makes would mix their lines. It ends with an error if
    something to be linked is missing, but with -k all that it prints before and after is right.
    Raises ToolError if it prints no command.
    """
    prepared.make.run("-n", "-k", "V=1", *_TARGETS, name=_LOG_NAME)
    text = _read_log(prepared, _LOG_NAME)
    if KERNEL_DEFINE not in text:
        raise prepared.make.make_error(_LOG_NAME, "the dry run of make vmlinux modules")
    return text


def run_module_dry_run(prepared: PreparedBuild, module: Path) -> list[CompileCommand]:
    """The compile commands of an out-of-tree module, as `make -n M=` prints them; [] if it prints
    none. What Kbuild tries the compiler with goes beside the logs, not into the module's folder."""
    name = f"{_LOG_NAME}-{module.name}"
    trials = f"TMPOUT={prepared.make.logs / 'trial'}"
    prepared.make.run("-n", "-k", "V=1", f"M={module}", trials, "modules", name=name, caller=module)
    text = prepared.shadow.restore_tree_paths(_read_log(prepared, name))
    return [command for line in text.splitlines() if KERNEL_DEFINE in line and " -c " in line
            for command in _iter_line_commands(line)]


def _read_log(prepared: PreparedBuild, name: str) -> str:
    log: Path = prepared.make.logs / f"{name}.log"
    return log.read_text(encoding="utf-8", errors="replace").replace("\\\n", " ")


def iter_compile_commands(text: str) -> Iterator[CompileCommand]:
    """Yield the compile commands of the kernel's objects in the text of a dry run."""
    found = False
    for line in text.splitlines():
        if KERNEL_DEFINE in line and " -c " in line:
            for command in _iter_line_commands(line):
                found = True
                yield command
    if not found:
        raise ToolError(
            "the dry run of make printed no compile command that kgraph can read",
            "record a build with a tool such as bear, and give its list with --compile-commands",
        )


def _iter_line_commands(line: str) -> Iterator[CompileCommand]:
    for command in split_commands(line):
        if KERNEL_DEFINE in command and " -c " in command:
            found = parse_compile_command(split_words(command))
            if found is not None:
                yield found


_SAVED_FILE = "units.json"
_READ_BY_KBUILD = ("Makefile", "Kbuild", "Kconfig")
_TABLES = (".tbl", "defconfig", ".config")


class _SavedDryRun(msgspec.Struct):
    """The file in which the result of a dry run is saved. Units share `flags`, their arguments:
    `unit_flags` has the position of each unit's."""

    key: str
    work: str
    flags: list[tuple[str, ...]]
    units: list[TranslationUnit]
    unit_flags: list[int]
    skipped: tuple[tuple[str, int], ...]
    remarks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DryRunResult:
    """The units of a dry run, what was skipped (reason, count), and the remarks on it."""

    units: tuple[TranslationUnit, ...]
    skipped: tuple[tuple[str, int], ...]
    remarks: tuple[str, ...]


def load_dry_run(
    work: Path, tree: KernelTree, choice: tuple[Configuration, Toolchain],
    remark: Callable[[str], None],
) -> DryRunResult | None:
    """The result that is saved in `work` for a configuration and a compiler; None if there is none,
    or its inputs have changed."""
    try:
        # By way of json: file names that are not UTF-8 stand in it as lone surrogates, which
        # msgspec's own decoder refuses.
        saved = msgspec.convert(json.loads(read_regular_file(work / _SAVED_FILE)), _SavedDryRun)
        if saved.work != str(work):
            remark(f"the cache folder was copied or moved: {work} was prepared in {saved.work},"
                   " and is prepared again")
            return None
        if saved.key != _compute_key(tree, *choice) or not (work / "build").is_dir():
            return None
        roots = (tree.root, work / "build")
        if not all(is_translated(arguments, roots) for arguments in saved.flags):
            return None
        units = tuple(
            msgspec.structs.replace(unit, arguments=saved.flags[position])
            for unit, position in zip(saved.units, saved.unit_flags, strict=True)
        )
        return DryRunResult(units, saved.skipped, saved.remarks)
    except (OSError, ValueError, IndexError, RecursionError):
        # There is none, it is of an earlier kgraph, or it was cut off.
        return None


def save_dry_run(
    work: Path, tree: KernelTree, choice: tuple[Configuration, Toolchain], result: DryRunResult
) -> None:
    """Save a result for `load_dry_run`, whole or not at all."""
    flags: dict[tuple[str, ...], int] = {}
    for unit in result.units:
        flags.setdefault(unit.arguments, len(flags))
    saved = _SavedDryRun(
        key=_compute_key(tree, *choice),
        work=str(work),
        flags=list(flags),
        units=[msgspec.structs.replace(unit, arguments=()) for unit in result.units],
        unit_flags=[flags[unit.arguments] for unit in result.units],
        skipped=result.skipped,
        remarks=result.remarks,
    )
    replace_file(work / _SAVED_FILE, json.dumps(msgspec.to_builtins(saved)).encode())


def delete_saved_dry_run(work: Path) -> None:
    """Delete the saved result, before its build folder is made again."""
    (work / _SAVED_FILE).unlink(missing_ok=True)


def _compute_key(tree: KernelTree, configuration: Configuration, toolchain: Toolchain) -> str:
    """A digest of all that the result depends on."""
    digest = hashlib.sha256()
    version = read_compiler_version(toolchain)
    for part in (tree.root, tree.release, configuration.digest, toolchain.arch, version):
        digest.update(f"{part}\n".encode())
    for source in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(source.read_bytes())
    for line in sorted(_iter_inputs(str(tree.root))):
        digest.update(line.encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def _iter_inputs(root: str) -> Iterator[str]:
    """Path, time and size of each file that Kbuild reads."""
    for folder, folders, files in os.walk(root):
        folders[:] = [name for name in folders if not name.startswith(".")]
        whole = folder.startswith(f"{root}/scripts")
        for name in files:
            if whole or name.startswith(_READ_BY_KBUILD) or name.endswith(_TABLES):
                path = f"{folder}/{name}"
                try:
                    state = os.lstat(path)
                except OSError:  # removed just now
                    continue
                yield f"{path} {state.st_mtime_ns} {state.st_size}\n"
