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
from kgraph.build.kbuild import PreparedBuild, find_prepared_build, has_in_tree_build
from kgraph.build.kbuild import prepare_build as prepare_headers
from kgraph.build.module_folder import check_module, copy_module
from kgraph.build.module_units import find_module_units
from kgraph.build.rust import find_rust_functions
from kgraph.build.toolchain import Toolchain, choose_toolchain
from kgraph.build.tree import KernelTree
from kgraph.build.unit_builder import (
    MISSING_SOURCE,
    OUTSIDE_TREE,
    UNKNOWN_LANGUAGE,
    UnitBuilder,
    prefer_build_folder,
)
from kgraph.build.unit_filter import filter_units
from kgraph.errors import ConfigurationError
from kgraph.logs import PackageLogger
from kgraph.model.units import ModuleFolder, TranslationUnit

_LOG = PackageLogger("kgraph.build")
_MAY_BE_LINKED = {MISSING_SOURCE, OUTSIDE_TREE, UNKNOWN_LANGUAGE}
_SHOWN = 3
_MAX_SHOWN = 1000  # characters of a text of a list of commands


@dataclass(frozen=True, slots=True)
class UnitList:
    """The translation units of a tree in one configuration.

    `units` is sorted by (path, object). `build` is the absolute path of the folder of generated
    files, None if there is none. `skipped` counts what was left out, by reason. `remarks` are those
    that the caller's callback received. `whole`: these are all units that Kbuild links into the
    kernel and its modules. `rust` names the functions that Rust code defines for C. `modules` are
    the out-of-tree modules, whose units are among `units`.
    """

    units: tuple[TranslationUnit, ...]
    configuration: Configuration
    release: str
    build: Path | None
    skipped: tuple[tuple[str, int], ...]
    remarks: tuple[str, ...]
    whole: bool = False
    rust: tuple[str, ...] = ()
    modules: tuple[ModuleFolder, ...] = ()


@dataclass(frozen=True, slots=True)
class UnitRequest:
    """Which units of a tree to list, and in which configuration.

    `config`, `defconfig` and `compile_commands` choose the configuration; without them it is that
    of the tree. `arch` is make's ARCH, "" for that of the configuration or this machine; with
    `llvm`, make runs LLVM's programs. `prepare` has missing headers made for a compile database.
    `only` limits the units to these files and folders, and those of `modules`, the folders of
    out-of-tree modules. `jobs` is how many processes make may run.
    """

    config: str | Path | None = None
    defconfig: str | None = None
    arch: str = ""
    llvm: bool = False
    compile_commands: str | Path | None = None
    prepare: bool = False
    only: Sequence[str | Path] = ()
    modules: Sequence[Path] = ()
    jobs: int = 1

    def choose_configuration(self, tree: KernelTree) -> Configuration:
        """The configuration of a tree that Kbuild is asked about."""
        return choose_configuration(tree, config=self.config, defconfig=self.defconfig,
                                    arch=self.arch, llvm=self.llvm)

    @property
    def has_configuration(self) -> bool:
        """Whether it asks for a configuration of Kbuild."""
        return self.config is not None or bool(self.defconfig or self.arch or self.llvm)


_ALL_UNITS = UnitRequest()


@dataclass(frozen=True, slots=True)
class _Listing:
    """One run of `list_translation_units`, and the remarks on it so far."""

    tree: KernelTree
    request: UnitRequest
    work: Path
    progress: Callable[[str], None]
    modules: tuple[Path, ...] = ()
    remarks: list[str] = field(default_factory=list)

    def remark(self, text: str) -> None:
        """Tell the user something that also belongs to the result."""
        self.remarks.append(text)
        self.progress(text)


def list_translation_units(
    tree: KernelTree,
    request: UnitRequest = _ALL_UNITS,
    *,
    work: Path,
    remark: Callable[[str], None] = lambda _text: None,
) -> UnitList:
    """List the units of a tree in the chosen configuration, or of a compile database.

    `work` is a folder of the user's cache for this tree and configuration. What is in it is used
    again as long as its inputs are the same. `remark` receives progress and what the user
    should know. Raises TreeError, ConfigurationError, ToolError.
    """
    modules = tuple(check_module(folder, tree) for folder in request.modules)
    listing = _Listing(tree, request, work.resolve(), remark, modules)
    database = find_compile_database(tree, request.compile_commands)
    if database is None:
        return _list_from_kbuild(listing)
    return _list_from_database(listing, database)


def find_configuration(tree: KernelTree, request: UnitRequest = _ALL_UNITS) -> Configuration:
    """The configuration that `list_translation_units` would use, found without running anything."""
    database = find_compile_database(tree, request.compile_commands)
    if database is not None:
        return identify_compile_database(database)
    return request.choose_configuration(tree)


def _list_from_kbuild(listing: _Listing) -> UnitList:
    tree, request = listing.tree, listing.request
    if listing.modules and not request.has_configuration and not (tree.root / ".config").is_file():
        raise ConfigurationError(
            f"{tree.root} has no .config, and a module is built for the kernel that runs it",
            "give the configuration of that kernel with --config, or --defconfig for make's default"
        )
    choice, result = _prepare_or_load(listing)
    build = listing.work / "build"
    units, modules = _add_modules(
        listing, result.units, build, find_prepared_build(tree, choice, listing.work))
    return UnitList(
        units=units,
        configuration=choice[0],
        release=tree.release,
        build=build,
        skipped=result.skipped,
        remarks=tuple(listing.remarks),
        whole=not request.only and _MAY_BE_LINKED.isdisjoint(dict(result.skipped)),
        rust=find_rust_functions(tree.root, build),
        modules=modules,
    )


def _add_modules(
    listing: _Listing, units: tuple[TranslationUnit, ...], build: Path | None,
    prepared: PreparedBuild | None,
) -> tuple[tuple[TranslationUnit, ...], tuple[ModuleFolder, ...]]:
    """Those of the tree's `units` that are asked for, with those of the modules; and the modules,
    which are copied into `build`."""
    tree, only = listing.tree, listing.request.only
    if not listing.modules or build is None:
        return filter_units(units, only, tree), ()
    modules: list[ModuleFolder] = []
    own: list[TranslationUnit] = []
    for folder in dict.fromkeys(listing.modules):
        modules.append(copy_module(folder, build, tree.root))
        builder = find_module_units(modules[-1], tree.root, build, prepared, listing.remark)
        _report_refused_flags(builder, listing.remark)
        own += _sort_units(builder)
    chosen = {*own, *filter_units((*units, *own), only, tree)}
    return tuple(sorted(chosen, key=lambda unit: (unit.path, unit.object))), tuple(modules)


def _prepare_or_load(
    listing: _Listing
) -> tuple[tuple[Configuration, Toolchain], DryRunResult]:
    """The configuration and compiler, and the result of their dry run: a saved one, or made now."""
    tree, work, request = listing.tree, listing.work, listing.request
    configuration = request.choose_configuration(tree)
    choice = configuration, choose_toolchain(tree, configuration, listing.remark)
    if warning := configuration.explain_release_mismatch(tree):
        listing.remark(warning)
    saved = load_dry_run(work, tree, choice, listing.progress)
    if saved is not None:
        _LOG.debug("using the saved dry run in %s", work)
        for text in saved.remarks:
            listing.remark(text)
        return choice, saved
    delete_saved_dry_run(work)
    first_remark = len(listing.remarks)
    builder = _run_kbuild(listing, choice)
    result = DryRunResult(
        _sort_units(builder), _sort_skipped(builder), tuple(listing.remarks[first_remark:])
    )
    save_dry_run(work, tree, choice, result)
    return choice, result


def _run_kbuild(listing: _Listing, choice: tuple[Configuration, Toolchain]) -> UnitBuilder:
    listing.progress(f"preparing headers outside the tree (configuration: {choice[0]})")
    prepared = prepare_headers(
        listing.tree, choice, listing.work, jobs=listing.request.jobs, remark=listing.remark
    )
    listing.progress("asking Kbuild for the compile commands (dry run)")
    text = run_dry_run(prepared)
    # From here on there are only the tree's own paths: for clang, and in citations.
    commands = list(commands_of(prepared.shadow.restore_tree_paths(text)))
    builder = _build_units(commands, prepared)
    make_generated_sources(text, prepared, builder.missing, listing.remark)
    # Once more: sources that were missing are there now, and so are their folders.
    builder = _build_units(commands, prepared)
    _report_refused_flags(builder, listing.remark)
    return builder


@dataclass(frozen=True, slots=True)
class _LocalPaths:
    """Paths of commands that were made for this machine; see unit_builder.CommandPaths."""

    build: Path

    def relocate(self, path: str, directory: str) -> str:
        """The absolute path."""
        return os.path.normpath(Path(directory, path))

    def object_name(self, path: str, directory: str) -> str:
        """The object relative to the build folder."""
        return os.path.relpath(self.relocate(path, directory), self.build)


def _build_units(commands: Sequence[CompileCommand], prepared: PreparedBuild) -> UnitBuilder:
    tree, build = prepared.shadow.tree, prepared.build
    builder = UnitBuilder(
        tree=tree,
        build=build,
        paths=_LocalPaths(build),
        # Headers of an earlier in-tree build must not be found before those just made.
        find_preferred=prefer_build_folder(tree, build if has_in_tree_build(tree) else None),
        kernel_only=True,
    )
    for command in commands:
        builder.add(command, str(build))
    return builder


def _list_from_database(listing: _Listing, database: Path) -> UnitList:
    request = listing.request
    if not request.prepare and request.has_configuration:
        raise ConfigurationError(
            "a list of compile commands determines the configuration",
            "remove --config, --defconfig, --arch and --llvm, or add --prepare to make headers with"
            " them",
        )
    if request.prepare and not listing.tree.has_kbuild:
        raise ConfigurationError(
            f"{listing.tree.root} has no Makefile that could prepare headers",
            "remove --prepare",
        )
    build, prepared = None, None
    if request.prepare:
        choice, _ = _prepare_or_load(listing)
        build = listing.work / "build"
        prepared = find_prepared_build(listing.tree, choice, listing.work)
    builder = build_database_units(listing.tree, database, build, listing.remark)
    if count := builder.skipped[MISSING_SOURCE]:
        names = ", ".join(sorted(builder.missing)[:_SHOWN])
        more = " ..." if count > _SHOWN else ""
        listing.remark(f"{database} names {count} missing sources: {names}{more}")
    _report_refused_flags(builder, listing.remark)
    build = _find_folder_for_copies(listing, builder) if listing.modules else builder.build
    units, modules = _add_modules(listing, _sort_units(builder), build, prepared)
    return UnitList(
        units=units,
        configuration=identify_compile_database(database),
        release=listing.tree.release,
        build=build,
        skipped=_sort_skipped(builder),
        remarks=tuple(listing.remarks),
        modules=modules,
    )


def _find_folder_for_copies(listing: _Listing, builder: UnitBuilder) -> Path:
    """The build folder to which modules are copied: one of kgraph's own."""
    own = listing.work / "build"
    if builder.build is not None and builder.build != own:
        raise ConfigurationError(
            f"--module cannot be given with a list of commands that run in {builder.build}:"
            " nothing is written there",
            f"give its configuration instead: --config {builder.build / '.config'}")
    own.mkdir(parents=True, exist_ok=True)
    return own


def _sort_units(builder: UnitBuilder) -> tuple[TranslationUnit, ...]:
    return tuple(builder.units[key] for key in sorted(builder.units))


def _sort_skipped(builder: UnitBuilder) -> tuple[tuple[str, int], ...]:
    return tuple(sorted(builder.skipped.items()))


def _report_refused_flags(builder: UnitBuilder, remark: Callable[[str], None]) -> None:
    refused = sorted(builder.refused.items())
    for flag, count in refused[:_SHOWN]:
        remark(f"ignored the flag {_shorten(flag)} of {count} commands: it loads or reads foreign"
               " code")
    if more := ", ".join(flag for flag, _ in refused[_SHOWN:]):
        remark(f"and {_shorten(more)}")


def _shorten(text: str) -> str:
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]} ..."
