"""Programs and headers that a tree needs to be prepared, and the packages that provide them.

Which tool a tree needs is read from its files, never from its release number.
"""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from kgraph.errors import ToolError

COMPILER = "gcc"


@dataclass(frozen=True, slots=True)
class Tool:
    """A program, the Debian package that provides it, and which trees need it."""

    name: str
    package: str
    needed: Callable[[Path], bool]


@dataclass(frozen=True, slots=True)
class SystemHeader:
    """A system header, its Debian package, and the options that make a tree need it."""

    name: str
    package: str
    options: frozenset[str]


def _is_always_needed(_root: Path) -> bool:
    return True


def _has_no_shipped_kconfig_parser(root: Path) -> bool:
    # Trees before 4.16 have the parser's C files as *_shipped; later ones make them with flex.
    return not any((root / "scripts" / "kconfig").glob("*lex.c_shipped"))


def _has_time_constants_script(root: Path) -> bool:
    return (root / "kernel" / "time" / "timeconst.bc").exists()


TOOLS = (
    Tool("make", "make", _is_always_needed),
    Tool(COMPILER, "gcc", _is_always_needed),
    Tool("ld", "binutils", _is_always_needed),
    Tool("perl", "perl", _is_always_needed),
    Tool("bc", "bc", _has_time_constants_script),
    Tool("flex", "flex", _has_no_shipped_kconfig_parser),
    Tool("bison", "bison", _has_no_shipped_kconfig_parser),
)
HEADERS = (
    # objtool reads object files.
    SystemHeader(
        "gelf.h",
        "libelf-dev",
        frozenset({"CONFIG_STACK_VALIDATION", "CONFIG_UNWINDER_ORC", "CONFIG_OBJTOOL"}),
    ),
    # extract-cert and sign-file read keys.
    SystemHeader(
        "openssl/opensslv.h",
        "libssl-dev",
        frozenset({"CONFIG_MODULE_SIG", "CONFIG_SYSTEM_TRUSTED_KEYRING"}),
    ),
)


def require_tools(root: Path) -> None:
    """Raise ToolError if programs are missing, naming all of them and what to install."""
    missing = [tool for tool in TOOLS if tool.needed(root) and shutil.which(tool.name) is None]
    if missing:
        _raise_missing([tool.name for tool in missing], [tool.package for tool in missing])


def require_headers(config: Path) -> None:
    """The same for headers that the options of the .config at `config` need."""
    set_options = {
        line.split("=", 1)[0]
        for line in config.read_text(encoding="utf-8", errors="replace").splitlines()
        if line.endswith("=y")
    }
    missing = [
        header
        for header in HEADERS
        if header.options & set_options and not _can_compiler_include(header.name)
    ]
    if missing:
        _raise_missing([header.name for header in missing], [header.package for header in missing])


def read_compiler_version() -> str:
    """The first line of the compiler's --version; "" if there is no compiler."""
    return _read_output([COMPILER, "--version"]).partition("\n")[0]


def is_pie_default() -> bool:
    """Whether the compiler makes position-independent programs by default (distributions do)."""
    return "__PIE__" in _read_output([COMPILER, "-dM", "-E", "-x", "c", "/dev/null"])


def _can_compiler_include(header: str) -> bool:
    command = [COMPILER, "-E", "-x", "c", "-include", header, "/dev/null"]
    return _run_compiler(command).returncode == 0


def _read_output(command: list[str]) -> str:
    try:
        return _run_compiler(command).stdout.decode("utf-8", errors="replace")
    except OSError:
        return ""


def _run_compiler(command: list[str]) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, env=make_environment(), check=False
    )


def _raise_missing(names: Iterable[str], packages: Iterable[str]) -> None:
    wanted = " ".join(dict.fromkeys(packages))
    raise ToolError(
        f"preparing the tree needs {', '.join(names)}, not found on this machine",
        f"install it: apt-get install {wanted} (Debian, Ubuntu)",
    )


# What make may see of the user's environment. An exported KBUILD_OUTPUT, MAKEFLAGS, ARCH or CFLAGS
# would change, unasked, what is built and where.
_KEPT_ENVIRONMENT = ("PATH", "HOME", "TMPDIR", "USER", "LOGNAME", "LD_LIBRARY_PATH")


def make_environment() -> dict[str, str]:
    """The environment of every program that is started: few variables, and messages in English."""
    kept = {name: os.environ[name] for name in _KEPT_ENVIRONMENT if name in os.environ}
    return {**kept, "LC_ALL": "C", "LANG": "C"}
