"""The C extension changes how long reading takes, and no fact."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from kgraph.extract.clang import api, tree
from kgraph.extract.clang.accelerator import prefer_extension
from tests.support.places import ROOT

MINI = ROOT / "fixtures" / "mini-linux"
pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("kgraph.extract.clang._compiled") is None,
    reason="not built: pip install -e .")


def facts(tree: Path, folder: Path, pure: str) -> str:
    """The facts of a tree, read with the extension or without."""
    environment = {**os.environ, "XDG_CACHE_HOME": str(folder), "KGRAPH_PURE_PYTHON": pure}
    index = folder / "facts.kgraph"
    run = [sys.executable, "-m", "kgraph"]
    subprocess.run([*run, "index", str(tree), "--again", "--index", str(index)], check=True,
                   env=environment, cwd=ROOT, capture_output=True)
    return subprocess.run([*run, "export", "--format", "jsonl", "--facts", "--index", str(index)],
                          check=True, env=environment, cwd=ROOT, capture_output=True,
                          text=True).stdout


def test_mini_linux_has_the_same_facts(tmp_path: Path) -> None:
    accelerated_facts, plain_facts = (facts(MINI, tmp_path, pure) for pure in ("0", "1"))
    assert accelerated_facts
    assert accelerated_facts == plain_facts


def names(module: object) -> set[str]:
    return {name for name in vars(module) if not name.startswith("_")}


def test_every_function_of_the_extension_exists_in_python() -> None:
    extension = importlib.import_module("kgraph.extract.clang._compiled")
    known = names(api) | names(tree) | api.PROTOTYPES.keys()
    assert names(extension) - {"load"} <= known


@pytest.mark.skipif(bool(os.environ.get("KGRAPH_PURE_PYTHON")), reason="turned off")
def test_the_extension_is_used_where_it_is_built() -> None:
    extension = importlib.import_module("kgraph.extract.clang._compiled")
    assert tree.read_tree is extension.read_tree
    assert api.C.clang_getCursorType is extension.clang_getCursorType


def test_a_function_without_a_faster_one_stays() -> None:
    def only_in_python() -> None: ...

    assert prefer_extension(only_in_python) is only_in_python


@pytest.mark.parametrize("function", [
    "clang_getCursorType", "get_spelling", "print_declaration", "read_tree", "unwrap",
    "decode_location"])
def test_another_argument_is_refused(function: str) -> None:
    extension = importlib.import_module("kgraph.extract.clang._compiled")
    with pytest.raises(TypeError, match="expected a"):
        getattr(extension, function)(1)
