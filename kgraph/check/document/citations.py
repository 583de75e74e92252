r"""Citations as people write them: `a/b.c:12`, `tree\a\b.c:12`, `b.c#L12`, a code browser's URL.

Owns finding them in bytes, and taking one out of a line. Does not know which files a tree has:
what stands before the tree's own folders (its name, a host) stays in the path.
"""

import re
from collections.abc import Iterator
from dataclasses import replace

from kgraph.check.document.continuations import MAX_LINE_LENGTH, RawLine
from kgraph.model.document import Citation

# First cut out a run, then search its tail: one expression for both would start anew at every byte
# of a long word, in quadratic time.
_RUN = re.compile(rb"[A-Za-z0-9_.+~/\\:#?=&%@-]+")
_TAIL = re.compile(rb"\.[chS](?:\?[A-Za-z0-9_.=&%-]{0,80})?(?:#L|#n|:)([0-9]{1,7})(?![0-9A-Za-z_])")


def find_citations(text: bytes) -> Iterator[Citation]:
    """The citations of `text` (any bytes), in their order, in linear time."""
    for run in _RUN.finditer(text):
        start = run.start()
        for tail in _TAIL.finditer(text, start, run.end()):
            path = text[start:tail.start() + 2].decode("ascii").replace("\\", "/")
            yield Citation(path, int(tail[1]), start, tail.end(), tail.start(1))
            start = tail.end()


def take_citation(data: bytes, first: RawLine, last: RawLine) -> tuple[Citation | None, str]:
    """The last citation in some lines, and their text without it and the parentheses around it."""
    base = first.start + first.mark
    raw = data[base:last.end]
    # Each citation has a colon or a # before its number.
    can_cite = (b":" in raw or b"#" in raw) and len(raw) <= MAX_LINE_LENGTH
    found = list(find_citations(raw)) if can_cite else []
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
    moved = replace(cited, start=cited.start + base, end=cited.end + base,
                    line_start=cited.line_start + base)
    return moved, " ".join(text.split("\n"))
