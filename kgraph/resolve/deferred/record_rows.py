"""The numbers and functions that stand side by side in one record of an object.

A hook is registered by a record that has its family and number beside its function. Decides
which fields of an object belong together. All elements of an array are one place, so a row ends
where one of its fields occurs again.
"""

from collections.abc import Iterable, Iterator
from itertools import product

from kgraph.model.facts import Definition, Object
from kgraph.model.ids import ObjectId
from kgraph.model.values import Address, Constant, Place, Slot, Value
from kgraph.resolve.deferred.keys import without_image
from kgraph.resolve.deferred.specification import KeyPart
from kgraph.resolve.models.declared import Field

RecordRow = dict[Field, Value]


class RecordRows:
    """Collects the rows of all objects that have one of the `watched` fields."""

    def __init__(self, watched: Iterable[Field]) -> None:
        self._watched = frozenset(watched)
        self._rows: dict[ObjectId, list[RecordRow]] = {}

    def collect(self, definition: Definition) -> None:
        """Note the rows of a definition, if it defines an object."""
        if not self._watched or not isinstance(definition.subject, Object):
            return
        written = [(b.location, b.place, b.value) for b in definition.bindings]
        written += [(flow.location, flow.target, flow.source) for flow in definition.flows]
        for _, place, value in sorted(written, key=lambda item: item[0]):
            field, owner = _field_of(place), _owner_of(place)
            if owner is not None and field in self._watched:
                rows = self._rows.setdefault(owner, [{}])
                if field in rows[-1]:
                    rows.append({})
                rows[-1][field] = value

    def has_rows(self, table: ObjectId) -> bool:
        """Whether an object has rows."""
        return table in self._rows

    def iter_keys(
        self, table: ObjectId, parts: tuple[KeyPart, ...], field: Field | None
    ) -> Iterator[tuple[tuple[int, ...] | None, Value | None]]:
        """For each row, every key that its `parts` make, with what its `field` holds.

        The key is None if a part is not known.
        """
        for row in self._rows.get(table, ()):
            numbers = [_key_numbers(row.get(part.field), part) for part in parts]
            callback = None if field is None else row.get(field)
            if all(numbers):
                yield from ((key, callback) for key in product(*numbers))
            else:
                yield None, callback


def _key_numbers(value: Value | None, part: KeyPart) -> list[int]:
    if not isinstance(value, Constant):
        return []
    if not part.bits:
        return [value.value]
    return [bit for bit in range(value.value.bit_length()) if value.value >> bit & 1]


def _field_of(place: Place) -> Field:
    holder = place.holder
    return (holder.record, holder.field) if isinstance(holder, Slot) else ("", "")


def _owner_of(place: Place) -> ObjectId | None:
    """The object that the written record is, or is an element of."""
    if isinstance(place.base, Address) and isinstance(place.base.place.holder, ObjectId):
        return without_image(place.base.place.holder)
    return None
