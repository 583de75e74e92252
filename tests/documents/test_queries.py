"""Query files: what is wrong is said with file and line."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kgraph.documents import parse_query, query_document
from kgraph.errors import DocumentError

GOOD = '''title = "t"
caller = "a_1"
callee = "b_1"
chain = """
a_1()
|-b_1()
"""
'''


def test_a_chain_has_the_lines_of_its_file() -> None:
    query = parse_query("q.toml", GOOD)
    lines = {line.claim.name: line for line in query_document(query).lines if line.claim.name}
    assert (lines["a_1"].number, lines["b_1"].number, lines["b_1"].parent) == (5, 6, 5)


@pytest.mark.parametrize(("text", "message"), [
    ("title = ", "q.toml:1: "),
    ('caller = "a"\ncallee = "b"\nchain = "c"', "q.toml:1: the query has no title"),
    (GOOD + "more = 1\n", "q.toml:8: a query has no key more"),
    (GOOD.replace('"a_1"\n', "3\n"), "q.toml:2: caller is no text"),
    (GOOD.replace('"a_1"\n', '"a b"\n'), "q.toml:2: `a b` is no function"),
    (GOOD + "setup = 1\n", "q.toml:8: setup is no list"),
    (GOOD + "scenario = 1\n", "q.toml:8: scenario is no table"),
    (GOOD + '[scenario]\npins = ["x"]\n', "q.toml:9: `x` is no pin"),
    (GOOD + '[scenario]\npins = [{slot = "a.b"}]\n', "q.toml:9: a pin has no target"),
    (GOOD + '[scenario]\nby = ["x"]\n', "q.toml:9: .scenario. has no key by"),
])
def test_what_is_wrong_is_named(text: str, message: str) -> None:
    with pytest.raises(DocumentError, match=message):
        parse_query("q.toml", text)


PIECES = [*GOOD.splitlines(keepends=True), "[scenario]\n", "pins = [", '"a.b = c"', '{slot = "a.b"',
          ', target = "c"', ', from = "f"', "}", "]", "]\n", "via = ", '["f"]\n', "[", "=", '"',
          "'", "1", "\n", "2020-01-01", "[[scenario]]\n", "scenario.pins = 3\n", "\x00",
          "\ud800", "中"]


@settings(max_examples=400, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=20).map("".join), st.booleans())
def test_any_query_file_is_read_or_refused_with_its_line(text: str, whole: bool) -> None:
    refused = None
    try:
        query = parse_query("q.toml", GOOD + text if whole else text)
    except DocumentError as error:
        refused = error
    if refused is None:
        assert query_document(query).lines
    else:
        assert re.match(r"q\.toml:\d+: ", refused.message)
        assert refused.hint
