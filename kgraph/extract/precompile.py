"""Precompiled headers: which headers many translation units share, and making them.

Parsing headers is the larger part of parsing a kernel file. The choice of headers is computed from
the units: for each set of flags that enough units share, the headers that enough of them include.
Who may use a header is for agreement.py to say.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from kgraph.extract.headers import Tails, header_text, include_graph
from kgraph.extract.libclang import C, children, error_count, inclusions, parse, save, spelling
from kgraph.extract.precompiled import TEXTS, Precompiled, folders, leanings, read_graph
from kgraph.model.units import TranslationUnit

# A header belongs in if this part of the units includes it directly. The more headers, the less is
# left to read of each unit, and the more units mention a macro of one that they do not include:
# many units get a second, small one, for those that may not use the first.
_COMMON, _MOST_COMMON = 0.02, 0.1
_WORTHWHILE = 10  # units that must share flags before a precompiled header pays
_MANY = 200  # units that must share flags before a second one does
_ASKED = "kgraph_asks_"
_FOR_SERIALIZATION = 0x2 | 0x4  # CXTranslationUnit_Incomplete | ForSerialization
@dataclass(frozen=True, slots=True)
class HeaderPlan:
    """A precompiled header to be made: the names to include, and the flags."""

    names: tuple[str, ...]
    directory: str
    flags: tuple[str, ...]


def plan_headers(units: Iterable[TranslationUnit]) -> list[HeaderPlan]:
    """The precompiled headers that pay for a set of units, in a fixed order."""
    groups: dict[tuple[str, ...], list[TranslationUnit]] = {}
    for unit in units:
        if not unit.generated and not unit.is_assembly:
            groups.setdefault((unit.directory, *_kind(unit)), []).append(unit)
    return [plan for _key, group in sorted(groups.items()) if len(group) >= _WORTHWHILE
            for plan in _plans(group)]


def _plans(units: list[TranslationUnit]) -> Iterator[HeaderPlan]:
    """The precompiled headers of units that agree in their flags, the largest first."""
    directory, flags = units[0].directory, _common_flags(units)
    names = _common_headers(units, _COMMON)
    if names:
        yield HeaderPlan(names, directory, flags)
    if len(units) >= _MANY:
        fewer = _common_headers(units, _MOST_COMMON)
        if 0 < len(fewer) < len(names):
            yield HeaderPlan(fewer, directory, flags)


def _kind(unit: TranslationUnit) -> tuple[str, ...]:
    """What units must agree in: arguments but for folders, and macros that are no texts."""
    return tuple(a for a in without_quote_folders(unit)
                 if not a.startswith("-I") and macro_name(a) not in TEXTS)


def without_quote_folders(unit: TranslationUnit) -> list[str]:
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
    counts: Counter[str] = Counter()
    for unit in units:
        counts.update(set(header_text(unit.file).includes))
    least = max(3.0, part * len(units))
    chosen = [name for name, count in counts.items()
              if count >= least and "/" in name and not name.startswith(".")]
    return tuple(sorted(chosen, key=lambda name: (-counts[name], name)))


def _common_flags(units: list[TranslationUnit]) -> tuple[str, ...]:
    """The arguments that all units have, in the order of the first."""
    shared = set.intersection(*(set(unit.arguments) for unit in units))
    return tuple(a for a in without_quote_folders(units[0]) if a in shared)


def macro_name(argument: str) -> str:
    """The macro that an argument defines, "" if it is another argument."""
    if not argument.startswith("-D"):
        return ""
    return argument[2:].partition("=")[0].partition("(")[0].strip()


class HeaderMaker:
    """Makes the precompiled header of a plan. Each attempt's source is `stem`.h."""

    def __init__(self, plan: HeaderPlan, stem: Path) -> None:
        self._plan = plan
        self._source = stem.with_suffix(".h")
        self._file = stem.with_suffix(".pch")

    def make(self) -> tuple[Precompiled, int] | None:
        """The header and clang's handle of what was parsed for it, which the caller disposes of;
        None if it cannot be made. Headers that do not parse after the others are left out."""
        handle = self._parse(self._plan.names)
        if handle is None:
            handle = self._parse(self._accepted())
        if handle is None:
            return None
        if save(handle, str(self._file)):
            described = self._described(handle)
            defined = self._defined(described.macros)
            if defined is not None:
                described = replace(described, defined=defined)
                first = dict(reversed(inclusions(handle)))  # some files are read again and again
                described = replace(described, followed=read_graph(described.graph, first))
                return replace(described, leaning=leanings(described, first)), handle
        C.clang_disposeTranslationUnit(handle)
        return None

    def _accepted(self) -> tuple[str, ...]:
        """The headers that parse after one another, found by halving what does not."""
        accepted: tuple[str, ...] = ()
        waiting = [self._plan.names]
        while waiting:
            names = waiting.pop()
            handle = self._parse((*accepted, *names))
            if handle is not None:
                C.clang_disposeTranslationUnit(handle)
                accepted = (*accepted, *names)
            elif len(names) > 1:
                waiting += [names[len(names) // 2:], names[:len(names) // 2]]
        return accepted

    def _parse(self, names: Sequence[str]) -> int | None:
        self._source.write_text("".join(f"#include <{name}>\n" for name in names))
        handle = self._read(self._source, ["-x", "c-header"], _FOR_SERIALIZATION)
        if handle is not None and error_count(handle):
            C.clang_disposeTranslationUnit(handle)
            return None
        return handle

    def _read(self, source: Path, first: list[str], options: int, *, own: bool = False
              ) -> int | None:
        arguments = [*first, *self._plan.flags, "-working-directory", self._plan.directory]
        return parse(C.clang_createIndex(own, 0), str(source), arguments, options)[1]

    def _defined(self, macros: Iterable[str]) -> frozenset[str] | None:
        """Which macros are defined at the end of the header, None if that cannot be told: clang is
        asked, by a source that declares a variable for each that is."""
        names = sorted(macros)
        source = self._source.with_suffix(".c")
        source.write_text("".join(f"#ifdef {name}\nextern int {_ASKED}{number};\n#endif\n"
                                  for number, name in enumerate(names)))
        handle = self._read(source, ["-include-pch", str(self._file)], 0, own=True)
        if handle is None:
            return None
        found = map(spelling, children(C.clang_getTranslationUnitCursor(handle)))
        defined = frozenset(names[int(name.removeprefix(_ASKED))] for name in found
                            if name.startswith(_ASKED))
        C.clang_disposeTranslationUnit(handle)
        return defined

    def _described(self, handle: int) -> Precompiled:
        source = str(self._source)
        # clang tells who read a file first; text tells who else would have
        found = [(name, includer) for name, includer in inclusions(handle) if name != source]
        tails = Tails({name for name, _ in found}, folders(self._plan.flags))
        graph = include_graph(dict.fromkeys(name for name, _ in found), tails)
        forced = []
        for name, includer in found:
            if includer in graph:
                graph[includer] = tuple(dict.fromkeys((*graph[includer], name)))
            elif includer != source:
                forced.append(name)
        return Precompiled(str(self._file), self._plan.directory, self._plan.flags,
                           tuple(forced), graph)
