"""The module loader: fills records from a file, so that no unit writes them.

models/module_loader.toml declares what modpost writes into a module's own record: a function of a
known name in the module goes to a known slot.
"""

from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from kgraph.model.facts import Binding, Definition, Function
from kgraph.model.values import Place, Slot, TransferKind
from kgraph.resolve.models.declared import load_loader_slots


def bind_loader_slots(definitions: Iterable[Definition]) -> Iterator[Definition]:
    """The same definitions, with functions that the loader finds by name bound to their slots."""
    slots = load_loader_slots()
    for definition in definitions:
        subject = definition.subject
        slot = None
        if isinstance(subject, Function) and not subject.id.scope:
            slot = slots.get(subject.id.name)
        if slot is None or not isinstance(subject, Function):
            yield definition
            continue
        binding = Binding(
            Place(Slot(*slot)), subject.id, subject.location, TransferKind.INITIALISER
        )
        yield replace(definition, bindings=(*definition.bindings, binding))
