"""A precompiled header on disk: which files it holds, and what their macros mean to one another.

Found from the text, without a preprocessor: which macros the files define and mention, and
which of them a file takes from files that it does not include itself, so that reading order
matters.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from kgraph.extract.pch.include_scan import (
    MACRO,
    ScannedFile,
    SuffixIndex,
    find_reachable,
    scan_file,
    scan_name_uses,
    scan_without_skipped,
)

# Macros that may mean anything although headers mention them: they become parts of message texts
# and names of sections, or say whether a function is traced, and are no fact.
IRRELEVANT_MACROS = frozenset(
    {
        "pr_fmt",
        "dev_fmt",
        "KBUILD_STR",
        "KBUILD_BASENAME",
        "KBUILD_MODNAME",
        "KBUILD_MODFILE",
        "__KBUILD_MODNAME",
        "KMSG_COMPONENT",
        "notrace",
    }
)
# Words of C that a macro may give attributes, and the words of attributes that are no fact (see
# definitions.py): whether a file that mentions such a macro is read before or behind its definition
# does not matter, while a unit's own definition of it does.
_WORDS = frozenset({"inline", "__inline", "__inline__"})
_IDLE = frozenset({"__attribute__", "always_inline", "no_instrument_function", "notrace"})
SkippedLines = Mapping[str, tuple[tuple[int, int], ...]]


def list_search_folders(flags: Iterable[str]) -> list[str]:
    """The folders along which headers are sought, from a header's arguments."""
    return [argument[2:] for argument in flags if argument.startswith("-I")]


@dataclass(frozen=True, slots=True)
class MacroDependency:
    """Macros that a precompiled file mentions and whose files it does not include: `owners` are the
    files that define them or take them back, each with the number of files that it includes before
    that; `fallbacks` those that define them only where they are not; `given` those that had said
    what holds when the file was read."""

    owners: dict[str, int]
    fallbacks: frozenset[str]
    definers: tuple[str, ...]

    def is_met(self, read: Mapping[str, int], begun: Mapping[str, int]) -> bool:
        """Whether the same have done so, in the same order, where these are `read`, some of them
        only `begun` (see headers.reading_order)."""
        return self.definers == order_definers(self.owners, self.fallbacks, read, begun)


def order_definers(owners: Mapping[str, int], fallbacks: frozenset[str], read: Mapping[str, int],
             begun: Mapping[str, int]) -> tuple[str, ...]:
    """Those of the owners of macros that are read as far as where they say something of them, in
    the order in which they are read. Fallbacks say nothing beside others: before them they are
    overruled, behind them idle."""
    found = [owner for owner, before in owners.items() if owner in read
             and (owner not in begun or before < begun[owner])]
    firm = [owner for owner in found if owner not in fallbacks] or found
    return tuple(sorted(firm, key=read.__getitem__)) if len(firm) > 1 else tuple(firm)


@dataclass(frozen=True)
class PrecompiledHeader:
    """A precompiled header on disk.

    `file` holds it; `folder` is the one whose units may use it, "" if all may; `forced` are the
    files that every unit reads by command line; `graph` says for each absolute file name in it what
    it includes, in the order in which they were read; `defined` are the macros of those files that
    are defined at its end; `makers` says which files matter to a macro of which several say
    something, the last that defined it at the end; `leaning` of which macros a file took a meaning,
    or none, that its own includes do not settle; `followed` is `graph` without the includes that
    were not followed when it was made; `keys` are the definitions of each file by citation path.
    """

    file: str
    directory: str
    flags: tuple[str, ...]
    forced_includes: tuple[str, ...]
    includes: dict[str, tuple[str, ...]]
    folder: str = ""
    defined: frozenset[str] = frozenset()
    macro_definers: dict[str, tuple[str, ...]] = field(default_factory=dict)
    dependencies: dict[str, tuple["MacroDependency", ...]] = field(default_factory=dict)
    followed_includes: dict[str, tuple[str, ...]] = field(default_factory=dict)
    keys: dict[str, tuple[str, ...]] = field(default_factory=dict)
    _spreads: dict[str, set[str]] = field(default_factory=dict, repr=False)

    @cached_property
    def files_by_suffix(self) -> SuffixIndex:
        """The files by the ends of their names."""
        return SuffixIndex(self.includes, list_search_folders(self.flags))

    @cached_property
    def code(self) -> frozenset[str]:
        """The identifiers of the files but for those in macros' bodies."""
        return frozenset().union(*(scan_file(file).code for file in self.includes))

    @cached_property
    def macros(self) -> dict[str, set[str]]:
        """The macros of the files, and which files define each."""
        found: dict[str, set[str]] = {}
        for file in self.includes:
            for name in scan_file(file).bodies:
                found.setdefault(name, set()).add(file)
        return found

    @cached_property
    def bodies(self) -> dict[str, frozenset[str]]:
        """The names in the bodies of each macro."""
        return {name: frozenset().union(*(scan_file(file).bodies[name] for file in files))
                for name, files in self.macros.items()}

    @cached_property
    def names(self) -> frozenset[str]:
        """The names in these files that a macro may be: in code, as a macro or in the body of one,
        but for those that may mean anything."""
        return self.code.union(self.macros, self.macros_by_name) - IRRELEVANT_MACROS

    @cached_property
    def macros_by_name(self) -> dict[str, set[str]]:
        """The names in the bodies of macros, and which macros' they are."""
        found: dict[str, set[str]] = {}
        for macro, body in self.bodies.items():
            for name in body:
                found.setdefault(name, set()).add(macro)
        return found

    def find_definers(self, name: str) -> frozenset[str]:
        """The files that matter to the meaning of a macro."""
        return frozenset(self.macro_definers.get(name, self.macros[name]))

    @cached_property
    def attribute_macros(self) -> frozenset[str]:
        """The macros that stand for a word of C and attributes that are no fact."""
        return frozenset(
            name for name in _WORDS & self.macros.keys()
            if self.bodies[name] <= {name, *_IDLE}
            and all(name in scan_file(file).bodies[name] for file in self.macros[name]))

    @cached_property
    def read_first(self) -> dict[str, int]:
        """What every unit reads first, and the order in that."""
        forced = find_reachable(self.forced_includes, self.includes)
        return {file: place for place, file in enumerate(
            file for file in self.includes if file in forced)}

    @cached_property
    def positions(self) -> dict[str, int]:
        """The place of each file in the order in which they were read."""
        return {file: place for place, file in enumerate(self.includes)}

    def has_final_meaning(self, name: str, read: Mapping[str, int]) -> bool:
        """Whether a macro means by now what it means at the end. `read` are the files that were
        begun so far, and their order."""
        owners = self.macros[name]
        if name not in self.macro_definers:  # one file says something of it, which is read or not
            return (name not in self.defined) or not owners.isdisjoint(read)
        *others, final = self.macro_definers[name] or [""]
        if name in self.defined:
            # without a file it is the compiler's own, the same everywhere
            return not final or (final in read and final in self.positions
                                 and self._agree(final, others, read))
        said = [owner for owner in owners if owner in read]
        return not final or not said or (len(said) == len(owners) and all(
            self._agree(owner, said, read) for owner in said))

    def _agree(self, one: str, others: Iterable[str], read: Mapping[str, int]) -> bool:
        """Whether one file is read behind the same others as in the precompiled header."""
        return all((read[other] < read[one]) == (self.positions[other] < self.positions[one])
                   for other in others if other != one and other in read)

    def find_affected_names(self, name: str) -> set[str]:
        """The names that mean something else in these files if the macro `name` does."""
        if name not in self._spreads:
            reached: set[str] = set()
            waiting = [name]
            while waiting:
                one = waiting.pop()
                if one not in reached:
                    reached.add(one)
                    waiting.extend(self.macros_by_name.get(one, ()))
            self._spreads[name] = reached
        return self._spreads[name]


def find_macro_dependencies(header: PrecompiledHeader, includers: Mapping[str, str],
             skipped: SkippedLines) -> dict[str, tuple[MacroDependency, ...]]:
    """What each file took from files that it does not include. What every unit reads first is
    there for all of them. `includers` says who read each file first; `skipped` are the lines that
    conditions left out (libclang.skipped_lines) of files that were read once: what these conditions
    ask is a part of what the file takes, so that they leave the same out wherever it takes the
    same."""
    forced = header.read_first.keys()
    taken = _Taken(header, skipped)
    found: dict[str, tuple[MacroDependency, ...]] = {}
    read = dict(header.read_first)
    for file in header.includes:
        begun = _begun(file, header, includers)
        if file not in forced:
            settled = find_reachable([file], header.includes) | forced
            if taken.besides(file, settled, whole=True):  # seldom, and much faster told
                names = taken.besides(file, settled, whole=False)
                groups = {_owners(header, name) for name in names}
                if groups:
                    found[file] = tuple(_leaning(group, read, begun) for group in sorted(groups))
        read.setdefault(file, len(read))
    return found


class _Taken:
    """Which macros the files of a precompiled header take a meaning, or none, from."""

    def __init__(self, header: PrecompiledHeader, skipped: SkippedLines) -> None:
        self._header = header
        self._skipped = skipped
        self._uses = {file: scan_name_uses(file) for file in header.includes}
        self._changing = self._defined_somewhere()

    def besides(self, file: str, settled: set[str], *, whole: bool) -> set[str]:
        """Those macros that the code of a file comes to, through the bodies of others, of which not
        only the files `settled` say something: of the `whole` file, or where conditions leave out
        what they left out. A macro that takes arguments has to be applied."""
        uses = self._uses[file]
        code = scan_file(file).code if whole else self._text(file).code
        found = {name for name in code & self._changing
                 if name in uses.applied
                 or any(name in self._uses[owner].plain for owner in self._header.macros[name])}
        waiting = found & uses.expanded
        while waiting:
            found |= waiting
            reached = set[str]().union(*(
                self._header.bodies[name] if whole else self._body(name) for name in waiting))
            waiting = (reached & self._changing) - found
        return {name for name in found if not self._header.find_definers(name) <= settled}

    def _text(self, file: str) -> ScannedFile:
        return scan_without_skipped(file, self._skipped.get(file, ()))

    def _body(self, name: str) -> set[str]:
        """The names in the bodies of a macro where conditions hold."""
        return set[str]().union(*(self._text(owner).bodies.get(name, ())
                                  for owner in self._header.macros[name]))

    def _defined_somewhere(self) -> frozenset[str]:
        """The macros that are defined at the end, or until another file takes them back."""
        undone: dict[str, set[str]] = {}
        for file, use in self._uses.items():
            for name in use.taken_back:
                undone.setdefault(name, set()).add(file)
        return (self._header.defined | {
            name for name, files in undone.items()
            if any(files - {owner} for owner in self._header.macros[name]
                   if name in self._uses[owner].left)
        }) - IRRELEVANT_MACROS - self._header.attribute_macros


def _owners(header: PrecompiledHeader, name: str) -> tuple[tuple[str, int, bool], ...]:
    """The files that say something of a macro, how many files each includes before that, and
    whether it is a fallback."""
    return tuple((owner, _before(header, owner, name), name in scan_file(owner).fallbacks)
                 for owner in sorted(header.find_definers(name)))


def _leaning(group: tuple[tuple[str, int, bool], ...], read: Mapping[str, int],
             begun: Mapping[str, int]) -> MacroDependency:
    owners = {owner: before for owner, before, _ in group}
    fallbacks = frozenset(owner for owner, _, is_fallback in group if is_fallback)
    return MacroDependency(owners, fallbacks, order_definers(owners, fallbacks, read, begun))


def drop_unfollowed_includes(graph: Mapping[str, tuple[str, ...]], includers: Mapping[str, str]
               ) -> dict[str, tuple[str, ...]]:
    """A graph without the includes that were not followed: where a file had been read to its end
    before another was begun, it did not include that."""
    places = {file: place for place, file in enumerate(graph)}
    return {file: tuple(
        target for target in targets
        if places[target] < places[file] or file in _around(target, includers))
        for file, targets in graph.items()}


def _around(file: str, includers: Mapping[str, str]) -> set[str]:
    """The files inside which a file was read first."""
    found: set[str] = set()
    while (includer := includers.get(file, "")) and includer not in found:
        found.add(includer)
        file = includer
    return found


def _begun(file: str, header: PrecompiledHeader, includers: Mapping[str, str]) -> dict[str, int]:
    """The files that were begun, and at which of their includes, when a file was read first."""
    found: dict[str, int] = {}
    while (includer := includers.get(file, "")) in header.includes:
        found[includer] = header.followed_includes[includer].index(file) + 1
        file = includer
    return found


def _before(header: PrecompiledHeader, owner: str, name: str) -> int:
    """How many files a file includes before it says something of a macro."""
    targets: dict[str, None] = {}
    for what, said in scan_file(owner).items:
        if what != MACRO:
            targets |= dict.fromkeys(header.files_by_suffix.find(said, what))
        elif said == name:
            break
    return len(targets.keys() & set(header.followed_includes[owner]))
