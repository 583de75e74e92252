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
evaluating conditions (see include_scan). A unit that fails a test, or has an error with the
precompiled header, is parsed without it. `kgraph export --facts` shows that an index made with
precompiled headers holds the same facts as one made without.
"""

from collections.abc import Iterable, Iterator, Sequence

from kgraph.extract.pch.header import IRRELEVANT_MACROS, PrecompiledHeader
from kgraph.extract.pch.include_scan import (
    MACRO,
    ScannedFile,
    SuffixIndex,
    can_apply,
    find_reachable,
    has_parameters,
    iter_reading_order,
    scan_file,
)
from kgraph.extract.pch.select import drop_quote_folders, get_folder, parse_macro_name
from kgraph.model.units import TranslationUnit


def iter_matching_headers(
    headers: Iterable[PrecompiledHeader], unit: TranslationUnit
) -> Iterator[PrecompiledHeader]:
    """The headers that a unit may try, in their order, judged by its flags alone."""
    return (header for header in headers if _flags_agree(unit, header))


def find_shared_files(
    header: PrecompiledHeader, unit: TranslationUnit, files: Sequence[str]
) -> set[str] | None:
    """The precompiled files that a unit includes itself, as absolute names; None where it may mean
    something else without the precompiled header. `files` are those that it read beside these."""
    reading = _IncludeWalk(header, unit.file, files)
    return find_reachable(reading.read, header.includes) if reading.run() else None


def _mentioned(files: Sequence[str], header: PrecompiledHeader) -> set[str]:
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


class _IncludeWalk:
    """Follows the includes of a unit in order, through its own files and the precompiled ones."""

    def __init__(self, header: PrecompiledHeader, main: str, files: Sequence[str]) -> None:
        self.read = dict(header.read_first)
        self._header = header
        self._files = files
        self._own = SuffixIndex(file for file in files if file != main)
        self._entered = {main}
        self._main = main
        self._spread: set[str] = set()  # what the unit's macros change in precompiled files
        mentioned = _mentioned(files, header)
        shared = mentioned & header.macros.keys()
        self._relevant = shared - IRRELEVANT_MACROS - header.attribute_macros
        self._macros = shared.union(*(mentioned & scan_file(file).bodies.keys()
                                      for file in files))
        self._bodies: dict[str, frozenset[str]] = {}  # of the unit's macros so far
        self._settled: set[str] = set()  # names that mean the same since they were mentioned

    def run(self) -> bool:
        """Whether all that the unit reads means what it means with the precompiled header."""
        waiting = [_stretches(self._main)]
        while waiting:
            for text, macros, names, include in waiting[-1]:
                if not (self._note(text, macros) and self._settle(names)):
                    return False
                if include is None:
                    continue
                what, name = include
                if not self._enter(name, what):
                    return False
                own = [file for file in self._own.find(name) if file not in self._entered]
                if own:
                    self._entered.update(own)
                    waiting.extend(map(_stretches, own))
                    break
            else:
                waiting.pop()
        # what means the same at its first mention and at the end does so between
        return all(self._header.has_final_meaning(name, self.read)
                   for name in self._relevant & self._settled)

    def _note(self, text: ScannedFile, macros: frozenset[str]) -> bool:
        """The unit defines macros, or takes them back. What is mentioned from here on may lead to
        their bodies; where they were mentioned before, all of that must mean the same already."""
        known = {macro: self._bodies[macro] for macro in macros & self._bodies.keys()}
        self._bodies.update((macro, text.bodies[macro]) for macro in macros)
        for macro, body in known.items():
            self._bodies[macro] |= body
        before = [text.bodies[macro] for macro in macros & self._settled]
        if before and not self._settle(frozenset().union(*before)):
            return False
        for macro in macros & self._header.names:
            if not (macro in text.fallbacks and self._has(macro)):
                self._spread |= self._header.find_affected_names(macro)
        return True

    def _settle(self, names: frozenset[str]) -> bool:
        """Whether names that are mentioned, and what they lead to as macros, mean the same."""
        waiting = set((names & self._macros) - self._settled)
        while waiting:
            for name in waiting & self._relevant:
                if self._header.has_final_meaning(name, self.read):
                    continue
                if not self._is_none(name):
                    return False
                waiting.remove(name)  # it may be a macro where it is mentioned again
            self._settled |= waiting
            waiting = set().union(*(
                bodies[macro] for bodies in (self._header.bodies, self._bodies)
                for macro in waiting & bodies.keys())) & self._macros
            waiting -= self._settled
        return True

    def _is_none(self, name: str) -> bool:
        """Whether a name cannot be the macro that it is in precompiled files."""
        return all(has_parameters(file, name) for file in self._header.macros[name]) and not any(
            can_apply(file, name) for file in self._files)

    def _has(self, macro: str) -> bool:
        """Whether a precompiled file that was read defines a macro."""
        return macro in self._header.defined and any(
            file in self.read for file in self._header.macros[macro])

    def _enter(self, name: str, what: int) -> bool:
        """Read the precompiled files that an include of `name` reads; whether that is safe."""
        starts = [
            file for file in self._header.files_by_suffix.find(name, what) if file not in self.read
        ]
        if not starts:
            return True
        begun: dict[str, int] = {}
        for file in iter_reading_order(starts, self._header.followed_includes, self.read, begun):
            text = scan_file(file)
            if self._spread and not (self._spread.isdisjoint(text.code)
                                     and self._spread.isdisjoint(text.bodies)):
                return False
            if not all(leaning.is_met(self.read, begun)
                       for leaning in self._header.dependencies.get(file, ())):
                return False
        return True


def _stretches(file: str) -> Iterator[
    tuple[ScannedFile, frozenset[str], frozenset[str], tuple[int, str] | None]
]:
    """What a file says before each include: the macros of which it says something, the names that
    are mentioned, the include; at last behind all of them, with all names of the file."""
    text = scan_file(file)
    found = (item for item in text.items if item[0] != MACRO)
    for include, names, macros in zip(found, text.names_between, text.macros_between, strict=False):
        yield text, macros, names, include
    yield text, text.macros_between[-1], text.code, None


def _flags_agree(unit: TranslationUnit, header: PrecompiledHeader) -> bool:
    if unit.directory != header.directory:
        return False
    if header.folder and header.folder != get_folder(unit.file):
        return False
    arguments = drop_quote_folders(unit)
    given = set(header.flags)
    search = [a for a in arguments if a.startswith("-I")]
    wanted = [a for a in header.flags if a.startswith("-I")]
    if search[:len(wanted)] != wanted or not given <= set(arguments):
        return False
    return all(a in given or a.startswith("-I") or _is_free(a, header) for a in arguments)


def _is_free(argument: str, header: PrecompiledHeader) -> bool:
    name = parse_macro_name(argument)
    return bool(name) and (
        name in IRRELEVANT_MACROS or header.find_affected_names(name).isdisjoint(header.code)
    )
