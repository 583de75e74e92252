"""Query files: what is wrong is said with file and line."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kgraph.check.document.query_files import parse_query
from kgraph.check.document.subjects import build_query_document
from kgraph.errors import DocumentError
from kgraph.toml import blank_strings
from tests.support.effort import examples

GOOD = '''title = "t"
caller = "a_1"
callee = "b_1"
chain = """
a_1()
|-b_1()
"""
'''
OPEN = "[" * 1000


def test_a_chain_has_the_lines_of_its_file() -> None:
    query = parse_query("q.toml", GOOD)
    lines = {line.claim.name: line for line in build_query_document(query).lines if line.claim.name}
    assert (lines["a_1"].number, lines["b_1"].number, lines["b_1"].parent) == (5, 6, 5)


@pytest.mark.parametrize(("text", "message"), [
    ("title = ", "q.toml:1: "),
    ('caller = "a"\ncallee = "b"\nchain = "c"', "q.toml:1: the query has no title"),
    (GOOD + "more = 1\n", "q.toml:8: a query has no key more"),
    (GOOD.replace('"a_1"\n', "3\n"), "q.toml:2: caller must be a text"),
    (GOOD.replace('"a_1"\n', '"a b"\n'), "q.toml:2: `a b` is not a function name"),
    (GOOD + "setup = 1\n", "q.toml:8: setup must be a list"),
    (GOOD + "scenario = 1\n", "q.toml:8: scenario must be a table"),
    (GOOD + '[scenario]\npins = ["x"]\n', "q.toml:9: `x` is not a pin"),
    (GOOD + '[scenario]\npins = [{slot = "a.b"}]\n', "q.toml:9: a pin has no target"),
    (GOOD + '[scenario]\npins = ["a.b = c", "a = b c ="]\n', "q.toml:9: `a = b c =` is not a pin"),
    (GOOD + '[scenario]\npins = [\n"a.b = c",\n"a.b =",\n]\n', "q.toml:11: `a.b =` is not a pin"),
    (GOOD.replace("b_1()", "b_1() pins by via") + '[scenario]\npins = [\n{slot = "a.b"},\n]\n',
     "q.toml:10: a pin has no target"),
    (GOOD.replace("b_1()", "by = 1") + '[scenario]\nby = ["x"]\n', "q.toml:9: .* no key by"),
    (GOOD + '[scenario]\nvia = ["a 1"]\navoid = ["a_1"]\n',
     "q.toml:9: `a 1` is not a function name"),
    ("\n\nx = " + "[" * 5000, "q.toml:3: lists or tables are nested too deeply"),
    (f'x = "{OPEN * 9}"\ny = [\n  {OPEN * 5}', "q.toml:3: lists or tables are nested"),
    (f"# {'9' * 5000}\n\nx = {'9' * 5000}", "q.toml:3: a number has too many digits$"),
    (GOOD + ".".join("a" * 60) + " = 1", "q.toml:8: a key has too many parts"),
    (GOOD + '[scenario]\nby = ["x"]\n', "q.toml:9: .scenario. has no key by"),
])
def test_what_is_wrong_is_named(text: str, message: str) -> None:
    with pytest.raises(DocumentError, match=message):
        parse_query("q.toml", text)


def test_what_a_string_holds_is_no_key() -> None:
    """A long dotted word in a chain, in a string of one line and in a comment."""
    word = ".".join("a" * 60)
    text = GOOD.replace("b_1()\n", f"b_1()\n{word}\n").replace('"t"', f'"{word}" # {word}')
    assert parse_query("q.toml", text).title == word
    early = parse_query("q.toml", "setup = ['''\nchain = 3''']\n" + GOOD)
    assert early.chain_line == 7


def test_a_chain_in_a_string_of_one_line_has_one_line() -> None:
    text = 'title = "t"\ncaller = "a_1"\ncallee = "b_1"\nchain = "a_1()\\n|-b_1()"\n'
    lines = build_query_document(parse_query("q.toml", text)).lines
    assert [line.file_line for line in lines] == [4, 4]
    assert (lines[0].number, lines[1].parent) == (4, 4)
    assert [
        line.file_line for line in build_query_document(parse_query("q.toml", GOOD)).lines[:2]
    ] == [5, 6]


def test_pins_know_where_they_stand() -> None:
    pins = parse_query("q.toml", GOOD + """[scenario]
pins = ["a.b = c",
  "d.e = f",
  {target = "h", slot = "g.i"}]
""").scenario.pins
    assert [pin.where for pin in pins] == ["q.toml:9", "q.toml:10", "q.toml:11"]


UNITS = ['"\\', '"', "'", '"""\\', '\\"', "'''a", "a.", "[", '"a". ', "#"]


@pytest.mark.slow
@pytest.mark.parametrize("unit", UNITS)
def test_four_times_as_much_takes_about_four_times_as_long(unit: str) -> None:
    def seconds(size: int) -> float:
        times = []
        for _ in range(3):
            start = time.process_time()
            plain = blank_strings(unit * (size // len(unit)), short=True)
            times.append(time.process_time() - start)
            assert len(plain) == size // len(unit) * len(unit)
        return min(times)

    assert seconds(200_000) < 10 * seconds(50_000) + 0.02


PIECES = [*GOOD.splitlines(keepends=True), "[scenario]\n", "pins = [", '"a.b = c"', '{slot = "a.b"',
          ', target = "c"', ', from = "f"', "}", "]", "]\n", "via = ", '["f"]\n', "[", "=", '"',
          "'", "1", "\n", "2020-01-01", "[[scenario]]\n", "scenario.pins = 3\n", "\x00",
          "\ud800", "中"]


@examples(400)
@given(st.lists(st.sampled_from(PIECES), max_size=20).map("".join), st.booleans())
def test_any_query_file_is_read_or_refused_with_its_line(text: str, whole: bool) -> None:
    refused = None
    try:
        query = parse_query("q.toml", GOOD + text if whole else text)
    except DocumentError as error:
        refused = error
    if refused is None:
        assert build_query_document(query).lines
    else:
        assert re.match(r"q\.toml:\d+: ", refused.message)
        assert refused.hint
