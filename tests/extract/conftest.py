"""Reads C text into facts."""

from pathlib import Path

import pytest

from kgraph.extract import Extractor
from kgraph.model.units import TranslationUnit
from tests.support.shorthand import Facts, Reading


@pytest.fixture
def facts(tmp_path: Path) -> Facts:
    """Reads C text: facts(text, files={name: text}, image=..., path=...) -> Reading."""

    def read(source: str, files: dict[str, str] | None = None, image: str = "vmlinux",
             path: str = "unit.c", arguments: tuple[str, ...] = (),
             seen: set[str] | None = None) -> Reading:
        for name, content in {path: source, **(files or {})}.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(content)
        unit = TranslationUnit(path, path[:-1] + "o", image, str(tmp_path / path), str(tmp_path),
                               ("-std=gnu11", "-w", f"-I{tmp_path}/include", *arguments))
        return Reading(Extractor(tmp_path, None, set() if seen is None else seen).extract(unit))

    return read
