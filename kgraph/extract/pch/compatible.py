"""Decides which translation units mean the same with a precompiled header as without.

A unit uses a precompiled header only if all of this holds:
- Its flags are the header's, except for macros that no precompiled file mentions.
- It defines no macro that a precompiled file mentions or defines before it includes one of those
  files. A fallback (`#ifndef X`, `#define X`) is allowed where a precompiled file that the unit has
  already included defines the macro.
- A precompiled file that it includes may mention macros which that file's own includes do not
  settle. Then the unit has read the same definers of these macros, in the same order, as the
  precompiled header had at that point. What a condition left out does not count.
- A macro of a precompiled file that the unit mentions means the same there as at the end of the
  precompiled header: the unit has included the file that gives the macro its meaning, and others
  that define or undefine it in the same order. Mentions in literals do not count, nor names that a
  macro with parameters cannot match.

What the unit would read without the precompiled header is found by following includes without
evaluating conditions (see include_graph). A unit that fails a test, or has an error with the
precompiled header, is parsed without it. `kgraph export --facts` shows that an index made with
precompiled headers holds the same facts as one made without.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from kgraph.extract.pch.header import IRRELEVANT_MACROS, PrecompiledHeader
from kgraph.extract.pch.include_graph import SuffixIndex, find_reachable, iter_reading_order
from kgraph.extract.pch.include_scan import (
    Include,
    ScannedFile,
    can_apply,
    has_parameters,
    scan_file,
)
from kgraph.extract.pch.select import drop_quote_folders, get_folder, parse_macro_name
from kgraph.logs import PackageLogger
from kgraph.model.units import TranslationUnit

_LOG = PackageLogger("kgraph.extract")


def iter_matching_headers(
    headers: Iterable[PrecompiledHeader], unit: TranslationUnit
) -> Iterator[PrecompiledHeader]:
    """The headers that a unit may try, in their order, judged by its flags alone."""
    return (header for header in headers if _has_matching_flags(unit, header))


def find_shared_files(
    header: PrecompiledHeader, unit: TranslationUnit, files: Sequence[str]
) -> set[str] | None:
    """The precompiled files that a unit includes itself, as absolute names.

    `files` are those that it read besides. Returns None if the unit may mean something else without
    the precompiled header.
    """
    walk = _IncludeWalk(header, unit.file, files)
    if walk.is_compatible():
        return find_reachable(walk.read, header.includes)
    _LOG.debug("%s: read without %s: %s", unit.path, header.file, walk.refusal)
    return None


def _has_matching_flags(unit: TranslationUnit, header: PrecompiledHeader) -> bool:
    if unit.directory != header.directory:
        return False
    if header.folder and header.folder != get_folder(unit.file):
        return False
    arguments = drop_quote_folders(unit)
    given = set(header.flags)
    folders = [argument for argument in arguments if argument.startswith("-I")]
    wanted = [argument for argument in header.flags if argument.startswith("-I")]
    if folders[:len(wanted)] != wanted or not given <= set(arguments):
        return False
    return all(argument in given or argument.startswith("-I") or _is_irrelevant(argument, header)
               for argument in arguments)


def _is_irrelevant(argument: str, header: PrecompiledHeader) -> bool:
    """Whether an argument defines a macro that changes nothing in the precompiled files."""
    macro = parse_macro_name(argument)
    return bool(macro) and (macro in IRRELEVANT_MACROS
                            or header.find_affected_names(macro).isdisjoint(header.code))


def _find_mentioned(files: Sequence[str], header: PrecompiledHeader) -> set[str]:
    """The names in the code of some files, and in the bodies of the macros that it uses."""
    texts = [scan_file(file) for file in files]
    bodies = [header.bodies, *(text.bodies for text in texts if text.bodies)]
    found: set[str] = set()
    waiting = set().union(*(text.code for text in texts))
    while waiting:
        found |= waiting
        waiting = set().union(*(names[macro] for names in bodies
                                for macro in waiting & names.keys())) - found
    return found


class _Stretch(NamedTuple):
    """What a file says up to one of its includes, after the one before it.

    `macros` are those that change, `names` those that are mentioned. At the end of the file
    `include` is None, and `names` are all names of the file.
    """

    text: ScannedFile
    macros: frozenset[str]
    names: frozenset[str]
    include: Include | None


def _iter_stretches(file: str) -> Iterator[_Stretch]:
    text = scan_file(file)
    for include, names, macros in zip(
            text.includes, text.names_between, text.macros_between, strict=False):
        yield _Stretch(text, macros, names, include)
    yield _Stretch(text, text.macros_between[-1], text.code, None)


class _IncludeWalk:
    """Follows the includes of a unit in order, through its own files and the precompiled ones.

    `read` are the precompiled files that were read so far, with their positions. `refusal` says why
    the unit may mean something else, for the log.
    """

    def __init__(self, header: PrecompiledHeader, main: str, files: Sequence[str]) -> None:
        self.read = dict(header.read_first)
        self.refusal = ""
        self._header = header
        self._main = main
        self._files = files
        self._own = SuffixIndex(file for file in files if file != main)
        self._entered = {main}
        mentioned = _find_mentioned(files, header)
        shared = mentioned & header.macros.keys()
        self._relevant = shared - IRRELEVANT_MACROS - header.attribute_macros
        self._macros = shared.union(*(mentioned & scan_file(file).bodies.keys()
                                      for file in files))
        self._bodies: dict[str, frozenset[str]] = {}  # of the unit's own macros so far
        self._affected: set[str] = set()  # names in precompiled files that these macros change
        self._settled: set[str] = set()  # names that mean the same since they were mentioned

    def is_compatible(self) -> bool:
        """Walk; whether everything that the unit reads means the same as in the header."""
        waiting = [_iter_stretches(self._main)]
        while waiting:
            for stretch in waiting[-1]:
                if not (self._change_macros(stretch) and self._settle(stretch.names)):
                    return False
                if stretch.include is None:
                    continue
                if not self._read_precompiled(stretch.include):
                    return False
                own = [file for file in self._own.find_named(stretch.include.name)
                       if file not in self._entered]
                if own:
                    self._entered.update(own)
                    waiting.extend(map(_iter_stretches, own))
                    break
            else:
                waiting.pop()
        # What means the same at its first mention and at the end means the same in between.
        for name in self._relevant & self._settled:
            if not self._header.has_final_meaning(name, self.read):
                return self._refuse(f"{name} changes after it is mentioned")
        return True

    def _refuse(self, reason: str) -> bool:
        self.refusal = reason
        return False

    def _change_macros(self, stretch: _Stretch) -> bool:
        """Take in macro changes of the unit; False if that may change an earlier mention.

        What is mentioned from here on may lead to the bodies of these macros. If they were
        mentioned before, everything in their bodies must mean the same already.
        """
        text, macros = stretch.text, stretch.macros
        known = {macro: self._bodies[macro] for macro in macros & self._bodies.keys()}
        self._bodies.update((macro, text.bodies[macro]) for macro in macros)
        for macro, body in known.items():
            self._bodies[macro] |= body
        before = [text.bodies[macro] for macro in macros & self._settled]
        if before and not self._settle(frozenset().union(*before)):
            return False
        for macro in filter(self._header.has_name, macros):
            if not (macro in text.fallbacks and self._is_defined(macro)):
                self._affected |= self._header.find_affected_names(macro)
        return True

    def _settle(self, names: frozenset[str]) -> bool:
        """Whether mentioned names, and what they lead to as macros, have their final meaning."""
        waiting = set((names & self._macros) - self._settled)
        while waiting:
            for name in waiting & self._relevant:
                if self._header.has_final_meaning(name, self.read):
                    continue
                if self._can_be_macro(name):
                    return self._refuse(f"{name} means something else in the header")
                waiting.remove(name)  # it may be a macro where it is mentioned again
            self._settled |= waiting
            waiting = set().union(*(
                bodies[macro] for bodies in (self._header.bodies, self._bodies)
                for macro in waiting & bodies.keys())) & self._macros
            waiting -= self._settled
        return True

    def _can_be_macro(self, name: str) -> bool:
        """Whether the unit may mean a macro of the precompiled files by a name."""
        return not all(has_parameters(file, name) for file in self._header.macros[name]) or any(
            can_apply(file, name) for file in self._files)

    def _is_defined(self, macro: str) -> bool:
        """Whether a precompiled file that was read defines a macro."""
        return macro in self._header.defined and any(
            file in self.read for file in self._header.macros[macro])

    def _read_precompiled(self, include: Include) -> bool:
        """Read the files that an include reads; False if one may mean something else here."""
        starts = [file for file in self._header.files_by_suffix.find(include)
                  if file not in self.read]
        if not starts:
            return True
        open_files: dict[str, int] = {}
        for file in iter_reading_order(
                starts, self._header.followed_includes, self.read, open_files):
            text = scan_file(file)
            if self._affected and not (self._affected.isdisjoint(text.code)
                                       and self._affected.isdisjoint(text.bodies)):
                return self._refuse(f"macros of the unit change {file}")
            if not all(dependency.is_met(self.read, open_files)
                       for dependency in self._header.dependencies.get(file, ())):
                return self._refuse(f"{file} depends on what was read before it")
        return True
