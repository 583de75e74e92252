"""The state of indexes as text: sizes, ages, the order of the cache."""

from pathlib import Path

import pytest

from kgraph.model.results import CachedIndex, CacheInventory, Coverage, IndexDescription, UnusedFile
from kgraph.report.status_text import (
    format_coverage,
    format_description,
    format_inventory,
    format_size,
    format_unused_files,
)

DAY = 86400
EMPTY = Coverage(units=2, errors=1, failed=0, functions=3, direct=4, indirect=0)


@pytest.mark.parametrize(("count", "text"), [
    (0, "0 KB"), (1, "1 KB"), (1024, "1 KB"), (1025, "2 KB"), (5 << 20, "5.0 MB"),
    (3 << 29, "1.5 GB"),
])
def test_sizes(count: int, text: str) -> None:
    assert format_size(count) == text


@pytest.mark.parametrize(("age", "text"), [
    (0, "less than a minute"), (60, "1 minute"), (7200, "2 hours"), (3 * DAY + 5, "3 days"),
])
def test_ages(age: int, text: str) -> None:
    about = IndexDescription("/trees/linux", "4.6.2", ".config")
    *_, last = format_description(about, Path("x.kgraph"), age)
    assert last == f"index          x.kgraph, {text} old"


def test_without_indirect_calls_there_is_no_share() -> None:
    assert "  resolved     0" in list(format_coverage(EMPTY))


def cached(name: str, built: float | None) -> CachedIndex:
    if built is None:
        return CachedIndex(Path(name), 1 << 20, 0, None, None, "it is damaged")
    about = IndexDescription(f"/trees/{name}", "4.6.2", ".config", built=built)
    return CachedIndex(Path(name), 1 << 20, 1 << 20, about, EMPTY)


def test_the_newest_index_comes_first_and_damaged_ones_last() -> None:
    found = CacheInventory(
        (cached("damaged", None), cached("old", DAY), cached("new", 2 * DAY)), (), ())
    lines = list(format_inventory(found, 3 * DAY))
    assert [line.split()[1].rstrip(",") for line in lines if line.startswith("index")] == [
        "new", "old", "damaged"]
    assert "trouble        it is damaged" in lines
    assert lines[-1] == "3 indexes, 5.0 MB"


def test_unused_files_are_summed() -> None:
    unused = tuple(UnusedFile(Path(name), 2048, "a killed run") for name in "ab")
    lines = list(format_unused_files(CacheInventory((), unused, (Path("busy"),)), "to spare"))
    assert lines[0] == "4 KB to spare"
    assert lines[1].endswith("2 KB  a: a killed run")
    assert lines[3].endswith("busy: in use by a run, left alone")
