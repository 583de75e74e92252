"""Text of the indexed tree at the time of the question, where it can be vouched for.

A file whose bytes are no longer those that were indexed, or that no fact cites, has no text here,
and no path leads out of the tree.
"""

import hashlib
from pathlib import Path

from kgraph.graph.callgraph import CallGraph
from kgraph.model.location import Extent, Location
from kgraph.treefile import file_name, leads_out, read_regular

_LONGEST = 1000


class Sources:
    """Reads files of an index's tree. `changed` are the cited files that are gone, or whose bytes
    are no longer those that were indexed.
    """

    def __init__(self, graph: CallGraph) -> None:
        self._graph = graph
        self._lines: dict[str, list[str]] = {}
        self.changed: set[str] = set()

    def lines(self, path: str) -> list[str]:
        """The lines of a cited file, without their ends; [] where it cannot be vouched for."""
        if path not in self._lines:
            self._lines[path] = self._read(path)
        return self._lines[path]

    def line(self, location: Location) -> str:
        """The line of a location, without the blanks around it; "" where there is none. A very
        long line, which a program wrote, is cut off."""
        lines = self.lines(location.path)
        if not 0 < location.line <= len(lines):
            return ""
        line = lines[location.line - 1].strip()
        return line if len(line) <= _LONGEST else f"{line[:_LONGEST]} ..."

    def text(self, extent: Extent) -> str:
        """The text of an extent, whole lines where columns are 0; "" where there is none."""
        first, last = extent.start.line, extent.end_line
        lines = self.lines(extent.start.path)[first - 1:last]
        if not lines or len(lines) <= last - first:
            return ""
        encoded = [line.encode() for line in lines]  # libclang counts columns in bytes
        if extent.end_column:
            encoded[-1] = encoded[-1][:extent.end_column - 1]
        if extent.start.column:
            encoded[0] = encoded[0][extent.start.column - 1:]
        return b"\n".join(encoded).decode("utf-8", "replace")

    def _read(self, path: str) -> list[str]:
        known = self._graph.reader.file(path)
        if known is None:
            return []
        digest, generated = known
        about = self._graph.description
        try:
            build = self._graph.reader.build
            file = Path(build if generated else about.tree, file_name(path))
            data = b"" if leads_out(str(file), (about.tree, build)) else read_regular(file)
        except OSError:
            data = b""
        if hashlib.blake2b(data, digest_size=len(digest)).digest() != digest:
            self.changed.add(path)
            return []
        # Not splitlines(): a form feed ends no line of C.
        return data.decode("utf-8", "replace").split("\n")
