"""Precompiled headers: which headers many translation units share, and who may use them.

Parsing headers is the larger part of parsing a kernel file. The choice of headers is computed from
the units: for each set of flags that enough units share, the headers that enough of them include.

A unit uses a precompiled header only where that cannot change what the unit means:
- its flags are the header's, but for macros that no precompiled file mentions;
- it defines no macro that a precompiled file mentions before it includes one of those files;
- it mentions no macro that only those precompiled files define that it does not include itself.
What a unit would see without the precompiled header is found by following includes without
evaluating conditions (headers.py). A unit that fails a test, or has an error with the precompiled
header, is parsed without. Two indexes, made with and without, hold the same facts: `kgraph export
--facts` shows it.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from kgraph.extract.headers import Tails, closure, header_text, include_graph
from kgraph.extract.libclang import C, error_count, inclusions, parse, save
from kgraph.model.units import TranslationUnit

_COMMON = 0.04  # a header belongs in if this part of the units includes it directly
_WORTHWHILE = 10  # units that must share flags before a precompiled header pays
_FOR_SERIALIZATION = 0x2 | 0x4  # CXTranslationUnit_Incomplete | ForSerialization
# Macros that a unit may define as it likes although headers mention them: they become parts of
# message texts and names of sections, and no fact.
_TEXTS = frozenset({"pr_fmt", "dev_fmt", "KBUILD_STR", "KBUILD_BASENAME", "KBUILD_MODNAME",
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
        if not unit.generated:
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
    return tuple(a for a in _without_quote_folders(unit)
                 if not a.startswith("-I") and _macro_name(a) not in _TEXTS)


def _without_quote_folders(unit: TranslationUnit) -> list[str]:
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
    return tuple(a for a in _without_quote_folders(units[0]) if a in shared)


def _macro_name(argument: str) -> str:
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


class Agreement:
    """Decides whether a unit means the same with a precompiled header."""

    def __init__(self, headers: Sequence[Precompiled]) -> None:
        self._headers = headers

    def header_for(self, unit: TranslationUnit) -> Precompiled | None:
        """The header that a unit may try, judged by its flags and its own file."""
        for header in self._headers:
            if _flags_agree(unit, header):
                reading = _Walk(header, unit.file, (unit.file,))
                if reading.run():
                    return header
        return None


def included(header: Precompiled, unit: TranslationUnit, files: Sequence[str]) -> set[str] | None:
    """The precompiled files that a unit includes itself, as absolute names; None where it may mean
    something else without the precompiled header. `files` are the others that it read."""
    reading = _Walk(header, unit.file, files)
    if not reading.run():
        return None
    for name in _mentioned(files) & header.macros.keys():
        if not header.macros[name] & reading.read:
            return None
    return reading.read


def _mentioned(files: Sequence[str]) -> set[str]:
    """The names in the code of some files, and in the bodies of their macros that it uses."""
    texts = [header_text(file) for file in files]
    bodies = [text.bodies for text in texts if text.bodies]
    found: set[str] = set()
    waiting = set().union(*(text.code for text in texts))
    while waiting:
        found |= waiting
        waiting = {name for names in bodies for macro in waiting & names.keys()
                   for name in names[macro]} - found
    return found


class _Walk:
    """Follows the includes of a unit in order, through its own files and the precompiled ones."""

    def __init__(self, header: Precompiled, main: str, files: Sequence[str]) -> None:
        self.read = closure(header.forced, header.graph)
        self._header = header
        self._own = Tails(file for file in files if file != main)
        self._entered = {main}
        self._main = main
        self._spread: set[str] = set()  # what the unit's macros change in precompiled files

    def run(self) -> bool:
        """Whether the unit defines no macro that changes a precompiled file which it includes
        after that."""
        waiting = [iter(header_text(self._main).items)]
        while waiting:
            for is_include, name in waiting[-1]:
                if not is_include:
                    if name not in _TEXTS:
                        self._spread |= self._header.spread(name)
                    continue
                if not self._enter(name):
                    return False
                own = [file for file in self._own.named(name) if file not in self._entered]
                if own:
                    self._entered.update(own)
                    waiting.extend(iter(header_text(file).items) for file in own)
                    break
            else:
                waiting.pop()
        return True

    def _enter(self, name: str) -> bool:
        """Read the precompiled files that an include of `name` reads; whether that is safe."""
        starts = [file for file in self._header.tails.named(name) if file not in self.read]
        if not starts:
            return True
        new = closure(starts, self._header.graph, self.read)
        self.read |= new
        return not self._spread or all(
            self._spread.isdisjoint(header_text(file).code) for file in new)


def _flags_agree(unit: TranslationUnit, header: Precompiled) -> bool:
    if unit.directory != header.directory:
        return False
    arguments = _without_quote_folders(unit)
    given = set(header.flags)
    search = [a for a in arguments if a.startswith("-I")]
    wanted = [a for a in header.flags if a.startswith("-I")]
    if search[:len(wanted)] != wanted or not given <= set(arguments):
        return False
    return all(a in given or a.startswith("-I") or _is_free(a, header) for a in arguments)


def _is_free(argument: str, header: Precompiled) -> bool:
    name = _macro_name(argument)
    return bool(name) and (name in _TEXTS or header.spread(name).isdisjoint(header.code))
