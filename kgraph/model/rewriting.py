"""What an edit did to a graph, where it did little: functions whose call sites are made anew."""

from dataclasses import dataclass

from kgraph.model.facts import CallSite, Definition, Function, Object
from kgraph.model.location import Location
from kgraph.model.names import FunctionId


@dataclass(frozen=True, slots=True)
class NewSite:
    """A call site that is written anew. `like` is the position, in the former definition's calls,
    of the one whose candidates it has; where that is None it calls `callee`, a linked function,
    and nothing else.
    """

    call: CallSite
    like: int | None
    callee: FunctionId | None


@dataclass(frozen=True, slots=True)
class Rewritten:
    """A function whose call sites are written anew, in place of those of `before`, if any; without
    `after` there are none and it is no more."""

    before: Definition | None
    after: Definition | None
    sites: tuple[NewSite, ...]

    @property
    def function(self) -> FunctionId:
        """Which function it is."""
        definition = self.after or self.before
        assert definition is not None
        assert isinstance(definition.subject, Function)
        return definition.subject.id


@dataclass(frozen=True, slots=True)
class Change:
    """All that is different. `moved` are pairs of what differs by its places only; `fates` places,
    before and after, of facts of rewritten functions that say the same; `weights` what is added to
    the marks of the footprint."""

    moved: tuple[tuple[Definition, Definition], ...]
    fates: tuple[tuple[Location, Location], ...]
    rewritten: tuple[Rewritten, ...]
    objects_gone: tuple[Object, ...]
    objects_come: tuple[Object, ...]
    weights: dict[int, int]
