"""Run Kbuild outside the tree: a shadow of the tree, a configured build folder, generated headers.

Kbuild refuses a source tree that holds a .config or an in-tree build ("is not clean"), and the
tree must not be touched. So make gets a shadow: a folder of symbolic links that shows the same
files without dot files (.config, .git) and without what an in-tree build left.
"""

import contextlib
import fcntl
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from kgraph.build.configuration import Configuration
from kgraph.build.toolchain import (
    COMPILER,
    is_pie_default,
    make_environment,
    require_headers,
    require_tools,
)
from kgraph.build.tree import KernelTree
from kgraph.errors import ConfigurationError, ToolError

_MEANINGFUL = re.compile(r"error:|\*\*\*|not found|No such file|cannot|undefined", re.IGNORECASE)
_LINES_SHOWN = 3
_LOCK_FILE = "running"


@dataclass(frozen=True, slots=True)
class Make:
    """How make is called for one build folder: the folder, and the variables for each call."""

    build: Path
    variables: tuple[str, ...]
    logs: Path

    def run(self, *arguments: str, folder: Path | None = None, name: str) -> int:
        """Runs make in `folder` (the build folder by default), writing logs/NAME.log.

        Returns the exit status. Standard input is empty, so that no question is ever waited for.
        """
        command = ["make", "-C", str(folder or self.build), *arguments, *self.variables]
        output, errors = self.logs / f"{name}.log", self.logs / f"{name}.errors.log"
        with lock_logs(self.logs) as lock, output.open("wb") as log, errors.open("wb") as error_log:
            return subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=error_log,
                env=make_environment(),
                check=False,
                pass_fds=(lock,),
            ).returncode

    def make_error(self, name: str, what: str) -> ToolError:
        """The error that tells why the run called `name` failed, by its first meaningful lines."""
        errors = self.logs / f"{name}.errors.log"
        lines = errors.read_text(encoding="utf-8", errors="replace").splitlines()
        # What went wrong stands first: make then tells, level by level, that it stops.
        meaningful = [line.strip() for line in lines if _MEANINGFUL.search(line)]
        shown = " | ".join((meaningful or lines)[:_LINES_SHOWN]) or "it says nothing"
        return ToolError(f"{what} failed: {shown}", f"the whole output is in {errors}")


@contextlib.contextmanager
def lock_logs(logs: Path, kind: int = fcntl.LOCK_SH) -> Iterator[int]:
    """An open file to be handed to programs that write beside `logs`, which is made. They share a
    lock on it, with all that they start, until the last has ended."""
    logs.mkdir(parents=True, exist_ok=True)
    lock = os.open(logs / _LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(lock, kind)
        yield lock
    finally:
        os.close(lock)


def wait_for_leftovers(logs: Path) -> None:
    """Wait for programs that a run that was killed has left behind; they are still writing."""
    with lock_logs(logs, fcntl.LOCK_EX):
        return


# What an in-tree build leaves that is not named by a .FILE.cmd beside it.
_LEFT_BY_BUILD = ("include/config", "include/generated", ".tmp_versions")
# Firmware and test blobs may be checked in under these; hiding one makes no command wrong.
_BUILT_SUFFIXES = (".o", ".a", ".ko", ".mod", ".mod.c", ".order", ".cmd")


@dataclass(frozen=True, slots=True)
class ShadowTree:
    """The links at `root` that stand for `tree`."""

    root: Path
    tree: Path

    def restore_tree_paths(self, text: str) -> str:
        """`text` with every path of the shadow turned into the tree's own."""
        return text.replace(str(self.root), str(self.tree))


def make_shadow_tree(tree: Path, root: Path) -> ShadowTree:
    """Makes the shadow of `tree` at `root`, which is removed first if it is there."""
    if root.is_symlink() or root.exists():
        shutil.rmtree(root)
    root.mkdir(parents=True)
    if has_in_tree_build(tree):
        _mirror_folders(tree, root)
    else:
        for entry in sorted(tree.iterdir()):
            if not entry.name.startswith("."):
                (root / entry.name).symlink_to(entry)
    return ShadowTree(root, tree)


def has_in_tree_build(tree: Path) -> bool:
    """Whether the tree holds (part of) an in-tree build."""
    return any((tree / name).exists() for name in _LEFT_BY_BUILD)


def _mirror_folders(tree: Path, root: Path) -> None:
    """Real folders all the way down, links to the files that no build made.

    Links to folders would not do: rules name arch/x86/entry/syscalls/../../include/generated, and
    the .. behind a link leads into the tree, where the old header passes for a made one.
    """
    for folder, folders, files in os.walk(tree):
        relative = os.path.relpath(folder, tree)
        made = _find_built_names(relative, folders, files)
        folders[:] = [name for name in folders if name not in made and not name.startswith(".")]
        target = root / relative
        for name in folders:
            path = Path(folder, name)
            if path.is_symlink():
                (target / name).symlink_to(path)
            else:
                (target / name).mkdir()
        for name in files:
            if name not in made and not name.startswith("."):
                (target / name).symlink_to(Path(folder, name))


def _find_built_names(relative: str, folders: list[str], files: list[str]) -> set[str]:
    """The names in one folder that a build made."""
    # Kbuild writes .FILE.cmd beside each FILE it makes: that is how a made file is known.
    recorded = {name[1:-4] for name in files if name.startswith(".") and name.endswith(".cmd")}
    made = {name for name in files if name in recorded or name.endswith(_BUILT_SUFFIXES)}
    for name in folders:
        path = os.path.normpath(f"{relative}/{name}")
        if path in _LEFT_BY_BUILD or path.endswith("/include/generated"):
            made.add(name)
    return made


# Without these no translation unit can be parsed; what else `prepare` makes is host tools, whose
# failure (an old objtool under a new gcc) does no harm here.
_NEEDED_HEADERS = ("include/generated/autoconf.h", "include/generated/asm-offsets.h")
_NO_PIE = re.compile(r"-fno-pie\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class PreparedBuild:
    """A build folder in which the headers are made, and the shadow it was made from."""

    build: Path
    shadow: ShadowTree
    make: Make


def prepare_build(
    tree: KernelTree,
    configuration: Configuration,
    work: Path,
    *,
    jobs: int,
    remark: Callable[[str], None],
) -> PreparedBuild:
    """Makes work/build from nothing for this configuration.

    Raises ToolError when a program is missing or make fails.
    """
    _check_work_folder(tree, work)
    require_tools(tree.root)
    build = work / "build"
    wait_for_leftovers(work / "log")
    if build.exists():
        shutil.rmtree(build)
    build.mkdir(parents=True)
    shadow = make_shadow_tree(tree.root, work / "shadow")
    make = Make(build, _choose_make_variables(tree, configuration), work / "log")
    _configure(make, shadow, configuration)
    require_headers(build / ".config")
    _make_headers(make, jobs, remark)
    return PreparedBuild(build, shadow, make)


def _check_work_folder(tree: KernelTree, work: Path) -> None:
    if work.is_relative_to(tree.root):
        raise ConfigurationError(
            f"the cache folder {work} lies inside the tree, which is never written to",
            "set XDG_CACHE_HOME to a folder elsewhere",
        )
    if re.search(r"[\s:]", str(work)):
        raise ConfigurationError(
            f"Kbuild cannot work in {work}: its path holds a space or a colon",
            "set XDG_CACHE_HOME to a folder without them",
        )


def _choose_make_variables(tree: KernelTree, configuration: Configuration) -> tuple[str, ...]:
    # Tentative definitions in the host tools of trees before 5.7 clash since gcc 10 (dtc's yylloc).
    variables = [f"HOSTCC={COMPILER} -fcommon"]
    # kernel.org's trees before 4.9 do not say -fno-pie and stop at kernel/bounds.s with a compiler
    # that makes PIE by default. Seen by feature: distributions added it to older ones.
    if is_pie_default() and not _NO_PIE.search(_read_text(tree.root / "Makefile")):
        variables.append(f"CC={COMPILER} -fno-pie")
    if configuration.arch and (tree.root / "arch" / configuration.arch).is_dir():
        variables.append(f"ARCH={configuration.arch}")
    return tuple(variables)


def _configure(make: Make, shadow: ShadowTree, configuration: Configuration) -> None:
    target = configuration.target or "olddefconfig"
    if configuration.path is not None:
        shutil.copyfile(configuration.path, make.build / ".config")
    status = make.run(f"O={make.build}", target, folder=shadow.root, name="configure")
    if status != 0 or not (make.build / ".config").is_file():
        raise make.make_error("configure", f"make {target}")


def _make_headers(make: Make, jobs: int, remark: Callable[[str], None]) -> None:
    parallel = f"-j{max(1, jobs)}"
    status = make.run("-k", parallel, "prepare", name="prepare")
    missing = [name for name in _NEEDED_HEADERS if not (make.build / name).is_file()]
    if missing:
        raise make.make_error("prepare", "make prepare")
    # Host programs that make sources (pnmtologo, conmakehash, genheaders): the dry run has rules
    # for those sources only once the programs are there.
    if make.run("-k", parallel, "scripts", name="scripts") != 0 or status != 0:
        remark(
            f"some host programs of the tree could not be built (see {make.logs}); "
            "sources that they generate may be missing"
        )


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise ToolError(
            f"{path} cannot be read: {error.strerror}", "check its permissions"
        ) from error
