"""List the translation units of a tree: the package's entry point.

Owns the order of the steps: choose the configuration, prepare, run the dry run or read the
compile database, filter.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from kgraph.build.compile_commands import CompileCommand
from kgraph.build.compile_database import build_database_units, find_compile_database
from kgraph.build.configuration import (
    Configuration,
    choose_configuration,
    identify_compile_database,
)
from kgraph.build.dry_run import (
    DryRunResult,
    delete_saved_dry_run,
    load_dry_run,
    run_dry_run,
    save_dry_run,
)
from kgraph.build.dry_run import iter_compile_commands as commands_of
from kgraph.build.generated_sources import make_generated_sources
from kgraph.build.kbuild import PreparedBuild, has_in_tree_build
from kgraph.build.kbuild import prepare_build as prepare_headers
from kgraph.build.tree import KernelTree
from kgraph.build.unit_builder import MISSING_SOURCE, UnitBuilder, prefer_build_folder
from kgraph.build.unit_filter import filter_units
from kgraph.errors import ConfigurationError
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
class _ListRequest:
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


def list_translation_units(
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
    request = _ListRequest(tree, config, defconfig, tuple(only), work.resolve(), jobs, remark)
    listed = find_compile_database(tree, compile_commands)
    if listed is None:
        return _list_from_kbuild(request)
    return _list_from_database(request, listed, prepare=prepare)


def find_configuration(
    tree: KernelTree,
    *,
    config: str | Path | None = None,
    defconfig: str | None = None,
    compile_commands: str | Path | None = None,
) -> Configuration:
    """The configuration that `translation_units` would take, found without running anything."""
    listed = find_compile_database(tree, compile_commands)
    if listed is not None:
        return identify_compile_database(listed)
    return choose_configuration(tree, config=config, defconfig=defconfig)


def _list_from_kbuild(request: _ListRequest) -> UnitList:
    configuration, remembered = _prepare_or_load(request)
    return UnitList(
        units=filter_units(remembered.units, request.only, request.tree),
        configuration=configuration,
        release=request.tree.release,
        build=request.work / "build",
        skipped=remembered.skipped,
        remarks=tuple(request.remarks),
    )


def _prepare_or_load(request: _ListRequest) -> tuple[Configuration, DryRunResult]:
    """The prepared build folder and its dry run: remembered where possible, else made now."""
    tree, work = request.tree, request.work
    configuration = choose_configuration(tree, config=request.config, defconfig=request.defconfig)
    if warning := configuration.explain_release_mismatch(tree):
        request.remark(warning)
    remembered = load_dry_run(work, tree, configuration, request.progress)
    if remembered is not None:
        for text in remembered.remarks:
            request.remark(text)
        return configuration, remembered
    delete_saved_dry_run(work)
    told = len(request.remarks)
    assembly = _run_kbuild(request, configuration)
    remembered = DryRunResult(
        _sort_units(assembly), _sort_skipped(assembly), tuple(request.remarks[told:])
    )
    save_dry_run(work, tree, configuration, remembered)
    return configuration, remembered


def _run_kbuild(request: _ListRequest, configuration: Configuration) -> UnitBuilder:
    request.progress(f"preparing headers outside the tree (configuration: {configuration})")
    prepared = prepare_headers(
        request.tree, configuration, request.work, jobs=request.jobs, remark=request.remark
    )
    request.progress("asking Kbuild for the compile commands (dry run)")
    text = run_dry_run(prepared)
    # The shadow's paths end here: clang and every citation see the tree's own.
    commands = list(commands_of(prepared.shadow.restore_tree_paths(text)))
    assembly = _build_units(commands, prepared)
    make_generated_sources(text, prepared, assembly.missing, request.remark)
    # Again: sources that were missing are there now, and so are their folders.
    assembly = _build_units(commands, prepared)
    _report_refused_flags(assembly, request.remark)
    return assembly


def _build_units(commands: Sequence[CompileCommand], prepared: PreparedBuild) -> UnitBuilder:
    tree, build = prepared.shadow.tree, prepared.build

    def absolute(path: str, folder: str) -> str:
        return os.path.normpath(Path(folder, path))

    assembly = UnitBuilder(
        tree=tree,
        build=build,
        place=absolute,
        object_name=lambda path, folder: os.path.relpath(absolute(path, folder), build),
        # Headers of an earlier in-tree build must not be found before the ones just made.
        also=prefer_build_folder(tree, build if has_in_tree_build(tree) else None),
        kernel_only=True,
    )
    for command in commands:
        assembly.add(command, str(build))
    return assembly


def _list_from_database(request: _ListRequest, listed: Path, *, prepare: bool) -> UnitList:
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
        _prepare_or_load(request)
        build = request.work / "build"
    assembly = build_database_units(request.tree, listed, build, request.remark)
    if count := assembly.skipped[MISSING_SOURCE]:
        names = ", ".join(sorted(assembly.missing)[:_SHOWN])
        more = " ..." if count > _SHOWN else ""
        request.remark(f"{listed} names {count} sources that are not there: {names}{more}")
    _report_refused_flags(assembly, request.remark)
    return UnitList(
        units=filter_units(_sort_units(assembly), request.only, request.tree),
        configuration=identify_compile_database(listed),
        release=request.tree.release,
        build=assembly.build,
        skipped=_sort_skipped(assembly),
        remarks=tuple(request.remarks),
    )


def _sort_units(assembly: UnitBuilder) -> tuple[TranslationUnit, ...]:
    return tuple(assembly.units[key] for key in sorted(assembly.units))


def _sort_skipped(assembly: UnitBuilder) -> tuple[tuple[str, int], ...]:
    return tuple(sorted(assembly.skipped.items()))


def _report_refused_flags(assembly: UnitBuilder, remark: Callable[[str], None]) -> None:
    refused = sorted(assembly.refused.items())
    for flag, count in refused[:_SHOWN]:
        remark(f"left out the flag {_shorten(flag)} of {count} commands: it loads or reads foreign"
               " code")
    if more := ", ".join(flag for flag, _ in refused[_SHOWN:]):
        remark(f"and {_shorten(more)}")


def _shorten(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]} ..."
