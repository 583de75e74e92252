"""Facts as records in canonical order: two indexes with the same facts give the same lines."""

from collections.abc import Iterable, Iterator
from enum import Enum

from msgspec import Struct

from kgraph.model.facts import Definition
from kgraph.store.codec import FactsDecoder


def iter_facts(encoded: Iterable[tuple[str, bytes]]) -> Iterator[object]:
    """One record a definition, by file, line and name of its subject; then by its key."""
    decoder = FactsDecoder()
    order = sorted((_sort_key(decoder.decode(key, data)), data) for key, data in encoded)
    for (*_, key), data in order:
        yield _encode(decoder.decode(str(key), data))


def _sort_key(definition: Definition) -> tuple[str, int, int, str, str]:
    location = definition.subject.location
    return location.path, location.line, location.column, definition.subject.id.name, definition.key


def _encode(value: object) -> object:
    """A record of the model as a dict with its type's name under `is`, and tuples as lists."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Struct):
        parts = {name: _encode(getattr(value, name)) for name in value.__struct_fields__}
        return {"is": type(value).__name__, **parts}
    if isinstance(value, tuple):
        return [_encode(item) for item in value]
    return value
