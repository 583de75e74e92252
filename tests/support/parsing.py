"""Documents from texts, and how long parsing takes."""

import time

from kgraph.check.document.parser import parse_document
from kgraph.model.document import DocumentLine


def read_lines(text: str) -> list[DocumentLine]:
    """The lines of a document with this text."""
    return list(parse_document("x.md", text.encode()).lines)


def time_parsing(data: bytes) -> float:
    """CPU seconds of the fastest of three runs."""
    times = []
    for _ in range(3):
        start = time.process_time()
        assert parse_document("x", data).lines
        times.append(time.process_time() - start)
    return min(times)
