"""A precompiled header on disk, and what its macros mean to one another.

Text tells, read without a preprocessor: which macros its files define and mention, and which of
them a file took from files that it does not include itself, so that their order matters.
"""

from dataclasses import dataclass, field
from functools import cached_property

from kgraph.extract.headers import Tails, Uses, closure, header_text, header_uses


@dataclass(frozen=True, slots=True)
class Leaning:
    """A macro that a precompiled file mentions and does not include: the files that define it, and
    whether one of them had been read when that file was."""

    owners: frozenset[str]
    given: bool


@dataclass(frozen=True)
class Precompiled:
    """A precompiled header on disk.

    `file` holds it; `forced` are the files that every unit reads by command line; `graph` says for
    each absolute file name in it what it includes, in the order in which they were read; `defined`
    are the macros of those files that are defined at its end; `leaning` says of which macros a file
    took a meaning, or none, that its own includes do not settle; `keys` the definitions of each
    file by citation path.
    """

    file: str
    directory: str
    flags: tuple[str, ...]
    forced: tuple[str, ...]
    graph: dict[str, tuple[str, ...]]
    defined: frozenset[str] = frozenset()
    leaning: dict[str, tuple["Leaning", ...]] = field(default_factory=dict)
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


def leanings(header: Precompiled) -> dict[str, tuple[Leaning, ...]]:
    """What each file took from files that it does not include. What every unit reads first is
    there for all of them."""
    places = {file: place for place, file in enumerate(header.graph)}
    forced = closure(header.forced, header.graph)
    uses = {file: header_uses(file) for file in header.graph}
    found: dict[str, tuple[Leaning, ...]] = {}
    for file in header.graph.keys() - forced:
        settled = closure([file], header.graph) | forced
        owners = {frozenset(header.macros[name]) for name in _reached(header, file, uses)
                  if settled.isdisjoint(header.macros[name])}
        if owners:
            found[file] = tuple(
                Leaning(group, any(places[owner] < places[file] for owner in group))
                for group in sorted(owners, key=sorted))
    return found


def _reached(header: Precompiled, file: str, uses: dict[str, Uses]) -> frozenset[str]:
    """The defined macros that the code of a file comes to, through the bodies of others. One that
    takes arguments has to be applied."""
    found = frozenset(
        name for name in header_text(file).code & header.defined
        if name in uses[file].applied
        or any(name in uses[owner].plain for owner in header.macros[name]))
    waiting = uses[file].expanded & found
    while waiting:
        found |= waiting
        reached = frozenset[str]().union(*(header.bodies[name] for name in waiting))
        waiting = (reached & header.defined) - found
    return found
