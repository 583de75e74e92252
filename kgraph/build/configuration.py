"""Choose the build configuration: --config, TREE/.config or a defconfig target.

Owns the choice and the digest that identifies it. Only reads files; kbuild makes a build folder
of the configuration.
"""

import hashlib
import re
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from kgraph.build.tree import KernelTree
from kgraph.errors import ConfigurationError
from kgraph.textfile import MAX_LISTING_BYTES, read_regular_file

DEFAULT_TARGET = "defconfig"
_HEADER = re.compile(r"^# Linux/(\S+) (\S+) Kernel Configuration", re.MULTILINE)
_OLD_HEADER = re.compile(r"^# Linux kernel version: (\S+)", re.MULTILINE)
_SYMBOL = re.compile(r"^(# )?CONFIG_\w+[= ]", re.MULTILINE)
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
    name. `release` and `arch` come from the file's header, "" if it has none.
    """

    source: ConfigurationSource
    path: Path | None
    target: str
    digest: str
    release: str = ""
    arch: str = ""

    def __str__(self) -> str:
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
    tree: KernelTree, *, config: str | Path | None = None, defconfig: str | None = None
) -> Configuration:
    """Choose `config`, else `defconfig`, else TREE/.config, else make's target "defconfig".

    Raises ConfigurationError if both are given, or the file is not a configuration.
    """
    if config is not None and defconfig is not None:
        raise ConfigurationError(
            "--config and --defconfig cannot be given together", "choose one of them"
        )
    if config is not None:
        return _identify_file(Path(config), ConfigurationSource.FILE)
    own = tree.root / ".config"
    if defconfig is None and own.is_file():
        return _identify_file(own, ConfigurationSource.TREE)
    return _identify_target(defconfig or DEFAULT_TARGET)


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
    return Configuration(source, path.resolve(), "", _digest_bytes(content), release, arch)


def _read_bytes(path: Path) -> bytes:
    try:
        return read_regular_file(path, MAX_LISTING_BYTES)
    except OSError as error:
        raise ConfigurationError(
            f"{path} cannot be read: {error.strerror}", "check the path and its permissions"
        ) from error


def _digest_bytes(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]
