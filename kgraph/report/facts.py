"""Facts as records, in canonical order: two indexes of the same facts give the same lines."""

from collections.abc import Iterable, Iterator
from dataclasses import fields, is_dataclass
from enum import Enum

from kgraph.model.facts import Definition
from kgraph.store.decoding import Decoder


def fact_records(encoded: Iterable[tuple[str, bytes]]) -> Iterator[object]:
    """One record a definition, by file, line and name of its subject; then by its key."""
    decoder = Decoder()
    order = sorted((_place(decoder.decode(key, data)), data) for key, data in encoded)
    for (*_, key), data in order:
        yield _record(decoder.decode(str(key), data))


def _place(definition: Definition) -> tuple[str, int, int, str, str]:
    location = definition.subject.location
    return location.path, location.line, location.column, definition.subject.id.name, definition.key


def _record(value: object) -> object:
    """A record of the model as a dict with its type's name, its tuples as lists."""
    if isinstance(value, Enum):
        return value.value
    if is_dataclass(value) and not isinstance(value, type):
        parts = {field.name: _record(getattr(value, field.name)) for field in fields(value)}
        return {"is": type(value).__name__, **parts}
    if isinstance(value, tuple):
        return [_record(item) for item in value]
    return value
