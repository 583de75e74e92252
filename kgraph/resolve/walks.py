"""Section tables: pointers that the linker lays side by side, called by a loop from a symbol on.

The symbol is an array that no unit defines; data/sections.toml says which sections the loop that
starts there walks. Every object in these is an element of the array.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from kgraph.model.facts import Definition, Flow, Object
from kgraph.model.holders import How, Load, Place
from kgraph.model.names import ObjectId
from kgraph.resolve.declared import sections


def laid_out(definitions: Iterable[Definition]) -> Iterator[Definition]:
    """The same definitions; objects in walked sections flow to the symbols that walks start at."""
    walks = sections().walks
    for definition in definitions:
        subject = definition.subject
        if not isinstance(subject, Object) or not subject.section:
            yield definition
            continue
        starts = sorted({start for prefix, start in walks if subject.section.startswith(prefix)})
        flows = tuple(
            Flow(Load(Place(subject.id)), Place(ObjectId(start, "", subject.id.image)),
                 subject.location, How.COPY)
            for start in starts)
        yield replace(definition, flows=definition.flows + flows) if flows else definition
