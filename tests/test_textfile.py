"""Names and contents of files that may hold anything."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kgraph.textfile import (
    escape_if_undecodable,
    escape_name,
    is_file,
    is_link_outside,
    is_there,
    read_regular_file,
    split_lines,
    unescape_name,
)


@given(st.binary(max_size=30).filter(lambda name: b"\0" not in name))
def test_escaped_names_are_one_line_of_text_and_can_be_unescaped(name: bytes) -> None:
    decoded = os.fsdecode(name)
    escaped = escape_name(decoded)
    assert escaped.isprintable()
    assert os.fsencode(unescape_name(escaped)) == name


def test_a_name_may_be_given_escaped_or_as_bytes() -> None:
    assert escape_if_undecodable("a/\udcff.c") == "a/\\xff.c"
    assert escape_if_undecodable("a/\\xff.c") == "a/\\xff.c"


def test_only_regular_files_up_to_a_size_are_read(tmp_path: Path) -> None:
    (tmp_path / "a.c").write_bytes(b"12345")
    assert read_regular_file(tmp_path / "a.c", 5) == b"12345"
    with pytest.raises(OSError, match="larger than 4 bytes"):
        read_regular_file(tmp_path / "a.c", 4)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="not a regular file"):
        read_regular_file(tmp_path / "pipe")


def test_lines_end_as_clang_ends_them() -> None:
    assert split_lines(b"a\r\nb\rc\nd\fe") == [b"a", b"b", b"c", b"d\fe"]


def test_links_that_lead_outside(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "a.c").touch()
    (tmp_path / "secret").touch()
    (tree / "link.c").symlink_to(tmp_path / "secret")
    assert not is_link_outside(str(tree / "a.c"), [str(tree)])
    assert is_link_outside(str(tree / "link.c"), [str(tree), ""])


def test_a_name_that_is_too_long_is_not_there() -> None:
    assert not is_file("x" * 100_000)
    assert not is_there("x" * 100_000)
