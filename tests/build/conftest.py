"""A small tree with a Makefile, for tests of Kbuild."""

from pathlib import Path

import pytest

from tests.support.kbuild_tree import make_kbuild_tree


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A small tree whose Makefile does what kgraph needs of Kbuild."""
    return make_kbuild_tree(tmp_path / "tree")
