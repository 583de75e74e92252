"""A small tree with headers, and one precompiled header of them."""

from pathlib import Path

import pytest

from kgraph.extract import Extractor
from kgraph.extract.pch.header import PrecompiledHeader
from kgraph.extract.pch.select import plan_headers
from tests.support.header_tree import list_units, make_header_tree


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A tree of headers with 12 units."""
    make_header_tree(tmp_path)
    return tmp_path


@pytest.fixture
def header(root: Path) -> PrecompiledHeader:
    """The precompiled header of the 12 units."""
    plans = plan_headers(list_units(root))
    assert [plan.names for plan in plans] == [
        ("linux/ahead.h", "linux/base.h", "linux/second.h", "linux/third.h",
         "linux/upright.h", "linux/yielding.h")]
    made = Extractor(root, None, set()).extract_header(plans[0], root / "common")
    assert made is not None
    found, definitions = made
    assert {definition.subject.id.name for definition in definitions} == {
        "ahead", "base", "second", "upright", "yielding"}
    return found
