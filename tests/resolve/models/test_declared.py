"""Every row of the declared tables is read, and says why it is there."""

import tomllib
from importlib import resources

import pytest

from kgraph.errors import ConfigurationError
from kgraph.resolve.models import declared


def test_the_tables_are_read():
    assert declared.load_copy_functions()["memcpy"] == declared.CopyFunction(0, 1)
    assert "___ksymtab" in declared.load_sections().exports


@pytest.mark.parametrize(("name", "table"), [("copies.toml", "copy"), ("sections.toml", "section")])
def test_a_row_is_not_declared_twice(name, table):
    text = resources.files("kgraph.resolve.models").joinpath(name).read_text("utf-8")
    rows = [row.get("name", row.get("prefix")) for row in tomllib.loads(text)[table]]
    assert len(rows) == len(set(rows))


def test_a_row_without_a_reason_is_an_error():
    with pytest.raises(ConfigurationError, match="reason"):
        declared._text({"name": "memcpy"}, "reason", "copies.toml")
