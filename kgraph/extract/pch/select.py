"""Selects the headers to precompile, from the translation units.

Parsing headers is most of the work of parsing a kernel file. For each set of flags that enough
units share, the headers that enough of them include become one precompiled header. A folder
whose units have heavy headers of their own gets another. `compatible` decides who may use one.
"""

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from kgraph.extract.pch.header import IRRELEVANT_MACROS, list_search_folders
from kgraph.extract.pch.include_scan import (
    SOUGHT,
    estimate_reading_cost,
    has_include_guard,
    list_includes,
)
from kgraph.model.units import TranslationUnit

# A header belongs in if this part of the units includes it directly. The more headers, the less is
# left to read of each unit, and the more units mention a macro of one that they do not include:
# many units get a second, small one, for those that may not use the first.
_COMMON, _MOST_COMMON, _COMMON_IN_FOLDER = 0.02, 0.1, 0.2
_WORTHWHILE = 10  # units that must share flags before a precompiled header pays
_MANY = 200  # units that must share flags before a second one does
# What the units of a folder must be spared before a header of its own pays, by headers.weight:
# clang reads some 7 MB a second, and making one takes about 1.5 s.
_HEAVY = 20_000_000


@dataclass(frozen=True, slots=True)
class HeaderPlan:
    """A precompiled header to be made: what to include, as names that are sought or absolute, the
    flags, and the folder whose units it is for, "" for all units."""

    names: tuple[str, ...]
    directory: str
    flags: tuple[str, ...]
    folder: str = ""


def plan_headers(units: Iterable[TranslationUnit]) -> list[HeaderPlan]:
    """The precompiled headers that pay for a set of units, in a fixed order."""
    groups: dict[tuple[str, ...], list[TranslationUnit]] = {}
    for unit in units:
        if not unit.generated and not unit.is_assembly:
            groups.setdefault((unit.directory, *_kind(unit)), []).append(unit)
    return [plan for _key, group in sorted(groups.items()) if len(group) >= _WORTHWHILE
            for plan in _plans(group)]


def _plans(units: list[TranslationUnit]) -> Iterator[HeaderPlan]:
    """The precompiled headers of units that agree in their flags, in the order in which they are
    to be tried: those of folders first, then the largest."""
    directory, flags = units[0].directory, _common_flags(units)
    names = _common_headers(units, _COMMON)
    yield from _folder_plans(units, _HeaderSearch(flags).closure(names))
    if names:
        yield HeaderPlan(names, directory, flags)
    if len(units) >= _MANY:
        fewer = _common_headers(units, _MOST_COMMON)
        if 0 < len(fewer) < len(names):
            yield HeaderPlan(fewer, directory, flags)


def _folder_plans(units: list[TranslationUnit], shared: set[str]) -> Iterator[HeaderPlan]:
    """The precompiled headers of folders. What is `shared` is in that of all units."""
    by_folder: dict[str, list[TranslationUnit]] = {}
    for unit in units:
        by_folder.setdefault(get_folder(unit.file), []).append(unit)
    for folder, group in sorted(by_folder.items()):
        if len(group) < _WORTHWHILE:
            continue
        flags = _common_flags(group)
        search = _HeaderSearch(flags)
        own = [{name: file for name, file in search.included(unit.file).items()
                if file.endswith(".h") and has_include_guard(file)} for unit in group]
        # own headers expect that the common ones are there
        names = tuple(sorted(_common(own, _COMMON_IN_FOLDER), key=_is_absolute))
        if _spared(own, names, search, shared) >= _HEAVY:
            yield HeaderPlan(names, group[0].directory, flags, folder)


def _spared(own: Iterable[dict[str, str]], names: Iterable[str], search: "_HeaderSearch",
            shared: set[str]) -> int:
    """How much of what units include a precompiled header with these names spares them, beside
    what is `shared`. `own` has the files that each includes, by name."""
    chosen = set(names)
    closures: dict[str, set[str]] = {}
    total = 0
    for files in own:
        read: set[str] = set()
        for name in files.keys() & chosen:
            if name not in closures:
                closures[name] = search.closure([files[name]]) - shared
            read |= closures[name]
        total += sum(estimate_reading_cost(file) for file in read)
    return total


class _HeaderSearch:
    """Finds the files of includes as a compiler does, conditions not evaluated."""

    def __init__(self, flags: Iterable[str]) -> None:
        self._folders = list_search_folders(flags)
        self._found: dict[str, str] = {}

    def included(self, path: str) -> dict[str, str]:
        """The files that a file includes directly, by names as in a plan."""
        found: dict[str, str] = {}
        beside = get_folder(path)
        for what, name in list_includes(path):
            file = "" if what == SOUGHT else os.path.normpath(f"{beside}/{name}")
            if file and Path(file).is_file():
                found[file] = file
            elif file := self._sought(name):
                found[name] = file
        return found

    def closure(self, names: Iterable[str]) -> set[str]:
        """The files that are read where these names are included."""
        reached: set[str] = set()
        waiting = [file for name in names if (file := self._sought(name))]
        while waiting:
            file = waiting.pop()
            if file not in reached:
                reached.add(file)
                waiting.extend(self.included(file).values())
        return reached

    def _sought(self, name: str) -> str:
        """The file of a name along the folders, "" if there is none; an absolute one is its own."""
        if name not in self._found:
            candidates = [name] if _is_absolute(name) else [
                os.path.normpath(f"{folder}/{name}") for folder in self._folders]
            self._found[name] = next((file for file in candidates if Path(file).is_file()), "")
        return self._found[name]


def _is_absolute(name: str) -> bool:
    return name.startswith("/")


def get_folder(path: str) -> str:
    """The folder of a file."""
    return path.rpartition("/")[0]


def _kind(unit: TranslationUnit) -> tuple[str, ...]:
    """What units must agree in: arguments but for folders, and macros that are no texts."""
    return tuple(a for a in drop_quote_folders(unit)
                 if not a.startswith("-I") and parse_macro_name(a) not in IRRELEVANT_MACROS)


def drop_quote_folders(unit: TranslationUnit) -> list[str]:
    """The arguments but for folders where only files named in quotes are looked for."""
    words = iter(unit.arguments)
    kept = []
    for word in words:
        if word == "-iquote":
            next(words, None)
        else:
            kept.append(word)
    return kept


def _common_headers(units: list[TranslationUnit], part: float) -> tuple[str, ...]:
    """The headers that are common among units, wherever these lie."""
    return _common([[name for _, name in list_includes(unit.file)
                     if "/" in name and not name.startswith(".")] for unit in units], part)


def _common(included: Sequence[Iterable[str]], part: float) -> tuple[str, ...]:
    """The names that this part of the units includes, the most common first."""
    counts: Counter[str] = Counter()
    for names in included:
        counts.update(set(names))
    least = max(3.0, part * len(included))
    chosen = [name for name, count in counts.items() if count >= least]
    return tuple(sorted(chosen, key=lambda name: (-counts[name], name)))


def _common_flags(units: list[TranslationUnit]) -> tuple[str, ...]:
    """The arguments that all units have, in the order of the first."""
    shared = set.intersection(*(set(unit.arguments) for unit in units))
    return tuple(a for a in drop_quote_folders(units[0]) if a in shared)


def parse_macro_name(argument: str) -> str:
    """The macro that an argument defines, "" if it is another argument."""
    if not argument.startswith("-D"):
        return ""
    return argument[2:].partition("=")[0].partition("(")[0].strip()
