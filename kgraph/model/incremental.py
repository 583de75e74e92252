"""What an incremental update of the graph needs: the footprint of a resolution, and the change to
make.

A footprint is a set of marks. A mark is a 64-bit digest of a key: something that the resolution
depended on ("this parameter was solved", "so many facts mention this slot").
resolve.incremental compares footprints, store.incremental applies a change; here is only what
both must agree on.
"""

import hashlib
from collections.abc import Iterable, Mapping

from msgspec import Struct, field

from kgraph.model.facts import CallSite, Definition, Function, Object
from kgraph.model.ids import FunctionId
from kgraph.model.location import Location

MarkKey = tuple[str | int, ...]  # the kind of the mark, then the name


def hash_key(key: MarkKey) -> int:
    """The number of a key: 64 bits of a digest, the same on every machine."""
    text = "\0".join(map(str, key)).encode("utf-8", "surrogateescape")
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "little")


def hash_weighted_keys(keys: Mapping[MarkKey, int]) -> dict[int, int]:
    """Marks with the weights of their keys."""
    return {hash_key(key): weight for key, weight in keys.items()}


def hash_keys(keys: Iterable[MarkKey]) -> dict[int, int]:
    """Marks of keys that weigh nothing more than being there."""
    return {hash_key(key): 1 for key in keys}


class Footprint(Struct, frozen=True, gc=False):
    """Marks, each with its weight: how many facts stand behind it, 1 for what is or is not."""

    weights: dict[int, int] = field(default_factory=dict)


class RewrittenSite(Struct, frozen=True, gc=False):
    """A call site that is written anew. `like` is the position, in the former definition's calls,
    of the one whose candidates it has; where that is None it calls `callee`, a linked function,
    and nothing else.
    """

    call: CallSite
    like: int | None
    callee: FunctionId | None


class RewrittenFunction(Struct, frozen=True, gc=False):
    """A function whose call sites are written anew, in place of those of `before`, if any; without
    `after` there are none and it is no more."""

    before: Definition | None
    after: Definition | None
    sites: tuple[RewrittenSite, ...]

    @property
    def function(self) -> FunctionId:
        """Which function it is."""
        definition = self.after or self.before
        assert definition is not None
        assert isinstance(definition.subject, Function)
        return definition.subject.id


class GraphChange(Struct, frozen=True, gc=False):
    """All that is different. `moved` are pairs of what differs by its places only; `fates` places,
    before and after, of facts of rewritten functions that say the same; `weights` what is added to
    the marks of the footprint."""

    moved_definitions: tuple[tuple[Definition, Definition], ...]
    moved_locations: tuple[tuple[Location, Location], ...]
    rewritten_functions: tuple[RewrittenFunction, ...]
    removed_objects: tuple[Object, ...]
    added_objects: tuple[Object, ...]
    weight_changes: dict[int, int]
