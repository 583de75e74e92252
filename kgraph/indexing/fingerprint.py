"""Fingerprint of a run's inputs: kgraph's own code, files of the tree, configuration symbols.

An index stores it, and the next run compares its own with it. What a difference means for a
unit is decided in unit_invalidation.
"""

import hashlib
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from kgraph.textfile import escape_name, read_regular_file

_PACKAGE = Path(__file__).resolve().parent.parent
# what decides which facts a unit has: the rest of the package only decides what is made of them
_FACT_SOURCES = (
    "extract/**/*.py", "extract/**/*.c", "model/*.py", "store/codec.py", "build/include/*",
    "textfile.py")
# what machines that share the work exchange beside: tasks, limits, encoded facts
_EXCHANGE_SOURCES = ("indexing/**/*.py", "store/facts_writer.py")
# Kbuild writes all symbols into one header that every unit reads; its fixdep replaces that
# dependency by the symbols that a file mentions, and so does kgraph.
SYMBOL_HEADERS = ("include/generated/autoconf.h", "include/linux/autoconf.h")
LINK_MARK = "/ -> "  # behind the name of a link to a folder
_DEFINE = re.compile(rb"^#define[ \t]+(\w+)[ \t]*(.*)$", re.MULTILINE)


def compute_facts_version() -> str:
    """What decides which facts this kgraph reads: a digest of its code and libclang's version."""
    return _digest_files(_iter_package_files(*_FACT_SOURCES), version("libclang"))


@dataclass(frozen=True, slots=True)
class InputFingerprint:
    """What the units of an index have in common, and is compared with that of the former one:
    what facts and graph mean, the files that there are, the symbols of the configuration."""

    facts_version: str
    graph_version: str
    files: frozenset[str]
    symbols: Mapping[str, Mapping[str, str]]

    def to_meta_rows(self) -> list[tuple[str, str]]:
        """The rows of the table meta that hold it."""
        return [
            ("facts meaning", self.facts_version), ("graph meaning", self.graph_version),
            ("files", "\n".join(sorted(self.files))), ("symbols", json.dumps(self.symbols)),
        ]


def compute_exchange_version() -> str:
    """What two machines have to agree on that read units of one index."""
    return _digest_files(
        _iter_package_files(*_FACT_SOURCES, *_EXCHANGE_SOURCES), version("libclang")
    )


def _iter_package_files(*patterns: str) -> Iterator[Path]:
    return (path for pattern in patterns for path in sorted(_PACKAGE.glob(pattern)))


def take_fingerprint(root: Path, build: Path | None, given: object) -> InputFingerprint:
    """What the units of a tree and build folder have in common now; `given` is what else the graph
    is made of, in a form whose repr tells it from any other."""
    roots = [root] if build is None else [root, build]
    symbols: dict[str, dict[str, str]] = {}
    for folder in roots:
        for header in SYMBOL_HEADERS:
            if (folder / header).is_file():
                found = _DEFINE.findall(read_regular_file(folder / header))
                symbols.setdefault(header, {}).update(
                    (name.decode(), value.decode("utf-8", "replace")) for name, value in found)
    return InputFingerprint(
        compute_facts_version(),
        _digest_files(sorted(path for path in _PACKAGE.rglob("*")
                       if path.suffix in (".py", ".toml", ".sql")),
                version("libclang"), repr(given)),
        frozenset(name for folder in roots for name in _iter_files_below(str(folder))), symbols)


def _digest_files(files: Iterable[Path], *words: str) -> str:
    digest = hashlib.blake2b(digest_size=12)
    for word in words:
        digest.update(word.encode() + b"\0")
    for file in files:
        if file.is_file():
            digest.update(str(file.relative_to(_PACKAGE)).encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


def _iter_files_below(root: str) -> Iterator[str]:
    """The files below a folder as citations name them: any of them may be included. A link to a
    folder stands with where it leads."""
    for folder, folders, files in os.walk(root):
        inside = f"{folder[len(root) + 1:]}/".lstrip("/")
        for name in files:
            yield escape_name(inside + name)
        folders[:] = [name for name in folders if name != ".git"]
        for name in folders:
            path = Path(folder, name)
            if path.is_symlink():
                yield escape_name(inside + name) + LINK_MARK + escape_name(str(path.readlink()))
