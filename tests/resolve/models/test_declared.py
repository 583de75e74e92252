"""Every row of the declared models is read, and says why it is there."""

import tomllib
from importlib import resources

import pytest

from kgraph.errors import ConfigurationError
from kgraph.resolve.models import declared

ROW = 'name = "memcpy"\ndestination = 0\nsource = 1\nreason = "copies"\n'


def test_the_models_are_read():
    assert declared.load_copy_functions()["memcpy"] == declared.CopyFunction(0, 1)
    assert "___ksymtab" in declared.load_sections().exports
    assert declared.load_loader_slots()["init_module"] == ("module", "init")
    assert declared.load_list_registrations()["tracepoint_probe_register"].value == 1
    assert declared.load_discriminated_unions()
    assert "kmalloc" in declared.load_allocators()
    assert declared.load_releases()["kfree"] == 0


@pytest.mark.parametrize(
    ("name", "table"), [
        ("copy_functions.toml", "copy"), ("linker_sections.toml", "section"),
        ("allocators.toml", "allocator"), ("allocators.toml", "release")])
def test_a_row_is_not_declared_twice(name, table):
    text = resources.files("kgraph.resolve.models").joinpath(name).read_text("utf-8")
    rows = [row.get("name", row.get("prefix")) for row in tomllib.loads(text)[table]]
    assert len(rows) == len(set(rows))


@pytest.mark.parametrize(("text", "said"), [
    ("[[copy]]\n" + ROW.replace("reason", "because"), "because"),
    ("[[copy]]\n" + ROW.replace('reason = "copies"\n', ""), "reason"),
    ("[[copy]]\n" + ROW.replace('"copies"', '""'), "reason"),
    ("[[copy]]\n" + ROW.replace("source = 1", "source = -1"), "source"),
    ("[[copies]]\n" + ROW, "copies"),
    ("[[copy]\n" + ROW, "Expected"),
])
def test_a_row_that_is_not_understood_is_an_error(text, said):
    with pytest.raises(ConfigurationError, match=said):
        declared.parse_model("copy_functions.toml", text, declared._CopyFile)
