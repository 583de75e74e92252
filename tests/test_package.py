"""The package: what the wheel must hold is declared."""

import itertools
import re
import tomllib

import pytest

from kgraph.resources import find_resource
from tests.support.places import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def test_every_package_is_listed() -> None:
    listed = set(PROJECT["tool"]["setuptools"]["packages"])
    found = {
        ".".join(path.parent.relative_to(ROOT).parts) for path in ROOT.glob("kgraph/**/__init__.py")
    }
    assert found == {name for name in listed if not name.startswith("kgraph.data.")}


@pytest.mark.parametrize("name", ["docs", "queries", "reports", "mini-linux"])
def test_resources_are_found(name: str) -> None:
    folder = PROJECT["tool"]["setuptools"]["package-dir"][f"kgraph.data.{name}"]
    assert find_resource(name) == ROOT / folder


def test_every_file_of_the_package_is_packed() -> None:
    """The source of the extension, too: the fingerprint of the facts reads it."""
    packed = {pattern.rpartition(".")[2]
              for pattern in PROJECT["tool"]["setuptools"]["package-data"]["kgraph"]}
    suffixes = {
        path.suffix[1:] or path.name for path in ROOT.glob("kgraph/**/*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert suffixes <= packed | {"py", "so"}


def test_the_lowest_versions_are_those_of_the_project() -> None:
    extras = PROJECT["project"]["optional-dependencies"]
    needed = [*PROJECT["project"]["dependencies"], *itertools.chain(*extras.values())]
    bounds = set()
    for requirement in needed:
        bound = re.fullmatch(r"([\w-]+)>=([\w.]+)(?:,<\w+)?", requirement)
        assert bound, f"{requirement} has no lower bound"
        bounds.add(f"{bound[1]}=={bound[2]}")
    written = (ROOT / "tests/lowest.txt").read_text().splitlines()
    assert bounds == {line for line in written if not line.startswith("#")}


def test_the_extras_for_users_are_tested() -> None:
    extras = PROJECT["project"]["optional-dependencies"]
    assert set(extras["cluster"]) <= set(extras["test"])
