import json

from hypothesis import given
from hypothesis import strategies as st

from kgraph.model.facts import Binding, CallSite, Definition, Flow, Function, Object
from kgraph.model.ids import FunctionId, ObjectId
from kgraph.model.location import Extent, Guard, Location, ParameterTest
from kgraph.model.values import (
    Address,
    CallResult,
    Constant,
    Load,
    ObjectField,
    Opaque,
    Parameter,
    Place,
    ReturnValue,
    Slot,
    TransferKind,
    Variable,
)
from kgraph.store.call_rows import make_call_row, read_call_rows
from kgraph.store.codec import (
    FactsDecoder,
    FactsEncoder,
    pack_numbers,
    unpack_numbers,
)


def encode(definition: Definition) -> bytes:
    return FactsEncoder().encode(definition)


def decode(key: str, data: bytes) -> Definition:
    return FactsDecoder().decode(key, data)


# Bytes that are no UTF-8 come as lone surrogates (surrogateescape), as os.fsdecode makes them.
texts = st.one_of(
    st.text(max_size=8),
    st.binary(max_size=4).map(lambda raw: raw.decode("utf-8", "surrogateescape")),
)
lines = st.integers(0, 100_000)
locations = st.builds(Location, texts, lines, lines)
extents = st.builds(Extent, locations, lines, lines)
functions = st.builds(FunctionId, texts, texts, texts)
objects = st.builds(ObjectId, texts, texts, texts)
slots = st.builds(Slot, texts, texts, texts)
holders = st.one_of(
    slots, objects, st.builds(ObjectField, objects, slots), st.builds(Variable, functions, texts),
    st.builds(Parameter, functions, lines), st.builds(ReturnValue, functions),
    st.builds(CallResult, functions, lines),
)
values = st.recursive(
    st.one_of(functions, st.builds(Constant, st.integers()), st.builds(Opaque, texts)),
    lambda inner: st.builds(
        lambda kind, holder, base: kind(Place(holder, base)),
        st.sampled_from([Load, Address]), holders, st.none() | inner,
    ),
    max_leaves=4,
)
places = st.builds(Place, holders, st.none() | values)
calls = st.builds(
    CallSite, functions, locations, extents, lines, functions | values, texts, texts,
    st.lists(st.lists(values, max_size=2).map(tuple), max_size=3).map(tuple),
    st.lists(st.builds(Guard, extents, st.booleans()), max_size=2).map(tuple),
    texts, st.integers(-1, 9),
)
subjects = st.one_of(
    st.builds(
        Function, functions, locations, extents, texts, st.lists(texts, max_size=3).map(tuple),
        st.booleans(), st.booleans(), texts, texts,
    ),
    st.builds(Object, objects, locations, extents, texts, texts, texts),
)
definitions = st.builds(
    Definition,
    texts,
    subjects,
    st.lists(calls, max_size=3).map(tuple),
    st.lists(
        st.builds(
            Binding, places, values, locations, st.sampled_from(TransferKind), st.none() | objects
        ),
        max_size=3,
    ).map(tuple),
    st.lists(
        st.builds(Flow, values, places, locations, st.sampled_from(TransferKind)), max_size=3
    ).map(tuple),
)


@given(definitions)
def test_what_is_encoded_is_decoded(definition: Definition) -> None:
    assert decode(definition.key, encode(definition)) == definition


@given(definitions)
def test_equal_definitions_give_equal_bytes(definition: Definition) -> None:
    again = decode(definition.key, encode(definition))
    assert encode(again) == encode(definition)


@given(st.lists(definitions, max_size=4))
def test_one_decoder_serves_many(several: list[Definition]) -> None:
    decoder = FactsDecoder()
    assert [decoder.decode(item.key, encode(item)) for item in several] == several


@given(definitions)
def test_the_last_cited_line_of_each_file_is_known(definition: Definition) -> None:
    encoder = FactsEncoder()
    encoder.encode(definition)
    subject = definition.subject
    assert encoder.last_lines.get(subject.location.path, 0) >= subject.location.line
    for call in definition.calls:
        if call.extent.end_line:
            assert encoder.last_lines[call.extent.start.path] >= call.extent.end_line


@given(st.sets(st.integers(0, 2**31)))
def test_packed_numbers(numbers: set[int]) -> None:
    packed = pack_numbers(numbers)
    assert list(unpack_numbers(packed)) == sorted(numbers)


@given(definitions)
def test_calls_are_shown_alike_whether_they_are_encoded_or_not(definition: Definition) -> None:
    assert read_call_rows(encode(definition)) == [make_call_row(c) for c in definition.calls]


@given(definitions)
def test_what_is_shown_of_a_call_is_what_its_facts_say(definition: Definition) -> None:
    for call, row in zip(definition.calls, read_call_rows(encode(definition)), strict=True):
        assert (row.path, row.line, row.column) == (
            call.location.path, call.location.line, call.location.column)
        assert (row.end_line, row.end_column, row.ordinal) == (
            call.extent.end_line, call.extent.end_column, call.ordinal)
        assert (row.expression, row.macro, row.signature) == (
            call.expression, call.macro, call.signature)
        guards = [(g.extent.start.line, g.holds) for g in call.guards]
        assert [(g[0], bool(g[4])) for g in json.loads(row.guards or "[]")] == guards
        tests = {test for guard in call.guards for test in guard.tests}
        assert [ParameterTest(*test) for test in row.tests] == sorted(tests)
        assert row.handed == tuple((h.parameter, h.value, h.kind) for h in call.handed)
