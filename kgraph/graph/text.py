"""The text of the indexed tree, as far as it is still what was indexed.

A file whose bytes have changed, or that no fact cites, has no text here, and no path leads out
of the tree.
"""

import hashlib

from kgraph.graph.callgraph import CallGraph
from kgraph.model.location import Extent, Location
from kgraph.textfile import is_link_outside, read_regular_file, split_lines, unescape_name

_MAX_LINE = 1000  # characters; longer lines are generated
_MOST_FILES = 200  # whose text is kept
_MOST_LINES = 100_000


class SourceText:
    """Reads files of an index's tree. `changed_files` are the cited files that were asked for and
    are gone, or whose bytes are no longer those that were indexed.
    """

    def __init__(self, graph: CallGraph) -> None:
        self._graph = graph
        self._content: dict[str, list[bytes]] = {}
        self._lines: dict[str, list[str]] = {}
        self._shown: dict[tuple[str, int], str] = {}
        self.changed_files: set[str] = set()

    def read_lines(self, path: str) -> list[str]:
        """The lines of a cited file, without line ends; [] if the file has changed."""
        if path not in self._lines:
            self._lines[path] = [
                line.decode("utf-8", "replace") for line in self._read_bytes(path)]
        return self._lines[path]

    def read_line(self, location: Location) -> str:
        """The line of a location without the blanks around it, cut off if it is very long; "" if
        there is none."""
        place = location.path, location.line
        if place not in self._shown:
            if len(self._shown) >= _MOST_LINES:
                self._shown.clear()
            self._shown[place] = self._find_line(*place)
        return self._shown[place]

    def _find_line(self, path: str, number: int) -> str:
        lines = self.read_lines(path)
        line = lines[number - 1].strip() if 0 < number <= len(lines) else ""
        return line if len(line) <= _MAX_LINE else f"{line[:_MAX_LINE]} ..."

    def read_extent(self, extent: Extent) -> str:
        """The text of an extent, whole lines where columns are 0; "" if there is none."""
        first, last = extent.start.line, extent.end_line
        lines = self._read_bytes(extent.start.path)[first - 1:last]
        if not lines or len(lines) <= last - first:
            return ""
        if extent.end_column:  # libclang counts columns in bytes
            lines[-1] = lines[-1][:extent.end_column - 1]
        if extent.start.column:
            lines[0] = lines[0][extent.start.column - 1:]
        return b"\n".join(lines).decode("utf-8", "replace")

    def _read_bytes(self, path: str) -> list[bytes]:
        if path not in self._content:
            if len(self._content) >= _MOST_FILES:
                oldest = next(iter(self._content))
                del self._content[oldest]
                self._lines.pop(oldest, None)
            self._content[path] = self._load(path)
        return self._content[path]

    def _load(self, path: str) -> list[bytes]:
        known = self._graph.reader.find_file(path)
        if known is None:
            return []
        digest, generated = known
        about = self._graph.description
        try:
            build = self._graph.reader.build_folder
            name = unescape_name(path)
            folder = build if generated else about.tree
            file = next(iter(about.iter_module_places(name)), f"{folder}/{name}")
            allowed = (about.tree, build, *(module.path for module in about.modules))
            data = b"" if is_link_outside(file, allowed) else read_regular_file(file)
        except OSError:
            data = b""
        if hashlib.blake2b(data, digest_size=len(digest)).digest() != digest:
            self.changed_files.add(path)
            return []
        return split_lines(data)
