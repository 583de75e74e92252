"""What a file says to the preprocessor, read from its text."""

from pathlib import Path

import pytest

from kgraph.extract.pch.include_scan import (
    Include,
    MacroChange,
    can_apply,
    clear_header_caches,
    has_include_guard,
    has_parameters,
    scan_file,
    scan_name_uses,
    scan_without_skipped,
)

TEXT = """
#include <linux/a.h> /* one
two */ // #include "no.h"
#define TWICE(x) step(x) "HIDDEN"
int used(void) { return TWICE(1); }
#ifdef TESTED
#include "b.h"
#endif
#ifndef OR
#define OR 1
#endif
#include_next <linux/c.h>
#undef TWICE
"""


@pytest.fixture
def path(tmp_path: Path) -> str:
    clear_header_caches()
    (tmp_path / "x.h").write_text(TEXT)
    return str(tmp_path / "x.h")


def test_includes_and_macro_changes_in_order(path: str) -> None:
    assert scan_file(path).directives == (
        Include("linux/a.h", is_searched=True), MacroChange("TWICE"),
        Include("b.h", is_searched=False), MacroChange("OR"),
        Include("linux/c.h", is_searched=False), MacroChange("TWICE"))


def test_names_outside_literals_and_comments(path: str) -> None:
    scanned = scan_file(path)
    assert scanned.bodies["TWICE"] == {"x", "step"}
    assert {"used", "TWICE", "TESTED"} <= scanned.code
    assert scanned.code.isdisjoint({"HIDDEN", "two", "step"})
    assert scanned.fallbacks == {"OR"}
    assert scanned.macros_between[1:] == ({"TWICE"}, {"OR"}, {"TWICE"})


def test_skipped_lines_are_left_out_but_their_condition_counts(path: str) -> None:
    scanned = scan_without_skipped(path, ((6, 8),))
    assert [include.name for include in scanned.includes] == ["linux/a.h", "linux/c.h"]
    assert "TESTED" in scanned.code


def test_a_file_that_is_not_there_says_nothing(tmp_path: Path) -> None:
    assert scan_file(str(tmp_path / "none.h")).directives == ()


def test_how_names_are_used(path: str) -> None:
    uses = scan_name_uses(path)
    assert "TESTED" in uses.called
    assert "TESTED" not in uses.expanded
    assert uses.object_like == {"OR"}
    assert (uses.left_defined, uses.undefined) == ({"OR"}, {"TWICE"})
    assert has_parameters(path, "TWICE")
    assert not has_parameters(path, "OR")
    assert can_apply(path, "TWICE")
    assert not can_apply(path, "none")


@pytest.mark.parametrize(("text", "guarded"), [
    ("/* x */\n#ifndef A\n#define A\n#endif\n", True), ("#pragma once\n", True),
    ("#if !defined(A)\n# define A\n", True), ("int x;\n", False), ("#ifdef A\n#define A\n", False),
])
def test_include_guards(tmp_path: Path, text: str, guarded: bool) -> None:
    clear_header_caches()
    (tmp_path / "g.h").write_text(text)
    assert has_include_guard(str(tmp_path / "g.h")) is guarded
