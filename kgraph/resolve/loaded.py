"""Records that a loader fills: the module loader takes these from a file, and no unit writes them.

What modpost writes into a module's own record is declared in data/loaded.toml: a function of a
known name in the module goes to a known slot.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from kgraph.model.facts import Binding, Definition, Function
from kgraph.model.holders import How, Place, Slot
from kgraph.resolve.declared import loaded_slots


def filled(definitions: Iterable[Definition]) -> Iterator[Definition]:
    """The same definitions; functions that a loader finds by name are bound where it puts them."""
    slots = loaded_slots()
    for definition in definitions:
        subject = definition.subject
        slot = None
        if isinstance(subject, Function) and not subject.id.scope:
            slot = slots.get(subject.id.name)
        if slot is None or not isinstance(subject, Function):
            yield definition
            continue
        binding = Binding(Place(Slot(*slot)), subject.id, subject.location, How.INITIALISER)
        yield replace(definition, bindings=(*definition.bindings, binding))
