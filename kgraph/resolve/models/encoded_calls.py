"""Calls of functions that were made numbers: models/encoded_calls.toml says which they are."""

import re
from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from kgraph.model.facts import Binding, CallSite, Definition, Function
from kgraph.model.ids import FunctionId, ObjectId
from kgraph.model.values import Load, Opaque, Place, Slot, TransferKind
from kgraph.resolve.models.declared import EncodedCall, load_encoded_calls


def decode_calls(definitions: Iterable[Definition]) -> Iterator[Definition]:
    """The same definitions, with what calls through numbers call."""
    rows = load_encoded_calls()
    sections = {row.section for row in rows.listed}
    for definition in definitions:
        subject = definition.subject
        if isinstance(subject, Function):
            calls = rows.calls.get((subject.id.name, subject.location.path))
            yield definition if calls is None else _decode_calls(definition, calls)
        elif subject.section in sections:
            yield _bind_listed(definition)
        else:
            yield definition


def _decode_calls(definition: Definition, rows: Iterable[EncodedCall]) -> Definition:
    return replace(
        definition, calls=tuple(_decode_call(call, rows) for call in definition.calls))


def _decode_call(call: CallSite, rows: Iterable[EncodedCall]) -> CallSite:
    if not isinstance(call.target, Opaque):
        return call
    words = set(re.findall(r"\w+", call.expression))
    for row in rows:
        if row.base in words:
            holder = Slot(*row.slot) if row.slot else ObjectId(
                row.object, call.location.path, call.caller.image)
            return replace(call, target=Load(Place(holder)))
    return call


def _bind_listed(definition: Definition) -> Definition:
    """An object that stands for a function, with that function in its slot."""
    subject = definition.subject
    bindings = tuple(
        Binding(Place(Slot(*row.slot)), FunctionId(match[1], "", subject.id.image),
                subject.location, TransferKind.ASSIGNMENT)
        for row in load_encoded_calls().listed
        if (match := row.object.fullmatch(subject.id.name)))
    return replace(definition, bindings=definition.bindings + bindings)
