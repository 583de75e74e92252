"""The programs and headers that preparing a tree needs, and the packages that bring them.

Owns the table and the check made before anything is run. Which tool a tree needs is found from
the tree's own files, never from its release number.
"""

import shutil
import subprocess
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from kgraph.errors import ToolError
from kgraph.kernel.make import environment

COMPILER = "gcc"


@dataclass(frozen=True, slots=True)
class Tool:
    """A program, the Debian package that brings it, and which trees need it."""

    name: str
    package: str
    needed: Callable[[Path], bool]


@dataclass(frozen=True, slots=True)
class Header:
    """A header of the machine, its Debian package, and the options that make a tree need it."""

    name: str
    package: str
    options: frozenset[str]


def _always(_root: Path) -> bool:
    return True


def _kconfig_parser_not_shipped(root: Path) -> bool:
    # Trees before 4.16 carry the parser's C files as *_shipped, later ones make them with flex.
    return not any((root / "scripts" / "kconfig").glob("*lex.c_shipped"))


def _computes_time_constants(root: Path) -> bool:
    return (root / "kernel" / "time" / "timeconst.bc").exists()


TOOLS = (
    Tool("make", "make", _always),
    Tool(COMPILER, "gcc", _always),
    Tool("ld", "binutils", _always),
    Tool("perl", "perl", _always),
    Tool("bc", "bc", _computes_time_constants),
    Tool("flex", "flex", _kconfig_parser_not_shipped),
    Tool("bison", "bison", _kconfig_parser_not_shipped),
)

HEADERS = (
    # objtool reads object files.
    Header(
        "gelf.h",
        "libelf-dev",
        frozenset({"CONFIG_STACK_VALIDATION", "CONFIG_UNWINDER_ORC", "CONFIG_OBJTOOL"}),
    ),
    # extract-cert and sign-file read keys.
    Header(
        "openssl/opensslv.h",
        "libssl-dev",
        frozenset({"CONFIG_MODULE_SIG", "CONFIG_SYSTEM_TRUSTED_KEYRING"}),
    ),
)


def require_tools(root: Path) -> None:
    """Raises ToolError naming every missing program and what to install."""
    missing = [tool for tool in TOOLS if tool.needed(root) and shutil.which(tool.name) is None]
    if missing:
        _refuse([tool.name for tool in missing], [tool.package for tool in missing])


def require_headers(config: Path) -> None:
    """The same for the headers that the options set in the .config at `config` need."""
    set_options = {
        line.split("=", 1)[0]
        for line in config.read_text(encoding="utf-8", errors="replace").splitlines()
        if line.endswith("=y")
    }
    missing = [
        header
        for header in HEADERS
        if header.options & set_options and not _compiler_finds(header.name)
    ]
    if missing:
        _refuse([header.name for header in missing], [header.package for header in missing])


def compiler_version() -> str:
    """The first line of what the compiler says of itself; empty when there is none."""
    return _output([COMPILER, "--version"]).partition("\n")[0]


def compiler_makes_pie() -> bool:
    """Whether the compiler makes position-independent programs unasked, as distributions set it."""
    return "__PIE__" in _output([COMPILER, "-dM", "-E", "-x", "c", "/dev/null"])


def _compiler_finds(header: str) -> bool:
    command = [COMPILER, "-E", "-x", "c", "-include", header, "/dev/null"]
    return _run(command).returncode == 0


def _output(command: list[str]) -> str:
    try:
        return _run(command).stdout.decode("utf-8", errors="replace")
    except OSError:
        return ""


def _run(command: list[str]) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, env=environment(), check=False
    )


def _refuse(names: Iterable[str], packages: Iterable[str]) -> None:
    wanted = " ".join(dict.fromkeys(packages))
    raise ToolError(
        f"preparing the tree needs {', '.join(names)}, not found on this machine",
        f"install it: apt-get install {wanted} (Debian, Ubuntu)",
    )
