"""Linker sections: pointers that the linker lays side by side, called by a loop from a symbol on.

The symbol is an array that no unit defines. models/linker_sections.toml says which sections the
loop that starts there walks; every object in these becomes an element of the array. Where assembler
writes numbers instead of pointers, the function that turns a number into a pointer returns the
declared functions, or, in a declared walk, what the array holds.
"""

from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from kgraph.model.facts import Binding, CallSite, Definition, Flow, Function, Object
from kgraph.model.ids import FunctionId, ObjectId
from kgraph.model.values import Load, Place, ReturnValue, TransferKind, Value
from kgraph.resolve.models.declared import OffsetSection, RelativeWalk, load_sections


def apply_linker_sections(definitions: Iterable[Definition]) -> Iterator[Definition]:
    """The same definitions, with what the linker adds.

    Objects in walked sections flow to the symbols where the loops start. Functions that turn
    numbers into pointers return the declared functions.
    """
    declared = load_sections()
    named = frozenset[str]().union(*(row.functions for row in declared.offsets))
    found: set[FunctionId] = set()
    waiting: list[tuple[Definition, OffsetSection]] = []
    for definition in definitions:
        subject = definition.subject
        if isinstance(subject, Object):
            yield _add_section_flow(definition, subject)
            continue
        if subject.id.name in named and not subject.id.scope:
            found.add(subject.id)
        walk = _find_relative_walk(subject, declared.relative)
        if walk is not None:
            yield _read_through_symbols(definition, walk)
            continue
        reader = _find_offset_section(subject, declared.offsets)
        if reader is None:
            yield definition
        else:
            waiting.append((definition, reader))
    for definition, reader in waiting:
        yield _return_functions(definition, sorted(
            function for function in found
            if function.name in reader.functions and function.image == definition.subject.id.image))


def _add_section_flow(definition: Definition, subject: Object) -> Definition:
    """An object with its flow to the symbol from which a loop walks its section, if one does."""
    if not subject.section:
        return definition
    starts = sorted({
        start for prefix, start in load_sections().walks if subject.section.startswith(prefix)})
    flows = tuple(
        Flow(Load(Place(subject.id)), Place(ObjectId(start, "", subject.id.image)),
             subject.location, TransferKind.COPY)
        for start in starts)
    return replace(definition, flows=definition.flows + flows) if flows else definition


def _find_offset_section(subject: Function, rows: Iterable[OffsetSection]) -> OffsetSection | None:
    """The section whose numbers a function turns into pointers."""
    return next((row for row in rows if row.reader == subject.id.name
                 and row.file == subject.location.path), None)


def _find_relative_walk(subject: Function, rows: Iterable[RelativeWalk]) -> RelativeWalk | None:
    """The walk over distances that a function makes."""
    return next((row for row in rows if row.walker == subject.id.name
                 and row.file == subject.location.path), None)


def _read_through_symbols(definition: Definition, walk: RelativeWalk) -> Definition:
    """A walker that loads from the linker's symbols what the reader of distances would return."""
    image = definition.subject.id.image
    elements = tuple(Load(Place(ObjectId(start, "", image))) for start in walk.starts)

    def read(value: Value) -> tuple[Value, ...]:
        holder = value.place.holder if isinstance(value, Load) else None
        is_read = isinstance(holder, ReturnValue) and holder.function.name == walk.reader
        return elements if is_read else (value,)

    def pass_on(call: CallSite) -> CallSite:
        arguments = (tuple(new for value in choice for new in read(value))
                     for choice in call.arguments)
        return replace(call, arguments=tuple(arguments))

    flows = tuple(replace(flow, source=source)
                  for flow in definition.flows for source in read(flow.source))
    return replace(definition, calls=tuple(map(pass_on, definition.calls)), flows=flows)


def _return_functions(definition: Definition, functions: Iterable[FunctionId]) -> Definition:
    """A function with what it returns."""
    subject = definition.subject
    if not isinstance(subject, Function):
        return definition
    given = tuple(
        Binding(Place(ReturnValue(subject.id)), function, subject.location, TransferKind.RETURN)
        for function in functions)
    return replace(definition, bindings=definition.bindings + given)
