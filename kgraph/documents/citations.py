r"""Citations as people write them: `a/b.c:12`, `tree\a\b.c:12`, `b.c#L12`, a code browser's URL.

Owns finding them in bytes and where they stand. Must not know which files a tree has: what stands
before the tree's own folders (its name, a host) stays in the path.
"""

import re
from collections.abc import Iterator

from kgraph.model.documents import Citation

# A run is cut out first and its tail searched after: one expression for both would start anew at
# every byte of a long word, which is quadratic.
_RUN = re.compile(rb"[A-Za-z0-9_.+~/\\:#?=&%@-]+")
_TAIL = re.compile(rb"\.[chS](?:\?[A-Za-z0-9_.=&%-]{0,80})?(?:#L|#n|:)([0-9]{1,7})(?![0-9A-Za-z_])")


def find_citations(text: bytes) -> Iterator[Citation]:
    """The citations of `text` (any bytes) in the order they stand, in linear time."""
    for run in _RUN.finditer(text):
        start = run.start()
        for tail in _TAIL.finditer(text, start, run.end()):
            path = text[start:tail.start() + 2].decode("ascii").replace("\\", "/")
            yield Citation(path, int(tail[1]), start, tail.end(), tail.start(1))
            start = tail.end()
