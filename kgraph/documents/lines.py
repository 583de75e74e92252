"""The lines of a document as they stand in its bytes, and taking the citation out of one."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from kgraph.documents.citations import find_citations
from kgraph.model.documents import Citation

MOST_LENGTH = 4000
FENCE = re.compile(r"\s*(```|~~~)")


@dataclass
class RawLine:
    """A line by its number and its bytes, without the line end."""

    number: int
    start: int
    end: int
    text: str


def raw_lines(data: bytes) -> Iterator[RawLine]:
    """The lines of a document."""
    start = 0
    for number, line in enumerate(data.split(b"\n"), 1):
        end = start + len(line) - line.endswith(b"\r")
        if number == 1 or start < len(data) or line:
            yield RawLine(number, start, end, data[start:end].decode("utf-8", "replace"))
        start += len(line) + 1


def without_citation(data: bytes, first: RawLine, last: RawLine) -> tuple[Citation | None, str]:
    """The last citation of the lines, and their text without it and the parentheses around it."""
    raw = data[first.start:last.end]
    # Each citation has one of these before its number.
    may = (b":" in raw or b"#" in raw) and len(raw) <= MOST_LENGTH
    found = list(find_citations(raw)) if may else []
    if not found:
        return None, " ".join(raw.decode("utf-8", "replace").split("\n"))
    cited = found[-1]
    before, after = raw[:cited.start], raw[cited.end:]
    opened = re.search(rb"[(\[<]\s*$", before)
    closed = re.match(rb"\s*[)\]>]", after)
    if opened and closed:
        before, after = before[:opened.start()], after[closed.end():]
    label = re.search(rb"\[[^\[\]]*\]$", before) if opened else None
    if label:  # [text](URL)
        before = before[:label.start()] + label[0][1:-1]
    text = (before.rstrip() + b" " + after).decode("utf-8", "replace")
    base = first.start
    moved = replace(cited, start=cited.start + base, end=cited.end + base,
                    line_start=cited.line_start + base)
    return moved, " ".join(text.split("\n"))
