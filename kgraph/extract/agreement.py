"""Precompiled headers: which translation units mean the same with one.

A unit uses a precompiled header only where that cannot change what the unit means:
- its flags are the header's, but for macros that no precompiled file mentions;
- it defines no macro that a precompiled file mentions, or defines, before it includes one of those
  files, unless only where there is none, and a precompiled file that it has included by then has
  defined it;
- where a precompiled file that it includes mentions a macro, and no condition left that out, of
  which not only files say something that it includes itself, the unit has begun those of these
  files, and in that order, which the precompiled header had begun there;
- what it mentions of the precompiled files' macros means at that place what it means behind all of
  them: it has included the file that gives a macro its meaning there, and others that say something
  of it in the same order; but in a literal, or as a name that a macro with parameters cannot take
  for its own.
What a unit would see without the precompiled header is found by following includes without
evaluating conditions (headers.py). A unit that fails a test, or has an error with the precompiled
header, is parsed without. Two indexes, made with and without, hold the same facts: `kgraph export
--facts` shows it.
"""

from collections.abc import Iterator, Sequence

from kgraph.extract.headers import (
    MACRO,
    HeaderText,
    Tails,
    closure,
    header_text,
    may_apply,
    reading_order,
    takes_arguments,
)
from kgraph.extract.plans import folder_of, macro_name, without_quote_folders
from kgraph.extract.precompiled import TEXTS, Precompiled
from kgraph.model.units import TranslationUnit


class Agreement:
    """Decides whether a unit means the same with a precompiled header."""

    def __init__(self, headers: Sequence[Precompiled]) -> None:
        self._headers = headers

    def headers_for(self, unit: TranslationUnit) -> Iterator[Precompiled]:
        """The headers that a unit may try, in their order, judged by its flags."""
        for header in self._headers:
            if _flags_agree(unit, header):
                yield header


def included(header: Precompiled, unit: TranslationUnit, files: Sequence[str]) -> set[str] | None:
    """The precompiled files that a unit includes itself, as absolute names; None where it may mean
    something else without the precompiled header. `files` are those that it read beside these."""
    reading = _Walk(header, unit.file, files)
    return closure(reading.read, header.graph) if reading.run() else None


def _mentioned(files: Sequence[str], header: Precompiled) -> set[str]:
    """The names in the code of some files, and in the bodies of the macros that it uses."""
    texts = [header_text(file) for file in files]
    bodies = [header.bodies, *(text.bodies for text in texts if text.bodies)]
    found: set[str] = set()
    waiting = set().union(*(text.code for text in texts))
    while waiting:
        found |= waiting
        waiting = set().union(*(names[macro] for names in bodies
                                for macro in waiting & names.keys())) - found
    return found


class _Walk:
    """Follows the includes of a unit in order, through its own files and the precompiled ones."""

    def __init__(self, header: Precompiled, main: str, files: Sequence[str]) -> None:
        self.read = dict(header.first)
        self._header = header
        self._files = files
        self._own = Tails(file for file in files if file != main)
        self._entered = {main}
        self._main = main
        self._spread: set[str] = set()  # what the unit's macros change in precompiled files
        mentioned = _mentioned(files, header)
        shared = mentioned & header.macros.keys()
        self._relevant = shared - TEXTS - header.attributed
        self._macros = shared.union(*(mentioned & header_text(file).bodies.keys()
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
                own = [file for file in self._own.named(name) if file not in self._entered]
                if own:
                    self._entered.update(own)
                    waiting.extend(map(_stretches, own))
                    break
            else:
                waiting.pop()
        # what means the same at its first mention and at the end does so between
        return all(self._header.means_the_same(name, self.read)
                   for name in self._relevant & self._settled)

    def _note(self, text: HeaderText, macros: frozenset[str]) -> bool:
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
                self._spread |= self._header.spread(macro)
        return True

    def _settle(self, names: frozenset[str]) -> bool:
        """Whether names that are mentioned, and what they lead to as macros, mean the same."""
        waiting = set((names & self._macros) - self._settled)
        while waiting:
            for name in waiting & self._relevant:
                if self._header.means_the_same(name, self.read):
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
        return all(takes_arguments(file, name) for file in self._header.macros[name]) and not any(
            may_apply(file, name) for file in self._files)

    def _has(self, macro: str) -> bool:
        """Whether a precompiled file that was read defines a macro."""
        return macro in self._header.defined and any(
            file in self.read for file in self._header.macros[macro])

    def _enter(self, name: str, what: int) -> bool:
        """Read the precompiled files that an include of `name` reads; whether that is safe."""
        starts = [file for file in self._header.tails.named(name, what) if file not in self.read]
        if not starts:
            return True
        begun: dict[str, int] = {}
        for file in reading_order(starts, self._header.followed, self.read, begun):
            text = header_text(file)
            if self._spread and not (self._spread.isdisjoint(text.code)
                                     and self._spread.isdisjoint(text.bodies)):
                return False
            if not all(leaning.is_given(self.read, begun)
                       for leaning in self._header.leaning.get(file, ())):
                return False
        return True


def _stretches(file: str) -> Iterator[
    tuple[HeaderText, frozenset[str], frozenset[str], tuple[int, str] | None]
]:
    """What a file says before each include: the macros of which it says something, the names that
    are mentioned, the include; at last behind all of them, with all names of the file."""
    text = header_text(file)
    found = (item for item in text.items if item[0] != MACRO)
    for include, names, macros in zip(found, text.between, text.said, strict=False):
        yield text, macros, names, include
    yield text, text.said[-1], text.code, None


def _flags_agree(unit: TranslationUnit, header: Precompiled) -> bool:
    if unit.directory != header.directory:
        return False
    if header.folder and header.folder != folder_of(unit.file):
        return False
    arguments = without_quote_folders(unit)
    given = set(header.flags)
    search = [a for a in arguments if a.startswith("-I")]
    wanted = [a for a in header.flags if a.startswith("-I")]
    if search[:len(wanted)] != wanted or not given <= set(arguments):
        return False
    return all(a in given or a.startswith("-I") or _is_free(a, header) for a in arguments)


def _is_free(argument: str, header: Precompiled) -> bool:
    name = macro_name(argument)
    return bool(name) and (name in TEXTS or header.spread(name).isdisjoint(header.code))
