"""The real tree: as many units as a real build has, parsed without errors."""

import random
from pathlib import Path

import pytest
from clang import cindex

from kgraph.build import UnitList, UnitRequest, list_translation_units, open_tree

pytestmark = [pytest.mark.kernel, pytest.mark.slow]
SAMPLE = 20


@pytest.fixture(scope="session")
def found(linux: Path, tmp_path_factory: pytest.TempPathFactory) -> UnitList:
    return list_translation_units(
        open_tree(linux), UnitRequest(jobs=2), work=tmp_path_factory.mktemp("work"))


def errors(units: list) -> list[str]:
    index = cindex.Index.create()
    told = []
    for unit in units:
        parsed = index.parse(unit.file, args=list(unit.arguments))
        told += [f"{unit.path}: {d.spelling}" for d in parsed.diagnostics if d.severity >= 3]
        assert not any("/shadow/" in item.include.name for item in parsed.get_includes())
    return told


def test_units_parse_without_errors(found: UnitList) -> None:
    units = [unit for unit in found.units if not unit.is_assembly]
    sample = random.Random(1).sample(units, SAMPLE)
    special = [unit for unit in units if unit.generated or unit.image.startswith("vdso")]
    assert errors(sample + special) == []


def test_the_dry_run_agrees_with_the_list_of_a_real_build(found: UnitList, linux: Path) -> None:
    listed = linux / "compile_commands.json"
    if not listed.is_file():
        pytest.skip(f"{linux} has no compile_commands.json")
    real = list_translation_units(
        open_tree(linux),
        UnitRequest(compile_commands=listed, prepare=True),
        work=found.build.parent,
    )
    # The boot image is made by bzImage only, which the dry run is not asked for.
    both = {(u.path, u.object, u.image) for u in real.units if u.image != "boot"}
    assert both == {(unit.path, unit.object, unit.image) for unit in found.units}
    sample = random.Random(2).sample(
        [u for u in real.units if u.image != "boot" and not u.is_assembly], SAMPLE)
    assert errors(sample) == []
