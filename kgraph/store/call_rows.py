"""Calls as the graph shows them: read from encoded facts, without the records of a CallSite.

Half a million call sites are written with every graph, and what is shown of a call is mostly
numbers that the facts have as well. Owns the order of the call sites of one function, and what
the columns of a call site say of its source.
"""

from typing import Any, NamedTuple

from kgraph.model.facts import CallSite
from kgraph.store.codec import FactsEncoder, decompress_facts
from kgraph.store.hop_costs import price_call_site

Numbers = tuple[int, ...]


class CallRow(NamedTuple):
    """A call as its source says it.

    `guards` are the conditions around it as JSON, "" for none; `price` is what these and the
    macro add to the cost of a hop; `tests` are what the conditions ask of parameters, `handed` what
    is known of arguments as numbers (parameter, value, kind).
    """

    path: str
    line: int
    column: int
    ordinal: int
    start: tuple[str, int, int]
    end_line: int
    end_column: int
    expression: str
    macro: str
    signature: str
    guards: str
    price: int
    tests: tuple[Numbers, ...]
    handed: tuple[tuple[int, int, int], ...]

    @property
    def place(self) -> tuple[Any, ...]:
        """What the call sites of a function are sorted by: location, ordinal and extent."""
        return self[:7]


def read_call_rows(data: bytes) -> list[CallRow]:
    """The calls of an encoded definition, in the order of its facts."""
    strings, _, _, calls, _, _ = decompress_facts(data)
    return [_read_call(call, strings) for call in calls]


def make_call_row(call: CallSite) -> CallRow:
    """The same of a call that is not encoded."""
    encoder = FactsEncoder()
    row = encoder.encode_call(call)
    return _read_call(row, encoder.list_strings())


def _read_call(row: Any, strings: Any) -> CallRow:
    (_, path, line, column, start, start_line, start_column, end_line, end_column, ordinal, _,
     expression, macro, signature, _, _, guards, handed) = row
    tests: tuple[Numbers, ...] = ()
    text = ""
    if guards:
        # Of integers alone, what Python prints is JSON. The path is that of the call.
        text = str([guard[1:] for guard in guards])
        if any(len(guard) > _TESTS for guard in guards):
            tests = tuple(sorted({
                tuple(test) for guard in guards for found in guard[_TESTS:] for test in found}))
    named = strings[macro]
    return CallRow(
        strings[path], line, column, ordinal, (strings[start], start_line, start_column),
        end_line, end_column, strings[expression], named, strings[signature], text,
        price_call_site(named, guards) if guards or named else 0, tests,
        tuple([(parameter, value, kind) for parameter, kind, value in handed]) if handed else ())


_TESTS = 8  # where in the row of a guard its tests stand: behind its extent and three truths
