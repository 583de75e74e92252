"""Source lines at display time: the text behind a citation, or "" where it cannot be vouched for.

A citation never leaves the tree: what is not among the files that the index cites is not opened.
"""

import hashlib
from pathlib import Path

from kgraph.graph import CallGraph
from kgraph.model.location import Location


class SourceText:
    """Reads lines of the indexed tree. `changed` are cited files that are gone, or whose bytes are
    no longer those that were indexed: their lines are not shown.
    """

    def __init__(self, graph: CallGraph) -> None:
        self._graph = graph
        self._lines: dict[str, list[str]] = {}
        self.changed: set[str] = set()

    def __call__(self, location: Location) -> str:
        """The source line, without the blanks around it."""
        if location.path not in self._lines:
            self._lines[location.path] = self._read(location.path)
        lines = self._lines[location.path]
        return lines[location.line - 1].strip() if 0 < location.line <= len(lines) else ""

    def _read(self, path: str) -> list[str]:
        known = self._graph.reader.file(path)
        if known is None:
            return []
        digest, generated = known
        about = self._graph.description
        try:
            data = (Path(about.build if generated else about.tree) / path).read_bytes()
        except OSError:
            data = b""
        if hashlib.blake2b(data, digest_size=len(digest)).digest() != digest:
            self.changed.add(path)
            return []
        # Not splitlines(): a form feed ends no line of C.
        return data.decode("utf-8", "replace").split("\n")
