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

# The kind of the mark, then the name. A plain tuple: the graph that is carried from index to index
# has the digests of these, so the form of a key changes only together with that graph's.
MarkKey = tuple[str | int, ...]


def hash_key(key: MarkKey) -> int:
    """The mark of a key: 64 bits of a digest, the same on every machine."""
    text = "\0".join(map(str, key)).encode("utf-8", "surrogateescape")
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "little")


def hash_weighted_keys(keys: Mapping[MarkKey, int]) -> dict[int, int]:
    """The marks of keys, with the weights of the keys."""
    return {hash_key(key): weight for key, weight in keys.items()}


def hash_keys(keys: Iterable[MarkKey]) -> dict[int, int]:
    """The marks of keys that are only present or absent: each has the weight 1."""
    return {hash_key(key): 1 for key in keys}


class Footprint(Struct, frozen=True, gc=False):
    """What a resolution depended on: marks, each weighted with the number of facts behind it."""

    weights: dict[int, int] = field(default_factory=dict)


class RewrittenSite(Struct, frozen=True, gc=False):
    """A call site to write again. `like` is the position, in the calls of the previous definition,
    of the call site whose candidates it keeps. If that is None, it calls only `callee`, a linked
    function.
    """

    call: CallSite
    like: int | None
    callee: FunctionId | None


class RewrittenFunction(Struct, frozen=True, gc=False):
    """A function whose call sites replace those of its definition `before`. It is new without
    `before`, and removed without `after`.
    """

    before: Definition | None
    after: Definition | None
    sites: tuple[RewrittenSite, ...]

    @property
    def function(self) -> FunctionId:
        """The id of the function."""
        definition = self.after or self.before
        assert definition is not None
        assert isinstance(definition.subject, Function)
        return definition.subject.id


class GraphChange(Struct, frozen=True, gc=False):
    """Everything that differs from the previous graph. `moved_definitions` are pairs that differ in
    their locations only; `moved_locations` are those, before and after, of unchanged facts in
    rewritten functions; `weight_changes` are added to the weights of the footprint.
    """

    moved_definitions: tuple[tuple[Definition, Definition], ...]
    moved_locations: tuple[tuple[Location, Location], ...]
    rewritten_functions: tuple[RewrittenFunction, ...]
    removed_objects: tuple[Object, ...]
    added_objects: tuple[Object, ...]
    weight_changes: dict[int, int]
