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
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from kgraph.build.configuration import Configuration
from kgraph.build.programs import run_program
from kgraph.build.toolchain import (
    Toolchain,
    make_environment,
    require_headers,
    require_tools,
)
from kgraph.build.tree import KernelTree
from kgraph.errors import ConfigurationError, ToolError
from kgraph.textfile import read_regular_file

_PAHOLE = re.compile(rb"^CONFIG_PAHOLE_VERSION=(\d+)(\d\d)$", re.MULTILINE)
_MEANINGFUL = re.compile(r"error:|\*\*\*|not found|No such file|cannot|undefined", re.IGNORECASE)
_LINES_SHOWN = 3
_LOCK_FILE = "running"
_LEFTOVER_SECONDS = 600.0  # a compiler may be at work
_POLL_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Make:
    """How to call make for a build folder: the folder, variables for each call, where logs go."""

    build: Path
    variables: tuple[str, ...]
    logs: Path

    def run(
        self, *arguments: str, folder: Path | None = None, name: str, caller: Path | None = None
    ) -> int:
        """Run make in `folder` (by default the build folder), writing logs/NAME.log.

        Returns the exit status. Standard input is empty, so make cannot wait for an answer. It is
        called from the folder `caller`, which makefiles know as $(PWD).
        """
        command = ["make", "-C", str(folder or self.build), *arguments, *self.variables]
        output, errors = self.logs / f"{name}.log", self.logs / f"{name}.errors.log"
        called = {} if caller is None else {"PWD": str(caller)}
        with lock_logs(self.logs) as lock, output.open("wb") as log, errors.open("wb") as error_log:
            return run_program(
                command, stdout=log, stderr=error_log, env=make_environment() | called,
                pass_fds=(lock,))

    def make_error(self, name: str, what: str) -> ToolError:
        """The error for a failed run, with the first meaningful lines of its output."""
        errors = self.logs / f"{name}.errors.log"
        lines = errors.read_text(encoding="utf-8", errors="replace").splitlines()
        # The cause comes first. Then make reports, level by level, that it stops.
        meaningful = [line.strip() for line in lines if _MEANINGFUL.search(line)]
        shown = " | ".join((meaningful or lines)[:_LINES_SHOWN]) or "no output"
        return ToolError(f"{what} failed: {shown}", f"the whole output is in {errors}")


@contextlib.contextmanager
def lock_logs(logs: Path, kind: int = fcntl.LOCK_SH) -> Iterator[int]:
    """Make the folder `logs`, and open and lock a file in it to pass to programs that are started.

    The programs, and what they start, share the lock until the last one has ended.
    """
    logs.mkdir(parents=True, exist_ok=True)
    lock = os.open(logs / _LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(lock, kind)
        yield lock
    finally:
        os.close(lock)


def wait_for_leftovers(
    logs: Path, remark: Callable[[str], None], seconds: float = _LEFTOVER_SECONDS
) -> None:
    """Wait for programs that outlived a killed run and may still be writing. Raises ToolError if
    they do not end."""
    deadline = None
    while deadline is None or time.monotonic() < deadline:
        with contextlib.suppress(BlockingIOError), lock_logs(logs, fcntl.LOCK_EX | fcntl.LOCK_NB):
            return
        if deadline is None:
            remark(f"waiting for programs that a killed run left; they hold {logs / _LOCK_FILE}")
            deadline = time.monotonic() + seconds
        time.sleep(_POLL_SECONDS)
    raise ToolError(
        f"programs that a killed run left did not end within {seconds:g} seconds",
        f"end them: `fuser {logs / _LOCK_FILE}` lists them")


# What an in-tree build leaves without a .FILE.cmd beside it.
_LEFT_BY_BUILD = ("include/config", "include/generated", ".tmp_versions")
# Firmware and test blobs may be checked in with such names; hiding one makes no command wrong.
_BUILT_SUFFIXES = (".o", ".a", ".ko", ".mod", ".mod.c", ".order", ".cmd")


@dataclass(frozen=True, slots=True)
class ShadowTree:
    """Symbolic links at `root` that stand for `tree`."""

    root: Path
    tree: Path

    def restore_tree_paths(self, text: str) -> str:
        """Replace every path of the shadow in `text` by the tree's own."""
        return text.replace(str(self.root), str(self.tree))


def make_shadow_tree(tree: Path, root: Path) -> ShadowTree:
    """Make the shadow of `tree` at `root`, removing an older one."""
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
    """Whether the tree holds an in-tree build, or part of one."""
    return any((tree / name).exists() for name in _LEFT_BY_BUILD)


def _mirror_folders(tree: Path, root: Path) -> None:
    """Make real folders all the way down, and links to the files that no build made.

    Links to folders would not do. Rules name arch/x86/entry/syscalls/../../include/generated, and
    the .. after a link leads into the tree, where make would take the old header for a new one.
    """
    for folder, folders, files in os.walk(tree):
        relative = os.path.relpath(folder, tree)
        made = find_built_names(relative, folders, files)
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


def find_built_names(relative: str, folders: list[str], files: list[str]) -> set[str]:
    """The names in one folder that a build made."""
    # Kbuild writes .FILE.cmd beside each FILE that it makes.
    recorded = {name[1:-4] for name in files if name.startswith(".") and name.endswith(".cmd")}
    made = {name for name in files if name in recorded or name.endswith(_BUILT_SUFFIXES)}
    for name in folders:
        path = os.path.normpath(f"{relative}/{name}")
        if path in _LEFT_BY_BUILD or path.endswith("/include/generated"):
            made.add(name)
    return made


# No unit can be parsed without these. `make prepare` also makes host tools; their failure (an old
# objtool under a new gcc) does no harm here.
_NEEDED_HEADERS = ("include/generated/autoconf.h", "include/generated/asm-offsets.h")


@dataclass(frozen=True, slots=True)
class PreparedBuild:
    """A build folder with its generated headers, and the shadow and the compiler with which it was
    made."""

    build: Path
    shadow: ShadowTree
    make: Make
    toolchain: Toolchain


def find_prepared_build(
    tree: KernelTree, choice: tuple[Configuration, Toolchain], work: Path
) -> PreparedBuild:
    """What `prepare_build` made in `work`, in this run or an earlier one."""
    configuration, toolchain = choice
    variables = toolchain.make_variables(tree.root) + replace_pahole(configuration.path, work)
    build = work / "build"
    make = Make(build, variables, work / "log")
    return PreparedBuild(build, ShadowTree(work / "shadow", tree.root), make, toolchain)


def prepare_build(
    tree: KernelTree,
    choice: tuple[Configuration, Toolchain],
    work: Path,
    *,
    jobs: int,
    remark: Callable[[str], None],
) -> PreparedBuild:
    """Make work/build from scratch for this configuration, with this toolchain.

    Raises ToolError if a program is missing or make fails.
    """
    configuration, toolchain = choice
    _check_work_folder(tree, work)
    require_tools(tree.root, toolchain)
    build = work / "build"
    wait_for_leftovers(work / "log", remark)
    if build.exists():
        shutil.rmtree(build)
    build.mkdir(parents=True)
    make_shadow_tree(tree.root, work / "shadow")
    prepared = find_prepared_build(tree, choice, work)
    _configure(prepared.make, prepared.shadow, configuration)
    require_headers(build / ".config", toolchain)
    _make_headers(prepared.make, jobs, remark)
    return prepared


def replace_pahole(config: Path | None, work: Path) -> tuple[str, ...]:
    """The make variable of a program that does nothing but give the version of pahole for which a
    configuration was made; nothing if there is a pahole, or the configuration has none.

    Without it Kconfig leaves type information (BTF) out, with all code that depends on it.
    """
    if config is None or shutil.which("pahole"):
        return ()
    version = _PAHOLE.search(read_regular_file(config))
    if version is None:
        return ()
    program = work / "pahole"
    program.write_text(f"#!/bin/sh\necho v{version[1].decode()}.{version[2].decode()}\n")
    program.chmod(0o755)
    return (f"PAHOLE={program}",)


def _check_work_folder(tree: KernelTree, work: Path) -> None:
    if work.is_relative_to(tree.root):
        raise ConfigurationError(
            f"the cache folder {work} is in the tree, which is never written to",
            "set XDG_CACHE_HOME to a folder elsewhere",
        )
    if re.search(r"[\s:]", str(work)):
        raise ConfigurationError(
            f"Kbuild cannot work in {work}: its path contains a space or a colon",
            "set XDG_CACHE_HOME to a path without them",
        )


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
    # Host programs generate sources (pnmtologo, conmakehash, genheaders). The dry run has rules for
    # those sources only once the programs are built.
    if make.run("-k", parallel, "scripts", name="scripts") != 0 or status != 0:
        remark(
            f"some host programs of the tree could not be built (see {make.logs}); "
            "sources that they generate may be missing"
        )
