"""The include graph: which files an include may read, and in which order files are read."""

import pytest

from kgraph.extract.pch.include_graph import (
    SuffixIndex,
    drop_unfollowed_includes,
    find_reachable,
    iter_reading_order,
)
from kgraph.extract.pch.include_scan import Include

GRAPH = {"a": ("b", "c"), "b": ("d",), "c": ("b", "e"), "d": (), "e": ("a",)}


@pytest.mark.parametrize(("include", "files"), [
    (Include("asm/map.h", is_searched=False), ["/x/asm/map.h", "/y/asm/map.h"]),
    (Include("asm/map.h", is_searched=True), ["/y/asm/map.h"]),
    (Include("../asm/map.h", is_searched=False), ["/x/asm/map.h", "/y/asm/map.h"]),
    (Include("x/./asm/map.h", is_searched=False), ["/x/asm/map.h"]),
    (Include("none.h", is_searched=True), []),
])
def test_files_that_an_include_may_read(include: Include, files: list[str]) -> None:
    index = SuffixIndex(["/x/asm/map.h", "/y/asm/map.h"], ["/z", "/y"])
    assert index.find(include) == files


def test_reachable_files_also_around_a_circle() -> None:
    assert find_reachable(["c"], GRAPH) == {"a", "b", "c", "d", "e"}
    assert find_reachable(["b"], GRAPH) == {"b", "d"}


def test_reading_order_with_the_files_that_are_open() -> None:
    read, open_files = {"d": 0}, dict[str, int]()
    seen = [(file, dict(open_files)) for file in iter_reading_order(
        ["a"], GRAPH, read, open_files)]
    assert [file for file, _ in seen] == ["a", "b", "c", "e"]
    assert seen[3][1] == {"": 1, "a": 2, "c": 2}
    assert list(read) == ["d", "a", "b", "c", "e"]
    assert not open_files


def test_an_include_of_a_file_that_was_begun_later_elsewhere_was_not_followed() -> None:
    graph = {"a": ("b",), "b": ("c",), "main": ("a", "c"), "c": ()}
    includers = {"a": "main", "b": "a", "c": "main"}
    assert drop_unfollowed_includes(graph, includers) == {
        "a": ("b",), "b": (), "main": ("a", "c"), "c": ()}
