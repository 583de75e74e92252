"""SQL stands in the store and in graph/lookups.py only."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import kgraph

_PACKAGE = Path(kgraph.__file__).parent
_SQL = re.compile(
    r"\b(SELECT\b.+\bFROM|INSERT( OR \w+)? INTO|UPDATE \w+ SET|DELETE FROM|PRAGMA \w+)\b",
    re.DOTALL)


def iter_modules_with_sql() -> Iterator[str]:
    for path in sorted(_PACKAGE.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        if any(isinstance(node, ast.Constant) and isinstance(node.value, str)
               and _SQL.search(node.value) for node in ast.walk(tree)):
            yield path.relative_to(_PACKAGE).as_posix()


def test_sql_stands_in_the_store_and_in_lookups_only() -> None:
    found = [name for name in iter_modules_with_sql() if not name.startswith("store/")]
    assert found == ["graph/lookups.py"]
