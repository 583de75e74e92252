"""Citations are found in every spelling, and their offsets are those of the bytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kgraph.check.document.citations import find_citations
from tests.support.effort import scale_effort


@pytest.mark.parametrize(("text", "path", "line"), [
    ("(linux-4.6.2\\net\\a.c:16)", "linux-4.6.2/net/a.c", 16),
    ("见net/a.c:7。", "net/a.c", 7),
    ("include/x.h#L12", "include/x.h", 12),
    ("[x](https://host/linux/v4.6/source/net/a.c#L9)", "https://host/linux/v4.6/source/net/a.c", 9),
    ("https://host/tree/net/a.c?h=v4.6#n3\r\n", "https://host/tree/net/a.c", 3),
])
def test_spellings(text: str, path: str, line: int) -> None:
    raw = text.encode()
    (found,) = find_citations(raw)
    assert (found.path, found.line) == (path, line)
    assert raw[found.line_start:found.end] == str(line).encode()


@pytest.mark.parametrize("text", ["a.c", "a.c:", "a.cc:12", "a.c:12345678", "a.py:3", "x->c:1"])
def test_what_is_no_citation(text: str) -> None:
    assert not list(find_citations(text.encode()))


@given(st.binary())
def test_any_bytes(text: bytes) -> None:
    ends = [(found.start, found.end) for found in find_citations(text + b" a.c:1 " + text)]
    assert ends == sorted(ends)
    assert (len(text) + 1, len(text) + 6) in ends


@pytest.mark.parametrize("unit", [b"a", b".c", b".c?", b".c?h=", b"a.c:1 ", b"/", b"\x00\xff"])
def test_megabytes(unit: bytes) -> None:
    assert sum(1 for _ in find_citations(unit * (scale_effort(10**7) // len(unit)))) >= 0
