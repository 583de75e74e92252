"""Compilers, programs and headers that a tree needs to be prepared, and their packages.

Owns the choice of the compiler: gcc of this machine, a cross compiler, or LLVM. Which tool a tree
needs is read from its files, never from its release number.
"""

import os
import platform
import re
import shutil
import subprocess
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from kgraph.build.configuration import Configuration
from kgraph.build.tree import KernelTree
from kgraph.errors import ConfigurationError, ToolError
from kgraph.textfile import read_regular_file


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


@dataclass(frozen=True, slots=True)
class Architecture:
    """An architecture of the kernel: machines that are one, as `uname -m` names them, and the
    target triples under which its cross compilers are installed, the usual one first."""

    machines: re.Pattern[str]
    triples: tuple[str, ...]


def _declare(machines: str, *triples: str) -> Architecture:
    return Architecture(re.compile(machines), triples)


# By the folder below arch/. The triples are those of Debian and Fedora, then of kernel.org's
# crosstool and Arm's toolchain.
_ARCHITECTURES = {
    "alpha": _declare("alpha.*", "alpha-linux-gnu", "alpha-linux"),
    "arm": _declare(
        "arm.*", "arm-linux-gnueabihf", "arm-linux-gnueabi", "arm-none-linux-gnueabihf"),
    "arm64": _declare(
        "aarch64.*", "aarch64-linux-gnu", "aarch64-linux", "aarch64-none-linux-gnu"),
    "loongarch": _declare("loongarch64", "loongarch64-linux-gnu", "loongarch64-linux"),
    "m68k": _declare("m68k", "m68k-linux-gnu", "m68k-linux"),
    "mips": _declare("mips.*", "mips64el-linux-gnuabi64", "mipsel-linux-gnu", "mips-linux-gnu"),
    "parisc": _declare("parisc.*", "hppa-linux-gnu", "hppa64-linux-gnu"),
    "powerpc": _declare(
        "ppc.*", "powerpc64le-linux-gnu", "powerpc64-linux-gnu", "powerpc-linux-gnu"),
    "riscv": _declare("riscv.*", "riscv64-linux-gnu", "riscv64-linux"),
    "s390": _declare("s390x?", "s390x-linux-gnu", "s390-linux"),
    "sparc": _declare("sparc.*", "sparc64-linux-gnu", "sparc64-linux"),
    "x86": _declare("x86_64|i.86", "x86_64-linux-gnu", "x86_64-linux"),
}
# Values of ARCH that stand for a folder of another name.
_FOLDERS = {"i386": "x86", "x86_64": "x86", "sparc32": "sparc", "sparc64": "sparc",
            "parisc64": "parisc"}


@dataclass(frozen=True, slots=True)
class Toolchain:
    """The compiler that Kbuild is to run.

    `arch` is make's ARCH, "" for that of this machine. `triple` is the target of a cross compiler,
    "" for a compiler that makes programs of this machine. With `is_llvm` it is clang, which
    compiles for every target.
    """

    arch: str = ""
    triple: str = ""
    is_llvm: bool = False

    @property
    def compiler(self) -> str:
        """The program that compiles the kernel."""
        return "clang" if self.is_llvm else f"{self._prefix}gcc"

    @property
    def host_compiler(self) -> str:
        """The program that compiles programs of this machine."""
        return "clang" if self.is_llvm else "gcc"

    @property
    def _prefix(self) -> str:
        return f"{self.triple}-" if self.triple else ""

    def list_tools(self) -> list[Tool]:
        """The compiler's programs."""
        host = [Tool("ld", "binutils", _is_always_needed)]
        if self.is_llvm:
            packages = {"clang": "clang", "ld.lld": "lld", "llvm-ar": "llvm", "llvm-nm": "llvm"}
        else:
            host.append(Tool("gcc", "gcc", _is_always_needed))
            packages = {f"{self._prefix}gcc": f"gcc-{self.triple}",
                        f"{self._prefix}ld": f"binutils-{self.triple}"} if self.triple else {}
        return host + [Tool(name, package, _is_always_needed) for name, package in packages.items()]

    def make_variables(self, root: Path) -> tuple[str, ...]:
        """The variables that have the make of the tree at `root` run this compiler."""
        # Tentative definitions in the host tools of trees before 5.7 clash since gcc 10 (dtc's
        # yylloc).
        variables = [f"HOSTCC={self.host_compiler} -fcommon"]
        # kernel.org's trees before 4.9 lack -fno-pie and stop at kernel/bounds.s with a compiler
        # that makes PIE by default. Detected in the Makefile: distributions added the flag to
        # older trees.
        if not _NO_PIE.search(_read_makefile(root)) and _is_pie_default(self.compiler):
            variables.append(f"CC={self.compiler} -fno-pie")
        if self.arch:
            variables.append(f"ARCH={self.arch}")
        if self.is_llvm:
            variables.append("LLVM=1")
        # Makefile.clang has the target of each ARCH. Trees before 5.15 take it from the prefix.
        if self.triple and not (self.is_llvm and (root / "scripts/Makefile.clang").exists()):
            variables.append(f"CROSS_COMPILE={self._prefix}")
        return tuple(variables)

    def recipe_variables(self) -> dict[str, str]:
        """Variables that Kbuild exports and recipes read."""
        prefix = "llvm-" if self.is_llvm else self._prefix
        return {
            "CC": self.compiler,
            "LD": "ld.lld" if self.is_llvm else f"{prefix}ld",
            **{name.upper(): f"{prefix}{name}" for name in ("nm", "objcopy", "objdump")},
        }


def choose_toolchain(
    tree: KernelTree, configuration: Configuration, remark: Callable[[str], None]
) -> Toolchain:
    """Choose the compiler for a tree in a configuration.

    That is clang if the user asked for it, or the configuration was made with it; else gcc, for
    another architecture a cross compiler; and clang if there is no such cross compiler. Raises
    ConfigurationError for an architecture that the tree has not.
    """
    arch = _choose_arch(tree, configuration)
    native, installed, triple = _find_triples(arch)
    usual = Toolchain(arch, "" if native else installed or triple)
    llvm = Toolchain(arch, "" if native else triple, is_llvm=True)
    if configuration.llvm:
        if not _has_llvm_support(tree.root):
            raise ConfigurationError(
                f"the Makefile of {tree.root} knows no LLVM=1", "index it without --llvm")
        return llvm
    is_possible = _has_llvm_support(tree.root) and not _find_missing(llvm, tree.root)
    if configuration.is_of_clang and is_possible:
        return llvm
    if native or installed or not triple:
        if configuration.is_of_clang:
            remark("the configuration was made with clang, which cannot be used here: options that"
                   " depend on the compiler get their default")
        return usual
    if is_possible:
        remark(f"there is no {usual.compiler}: using clang (LLVM=1)")
        return llvm
    return usual


def _choose_arch(tree: KernelTree, configuration: Configuration) -> str:
    """The value of ARCH, "" to leave it to make. That of a configuration's header is only used if
    the tree knows it."""
    for arch in filter(None, (configuration.asked_arch, configuration.arch)):
        if (tree.root / "arch" / _FOLDERS.get(arch, arch)).is_dir():
            return arch
        if configuration.asked_arch:
            known = sorted(path.name for path in (tree.root / "arch").glob("*/"))
            raise ConfigurationError(
                f"{tree.root} has no architecture {arch!r}",
                f"give one of {', '.join(known)}" if known else "leave out --arch")
    return ""


def _find_triples(arch: str) -> tuple[bool, str, str]:
    """Whether this machine is an `arch`, the triple of its installed cross compiler ("" for
    none), and the usual triple ("" if kgraph knows none)."""
    known = _ARCHITECTURES.get(_FOLDERS.get(arch, arch))
    if not arch or known is None or known.machines.fullmatch(platform.machine()):
        return not arch or known is not None, "", ""
    installed = (triple for triple in known.triples if shutil.which(f"{triple}-gcc"))
    return False, next(installed, ""), known.triples[0]


def _has_llvm_support(root: Path) -> bool:
    return "$(LLVM)" in _read_makefile(root)


def _is_always_needed(_root: Path) -> bool:
    return True


def _has_no_shipped_kconfig_parser(root: Path) -> bool:
    # Trees before 4.16 have the parser's C files as *_shipped; later ones make them with flex.
    return not any((root / "scripts" / "kconfig").glob("*lex.c_shipped"))


def _has_time_constants_script(root: Path) -> bool:
    return (root / "kernel" / "time" / "timeconst.bc").exists()


TOOLS = (
    Tool("make", "make", _is_always_needed),
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


def require_tools(root: Path, toolchain: Toolchain) -> None:
    """Raise ToolError if programs are missing, naming all of them and what to install."""
    missing = _find_missing(toolchain, root)
    if missing:
        _raise_missing([tool.name for tool in missing], [tool.package for tool in missing])


def _find_missing(toolchain: Toolchain, root: Path) -> list[Tool]:
    return [tool for tool in (*TOOLS, *toolchain.list_tools())
            if tool.needed(root) and shutil.which(tool.name) is None]


def require_headers(config: Path, toolchain: Toolchain) -> None:
    """The same for headers that the options of the .config at `config` need."""
    set_options = {
        line.split("=", 1)[0]
        for line in config.read_text(encoding="utf-8", errors="replace").splitlines()
        if line.endswith("=y")
    }
    missing = [
        header
        for header in HEADERS
        if header.options & set_options
        and not _can_include(toolchain.host_compiler, header.name)
    ]
    if missing:
        _raise_missing([header.name for header in missing], [header.package for header in missing])


def read_compiler_version(toolchain: Toolchain) -> str:
    """The compiler's name and the first line of its --version; "" if there is no compiler."""
    version = _read_output([toolchain.compiler, "--version"]).partition("\n")[0]
    return version and f"{toolchain.compiler}: {version}"


_NO_PIE = re.compile(r"-fno-pie\b", re.IGNORECASE)


def _is_pie_default(compiler: str) -> bool:
    """Whether a compiler makes position-independent programs by default (distributions do)."""
    return "__PIE__" in _read_output([compiler, "-dM", "-E", "-x", "c", "/dev/null"])


def _read_makefile(root: Path) -> str:
    makefile = root / "Makefile"
    try:
        return read_regular_file(makefile).decode("utf-8", "replace")
    except OSError as error:
        raise ToolError(
            f"{makefile} cannot be read: {error.strerror}", "check its permissions") from error


def _can_include(compiler: str, header: str) -> bool:
    command = [compiler, "-E", "-x", "c", "-include", header, "/dev/null"]
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
