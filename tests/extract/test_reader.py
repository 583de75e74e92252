"""Rules of C: each kind of node has one, and the reader finds it."""

import pytest

import kgraph.extract
from kgraph.extract import reader
from kgraph.extract.clang import kinds


def test_two_rules_for_one_kind_are_refused() -> None:
    assert kgraph.extract.Extractor  # imports all rules
    with pytest.raises(AssertionError):
        reader.value_rule(kinds.CALL)(lambda _reader, _node: ())


@pytest.mark.parametrize(("rules", "kind"), [
    (reader._VALUE_RULES, kinds.STATEMENT_EXPR), (reader._PLACE_RULES, kinds.SUBSCRIPT),
    (reader._STATEMENT_RULES, kinds.ASM),
])
def test_every_module_registers_its_rules(rules: dict[int, object], kind: int) -> None:
    assert kind in rules
