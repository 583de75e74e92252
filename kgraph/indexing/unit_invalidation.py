"""Which units of the previous index are still valid, and which must be read again.

A unit is kept if all of this holds: the same command compiles it; every file that it read has
the same content; no new file would be found before one that it read; and this kgraph extracts
facts as the previous one did. Every unit reads the header of all configuration symbols, so that
header counts by the symbols that a unit's files mention, as in Kbuild's fixdep, or paste.
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
from kgraph.indexing.fingerprint import LINK_MARK, SYMBOL_HEADERS, InputFingerprint, Sources
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

_FOLDER_FLAGS = ("-isystem", "-idirafter", "-iquote")  # each followed by a folder
_OTHER_SPELLINGS = ((b"??/", b"\\"), (b"??=", b"#"), (b"%:", b"#"))  # trigraphs, digraphs
_LINE_GOES_ON = re.compile(rb"\\[ \t\f\v]*\r?\n")
# A symbol; what may be pasted to it, or is handed on with it; what other name it is given; and half
# a prefix of one.
_SYMBOL = re.compile(rb"CONFIG_\w*")
_GOES_ON = re.compile(rb"\s*(?:,|##)")
_RENAMED = re.compile(rb"\s*#\s*define\s+\w+[\s(]+")
_HALF_PREFIX = re.compile(rb"\bC(?:ON?|ONFI?|ONFIG)?\s*(?:,|##)")
_PASTED_TO = re.compile(rb"##\s*(\w+)")  # the end of a name
_HAS_INCLUDE = re.compile(
    rb'(?<!\bifdef )(?<!\bifndef )(?<!\bdefined )(?<!\bdefined\()'
    rb'__has_include(?:_next)?(?:\s*\(\s*["<]([^">\n]+))?')
_BUILTIN_NAMES = frozenset(path.name for path in BUILTIN_HEADERS.iterdir())


@dataclass(frozen=True, slots=True)
class Loan:
    """Units whose facts another index (`donor`) can lend: its row of each, and the digest of the
    unit's command."""

    donor: PreviousIndex
    units: dict[TranslationUnit, tuple[PreviousUnit, bytes]]


@dataclass(frozen=True, slots=True)
class ReusePlan:
    """Which units a run reads, and which it takes from other indexes.

    `kept_units` come from the `previous` index, `loans` from those of other trees and
    configurations. `is_complete`: the previous index already is what the run would write.
    `has_touched_files`: files were written since, perhaps with the same content.
    `has_same_graph_version`: this kgraph makes the same graph of the same facts.
    """

    sources: Sources
    fingerprint: InputFingerprint
    states: FileStates
    units_to_read: tuple[TranslationUnit, ...]
    previous: PreviousIndex | None = None
    kept_units: tuple[PreviousUnit, ...] = ()
    loans: tuple[Loan, ...] = ()
    is_complete: bool = False
    has_touched_files: bool = False
    has_same_graph_version: bool = False


def plan_full_read(
    units: Sequence[TranslationUnit], sources: Sources, fingerprint: InputFingerprint
) -> ReusePlan:
    """Plan to read all units, whatever an index holds."""
    states = FileStates(sources.root, sources.build, sources.started, {})
    return ReusePlan(sources, fingerprint, states, tuple(units))


def plan_reuse(index: Path, full: ReusePlan) -> ReusePlan:
    """Plan to read what the previous index at `index` does not have; `full` reads all units.

    An index that is missing, damaged or of another tree is not used.
    """
    _search_file.cache_clear()
    _is_outside_roots.cache_clear()
    try:
        with report_damage(index):
            previous = PreviousIndex(index)
            if previous.description.tree == str(full.sources.root) and (
                    previous.meta["facts meaning"] == full.fingerprint.facts_version):
                return _compare_units(previous, full)
    except StoreError:  # there is none, or it is damaged
        pass
    return full


def digest_command(unit: TranslationUnit, sources: Sources) -> bytes:
    """A digest of how a unit is compiled, and into what, wherever the tree and build folder lie.

    It is empty if the unit searches for headers in other folders: changes there go unnoticed, so
    the unit is always read.
    """
    folders = dict(zip(sources.folders, ("@tree", "@build"), strict=False))
    if any(_is_outside_roots(folder, tuple(folders)) for folder in _iter_search_folders(unit)):
        return b""
    words = (unit.file, unit.directory, unit.image, str(unit.generated), *unit.arguments)
    text = "\0".join(words)
    for folder in sorted(folders, key=len, reverse=True):
        text = _match_whole_folder(folder).sub(folders[folder], text)
    return hashlib.blake2b(text.encode("utf-8", "surrogateescape"), digest_size=12).digest()


class UnitValidator:
    """Decides whether units of an index, of this tree or another, are valid for `sources`."""

    def __init__(
        self, index: PreviousIndex, states: FileStates, fingerprint: InputFingerprint,
        sources: Sources,
    ) -> None:
        self._roots = sources.folders
        self._has_link_outside = False  # among the new files
        self._symbols = _find_changed_symbols(
            json.loads(index.meta["symbols"]), fingerprint.symbols)
        self._file_ids = index.file_ids
        self._changed: set[int] = set()
        self._shadowed: set[int] = set()
        self._unchanged_paths: dict[int, str] = {}  # where symbols changed
        before = frozenset(index.meta["files"].split("\n"))
        new = fingerprint.files - before
        self._has_new_files = bool(new)
        shadowing = self._find_names_of_new_files(new, fingerprint.files)
        come_or_gone = shadowing | {Path(path).name for path in before - fingerprint.files}
        builtin = frozenset(map(str.encode, shadowing & _BUILTIN_NAMES))
        for path, number in index.file_ids.items():
            if Path(path).name in shadowing:
                self._shadowed.add(number)
            if path in SYMBOL_HEADERS and "" not in self._symbols:
                continue
            digest = index.files[path].digest
            if not digest or states.look_up(path).digest != digest or (
                    come_or_gone and self._has_include_of(path, come_or_gone)) or (
                    builtin and self._names_any(path, builtin)):
                self._changed.add(number)
            elif self._symbols:
                self._unchanged_paths[number] = path
        if self._symbols:
            self._symbols |= self._find_beginnings()

    def is_valid(self, unit: PreviousUnit) -> bool:
        """Whether reading the unit again would give the same facts."""
        if unit.failed or self._has_link_outside or (self._has_new_files and unit.errors):
            # A failure may be the machine's fault, and a missing header may be there now.
            return False
        if not self._changed.isdisjoint(unit.files):
            return False
        own = self._file_ids.get(unit.row.path)  # the source itself is not searched for
        if any(number in self._shadowed for number in unit.files if number != own):
            return False
        return not self._symbols or all(
            self._symbols.isdisjoint(
                _search_files(_iter_config_symbols, self._roots, self._unchanged_paths[number])
            )
            for number in unit.files
            if number in self._unchanged_paths
        )

    def _find_beginnings(self) -> set[str]:
        """What a file may mention of the changed symbols: beginnings, whatever is pasted to them,
        and the names that an end which some file pastes completes."""
        ends = {name[2:] for path in self._unchanged_paths.values()
                for name in _search_files(_iter_config_symbols, self._roots, path)
                if name.startswith("##")}
        return {
            *(f"{name[:end]}*" for name in self._symbols for end in range(len(name) + 1)),
            *(name.removesuffix(end) for end in ends for name in self._symbols)}

    def _find_names_of_new_files(
        self, new: frozenset[str], files: frozenset[str]
    ) -> set[str]:
        """The names of new files, also of those that a new link to a folder leads to."""
        names = {Path(path).name for path in new}
        for path in new:
            link, mark, _target = path.partition(LINK_MARK)
            if mark:
                names |= self._find_names_behind(link, files)
        return names

    def _find_names_behind(self, link: str, files: frozenset[str]) -> set[str]:
        """The names of the files that a new link to a folder leads to."""
        found: set[str] = set()
        for root in self._roots:
            name = f"{root}/{unescape_name(link)}"
            if is_link_outside(f"{name}/x", self._roots):
                self._has_link_outside = self._has_link_outside or is_folder(name)
                continue
            folder = escape_name(os.path.relpath(os.path.realpath(name), os.path.realpath(root)))
            found.update(Path(path).name for path in files
                         if folder == "." or path.startswith(f"{folder}/"))
        return found

    def _has_include_of(self, path: str, names: set[str]) -> bool:
        """Whether a file tests with __has_include for a header of one of these names."""
        tested = _search_files(_iter_has_include_names, self._roots, path)
        return "" in tested or not tested.isdisjoint(names)

    def _names_any(self, path: str, names: frozenset[bytes]) -> bool:
        """Whether a file has one of these names in its text. The compiler's own headers are no
        files of a unit: whoever names one may find a new header of the tree instead."""
        return any(any(name in content for name in names) for content in map(
            _read_file, (f"{root}/{unescape_name(path)}" for root in self._roots)))


def _compare_units(previous: PreviousIndex, full: ReusePlan) -> ReusePlan:
    """Plan with the previous index, which is of the same tree and the same meaning of facts."""
    sources, fingerprint = full.sources, full.fingerprint
    states = FileStates(sources.root, sources.build, sources.started, previous.files)
    validator = UnitValidator(previous, states, fingerprint, sources)
    to_read, kept = [], []
    for unit in full.units_to_read:
        row = previous.units.get((unit.path, unit.object))
        command = digest_command(unit, sources)
        if row is not None and command and row.command == command and validator.is_valid(row):
            kept.append(row)
        else:
            to_read.append(unit)
    has_same_graph = previous.meta["graph meaning"] == fingerprint.graph_version
    return ReusePlan(
        sources, fingerprint, states, tuple(to_read), previous, tuple(kept),
        is_complete=not to_read and len(kept) == len(previous.units) and has_same_graph,
        has_touched_files=any(map(states.was_touched, previous.files)) or any(
            previous.meta[name] != value for name, value in fingerprint.to_meta_rows()),
        has_same_graph_version=has_same_graph,
    )


def _iter_search_folders(unit: TranslationUnit) -> Iterator[str]:
    """The folders in which headers of a unit are searched for."""
    words = iter(unit.arguments)
    for word in words:
        if word in _FOLDER_FLAGS:
            yield next(words, "")
        elif word.startswith("-I"):
            yield word[2:]


@cache
def _is_outside_roots(folder: str, roots: tuple[str, ...]) -> bool:
    """Whether a folder exists outside the roots. kgraph's own headers do not count."""
    return folder != str(BUILTIN_HEADERS) and is_folder(folder) and is_link_outside(
        f"{folder}/x", roots)


@cache
def _match_whole_folder(name: str) -> re.Pattern[str]:
    return re.compile(re.escape(name) + r"(?=[/\0]|$)")


def _find_changed_symbols(
    before: Mapping[str, Mapping[str, str]], now: Mapping[str, Mapping[str, str]]
) -> set[str]:
    changed: set[str] = set()
    for path in {*before, *now}:
        old, new = before.get(path, {}), now.get(path, {})
        names = {name for name in {*old, *new} if old.get(name) != new.get(name)}
        changed |= names
    return changed


def _search_files(find: Callable[[bytes], Iterable[str]], roots: list[str], path: str) -> set[str]:
    """What `find` finds in the files that a citation path names, in any of the roots."""
    return set().union(*(_search_file(find, f"{root}/{unescape_name(path)}") for root in roots))


@cache
def _search_file(find: Callable[[bytes], Iterable[str]], file: str) -> frozenset[str]:
    content = _read_file(file)
    for other, usual in _OTHER_SPELLINGS:
        content = content.replace(other, usual)
    return frozenset(find(_LINE_GOES_ON.sub(b"", content)))


def _read_file(file: str) -> bytes:
    """The content of a file, b"" if it cannot be read."""
    try:
        return read_regular_file(file)
    except OSError:
        return b""


def _iter_config_symbols(content: bytes) -> Iterator[str]:
    """The configuration symbols that a file mentions; NAME* for a beginning of unknown ones, and
    ##NAME for what is pasted to the end of others."""
    for found in _SYMBOL.finditer(content):
        line = content.rfind(b"\n", 0, found.start()) + 1
        is_whole = found[0] != b"CONFIG_" and not _GOES_ON.match(content, found.end()) and (
            not _RENAMED.fullmatch(content, line, found.start()))
        yield found[0].decode() + ("" if is_whole else "*")
    if _HALF_PREFIX.search(content):
        yield "*"
    for end in set(_PASTED_TO.findall(content)):
        yield f"##{end.decode()}"


def _iter_has_include_names(content: bytes) -> Iterator[str]:
    """The headers, without folders, that a file tests with __has_include; "" if it does so in
    another way than by `__has_include("NAME")`."""
    names = _HAS_INCLUDE.findall(content) if b"__has_include" in content else ()
    return (escape_name(os.fsdecode(name)).rpartition("/")[2] for name in names)
