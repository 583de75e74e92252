"""A prepared build folder outside the tree: configured, with the generated headers made.

Owns the order of the make calls and what counts as prepared. The tree is never written to: make
works on its shadow, in a folder of the user's cache. Must not know about compile commands.
"""

import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from kgraph.errors import ConfigurationError, ToolError
from kgraph.kernel.configuration import Configuration
from kgraph.kernel.make import Make, await_leftovers
from kgraph.kernel.shadow import Shadow, make_shadow
from kgraph.kernel.tools import COMPILER, compiler_makes_pie, require_headers, require_tools
from kgraph.kernel.tree import KernelTree

# Without these no translation unit can be parsed; what else `prepare` makes is host tools, whose
# failure (an old objtool under a new gcc) does no harm here.
_NEEDED_HEADERS = ("include/generated/autoconf.h", "include/generated/asm-offsets.h")
_NO_PIE = re.compile(r"-fno-pie\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A build folder in which the headers are made, and the shadow it was made from."""

    build: Path
    shadow: Shadow
    make: Make


def prepare(
    tree: KernelTree,
    configuration: Configuration,
    work: Path,
    *,
    jobs: int,
    remark: Callable[[str], None],
) -> Prepared:
    """Makes work/build from nothing for this configuration.

    Raises ToolError when a program is missing or make fails.
    """
    _check_work(tree, work)
    require_tools(tree.root)
    build = work / "build"
    await_leftovers(work / "log")
    if build.exists():
        shutil.rmtree(build)
    build.mkdir(parents=True)
    shadow = make_shadow(tree.root, work / "shadow")
    make = Make(build, _variables(tree, configuration), work / "log")
    _configure(make, shadow, configuration)
    require_headers(build / ".config")
    _make_headers(make, jobs, remark)
    return Prepared(build, shadow, make)


def _check_work(tree: KernelTree, work: Path) -> None:
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


def _variables(tree: KernelTree, configuration: Configuration) -> tuple[str, ...]:
    # Tentative definitions in the host tools of trees before 5.7 clash since gcc 10 (dtc's yylloc).
    variables = [f"HOSTCC={COMPILER} -fcommon"]
    # kernel.org's trees before 4.9 do not say -fno-pie and stop at kernel/bounds.s with a compiler
    # that makes PIE by default. Seen by feature: distributions added it to older ones.
    if compiler_makes_pie() and not _NO_PIE.search(_text(tree.root / "Makefile")):
        variables.append(f"CC={COMPILER} -fno-pie")
    if configuration.arch and (tree.root / "arch" / configuration.arch).is_dir():
        variables.append(f"ARCH={configuration.arch}")
    return tuple(variables)


def _configure(make: Make, shadow: Shadow, configuration: Configuration) -> None:
    target = configuration.target or "olddefconfig"
    if configuration.path is not None:
        shutil.copyfile(configuration.path, make.build / ".config")
    status = make.run(f"O={make.build}", target, folder=shadow.root, name="configure")
    if status != 0 or not (make.build / ".config").is_file():
        raise make.failure("configure", f"make {target}")


def _make_headers(make: Make, jobs: int, remark: Callable[[str], None]) -> None:
    parallel = f"-j{max(1, jobs)}"
    status = make.run("-k", parallel, "prepare", name="prepare")
    missing = [name for name in _NEEDED_HEADERS if not (make.build / name).is_file()]
    if missing:
        raise make.failure("prepare", "make prepare")
    # Host programs that make sources (pnmtologo, conmakehash, genheaders): the dry run has rules
    # for those sources only once the programs are there.
    if make.run("-k", parallel, "scripts", name="scripts") != 0 or status != 0:
        remark(
            f"some host programs of the tree could not be built (see {make.logs}); "
            "sources that they generate may be missing"
        )


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise ToolError(
            f"{path} cannot be read: {error.strerror}", "check its permissions"
        ) from error
