"""Section tables: pointers that the linker lays side by side, called by a loop from a symbol on.

The symbol is an array that no unit defines; data/sections.toml says which sections the loop that
starts there walks. Every object in these is an element of the array. Where assembler writes numbers
instead of pointers, the function that turns them into pointers gives back the declared functions.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from kgraph.model.facts import Binding, Definition, Flow, Function, Object
from kgraph.model.holders import How, Load, Place, ReturnValue
from kgraph.model.names import FunctionId, ObjectId
from kgraph.resolve.declared import Offsets, sections


def laid_out(definitions: Iterable[Definition]) -> Iterator[Definition]:
    """The same definitions; objects in walked sections flow to the symbols that walks start at, and
    readers of numbers give back functions.
    """
    declared = sections()
    named = frozenset[str]().union(*(row.functions for row in declared.offsets))
    found: set[FunctionId] = set()
    waiting: list[tuple[Definition, Offsets]] = []
    for definition in definitions:
        subject = definition.subject
        if isinstance(subject, Object):
            yield _element(definition, subject)
            continue
        if subject.id.name in named and not subject.id.scope:
            found.add(subject.id)
        reader = _reader(subject, declared.offsets)
        if reader is None:
            yield definition
        else:
            waiting.append((definition, reader))
    for definition, reader in waiting:
        yield _giving(definition, sorted(
            function for function in found
            if function.name in reader.functions and function.image == definition.subject.id.image))


def _element(definition: Definition, subject: Object) -> Definition:
    """An object with its flow to the start of the section that it lies in, if a loop walks that."""
    if not subject.section:
        return definition
    starts = sorted({
        start for prefix, start in sections().walks if subject.section.startswith(prefix)})
    flows = tuple(
        Flow(Load(Place(subject.id)), Place(ObjectId(start, "", subject.id.image)),
             subject.location, How.COPY)
        for start in starts)
    return replace(definition, flows=definition.flows + flows) if flows else definition


def _reader(subject: Function, rows: Iterable[Offsets]) -> Offsets | None:
    """The row of which a function is the reader."""
    return next((row for row in rows if row.reader == subject.id.name
                 and row.file == subject.location.path), None)


def _giving(definition: Definition, functions: Iterable[FunctionId]) -> Definition:
    """A reader with what it gives back."""
    subject = definition.subject
    if not isinstance(subject, Function):
        return definition
    given = tuple(
        Binding(Place(ReturnValue(subject.id)), function, subject.location, How.RETURN)
        for function in functions)
    return replace(definition, bindings=definition.bindings + given)
