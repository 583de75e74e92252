"""Which build configuration is used, and what it is called.

Owns the choice between --config, TREE/.config and a defconfig target, and the identity (digest) of
what was chosen. Reads files only: must not know how a configuration is built (prepare.py).
"""

import hashlib
import re
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from kgraph.errors import ConfigurationError
from kgraph.kernel.tree import KernelTree
from kgraph.treefile import MOST_LISTED, read_regular

DEFAULT_TARGET = "defconfig"
_HEADER = re.compile(r"^# Linux/(\S+) (\S+) Kernel Configuration", re.MULTILINE)
_OLD_HEADER = re.compile(r"^# Linux kernel version: (\S+)", re.MULTILINE)
_SYMBOL = re.compile(r"^(# )?CONFIG_\w+[= ]", re.MULTILINE)
_TARGET = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+/-]*")


class Source(Enum):
    """Where the build configuration came from."""

    FILE = "file"
    TREE = "tree"
    DEFCONFIG = "defconfig"
    COMPILE_COMMANDS = "compile-commands"


@dataclass(frozen=True, slots=True)
class Configuration:
    """The build configuration that was taken.

    `path` is the absolute path of the file, or None for a defconfig; `target` is the make target of
    a defconfig, else empty. `digest` (16 hex digits) identifies the content: of the file, or of the
    target's name. `release` and `arch` are what the file's header says, empty where it says none.
    """

    source: Source
    path: Path | None
    target: str
    digest: str
    release: str = ""
    arch: str = ""

    def __str__(self) -> str:
        match self.source:
            case Source.FILE:
                return f"--config {self.path}"
            case Source.TREE:
                return f"{self.path}"
            case Source.DEFCONFIG:
                return self.target
            case Source.COMPILE_COMMANDS:
                return f"--compile-commands {self.path}"

    def warning(self, tree: KernelTree) -> str:
        """One sentence when the configuration is of another release than the tree, else empty."""
        if not self.release or not tree.release or self.release == tree.release:
            return ""
        return (
            f"{self.path} is of release {self.release}, the tree is {tree.release}: "
            "options that one of them lacks take their default"
        )


def choose_configuration(
    tree: KernelTree, *, config: str | Path | None = None, defconfig: str | None = None
) -> Configuration:
    """The configuration to use: `config`, else `defconfig` if named, else TREE/.config.

    Where there is none of these it is make's target "defconfig".
    Raises ConfigurationError when both are named, or the file cannot be one.
    """
    if config is not None and defconfig is not None:
        raise ConfigurationError(
            "--config and --defconfig cannot be given together", "choose one of them"
        )
    if config is not None:
        return _from_file(Path(config), Source.FILE)
    own = tree.root / ".config"
    if defconfig is None and own.is_file():
        return _from_file(own, Source.TREE)
    return _from_target(defconfig or DEFAULT_TARGET)


def from_list(path: Path) -> Configuration:
    """The configuration that a compile_commands.json stands for."""
    return Configuration(Source.COMPILE_COMMANDS, path.resolve(), "", _digest(_bytes(path)))


def _from_target(target: str) -> Configuration:
    if not _TARGET.fullmatch(target) or not target.endswith("config"):
        raise ConfigurationError(
            f"{target!r} is not a configuration target of make",
            "give one such as defconfig, x86_64_defconfig or allnoconfig",
        )
    return Configuration(Source.DEFCONFIG, None, target, _digest(f"target {target}".encode()))


def _from_file(path: Path, source: Source) -> Configuration:
    content = _bytes(path)
    text = content.decode("utf-8", errors="replace")
    if not _SYMBOL.search(text):
        raise ConfigurationError(
            f"{path} is not a kernel configuration: no line sets a CONFIG_ option",
            "give a .config as `make oldconfig` writes it",
        )
    header = _HEADER.search(text)
    arch, release = header.groups() if header else ("", "")
    if not header and (old := _OLD_HEADER.search(text)):
        release = old.group(1)
    return Configuration(source, path.resolve(), "", _digest(content), release, arch)


def _bytes(path: Path) -> bytes:
    try:
        return read_regular(path, MOST_LISTED)
    except OSError as error:
        raise ConfigurationError(
            f"{path} cannot be read: {error.strerror}", "check the path and its permissions"
        ) from error


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]
