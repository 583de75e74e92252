"""Precompiled headers: which headers many translation units share, and making them.

Parsing headers is the larger part of parsing a kernel file. The choice of headers is computed from
the units: for each set of flags that enough units share, the headers that enough of them include.
Who may use a header is for agreement.py to say.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from kgraph.extract.headers import Tails, header_text, include_graph
from kgraph.extract.libclang import C, error_count, inclusions, parse, save
from kgraph.model.units import TranslationUnit

_COMMON = 0.04  # a header belongs in if this part of the units includes it directly
_WORTHWHILE = 10  # units that must share flags before a precompiled header pays
_FOR_SERIALIZATION = 0x2 | 0x4  # CXTranslationUnit_Incomplete | ForSerialization
# Macros that a unit may define as it likes although headers mention them: they become parts of
# message texts and names of sections, and no fact.
TEXTS = frozenset({"pr_fmt", "dev_fmt", "KBUILD_STR", "KBUILD_BASENAME", "KBUILD_MODNAME",
                    "KBUILD_MODFILE", "__KBUILD_MODNAME", "KMSG_COMPONENT"})


@dataclass(frozen=True, slots=True)
class HeaderPlan:
    """A precompiled header to be made: the names to include, and the flags."""

    names: tuple[str, ...]
    directory: str
    flags: tuple[str, ...]


@dataclass(frozen=True)
class Precompiled:
    """A precompiled header on disk.

    `file` holds it; `forced` are the files that every unit reads by command line; `graph` says for
    each absolute file name in it what it includes; `keys` the definitions of each file by citation
    path.
    """

    file: str
    directory: str
    flags: tuple[str, ...]
    forced: tuple[str, ...]
    graph: dict[str, tuple[str, ...]]
    keys: dict[str, tuple[str, ...]] = field(default_factory=dict)
    _spreads: dict[str, set[str]] = field(default_factory=dict, repr=False)

    @cached_property
    def tails(self) -> Tails:
        """The files by the ends of their names."""
        return Tails(self.graph)

    @cached_property
    def code(self) -> frozenset[str]:
        """The identifiers of the files but for those in macros' bodies."""
        return frozenset().union(*(header_text(file).code for file in self.graph))

    @cached_property
    def macros(self) -> dict[str, set[str]]:
        """The macros of the files, and which files define each."""
        found: dict[str, set[str]] = {}
        for file in self.graph:
            for name in header_text(file).bodies:
                found.setdefault(name, set()).add(file)
        return found

    @cached_property
    def users(self) -> dict[str, set[str]]:
        """The names in the bodies of macros, and which macros' they are."""
        found: dict[str, set[str]] = {}
        for file in self.graph:
            for macro, body in header_text(file).bodies.items():
                for name in body:
                    found.setdefault(name, set()).add(macro)
        return found

    def spread(self, name: str) -> set[str]:
        """The names that mean something else in these files if the macro `name` does."""
        if name not in self._spreads:
            reached: set[str] = set()
            waiting = [name]
            while waiting:
                one = waiting.pop()
                if one not in reached:
                    reached.add(one)
                    waiting.extend(self.users.get(one, ()))
            self._spreads[name] = reached
        return self._spreads[name]


def plan_headers(units: Iterable[TranslationUnit]) -> list[HeaderPlan]:
    """The precompiled headers that pay for a set of units, in a fixed order."""
    groups: dict[tuple[str, ...], list[TranslationUnit]] = {}
    for unit in units:
        if not unit.generated and not unit.is_assembly:
            groups.setdefault((unit.directory, *_kind(unit)), []).append(unit)
    plans = []
    for _key, group in sorted(groups.items()):
        if len(group) >= _WORTHWHILE:
            names = _common_headers(group)
            if names:
                plans.append(HeaderPlan(names, group[0].directory, _common_flags(group)))
    return plans


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


def _common_headers(units: list[TranslationUnit]) -> tuple[str, ...]:
    counts: Counter[str] = Counter()
    for unit in units:
        counts.update(set(header_text(unit.file).includes))
    least = max(3.0, _COMMON * len(units))
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
        self._index = C.clang_createIndex(0, 0)

    def make(self) -> tuple[Precompiled, int] | None:
        """The header and clang's handle of what was parsed for it, which the caller disposes of;
        None if it cannot be made. Headers that do not parse after the others are left out."""
        handle = self._parse(self._plan.names)
        if handle is None:
            handle = self._parse(self._accepted())
        if handle is None:
            return None
        if not save(handle, str(self._file)):
            C.clang_disposeTranslationUnit(handle)
            return None
        return self._described(handle), handle

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
        handle = parse(self._index, str(self._source),
                       ["-x", "c-header", *self._plan.flags,
                        "-working-directory", self._plan.directory], _FOR_SERIALIZATION)[1]
        if handle is not None and error_count(handle):
            C.clang_disposeTranslationUnit(handle)
            return None
        return handle

    def _described(self, handle: int) -> Precompiled:
        source = str(self._source)
        # clang tells who read a file first; text tells who else would have
        found = [(name, includer) for name, includer in inclusions(handle) if name != source]
        tails = Tails({name for name, _ in found})
        graph = include_graph(sorted({name for name, _ in found}), tails)
        forced = []
        for name, includer in found:
            if includer in graph:
                graph[includer] = tuple(sorted({*graph[includer], name}))
            elif includer != source:
                forced.append(name)
        return Precompiled(str(self._file), self._plan.directory, self._plan.flags,
                           tuple(forced), graph)
