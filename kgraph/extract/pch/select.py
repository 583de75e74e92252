"""Selects the headers to precompile, from the translation units.

Parsing headers is most of the work of parsing a kernel file. For each set of flags that enough
units share, the headers that enough of them include become one precompiled header. A folder whose
units have heavy headers of their own gets another. `compatible` decides who may use one.
"""

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from kgraph.extract.pch.header import IRRELEVANT_MACROS
from kgraph.extract.pch.include_graph import list_search_folders
from kgraph.extract.pch.include_scan import (
    clear_header_caches,
    estimate_reading_cost,
    has_include_guard,
    list_includes,
)
from kgraph.logs import PackageLogger
from kgraph.model.units import TranslationUnit

_LOG = PackageLogger("kgraph.extract")

# The part of the units that must include a header directly for it to be precompiled. The more
# headers, the less each unit has to read, but the more units mention a macro of a header that they
# do not include. So many units get a second, smaller one, for those that may not use the first.
_COMMON, _MOST_COMMON, _COMMON_IN_FOLDER = 0.02, 0.1, 0.2
_MIN_USES = 3.0  # a header that fewer units include is never common
_MIN_UNITS = 10  # that share flags, before a precompiled header pays
_MIN_UNITS_FOR_SECOND = 200
# What a folder's header must save all its units together, by estimate_reading_cost. clang reads
# some 7 MB a second, and making a header takes about 1.5 s.
_MIN_FOLDER_SAVING = 20_000_000


@dataclass(frozen=True, slots=True)
class HeaderPlan:
    """A precompiled header to be made.

    `names` are what it includes: names along the search folders, or absolute ones. `folder` is the
    folder whose units it is for, "" for all units.
    """

    names: tuple[str, ...]
    directory: str
    flags: tuple[str, ...]
    folder: str = ""


def plan_headers(units: Iterable[TranslationUnit]) -> list[HeaderPlan]:
    """The precompiled headers that pay for a set of units, in a fixed order."""
    clear_header_caches()  # headers may have changed since an earlier run in this process
    groups: dict[tuple[str, ...], list[TranslationUnit]] = {}
    for unit in units:
        if not unit.generated and not unit.is_assembly:
            groups.setdefault((unit.directory, *_list_relevant_flags(unit)), []).append(unit)
    plans = [plan for _key, group in sorted(groups.items()) if len(group) >= _MIN_UNITS
             for plan in _iter_plans(group)]
    for plan in plans:
        _LOG.debug("a precompiled header of %d headers for the units of %s", len(plan.names),
                   plan.folder or "all folders")
    return plans


def _iter_plans(units: list[TranslationUnit]) -> Iterator[HeaderPlan]:
    """The precompiled headers of units that agree in their flags, in the order of trying them.

    Those of folders come first, then the largest.
    """
    directory, flags = units[0].directory, _list_common_flags(units)
    names = _select_common_headers(units, _COMMON)
    yield from _iter_folder_plans(units, _HeaderSearch(flags).find_reachable(names))
    if names:
        yield HeaderPlan(names, directory, flags)
    if len(units) >= _MIN_UNITS_FOR_SECOND:
        fewer = _select_common_headers(units, _MOST_COMMON)
        if 0 < len(fewer) < len(names):
            yield HeaderPlan(fewer, directory, flags)


def _iter_folder_plans(units: list[TranslationUnit], shared: set[str]) -> Iterator[HeaderPlan]:
    """The precompiled headers of folders. `shared` are the files in the one for all units."""
    by_folder: dict[str, list[TranslationUnit]] = {}
    for unit in units:
        by_folder.setdefault(get_folder(unit.file), []).append(unit)
    for folder, group in sorted(by_folder.items()):
        if len(group) < _MIN_UNITS:
            continue
        flags = _list_common_flags(group)
        search = _HeaderSearch(flags)
        included = [{name: file for name, file in search.find_included(unit.file).items()
                     if file.endswith(".h") and has_include_guard(file)} for unit in group]
        # A folder's own headers (absolute names) expect that the common ones were read.
        names = tuple(sorted(_select_common(included, _COMMON_IN_FOLDER), key=_is_absolute))
        if _estimate_saving(included, names, search, shared) >= _MIN_FOLDER_SAVING:
            yield HeaderPlan(names, group[0].directory, flags, folder)


def _estimate_saving(
    included: Iterable[dict[str, str]], names: Iterable[str], search: "_HeaderSearch",
    shared: set[str],
) -> int:
    """How much reading a precompiled header with these names saves, besides `shared` files.

    `included` has the files that each unit includes, by name.
    """
    chosen = set(names)
    reachable: dict[str, set[str]] = {}
    total = 0
    for files in included:
        read: set[str] = set()
        for name in files.keys() & chosen:
            if name not in reachable:
                reachable[name] = search.find_reachable([files[name]]) - shared
            read |= reachable[name]
        total += sum(estimate_reading_cost(file) for file in read)
    return total


class _HeaderSearch:
    """Finds the files of includes as a compiler does, without evaluating conditions."""

    def __init__(self, flags: Iterable[str]) -> None:
        self._folders = list_search_folders(flags)
        self._found: dict[str, str] = {}

    def find_included(self, path: str) -> dict[str, str]:
        """The files that a file includes directly, by names as in a plan."""
        found: dict[str, str] = {}
        folder = get_folder(path)
        for name, is_searched in list_includes(path):
            file = "" if is_searched else os.path.normpath(f"{folder}/{name}")
            if file and Path(file).is_file():
                found[file] = file
            elif file := self._find(name):
                found[name] = file
        return found

    def find_reachable(self, names: Iterable[str]) -> set[str]:
        """The files that are read where these names are included."""
        reached: set[str] = set()
        waiting = [file for name in names if (file := self._find(name))]
        while waiting:
            file = waiting.pop()
            if file not in reached:
                reached.add(file)
                waiting.extend(self.find_included(file).values())
        return reached

    def _find(self, name: str) -> str:
        """The file of a name along the search folders, "" if there is none."""
        if name not in self._found:
            candidates = [name] if _is_absolute(name) else [
                os.path.normpath(f"{folder}/{name}") for folder in self._folders]
            self._found[name] = next((file for file in candidates if Path(file).is_file()), "")
        return self._found[name]


def _select_common_headers(units: list[TranslationUnit], part: float) -> tuple[str, ...]:
    """The headers that are common among units, wherever the units lie."""
    return _select_common([[name for name, _ in list_includes(unit.file)
                            if "/" in name and not name.startswith(".")] for unit in units], part)


def _select_common(included: Sequence[Iterable[str]], part: float) -> tuple[str, ...]:
    """The names that this part of the units includes, the most common first."""
    counts: Counter[str] = Counter()
    for names in included:
        counts.update(set(names))
    least = max(_MIN_USES, part * len(included))
    chosen = [name for name, count in counts.items() if count >= least]
    return tuple(sorted(chosen, key=lambda name: (-counts[name], name)))


def _list_relevant_flags(unit: TranslationUnit) -> tuple[str, ...]:
    """What units must agree in to share a header: no folders, no irrelevant macros."""
    return tuple(
        argument for argument in drop_quote_folders(unit)
        if not argument.startswith("-I") and parse_macro_name(argument) not in IRRELEVANT_MACROS)


def _list_common_flags(units: list[TranslationUnit]) -> tuple[str, ...]:
    """The arguments that all units have, in the order of the first unit."""
    shared = set.intersection(*(set(unit.arguments) for unit in units))
    return tuple(argument for argument in drop_quote_folders(units[0]) if argument in shared)


def drop_quote_folders(unit: TranslationUnit) -> list[str]:
    """The arguments of a unit without folders for names in quotes only (-iquote)."""
    words = iter(unit.arguments)
    kept = []
    for word in words:
        if word == "-iquote":
            next(words, None)
        else:
            kept.append(word)
    return kept


def parse_macro_name(argument: str) -> str:
    """The macro that an argument defines, "" for any other argument."""
    if not argument.startswith("-D"):
        return ""
    return argument[2:].partition("=")[0].partition("(")[0].strip()


def get_folder(path: str) -> str:
    """The folder of a file."""
    return path.rpartition("/")[0]


def _is_absolute(name: str) -> bool:
    return name.startswith("/")
