"""A precompiled header on disk, and what its macros mean to one another.

Text tells, read without a preprocessor: which macros its files define and mention, and which of
them a file took from files that it does not include itself, so that their order matters.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from kgraph.extract.headers import MACRO, Tails, Uses, closure, header_text, header_uses

# Macros that may mean anything although headers mention them: they become parts of message texts
# and names of sections, or say whether a function is traced, and are no fact.
TEXTS = frozenset({"pr_fmt", "dev_fmt", "KBUILD_STR", "KBUILD_BASENAME", "KBUILD_MODNAME",
                    "KBUILD_MODFILE", "__KBUILD_MODNAME", "KMSG_COMPONENT", "notrace"})
# Macros that give words of C attributes which are no fact: whether a file that mentions one is read
# before or behind its definition does not matter, while a unit's own definition of it does.
ATTRIBUTED = frozenset({"inline", "__inline", "__inline__"})


def folders(flags: Iterable[str]) -> list[str]:
    """The folders along which headers are sought, from a header's arguments."""
    return [argument[2:] for argument in flags if argument.startswith("-I")]


@dataclass(frozen=True, slots=True)
class Leaning:
    """Macros that a precompiled file mentions and whose files it does not include: `owners` are the
    files that define them or take them back, each with the number of files that it includes before
    that; `fallbacks` those that define them only where they are not; `given` those that had said
    what holds when the file was read."""

    owners: dict[str, int]
    fallbacks: frozenset[str]
    given: frozenset[str]

    def is_given(self, read: Collection[str], begun: Mapping[str, int]) -> bool:
        """Whether the same have done so where these are `read`, some of them only `begun` (see
        headers.reading_order)."""
        return self.given == given_by(self.owners, self.fallbacks, read, begun)


def given_by(owners: Mapping[str, int], fallbacks: frozenset[str], read: Collection[str],
             begun: Mapping[str, int]) -> frozenset[str]:
    """Those of the owners of macros that are read as far as where they say something of them.
    Fallbacks say nothing beside others: before them they are overruled, behind them idle."""
    found = frozenset(owner for owner, before in owners.items() if owner in read
                      and (owner not in begun or before < begun[owner]))
    return found - fallbacks or found


@dataclass(frozen=True)
class Precompiled:
    """A precompiled header on disk.

    `file` holds it; `folder` is the one whose units may use it, "" if all may; `forced` are the
    files that every unit reads by command line; `graph` says for each absolute file name in it what
    it includes, in the order in which they were read; `defined` are the macros of those files that
    are defined at its end; `makers` says which files did define a macro, in order, where several
    say something of it; `leaning` of which macros a file took a meaning, or none, that its own
    includes do not settle; `followed` is `graph` without the includes that were not followed when
    it was made; `keys` are the definitions of each file by citation path.
    """

    file: str
    directory: str
    flags: tuple[str, ...]
    forced: tuple[str, ...]
    graph: dict[str, tuple[str, ...]]
    folder: str = ""
    defined: frozenset[str] = frozenset()
    makers: dict[str, tuple[str, ...]] = field(default_factory=dict)
    leaning: dict[str, tuple["Leaning", ...]] = field(default_factory=dict)
    followed: dict[str, tuple[str, ...]] = field(default_factory=dict)
    keys: dict[str, tuple[str, ...]] = field(default_factory=dict)
    _spreads: dict[str, set[str]] = field(default_factory=dict, repr=False)

    @cached_property
    def tails(self) -> Tails:
        """The files by the ends of their names."""
        return Tails(self.graph, folders(self.flags))

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
    def bodies(self) -> dict[str, frozenset[str]]:
        """The names in the bodies of each macro."""
        return {name: frozenset().union(*(header_text(file).bodies[name] for file in files))
                for name, files in self.macros.items()}

    @cached_property
    def users(self) -> dict[str, set[str]]:
        """The names in the bodies of macros, and which macros' they are."""
        found: dict[str, set[str]] = {}
        for macro, body in self.bodies.items():
            for name in body:
                found.setdefault(name, set()).add(macro)
        return found

    @cached_property
    def places(self) -> dict[str, int]:
        """The place of each file in the order in which they were read."""
        return {file: place for place, file in enumerate(self.graph)}

    def means_the_same(self, name: str, read: Mapping[str, int]) -> bool:
        """Whether a macro means by now what it means at the end. `read` are the files that were
        begun so far, and their order."""
        makers = self.makers.get(name) or self.macros[name]
        if name not in self.defined:
            return not self.makers.get(name, True) or (
                self.macros[name] <= read.keys() or self.macros[name].isdisjoint(read))
        *others, final = makers
        if final not in read or final not in self.places:
            return False
        return all((read[other] < read[final]) == (self.places[other] < self.places[final])
                   for other in others if other != final and other in read)

    def mentions(self, name: str) -> bool:
        """Whether a name stands in these files, in code or in a macro's body."""
        return name in self.code or name in self.users

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


def leanings(header: Precompiled, includers: Mapping[str, str]) -> dict[str, tuple[Leaning, ...]]:
    """What each file took from files that it does not include. What every unit reads first is
    there for all of them. `includers` says who read each file first."""
    forced = closure(header.forced, header.graph)
    uses = {file: header_uses(file) for file in header.graph}
    changing = _changing(header, uses)
    found: dict[str, tuple[Leaning, ...]] = {}
    read: set[str] = set(forced)
    for file in header.graph:
        begun = _begun(file, header, includers)
        if file not in forced:
            settled = closure([file], header.graph) | forced
            groups = {_owners(header, name) for name in _reached(header, file, uses, changing)
                      if settled.isdisjoint(header.macros[name])}
            if groups:
                found[file] = tuple(_leaning(group, read, begun) for group in sorted(groups))
        read.add(file)
    return found


def _owners(header: Precompiled, name: str) -> tuple[tuple[str, int, bool], ...]:
    """The files that say something of a macro, how many files each includes before that, and
    whether it is a fallback."""
    return tuple((owner, _before(header, owner, name), name in header_text(owner).fallbacks)
                 for owner in sorted(header.macros[name]))


def _leaning(group: tuple[tuple[str, int, bool], ...], read: Collection[str],
             begun: Mapping[str, int]) -> Leaning:
    owners = {owner: before for owner, before, _ in group}
    fallbacks = frozenset(owner for owner, _, is_fallback in group if is_fallback)
    return Leaning(owners, fallbacks, given_by(owners, fallbacks, read, begun))


def read_graph(graph: Mapping[str, tuple[str, ...]], includers: Mapping[str, str]
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


def _begun(file: str, header: Precompiled, includers: Mapping[str, str]) -> dict[str, int]:
    """The files that were begun, and at which of their includes, when a file was read first."""
    found: dict[str, int] = {}
    while (includer := includers.get(file, "")) in header.graph:
        found[includer] = header.followed[includer].index(file) + 1
        file = includer
    return found


def _before(header: Precompiled, owner: str, name: str) -> int:
    """How many files a file includes before it says something of a macro."""
    targets: dict[str, None] = {}
    for what, said in header_text(owner).items:
        if what != MACRO:
            targets |= dict.fromkeys(header.tails.named(said, what))
        elif said == name:
            break
    return len(targets.keys() & set(header.followed[owner]))


def _changing(header: Precompiled, uses: Mapping[str, Uses]) -> frozenset[str]:
    """The macros that are defined somewhere: at the end, or until another file takes them back."""
    undone: dict[str, set[str]] = {}
    for file, use in uses.items():
        for name in use.taken_back:
            undone.setdefault(name, set()).add(file)
    return (header.defined | {
        name for name, files in undone.items()
        if any(files - {owner} for owner in header.macros[name] if name in uses[owner].left)
    }) - TEXTS - ATTRIBUTED


def _reached(header: Precompiled, file: str, uses: Mapping[str, Uses], changing: frozenset[str]
             ) -> frozenset[str]:
    """Those of some macros that the code of a file comes to, through the bodies of others. One that
    takes arguments has to be applied."""
    found = frozenset(
        name for name in header_text(file).code & changing
        if name in uses[file].applied
        or any(name in uses[owner].plain for owner in header.macros[name]))
    waiting = uses[file].expanded & found
    while waiting:
        found |= waiting
        reached = frozenset[str]().union(*(header.bodies[name] for name in waiting))
        waiting = (reached & changing) - found
    return found
