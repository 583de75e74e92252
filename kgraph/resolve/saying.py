"""What facts say, apart from where they say it; and all that they are made of."""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass

from kgraph.model.facts import Binding, CallSite, Flow, Function, Object
from kgraph.model.location import Extent, Location

_PLACES = {"location", "extent", "ordinal", "guards"}  # where a call stands, not what it does


def saying(part: object) -> object:
    """A fact, or a part of one, without its places: equal for facts that say the same."""
    if isinstance(part, Location):
        return part.path
    if isinstance(part, Extent):
        return part.start.path
    if isinstance(part, CallSite):
        return tuple(saying(getattr(part, f.name)) for f in fields(part) if f.name not in _PLACES)
    if isinstance(part, tuple):
        return tuple(map(saying, part))
    if isinstance(part, Binding | Flow | Function | Object):
        return tuple(saying(getattr(part, f.name)) for f in fields(part))
    return part


def within(part: object) -> Iterator[object]:
    """All records that a fact is made of."""
    if isinstance(part, tuple):
        for item in part:
            yield from within(item)
    elif is_dataclass(part):
        yield part
        for item in fields(part):
            yield from within(getattr(part, item.name))
