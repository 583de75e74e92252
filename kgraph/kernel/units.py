"""From a tree to its translation units: the one function that the pipeline calls.

Owns `UnitList` and the order of the steps (choose, prepare, dry run or list, select). Knows each
step by its function only.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from kgraph.errors import ConfigurationError
from kgraph.kernel.assembly import MISSING, Assembly, build_folder_first
from kgraph.kernel.commands import CompileCommand
from kgraph.kernel.configuration import Configuration, choose_configuration, from_list
from kgraph.kernel.dryrun import compile_commands as commands_of
from kgraph.kernel.dryrun import dry_run
from kgraph.kernel.generated import make_generated
from kgraph.kernel.listing import find_list, units_of_list
from kgraph.kernel.prepare import Prepared
from kgraph.kernel.prepare import prepare as prepare_headers
from kgraph.kernel.reuse import Remembered, forget, recall, remember
from kgraph.kernel.selection import select
from kgraph.kernel.shadow import is_built
from kgraph.kernel.tree import KernelTree
from kgraph.model.units import TranslationUnit

_SHOWN = 3
_LONGEST = 1000  # characters of what a list of commands says


@dataclass(frozen=True, slots=True)
class UnitList:
    """The translation units of a tree in one configuration.

    `units` is sorted by (path, object). `build` is the folder of generated files, absolute, or
    None when there is none. `skipped` counts what was left out, by reason; `remarks` are what a
    reader of the result should know, each already told to the caller's callback.
    """

    units: tuple[TranslationUnit, ...]
    configuration: Configuration
    release: str
    build: Path | None
    skipped: tuple[tuple[str, int], ...]
    remarks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Request:
    """What was asked for, and what has been said about it so far."""

    tree: KernelTree
    config: str | Path | None
    defconfig: str | None
    only: tuple[str | Path, ...]
    work: Path
    jobs: int
    progress: Callable[[str], None]
    remarks: list[str] = field(default_factory=list)

    def remark(self, text: str) -> None:
        """Tells the user something that also belongs to the result."""
        self.remarks.append(text)
        self.progress(text)


def translation_units(
    tree: KernelTree,
    *,
    config: str | Path | None = None,
    defconfig: str | None = None,
    compile_commands: str | Path | None = None,
    prepare: bool = False,
    only: Sequence[str | Path] = (),
    work: Path,
    jobs: int = 1,
    remark: Callable[[str], None] = lambda _text: None,
) -> UnitList:
    """Every unit of the tree in the chosen configuration, or of the given list.

    `work` is a folder of the user's cache for this tree and configuration; what is in it is used
    again as long as its inputs did not change. Raises TreeError, ConfigurationError, ToolError.
    """
    request = _Request(tree, config, defconfig, tuple(only), work.resolve(), jobs, remark)
    listed = find_list(tree, compile_commands)
    if listed is None:
        return _from_kbuild(request)
    return _from_list(request, listed, prepare=prepare)


def configuration_of(
    tree: KernelTree,
    *,
    config: str | Path | None = None,
    defconfig: str | None = None,
    compile_commands: str | Path | None = None,
) -> Configuration:
    """The configuration that `translation_units` would take, found without running anything."""
    listed = find_list(tree, compile_commands)
    if listed is not None:
        return from_list(listed)
    return choose_configuration(tree, config=config, defconfig=defconfig)


def _from_kbuild(request: _Request) -> UnitList:
    configuration, remembered = _prepared(request)
    return UnitList(
        units=select(remembered.units, request.only, request.tree),
        configuration=configuration,
        release=request.tree.release,
        build=request.work / "build",
        skipped=remembered.skipped,
        remarks=tuple(request.remarks),
    )


def _prepared(request: _Request) -> tuple[Configuration, Remembered]:
    """The prepared build folder and its dry run: remembered where possible, else made now."""
    tree, work = request.tree, request.work
    configuration = choose_configuration(tree, config=request.config, defconfig=request.defconfig)
    if warning := configuration.warning(tree):
        request.remark(warning)
    remembered = recall(work, tree, configuration, request.progress)
    if remembered is not None:
        for text in remembered.remarks:
            request.remark(text)
        return configuration, remembered
    forget(work)
    told = len(request.remarks)
    assembly = _run_kbuild(request, configuration)
    remembered = Remembered(_sorted(assembly), _skipped(assembly), tuple(request.remarks[told:]))
    remember(work, tree, configuration, remembered)
    return configuration, remembered


def _run_kbuild(request: _Request, configuration: Configuration) -> Assembly:
    request.progress(f"preparing headers outside the tree (configuration: {configuration})")
    prepared = prepare_headers(
        request.tree, configuration, request.work, jobs=request.jobs, remark=request.remark
    )
    request.progress("asking Kbuild for the compile commands (dry run)")
    text = dry_run(prepared)
    # The shadow's paths end here: clang and every citation see the tree's own.
    commands = list(commands_of(prepared.shadow.in_tree(text)))
    assembly = _assemble(commands, prepared)
    make_generated(text, prepared, assembly.missing, request.remark)
    # Again: sources that were missing are there now, and so are their folders.
    assembly = _assemble(commands, prepared)
    _tell_refused(assembly, request.remark)
    return assembly


def _assemble(commands: Sequence[CompileCommand], prepared: Prepared) -> Assembly:
    tree, build = prepared.shadow.tree, prepared.build

    def absolute(path: str, folder: str) -> str:
        return os.path.normpath(Path(folder, path))

    assembly = Assembly(
        tree=tree,
        build=build,
        place=absolute,
        object_name=lambda path, folder: os.path.relpath(absolute(path, folder), build),
        # Headers of an earlier in-tree build must not be found before the ones just made.
        also=build_folder_first(tree, build if is_built(tree) else None),
        kernel_only=True,
    )
    for command in commands:
        assembly.add(command, str(build))
    return assembly


def _from_list(request: _Request, listed: Path, *, prepare: bool) -> UnitList:
    if not prepare and (request.config is not None or request.defconfig is not None):
        raise ConfigurationError(
            "a list of compile commands fixes the configuration already",
            "leave --config and --defconfig away, or add --prepare to make headers with them",
        )
    if prepare and not request.tree.has_kbuild:
        raise ConfigurationError(
            f"{request.tree.root} has no Makefile that could prepare headers",
            "leave --prepare away",
        )
    build = None
    if prepare:
        _prepared(request)
        build = request.work / "build"
    assembly = units_of_list(request.tree, listed, build, request.remark)
    if count := assembly.skipped[MISSING]:
        names = ", ".join(sorted(assembly.missing)[:_SHOWN])
        more = " ..." if count > _SHOWN else ""
        request.remark(f"{listed} names {count} sources that are not there: {names}{more}")
    _tell_refused(assembly, request.remark)
    return UnitList(
        units=select(_sorted(assembly), request.only, request.tree),
        configuration=from_list(listed),
        release=request.tree.release,
        build=assembly.build,
        skipped=_skipped(assembly),
        remarks=tuple(request.remarks),
    )


def _sorted(assembly: Assembly) -> tuple[TranslationUnit, ...]:
    return tuple(assembly.units[key] for key in sorted(assembly.units))


def _skipped(assembly: Assembly) -> tuple[tuple[str, int], ...]:
    return tuple(sorted(assembly.skipped.items()))


def _tell_refused(assembly: Assembly, remark: Callable[[str], None]) -> None:
    refused = sorted(assembly.refused.items())
    for flag, count in refused[:_SHOWN]:
        remark(f"left out the flag {_short(flag)} of {count} commands: it loads or reads foreign"
               " code")
    if more := ", ".join(flag for flag, _ in refused[_SHOWN:]):
        remark(f"and {_short(more)}")


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]} ..."
