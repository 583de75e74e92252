"""Errors in TOML files name their line."""

import pytest

from kgraph.errors import DocumentError
from kgraph.toml import TomlReader, parse_toml

TEXT = '''name = "a"
# name = 3
[[row]]
key = 1
[[row]]
key = "x"
text = """
[[row]]
"""
'''


@pytest.mark.parametrize(("text", "message"), [
    ("a = 1\nb = \n", "f.toml:2: "),
    ("a = " + "[" * 5000, "f.toml:1: lists or tables are nested too deeply"),
    ("a = 1\n" + "x." * 60 + "y = 2\n", "f.toml:2: a key has too many parts"),
    ("a = 1\nb = " + "9" * 5000 + "\n", "f.toml:2: a number has too many digits"),
])
def test_what_is_not_toml_is_reported_with_its_line(text: str, message: str) -> None:
    with pytest.raises(DocumentError) as raised:
        parse_toml("f.toml", text, DocumentError)
    assert raised.value.message.startswith(message)
    assert raised.value.hint


def test_values_are_found_by_their_keys() -> None:
    reader = TomlReader("f.toml", TEXT, DocumentError)
    assert reader.find_table_line("row", 0) == 3
    assert reader.find_table_line("row", 1) == 5
    assert reader.find_table_line("row", 2) == reader.find_key_line("row")
    assert reader.find_key_line("key", 5) == 6
    with pytest.raises(DocumentError, match=r"f\.toml:1: name must be a text"):
        reader.read_text("name", 3)
    with pytest.raises(DocumentError, match=r"f\.toml:6: row has no key key"):
        reader.check_keys({"key": 1}, ("text",), "row", 5)
    with pytest.raises(DocumentError, match=r"f\.toml:7: text must be a list"):
        reader.read_texts("text", "x")
