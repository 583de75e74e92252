"""Fingerprint of a run's inputs: kgraph's own code, files of the tree, configuration symbols.

An index stores it, and the next run compares its own with it. What a difference means for a
unit is decided in unit_invalidation.
"""

import hashlib
import json
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from kgraph.textfile import escape_name, is_file, read_regular_file

_PACKAGE = Path(__file__).resolve().parent.parent
# The modules that decide which facts a unit has. All others decide what is made of the facts.
_FACT_SOURCES = (
    "extract/**/*.py", "extract/**/*.c", "model/*.py", "store/codec.py", "build/include/*",
    "textfile.py")
# What machines that share the work exchange besides: tasks, limits, encoded facts.
_EXCHANGE_SOURCES = ("indexing/**/*.py", "store/facts_writer.py")
# Kbuild writes all symbols into one header that every unit reads. Its fixdep replaces the
# dependency on that header by the symbols that a file mentions; kgraph does the same.
SYMBOL_HEADERS = ("include/generated/autoconf.h", "include/linux/autoconf.h")
LINK_MARK = "/ -> "  # between the name of a link to a folder and the link's target
# What Kconfig writes: one symbol a line, defined as a number, a string or nothing.
_DEFINE = re.compile(rb'#define (CONFIG_\w+)[ \t]*((?:-?[0-9]\w*|"(?:[^"\\\n]|\\.)*")?)\n')
_PLAIN = re.compile(rb"(?:/\*(?:[^*#]|\*(?!/))*\*/\n|\n|%b)*" % _DEFINE.pattern)


@dataclass(frozen=True, slots=True)
class Sources:
    """Where a run reads: the tree, the folder of generated files if there is one, and when it
    began to read (ns since the epoch)."""

    root: Path
    build: Path | None
    started: int

    @property
    def folders(self) -> list[str]:
        """The folders that are there, the tree first."""
        return [str(self.root)] if self.build is None else [str(self.root), str(self.build)]


@dataclass(frozen=True, slots=True)
class InputFingerprint:
    """What all units of an index have in common.

    `facts_version` and `graph_version` identify the code that extracts facts, and the code and
    rules that make the graph. `files` are the files of the tree and the build folder, as citations
    name them. `symbols` are the configuration symbols and their values, by header; for a header
    that Kconfig did not write, the digest of its content as the value of "".
    """

    facts_version: str
    graph_version: str
    files: frozenset[str]
    symbols: Mapping[str, Mapping[str, str]]

    def to_meta_rows(self) -> list[tuple[str, str]]:
        """Its rows in the index's table `meta`."""
        return [
            ("facts meaning", self.facts_version), ("graph meaning", self.graph_version),
            ("files", "\n".join(sorted(self.files))), ("symbols", json.dumps(self.symbols)),
        ]


def take_fingerprint(
    sources: Sources, rules: Iterable[bytes], remark: Callable[[str], None] = lambda _text: None
) -> InputFingerprint:
    """The fingerprint of the inputs as they are now. `rules` are the user's files of deferred
    calls, which the graph depends on too. `remark` receives what cannot be read."""
    unreadable: list[str] = []
    files = frozenset(
        name for folder in sources.folders for name in _iter_files_below(folder, unreadable))
    if unreadable:
        remark(f"{len(unreadable)} folders of the tree cannot be read, such as {min(unreadable)}:"
               " new files in them go unnoticed")
    code = (path for path in _PACKAGE.rglob("*") if path.suffix in (".py", ".toml", ".sql"))
    return InputFingerprint(
        facts_version=compute_facts_version(),
        graph_version=_digest_files(sorted(code), version("libclang"), repr(list(rules))),
        files=files,
        symbols=_read_symbols(sources),
    )


def compute_facts_version() -> str:
    """A digest of the code that extracts facts, and of libclang's version."""
    return _digest_files(_iter_package_files(*_FACT_SOURCES), version("libclang"))


def compute_exchange_version() -> str:
    """A digest of what two machines must have in common to read units of one index."""
    return _digest_files(
        _iter_package_files(*_FACT_SOURCES, *_EXCHANGE_SOURCES), version("libclang")
    )


def _read_symbols(sources: Sources) -> dict[str, dict[str, str]]:
    """Configuration symbols and their values, by header; the tree and the build folder may have
    one each of the same name."""
    symbols: dict[str, dict[str, str]] = {}
    for header in SYMBOL_HEADERS:
        files = [f"{folder}/{header}" for folder in sources.folders]
        for place, file in enumerate(filter(is_file, files)):
            symbols[f"{header}@{place}"] = parse_symbols(read_regular_file(file))
    return symbols


def parse_symbols(content: bytes) -> dict[str, str]:
    """The symbols that a header defines, if it is as Kconfig writes it: each by itself, once.
    Of any other, which may say anything, the digest: it counts as a whole."""
    found = {name.decode(): value.decode("utf-8", "backslashreplace")
             for name, value in _DEFINE.findall(content)}
    if _PLAIN.fullmatch(content) and len(found) == content.count(b"#define CONFIG_"):
        return found
    return {"": hashlib.blake2b(content, digest_size=12).hexdigest()}


def _iter_package_files(*patterns: str) -> Iterator[Path]:
    for pattern in patterns:
        files = sorted(_PACKAGE.glob(pattern))
        if not files:
            raise AssertionError(f"no module of kgraph matches {pattern}")
        yield from files


def _digest_files(files: Iterable[Path], *words: str) -> str:
    digest = hashlib.blake2b(digest_size=12)
    for word in words:
        digest.update(word.encode() + b"\0")
    for file in files:
        if file.is_file():
            digest.update(str(file.relative_to(_PACKAGE)).encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


def _iter_files_below(root: str, unreadable: list[str]) -> Iterator[str]:
    """The files below a folder, as citations name them: a unit may include any of them.

    A link to a folder comes with its target. Folders that cannot be read are added to `unreadable`.
    """
    def note(error: OSError) -> None:
        unreadable.append(escape_name(str(error.filename)))

    for folder, folders, files in os.walk(root, onerror=note):
        inside = f"{folder[len(root) + 1:]}/".lstrip("/")
        for name in files:
            yield escape_name(inside + name)
        folders[:] = [name for name in folders if name != ".git"]
        for name in folders:
            path = Path(folder, name)
            if path.is_symlink():
                yield escape_name(inside + name) + LINK_MARK + escape_name(str(path.readlink()))
