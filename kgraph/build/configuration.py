"""Choose the build configuration: --config, TREE/.config or a defconfig target.

Owns the choice and the digest that identifies it. Only reads files; kbuild makes a build folder
of the configuration.
"""

import hashlib
import re
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path

from kgraph.build.tree import KernelTree
from kgraph.errors import ConfigurationError
from kgraph.textfile import MAX_LISTING_BYTES, read_regular_file

DEFAULT_TARGET = "defconfig"
_HEADER = re.compile(r"^# Linux/(\S+) (\S+) Kernel Configuration", re.MULTILINE)
_OLD_HEADER = re.compile(r"^# Linux kernel version: (\S+)", re.MULTILINE)
_CLANG = re.compile(r"^CONFIG_CC_IS_CLANG=y$", re.MULTILINE)
_SYMBOL = re.compile(r"^(# )?CONFIG_\w+[= ]", re.MULTILINE)
_ARCH = re.compile(r"[a-z0-9_]+")
_TARGET = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+/-]*")


class ConfigurationSource(Enum):
    """Where the build configuration comes from."""

    FILE = "file"
    TREE = "tree"
    DEFCONFIG = "defconfig"
    COMPILE_COMMANDS = "compile-commands"


@dataclass(frozen=True, slots=True)
class Configuration:
    """The build configuration that is used.

    `path` is the absolute path of the file, None for a defconfig. `target` is the make target of a
    defconfig, else "". `digest` (16 hex digits) identifies the content of the file, or the target's
    name, and what was asked for. `release` and `arch` come from the file's header, "" if it has
    none; `is_of_clang` says that it was made with clang. `asked_arch` and `llvm` are what the user
    asked for: an architecture, "" for none, and LLVM's programs.
    """

    source: ConfigurationSource
    path: Path | None
    target: str
    digest: str
    release: str = ""
    arch: str = ""
    is_of_clang: bool = False
    asked_arch: str = ""
    llvm: bool = False

    def __str__(self) -> str:
        asked = f" --arch {self.asked_arch}" if self.asked_arch else ""
        return f"{self._name_source()}{asked}{' --llvm' if self.llvm else ''}"

    def _name_source(self) -> str:
        match self.source:
            case ConfigurationSource.FILE:
                return f"--config {self.path}"
            case ConfigurationSource.TREE:
                return f"{self.path}"
            case ConfigurationSource.DEFCONFIG:
                return self.target
            case ConfigurationSource.COMPILE_COMMANDS:
                return f"--compile-commands {self.path}"

    def explain_release_mismatch(self, tree: KernelTree) -> str:
        """A sentence if the configuration is of another release than the tree, else ""."""
        if not self.release or not tree.release or self.release == tree.release:
            return ""
        return (
            f"{self.path} is of release {self.release}, the tree is {tree.release}: "
            "options that only one of them has get their default"
        )


def choose_configuration(
    tree: KernelTree, *, config: str | Path | None = None, defconfig: str | None = None,
    arch: str = "", llvm: bool = False,
) -> Configuration:
    """Choose `config`, else `defconfig`, else TREE/.config, else make's target "defconfig".

    `arch` and `llvm` are what the user asked for. Raises ConfigurationError if both configurations
    are given, the file is not a configuration, or `arch` cannot be the name of an architecture.
    """
    if config is not None and defconfig is not None:
        raise ConfigurationError(
            "--config and --defconfig cannot be given together", "choose one of them"
        )
    if arch and not _ARCH.fullmatch(arch):
        raise ConfigurationError(
            f"{arch!r} is not an architecture", "give a folder below arch/, such as arm64")
    own = tree.root / ".config"
    if config is not None:
        found = _identify_file(Path(config), ConfigurationSource.FILE)
    elif defconfig is None and own.is_file():
        found = _identify_file(own, ConfigurationSource.TREE)
    else:
        found = _identify_target(defconfig or DEFAULT_TARGET)
    if not arch and not llvm:
        return found
    asked = _digest_bytes(f"{found.digest} {arch} {llvm}".encode())
    return replace(found, asked_arch=arch, llvm=llvm, digest=asked)


def identify_compile_database(path: Path) -> Configuration:
    """The configuration that a compile_commands.json stands for."""
    return Configuration(
        ConfigurationSource.COMPILE_COMMANDS, path.resolve(), "", _digest_bytes(_read_bytes(path))
    )


def _identify_target(target: str) -> Configuration:
    if not _TARGET.fullmatch(target) or not target.endswith("config"):
        raise ConfigurationError(
            f"{target!r} is not a configuration target of make",
            "give one such as defconfig, x86_64_defconfig or allnoconfig",
        )
    return Configuration(
        ConfigurationSource.DEFCONFIG, None, target, _digest_bytes(f"target {target}".encode())
    )


def _identify_file(path: Path, source: ConfigurationSource) -> Configuration:
    content = _read_bytes(path)
    text = content.decode("utf-8", errors="replace")
    if not _SYMBOL.search(text):
        raise ConfigurationError(
            f"{path} is not a kernel configuration: no line sets a CONFIG_ option",
            "give a .config, as `make oldconfig` writes it",
        )
    header = _HEADER.search(text)
    arch, release = header.groups() if header else ("", "")
    if not header and (old := _OLD_HEADER.search(text)):
        release = old.group(1)
    return Configuration(source, path.resolve(), "", _digest_bytes(content), release, arch,
                         _CLANG.search(text) is not None)


def _read_bytes(path: Path) -> bytes:
    try:
        return read_regular_file(path, MAX_LISTING_BYTES)
    except OSError as error:
        raise ConfigurationError(
            f"{path} cannot be read: {error.strerror}", "check the path and its permissions"
        ) from error


def _digest_bytes(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]
