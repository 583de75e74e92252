"""Which units of the previous index are still valid, and which must be read again.

A unit is kept if all of this holds: the same command compiles it; every file that it read has
the same content; no new file would be found before one that it read; and this kgraph extracts
facts as the previous one did. Every unit reads the header of all configuration symbols, so that
header counts by the symbols that a unit's files mention, as in Kbuild's fixdep.
"""

import hashlib
import json
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from kgraph.build import BUILTIN_HEADERS
from kgraph.errors import StoreError
from kgraph.indexing.fingerprint import LINK_MARK, SYMBOL_HEADERS, InputFingerprint
from kgraph.model.units import TranslationUnit
from kgraph.store.connection import report_damage
from kgraph.store.previous_index import FileStates, PreviousIndex, PreviousUnit
from kgraph.textfile import (
    escape_name,
    is_folder,
    is_link_outside,
    read_regular_file,
    unescape_name,
)

_FOLDER_FLAGS = ("-isystem", "-idirafter", "-iquote")  # each with a folder behind it
_SYMBOL = re.compile(rb"CONFIG_\w+")
_HAS_INCLUDE = re.compile(rb'__has_include(?:_next)?\s*\(\s*(?:["<]([^">\n]+)|\w)')
_MODULE = "_MODULE"


@dataclass(frozen=True, slots=True)
class Loan:
    """Units that the index of another tree or configuration has as they are here: what it says of
    each, and the digest of its command."""

    donor: PreviousIndex
    units: dict[TranslationUnit, tuple[PreviousUnit, bytes]]


@dataclass(frozen=True, slots=True)
class ReusePlan:
    """Units to `read`, those of the `former` index to keep, and those that others lend. `complete`
    says that there is no unit to read, none too many, and the graph means the same; `touched` that
    files were written since, with the content that they had; `same_graph` that this kgraph makes
    the same graph of the same facts."""

    previous: PreviousIndex | None
    units_to_read: tuple[TranslationUnit, ...]
    kept_units: tuple[PreviousUnit, ...]
    states: FileStates
    fingerprint: InputFingerprint
    is_complete: bool
    has_touched_files: bool
    has_same_graph_version: bool = False
    loans: tuple[Loan, ...] = ()


def plan_full_read(units: Sequence[TranslationUnit], setting: InputFingerprint, root: Path,
                 build: Path | None, started: int) -> ReusePlan:
    """That all `units` have to be read, whatever an index holds. `started` is the time of the
    beginning in ns."""
    states = FileStates(root, build, started, {})
    return ReusePlan(
        None, tuple(units), (), states, setting, is_complete=False, has_touched_files=False
    )


def plan_reuse(index: Path, anew: ReusePlan, root: Path, build: Path | None, started: int
              ) -> ReusePlan:
    """What of `anew`, which reads all units, has to be read given the index that is there, if any.
    A former index that is damaged or of another tree counts as none."""
    _search_file.cache_clear()
    _is_outside_roots.cache_clear()
    try:
        with report_damage(index):
            former = PreviousIndex(index)
            if former.description.tree == str(root) and (
                    former.meta["facts meaning"] == anew.fingerprint.facts_version):
                return _compare_units(former, anew, root, build, started)
    except StoreError:  # there is none, or it is damaged
        pass
    return anew


def _compare_units(
    former: PreviousIndex, anew: ReusePlan, root: Path, build: Path | None, started: int
) -> ReusePlan:
    setting = anew.fingerprint
    states = FileStates(root, build, started, former.files)
    judge = UnitValidator(former, states, setting, root, build)
    read, kept = [], []
    for unit in anew.units_to_read:
        row = former.units.get((unit.path, unit.object))
        command = digest_command(unit, root, build)
        if row is not None and command and row.command == command and judge.is_valid(row):
            kept.append(row)
        else:
            read.append(unit)
    same_graph = former.meta["graph meaning"] == setting.graph_version
    complete = not read and len(kept) == len(former.units) and same_graph
    touched = any(map(states.was_touched, former.files)) or any(
        former.meta[name] != value for name, value in setting.to_meta_rows())
    return ReusePlan(former, tuple(read), tuple(kept), states, setting, complete, touched,
                     same_graph)


def digest_command(unit: TranslationUnit, root: Path, build: Path | None) -> bytes:
    """The digest of how a unit is compiled, and into what; wherever the tree and the build folder
    lie. Empty where headers are sought in a folder elsewhere: what comes there is not noticed."""
    folders = {str(root): "@tree"} | ({str(build): "@build"} if build else {})
    if any(_is_outside_roots(folder, tuple(folders)) for folder in _iter_search_folders(unit)):
        return b""
    words = (unit.file, unit.directory, unit.image, str(unit.generated), *unit.arguments)
    text = "\0".join(words)
    for folder in sorted(folders, key=len, reverse=True):
        text = _match_whole_folder(folder).sub(folders[folder], text)
    return hashlib.blake2b(text.encode("utf-8", "surrogateescape"), digest_size=12).digest()


def _iter_search_folders(unit: TranslationUnit) -> Iterator[str]:
    """The folders in which headers of a unit are sought."""
    words = iter(unit.arguments)
    for word in words:
        if word in _FOLDER_FLAGS:
            yield next(words, "")
        elif word.startswith("-I"):
            yield word[2:]


@cache
def _is_outside_roots(folder: str, roots: tuple[str, ...]) -> bool:
    """Whether a folder is there, but in none of the roots; kgraph's own headers are no matter."""
    return folder != str(BUILTIN_HEADERS) and is_folder(folder) and is_link_outside(
        f"{folder}/x", roots)


@cache
def _match_whole_folder(name: str) -> re.Pattern[str]:
    return re.compile(re.escape(name) + r"(?=[/\0]|$)")


class UnitValidator:
    """Decides whether a unit of an index, of this tree or another, holds here."""

    def __init__(self, former: PreviousIndex, states: FileStates, setting: InputFingerprint,
                 root: Path, build: Path | None) -> None:
        self._roots = [str(root)] + ([str(build)] if build else [])
        self._led_out = False  # by a new link
        self._symbols = _find_changed_symbols(json.loads(former.meta["symbols"]), setting.symbols)
        before = frozenset(former.meta["files"].split("\n"))
        new = setting.files - before
        shadowing = {Path(path).name for path in new}.union(
            *(
                self._behind(path.partition(LINK_MARK)[0], setting.files)
                for path in new
                if LINK_MARK in path
            )
        )
        asked = shadowing | {Path(path).name for path in before - setting.files}
        self._new = bool(new)
        self._numbers = former.file_ids
        self._changed: set[int] = set()
        self._shadowed: set[int] = set()
        self._mention: dict[int, str] = {}
        for path, number in former.file_ids.items():
            if path in SYMBOL_HEADERS:
                continue
            digest = former.files[path].digest
            if Path(path).name in shadowing:
                self._shadowed.add(number)
            if not digest or states.look_up(path).digest != digest or (
                    asked and self._asks_for(path, asked)):
                self._changed.add(number)
            elif self._symbols:
                self._mention[number] = path

    def _behind(self, link: str, files: Iterable[str]) -> set[str]:
        """The names of the files that a new link to a folder leads to."""
        found: set[str] = set()
        for root in self._roots:
            name = f"{root}/{unescape_name(link)}"
            if is_link_outside(f"{name}/x", self._roots):
                self._led_out = self._led_out or is_folder(name)
                continue
            folder = escape_name(os.path.relpath(os.path.realpath(name), os.path.realpath(root)))
            found.update(Path(path).name for path in files
                         if folder == "." or path.startswith(f"{folder}/"))
        return found

    def _asks_for(self, path: str, names: set[str]) -> bool:
        """Whether a file asks if there is a header of one of these names."""
        asked = _search_files(_iter_has_include_names, self._roots, path)
        return "" in asked or not asked.isdisjoint(names)

    def is_valid(self, unit: PreviousUnit) -> bool:
        """Whether reading the unit again would give what it gave."""
        if unit.failed or self._led_out or (self._new and unit.errors):
            return False  # it may have been the machine's fault; what it missed may be there now
        if not self._changed.isdisjoint(unit.files):
            return False
        own = self._numbers.get(unit.row.path)  # which is not sought
        if any(number in self._shadowed for number in unit.files if number != own):
            return False
        return not self._symbols or all(
            self._symbols.isdisjoint(
                _search_files(_iter_config_symbols, self._roots, self._mention[number])
            )
            for number in unit.files
            if number in self._mention
        )


def _find_changed_symbols(
    before: Mapping[str, Mapping[str, str]], now: Mapping[str, Mapping[str, str]]
) -> set[str]:
    changed: set[str] = set()
    for path in {*before, *now}:
        former, present = before.get(path, {}), now.get(path, {})
        names = {name for name in {*former, *present} if former.get(name) != present.get(name)}
        changed |= names | {name.removesuffix(_MODULE) for name in names}
    return changed


def _search_files(find: Callable[[bytes], Iterable[str]], roots: list[str], path: str) -> set[str]:
    """What `find` finds in the files of that path."""
    return set().union(*(_search_file(find, f"{root}/{unescape_name(path)}") for root in roots))


@cache
def _search_file(find: Callable[[bytes], Iterable[str]], file: str) -> frozenset[str]:
    try:
        return frozenset(find(read_regular_file(file)))
    except OSError:
        return frozenset()


def _iter_config_symbols(content: bytes) -> Iterator[str]:
    """The configuration symbols that are mentioned."""
    return (name.decode() for name in set(_SYMBOL.findall(content)) if name.isascii())


def _iter_has_include_names(content: bytes) -> Iterator[str]:
    """The headers of which it is asked if they are there, without folders; "" where a macro says
    which."""
    return (
        escape_name(os.fsdecode(name)).rpartition("/")[2] for name in _HAS_INCLUDE.findall(content)
    )
