"""A cache folder of the test's own, and a tree of one unit."""

import json
from pathlib import Path

import pytest


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache/kgraph"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A tree of one unit."""
    root = tmp_path / "tree"
    root.mkdir()
    (root / "a.c").write_text("int f(void)\n{\n\treturn 0;\n}\n")
    (root / "compile_commands.json").write_text(json.dumps(
        [{"directory": ".", "file": "a.c", "arguments": ["gcc", "-c", "-o", "a.o", "a.c"]}]))
    return root
