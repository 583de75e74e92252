"""Making precompiled headers."""

from pathlib import Path

from kgraph.extract import Extractor
from kgraph.extract.pch.select import plan_headers
from tests.support.header_tree import list_units


def test_a_header_that_does_not_parse_after_the_others_is_left_out(root: Path) -> None:
    (root / "include/linux/broken.h").write_text("struct base { int x; } typo\n")
    for number in range(12):
        path = root / f"u{number}.c"
        path.write_text("#include <linux/broken.h>\n" + path.read_text())
    (plan,) = plan_headers(list_units(root))
    assert "linux/broken.h" in plan.names
    made = Extractor(root, None, set()).extract_header(plan, root / "common")
    assert made is not None
    assert {Path(file).name for file in made[0].includes} == {
        "ahead.h", "base.h", "second.h", "third.h", "upright.h", "yielding.h"}
