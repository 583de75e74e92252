"""A small tree with a Makefile, for what asks Kbuild."""

from pathlib import Path

import pytest

from tests.support.kbuild_tree import make_kbuild_tree


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A small tree with a Makefile that behaves as far as kgraph looks."""
    return make_kbuild_tree(tmp_path / "tree")
