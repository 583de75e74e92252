"""Making precompiled headers."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from kgraph.extract import Extractor
from kgraph.extract.pch.header import PrecompiledHeader, decode_headers, encode_headers
from kgraph.extract.pch.precompile import HeaderMaker
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


def test_few_attempts_find_the_headers_that_do_not_parse(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"linux/many{number:02}.h" for number in range(40)]
    for name in names:
        bad = name[-4:-2] in ("07", "21", "38")
        text = "enum unknown_twice { TWICE };\n" if bad else f"struct {name[6:-2]} {{ int x; }};\n"
        (root / "include" / name).write_text(text * 2 if bad else text)
    for number in range(12):
        path = root / f"u{number}.c"
        path.write_text("".join(f"#include <{n}>\n" for n in names) + path.read_text())
    attempts: list[object] = []
    parse = HeaderMaker._parse

    def count(maker: HeaderMaker, tried: Sequence[str]) -> int | None:
        attempts.append(tried)
        return parse(maker, tried)

    monkeypatch.setattr(HeaderMaker, "_parse", count)
    (plan,) = plan_headers(list_units(root))
    made = Extractor(root, None, set()).extract_header(plan, root / "common")
    assert made is not None
    left = {f"include/{name}" for name in plan.names} - {
        str(Path(file).relative_to(root)) for file in made[0].includes}
    assert left == {f"include/linux/many{number}.h" for number in ("07", "21", "38")}
    assert len(attempts) <= 12


def test_a_header_is_described_by_bytes(header: PrecompiledHeader) -> None:
    odd = replace(header, file="/caf\udce9.pch")
    assert decode_headers(encode_headers((header, odd))) == (header, odd)
