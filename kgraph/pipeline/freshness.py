"""What of a former index still holds: which units have to be read again, and which need not.

A unit is kept where it is compiled by the same command, all files that it read are the same (by
content, where time or size differ), no new file may be found before one that it read, and this
kgraph reads facts as that one did. The header of all configuration symbols, which every unit reads,
counts by the symbols that a unit's files mention, as it does for Kbuild.
"""

import hashlib
import json
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from kgraph.errors import StoreError
from kgraph.kernel import BUILTIN_HEADERS
from kgraph.model.units import TranslationUnit
from kgraph.pipeline.setting import LINK, SYMBOL_HEADERS, Setting
from kgraph.store.former import FormerIndex, FormerUnit
from kgraph.store.soundness import doubted
from kgraph.store.states import FileStates
from kgraph.treefile import cited_name, file_name, is_folder, leads_out, read_regular

_SEARCHED = ("-isystem", "-idirafter", "-iquote")  # each with a folder behind it
_SYMBOL = re.compile(rb"CONFIG_\w+")
_ASKED = re.compile(rb'__has_include(?:_next)?\s*\(\s*(?:["<]([^">\n]+)|\w)')
_MODULE = "_MODULE"


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


def nothing_kept(units: Sequence[TranslationUnit], setting: Setting, root: Path,
                 build: Path | None, started: int) -> Freshness:
    """That all `units` have to be read, whatever an index holds. `started` is the time of the
    beginning in ns."""
    states = FileStates(root, build, started, {})
    return Freshness(None, tuple(units), (), states, setting, complete=False, touched=False)


def freshness(index: Path, anew: Freshness, root: Path, build: Path | None, started: int
              ) -> Freshness:
    """What of `anew`, which reads all units, has to be read given the index that is there, if any.
    A former index that is damaged or of another tree counts as none."""
    _found.cache_clear()
    _lies_elsewhere.cache_clear()
    try:
        with doubted(index):
            former = FormerIndex(index)
            if former.description.tree == str(root) and (
                    former.meta["facts meaning"] == anew.setting.facts_meaning):
                return _judged(former, anew, root, build, started)
    except StoreError:  # there is none, or it is damaged
        pass
    return anew


def _judged(former: FormerIndex, anew: Freshness, root: Path, build: Path | None, started: int
            ) -> Freshness:
    setting = anew.setting
    states = FileStates(root, build, started, former.files)
    judge = Judge(former, states, setting, root, build)
    read, kept = [], []
    for unit in anew.read:
        row = former.units.get((unit.path, unit.object))
        command = command_digest(unit, root, build)
        if row is not None and command and row.command == command and judge.holds(row):
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
    lie. Empty where headers are sought in a folder elsewhere: what comes there is not noticed."""
    folders = {str(root): "@tree"} | ({str(build): "@build"} if build else {})
    if any(_lies_elsewhere(folder, tuple(folders)) for folder in _search_folders(unit)):
        return b""
    words = (unit.file, unit.directory, unit.image, str(unit.generated), *unit.arguments)
    text = "\0".join(words)
    for folder in sorted(folders, key=len, reverse=True):
        text = _whole_folder(folder).sub(folders[folder], text)
    return hashlib.blake2b(text.encode("utf-8", "surrogateescape"), digest_size=12).digest()


def _search_folders(unit: TranslationUnit) -> Iterator[str]:
    """The folders in which headers of a unit are sought."""
    words = iter(unit.arguments)
    for word in words:
        if word in _SEARCHED:
            yield next(words, "")
        elif word.startswith("-I"):
            yield word[2:]


@cache
def _lies_elsewhere(folder: str, roots: tuple[str, ...]) -> bool:
    """Whether a folder is there, but in none of the roots; kgraph's own headers are no matter."""
    return folder != str(BUILTIN_HEADERS) and is_folder(folder) and leads_out(
        f"{folder}/x", roots)


@cache
def _whole_folder(name: str) -> re.Pattern[str]:
    return re.compile(re.escape(name) + r"(?=[/\0]|$)")


class Judge:
    """Decides whether a unit of an index, of this tree or another, holds here."""

    def __init__(self, former: FormerIndex, states: FileStates, setting: Setting,
                 root: Path, build: Path | None) -> None:
        self._roots = [str(root)] + ([str(build)] if build else [])
        self._led_out = False  # by a new link
        self._symbols = _changed_symbols(json.loads(former.meta["symbols"]), setting.symbols)
        before = frozenset(former.meta["files"].split("\n"))
        new = setting.files - before
        shadowing = {Path(path).name for path in new}.union(
            *(self._behind(path.partition(LINK)[0], setting.files) for path in new if LINK in path))
        asked = shadowing | {Path(path).name for path in before - setting.files}
        self._new = bool(new)
        self._numbers = former.numbers
        self._changed: set[int] = set()
        self._shadowed: set[int] = set()
        self._mention: dict[int, str] = {}
        for path, number in former.numbers.items():
            if path in SYMBOL_HEADERS:
                continue
            digest = former.files[path].digest
            if Path(path).name in shadowing:
                self._shadowed.add(number)
            if not digest or states.now(path).digest != digest or (
                    asked and self._asks_for(path, asked)):
                self._changed.add(number)
            elif self._symbols:
                self._mention[number] = path

    def _behind(self, link: str, files: Iterable[str]) -> set[str]:
        """The names of the files that a new link to a folder leads to."""
        found: set[str] = set()
        for root in self._roots:
            name = f"{root}/{file_name(link)}"
            if leads_out(f"{name}/x", self._roots):
                self._led_out = self._led_out or is_folder(name)
                continue
            folder = cited_name(os.path.relpath(os.path.realpath(name), os.path.realpath(root)))
            found.update(Path(path).name for path in files
                         if folder == "." or path.startswith(f"{folder}/"))
        return found

    def _asks_for(self, path: str, names: set[str]) -> bool:
        """Whether a file asks if there is a header of one of these names."""
        asked = _in_files(_headers_asked_for, self._roots, path)
        return "" in asked or not asked.isdisjoint(names)

    def holds(self, unit: FormerUnit) -> bool:
        """Whether reading the unit again would give what it gave."""
        if unit.failed or self._led_out or (self._new and unit.errors):
            return False  # it may have been the machine's fault; what it missed may be there now
        if not self._changed.isdisjoint(unit.files):
            return False
        own = self._numbers.get(str(unit.row[0]))  # which is not sought
        if any(number in self._shadowed for number in unit.files if number != own):
            return False
        return not self._symbols or all(
            self._symbols.isdisjoint(_in_files(_symbols, self._roots, self._mention[number]))
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


def _in_files(find: Callable[[bytes], Iterable[str]], roots: list[str], path: str) -> set[str]:
    """What `find` finds in the files of that path."""
    return set().union(*(_found(find, f"{root}/{file_name(path)}") for root in roots))


@cache
def _found(find: Callable[[bytes], Iterable[str]], file: str) -> frozenset[str]:
    try:
        return frozenset(find(read_regular(file)))
    except OSError:
        return frozenset()


def _symbols(content: bytes) -> Iterator[str]:
    """The configuration symbols that are mentioned."""
    return (name.decode() for name in set(_SYMBOL.findall(content)) if name.isascii())


def _headers_asked_for(content: bytes) -> Iterator[str]:
    """The headers of which it is asked if they are there, without folders; "" where a macro says
    which."""
    return (cited_name(os.fsdecode(name)).rpartition("/")[2] for name in _ASKED.findall(content))
