"""Precompiled headers: which translation units mean the same with one.

A unit uses a precompiled header only where that cannot change what the unit means:
- its flags are the header's, but for macros that no precompiled file mentions;
- it defines no macro that a precompiled file mentions, or defines, before it includes one of those
  files, unless only where there is none, and a precompiled file that it has included by then has
  defined it;
- where a precompiled file that it includes mentions a macro of which not only files say something
  that it includes itself, the unit has begun those of these files, and in that order, which the
  precompiled header had begun there;
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
        self._relevant = (
            _mentioned(files, header) & header.macros.keys()) - TEXTS - header.attributed
        self._bodies: dict[str, frozenset[str]] = {}  # of the unit's macros so far
        self._settled: set[str] = set()  # names that mean the same since they were mentioned

    def run(self) -> bool:
        """Whether all that the unit reads means what it means with the precompiled header."""
        waiting = [_items(self._main)]
        while waiting:
            for what, name, names, body, is_fallback in waiting[-1]:
                if not self._settle(names):
                    return False
                if what == MACRO:
                    if not self._note(name, body):
                        return False
                    if self._header.mentions(name) and name not in TEXTS and not (
                            is_fallback and self._has(name)):
                        self._spread |= self._header.spread(name)
                    continue
                if not self._enter(name, what):
                    return False
                own = [file for file in self._own.named(name) if file not in self._entered]
                if own:
                    self._entered.update(own)
                    waiting.extend(map(_items, own))
                    break
            else:
                waiting.pop()
        # what means the same at its first mention and at the end does so between
        return all(self._header.means_the_same(name, self.read)
                   for name in self._relevant & self._settled)

    def _note(self, macro: str, body: frozenset[str]) -> bool:
        """The unit defines a macro, or takes it back. What is mentioned from here on may lead to
        its body; where it was mentioned before, all of that must mean the same already."""
        self._bodies[macro] = self._bodies.get(macro, frozenset()) | body
        return macro not in self._settled or self._settle(body)

    def _settle(self, names: frozenset[str]) -> bool:
        """Whether names that are mentioned, and what they lead to as macros, mean the same."""
        waiting = set(names - self._settled)
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
                for macro in waiting & bodies.keys())) - self._settled
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


def _items(file: str) -> Iterator[tuple[int, str, frozenset[str], frozenset[str], bool]]:
    """The includes and macros of a file: the names that are mentioned before an include, those in
    a macro's body, whether a macro is defined only where there is none; the rest of its names."""
    text = header_text(file)
    between = iter(text.between)
    for what, name in text.items:
        if what == MACRO:
            yield what, name, frozenset(), text.bodies[name], name in text.fallbacks
        else:
            yield what, name, next(between), frozenset(), False
    yield MACRO, "", text.code, frozenset(), False


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
