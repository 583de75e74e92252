"""What the units of an index have in common, so that a run can tell what of a former one still
holds: what facts and graph mean to this kgraph, the files that there are, the symbols of the
configuration. What follows from it for a unit is freshness.py's to say.
"""

import hashlib
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from kgraph.treefile import cited_name, read_regular

_PACKAGE = Path(__file__).resolve().parent.parent
# what decides which facts a unit has: the rest of the package only decides what is made of them
_READS_FACTS = (
    "extract/*.py", "extract/*.c", "model/*.py", "store/encoding.py", "kernel/include/*",
    "treefile.py")
# what machines that share the work exchange beside: tasks, limits, encoded facts
_EXCHANGES = ("pipeline/*.py", "store/facts.py")
# Kbuild writes all symbols into one header that every unit reads; its fixdep replaces that
# dependency by the symbols that a file mentions, and so does kgraph.
SYMBOL_HEADERS = ("include/generated/autoconf.h", "include/linux/autoconf.h")
LINK = "/ -> "  # behind the name of a link to a folder
_DEFINE = re.compile(rb"^#define[ \t]+(\w+)[ \t]*(.*)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Setting:
    """What the units of an index have in common, and is compared with that of the former one:
    what facts and graph mean, the files that there are, the symbols of the configuration."""

    facts_meaning: str
    graph_meaning: str
    files: frozenset[str]
    symbols: Mapping[str, Mapping[str, str]]

    def rows(self) -> list[tuple[str, str]]:
        """The rows of the table meta that hold it."""
        return [
            ("facts meaning", self.facts_meaning), ("graph meaning", self.graph_meaning),
            ("files", "\n".join(sorted(self.files))), ("symbols", json.dumps(self.symbols)),
        ]


def facts_meaning() -> str:
    """What decides which facts this kgraph reads: a digest of its code and libclang's version."""
    return _digest(_files(*_READS_FACTS), version("libclang"))


def exchange_meaning() -> str:
    """What two machines have to agree on that read units of one index."""
    return _digest(_files(*_READS_FACTS, *_EXCHANGES), version("libclang"))


def _files(*patterns: str) -> Iterator[Path]:
    return (path for pattern in patterns for path in sorted(_PACKAGE.glob(pattern)))


def setting_of(root: Path, build: Path | None, given: object) -> Setting:
    """What the units of a tree and build folder have in common now; `given` is what else the graph
    is made of, in a form whose repr tells it from any other."""
    roots = [root] if build is None else [root, build]
    symbols: dict[str, dict[str, str]] = {}
    for folder in roots:
        for header in SYMBOL_HEADERS:
            if (folder / header).is_file():
                found = _DEFINE.findall(read_regular(folder / header))
                symbols.setdefault(header, {}).update(
                    (name.decode(), value.decode("utf-8", "replace")) for name, value in found)
    return Setting(
        facts_meaning(),
        _digest(sorted(path for path in _PACKAGE.rglob("*")
                       if path.suffix in (".py", ".toml", ".sql")),
                version("libclang"), repr(given)),
        frozenset(name for folder in roots for name in _below(str(folder))), symbols)


def _digest(files: Iterable[Path], *words: str) -> str:
    digest = hashlib.blake2b(digest_size=12)
    for word in words:
        digest.update(word.encode() + b"\0")
    for file in files:
        if file.is_file():
            digest.update(str(file.relative_to(_PACKAGE)).encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


def _below(root: str) -> Iterator[str]:
    """The files below a folder as citations name them: any of them may be included. A link to a
    folder stands with where it leads."""
    for folder, folders, files in os.walk(root):
        inside = f"{folder[len(root) + 1:]}/".lstrip("/")
        for name in files:
            yield cited_name(inside + name)
        folders[:] = [name for name in folders if name != ".git"]
        for name in folders:
            path = Path(folder, name)
            if path.is_symlink():
                yield cited_name(inside + name) + LINK + cited_name(str(path.readlink()))
