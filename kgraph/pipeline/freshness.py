"""What of a former index still holds: which units have to be read again, and which need not.

A unit is kept where it is compiled by the same command, all files that it read are the same (by
content, where time or size differ), no new header may be found before one that it read, and this
kgraph reads facts as that one did. The header of all configuration symbols, which every unit reads,
counts by the symbols that a unit's files mention, as it does for Kbuild.
"""

import hashlib
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path

from kgraph.errors import StoreError
from kgraph.model.units import TranslationUnit
from kgraph.store.former import FormerIndex, FormerUnit
from kgraph.store.states import FileStates
from kgraph.treefile import file_name, read_regular

_PACKAGE = Path(__file__).resolve().parent.parent
# what decides which facts a unit has: the rest of the package only decides what is made of them
_READS_FACTS = (
    "extract/*.py", "extract/*.c", "model/*.py", "store/encoding.py", "kernel/include/*",
    "treefile.py")
# what machines that share the work exchange beside: tasks, limits, encoded facts
_EXCHANGES = ("pipeline/*.py", "store/facts.py")
# Kbuild writes all symbols into one header that every unit reads; its fixdep replaces that
# dependency by the symbols that a file mentions, and so does kgraph.
_SYMBOL_HEADERS = ("include/generated/autoconf.h", "include/linux/autoconf.h")
_DEFINE = re.compile(rb"^#define[ \t]+(\w+)[ \t]*(.*)$", re.MULTILINE)
_SYMBOL = re.compile(rb"CONFIG_\w+")
_MODULE = "_MODULE"


@dataclass(frozen=True, slots=True)
class Setting:
    """What the units of an index have in common, and is compared with that of the former one:
    what facts and graph mean, the headers that there are, the symbols of the configuration."""

    facts_meaning: str
    graph_meaning: str
    headers: frozenset[str]
    symbols: Mapping[str, Mapping[str, str]]

    def rows(self) -> list[tuple[str, str]]:
        """The rows of the table meta that hold it."""
        return [
            ("facts meaning", self.facts_meaning), ("graph meaning", self.graph_meaning),
            ("headers", "\n".join(sorted(self.headers))), ("symbols", json.dumps(self.symbols)),
        ]


@dataclass(frozen=True, slots=True)
class Loan:
    """Units that the index of another tree or configuration has as they are here: what it says of
    each, and the digest of its command."""

    donor: FormerIndex
    units: dict[TranslationUnit, tuple[FormerUnit, bytes]]


@dataclass(frozen=True, slots=True)
class Freshness:
    """Units to `read`, those of the `former` index to keep, and those that others lend. `complete`
    says that there is no unit to read, none too many, and the graph means the same; `touched` that
    files were written since, with the content that they had; `same_graph` that this kgraph makes
    the same graph of the same facts."""

    former: FormerIndex | None
    read: tuple[TranslationUnit, ...]
    kept: tuple[FormerUnit, ...]
    states: FileStates
    setting: Setting
    complete: bool
    touched: bool
    same_graph: bool = False
    loans: tuple[Loan, ...] = ()


def freshness(
    index: Path, units: Sequence[TranslationUnit], root: Path, build: Path | None, started: int,
    given: object = (),
) -> Freshness:
    """What has to be read for an index of `units`, given the one that is there, if any. `started`
    is the time of the beginning in ns; `given` is what else the graph is made of, in a form whose
    repr tells it from any other. A former index that is damaged or of another tree counts as
    none."""
    _mentioned.cache_clear()
    setting = _setting(root, build, given)
    former = _former(index, root)
    if former is None or former.meta["facts meaning"] != setting.facts_meaning:
        states = FileStates(root, build, started, {})
        return Freshness(None, tuple(units), (), states, setting, complete=False, touched=False)
    states = FileStates(root, build, started, former.files)
    judge = Judge(former, states, setting, root, build)
    read, kept = [], []
    for unit in units:
        row = former.units.get((unit.path, unit.object))
        command = command_digest(unit, root, build)
        if row is not None and row.command == command and judge.holds(row):
            kept.append(row)
        else:
            read.append(unit)
    same_graph = former.meta["graph meaning"] == setting.graph_meaning
    complete = not read and len(kept) == len(former.units) and same_graph
    touched = any(map(states.touched, former.files)) or any(
        former.meta[name] != value for name, value in setting.rows())
    return Freshness(former, tuple(read), tuple(kept), states, setting, complete, touched,
                     same_graph)


def command_digest(unit: TranslationUnit, root: Path, build: Path | None) -> bytes:
    """The digest of how a unit is compiled, and into what; wherever the tree and the build folder
    lie."""
    words = (unit.file, unit.directory, unit.image, str(unit.generated), *unit.arguments)
    text = "\0".join(words)
    folders = {str(root): "@tree"} | ({str(build): "@build"} if build else {})
    for folder in sorted(folders, key=len, reverse=True):
        text = _whole_folder(folder).sub(folders[folder], text)
    return hashlib.blake2b(text.encode("utf-8", "surrogateescape"), digest_size=12).digest()


@cache
def _whole_folder(name: str) -> re.Pattern[str]:
    return re.compile(re.escape(name) + r"(?=[/\0]|$)")


def _former(index: Path, root: Path) -> FormerIndex | None:
    try:
        former = FormerIndex(index)
    except StoreError:
        return None
    return former if former.description.tree == str(root) else None


class Judge:
    """Decides whether a unit of an index, of this tree or another, holds here."""

    def __init__(self, former: FormerIndex, states: FileStates, setting: Setting,
                 root: Path, build: Path | None) -> None:
        self._roots = [str(root)] + ([str(build)] if build else [])
        self._symbols = _changed_symbols(json.loads(former.meta["symbols"]), setting.symbols)
        new = setting.headers - frozenset(former.meta["headers"].split("\n"))
        shadowing = {Path(path).name for path in new}
        self._new = bool(new)
        self._changed: set[int] = set()
        self._mention: dict[int, str] = {}
        for path, number in former.numbers.items():
            if path in _SYMBOL_HEADERS:
                continue
            before = former.files[path].digest
            if (shadowing and Path(path).name in shadowing) or (
                    not before or states.now(path).digest != before):
                self._changed.add(number)
            elif self._symbols:
                self._mention[number] = path

    def holds(self, unit: FormerUnit) -> bool:
        """Whether reading the unit again would give what it gave."""
        if unit.failed or (self._new and unit.errors):
            return False  # it may have been the machine's fault; what it missed may be there now
        if not self._changed.isdisjoint(unit.files):
            return False
        return not self._symbols or all(
            self._symbols.isdisjoint(_mentioned_symbols(self._roots, self._mention[number]))
            for number in unit.files if number in self._mention)


def _changed_symbols(
    before: Mapping[str, Mapping[str, str]], now: Mapping[str, Mapping[str, str]]
) -> set[str]:
    changed: set[str] = set()
    for path in {*before, *now}:
        former, present = before.get(path, {}), now.get(path, {})
        names = {name for name in {*former, *present} if former.get(name) != present.get(name)}
        changed |= names | {name.removesuffix(_MODULE) for name in names}
    return changed


@cache
def _mentioned(file: str) -> frozenset[str]:
    try:
        content = read_regular(file)
    except OSError:
        return frozenset()
    return frozenset(name.decode() for name in set(_SYMBOL.findall(content)) if name.isascii())


def _mentioned_symbols(roots: list[str], path: str) -> frozenset[str]:
    return frozenset().union(*(_mentioned(f"{root}/{file_name(path)}") for root in roots))


def facts_meaning() -> str:
    """What decides which facts this kgraph reads: a digest of its code and libclang's version."""
    return _digest(_files(*_READS_FACTS), version("libclang"))


def exchange_meaning() -> str:
    """What two machines have to agree on that read units of one index."""
    return _digest(_files(*_READS_FACTS, *_EXCHANGES), version("libclang"))


def _files(*patterns: str) -> Iterator[Path]:
    return (path for pattern in patterns for path in sorted(_PACKAGE.glob(pattern)))


def _setting(root: Path, build: Path | None, given: object) -> Setting:
    roots = [root] if build is None else [root, build]
    symbols: dict[str, dict[str, str]] = {}
    for folder in roots:
        for header in _SYMBOL_HEADERS:
            if (folder / header).is_file():
                found = _DEFINE.findall(read_regular(folder / header))
                symbols.setdefault(header, {}).update(
                    (name.decode(), value.decode("utf-8", "replace")) for name, value in found)
    return Setting(
        facts_meaning(),
        _digest(sorted(path for path in _PACKAGE.rglob("*")
                       if path.suffix in (".py", ".toml", ".sql")),
                version("libclang"), repr(given)),
        frozenset(name for folder in roots for name in _headers(str(folder))), symbols)


def _digest(files: Iterable[Path], *words: str) -> str:
    digest = hashlib.blake2b(digest_size=12)
    for word in words:
        digest.update(word.encode() + b"\0")
    for file in files:
        if file.is_file():
            digest.update(str(file.relative_to(_PACKAGE)).encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


def _headers(root: str) -> Iterator[str]:
    """The headers below a folder, relative to it, sorted within each folder."""
    for folder, folders, files in os.walk(root):
        folders[:] = [name for name in folders if not name.startswith(".")]
        inside = folder[len(root) + 1:]
        for name in files:
            if name.endswith(".h") and "\n" not in name and name.isprintable():
                yield f"{inside}/{name}" if inside else name
