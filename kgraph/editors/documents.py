"""The files of the indexed tree as an editor has them: addresses, text, and positions in it.

No address outside of the tree and its build folder is read. Columns of the index count bytes; an
editor counts as it agreed with the server.
"""

import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.parse import unquote, urlsplit

from lsprotocol import types
from pygls.uris import from_fs_path
from pygls.workspace import PositionCodec

from kgraph.graph import CallGraph, SourceText
from kgraph.model.location import Location
from kgraph.query.symbol import Cursor
from kgraph.textfile import (
    escape_name,
    is_link_outside,
    read_regular_file,
    split_lines,
    unescape_name,
)

_MOST_READ = 60  # files for the places of one answer: further places have the columns of the index
_MOST_BYTES = 32 << 20
_MOST_MOVED = 300  # lines, in a file that was changed
_WORD = re.compile(r"\w+")
OpenText = Callable[[str], Sequence[str] | None]


class TreeDocuments:
    """The files of an index's tree, for one answer. `open_text` gives the lines of a file, by its
    address, if it is open in the editor.
    """

    def __init__(self, graph: CallGraph, codec: PositionCodec, open_text: OpenText) -> None:
        self._roots = tuple(filter(None, (graph.description.tree, graph.reader.build_folder)))
        self._graph = graph
        self._codec = codec
        self._open_text = open_text
        self._indexed = SourceText(graph)
        self._lines: dict[str, Sequence[str]] = {}
        self._uris: dict[str, str] = {}

    def find_path(self, uri: str) -> str | None:
        """The path in the tree of an address; None if it is outside."""
        parts = urlsplit(uri)
        name = unquote(parts.path, errors="surrogateescape")
        if parts.scheme != "file" or parts.netloc not in ("", "localhost") or "\0" in name:
            return None
        file = os.path.normpath(name)
        for root in self._roots:
            for each in (file, os.path.realpath(file)):
                if each.startswith(f"{root}/"):
                    return escape_name(each[len(root) + 1:])
        return None

    def make_uri(self, path: str) -> str:
        """The address of a file of the tree or of the build folder."""
        if path not in self._uris:
            name = unescape_name(path)
            files = [Path(root, name) for root in self._roots]
            found = next((file for file in files if file.is_file()), files[0])
            self._uris[path] = from_fs_path(str(found)) or ""
        return self._uris[path]

    def read_lines(self, path: str) -> Sequence[str]:
        """The lines of a file, as the editor has them if it is open there."""
        if path not in self._lines:
            opened = self._open_text(self.make_uri(path))
            self._lines[path] = self._read(path) if opened is None else opened
        return self._lines[path]

    def is_changed(self, path: str) -> bool:
        """Whether the saved file is no longer the one that was indexed."""
        self._indexed.read_lines(path)
        return path in self._indexed.changed_files

    def make_cursor(self, path: str, position: types.Position) -> Cursor:
        """The place of a position in a file."""
        lines = self.read_lines(path)
        found = self._codec.position_from_client_units(lines, position)
        is_current = not self.is_changed(path) and list(lines) == self._indexed.read_lines(path)
        return Cursor(path, found.line + 1, found.character, lines, is_current)

    def locate(self, location: Location, name: str) -> types.Location:
        """A place of the index as the editor has it: a name that begins there, or, if the file was
        changed, the nearest line that has the name."""
        return types.Location(self.make_uri(location.path), self.find_range(location, name))

    def find_range(self, location: Location, name: str) -> types.Range:
        """The part of `locate` that is in the file."""
        line, column = location.line - 1, max(location.column - 1, 0)
        if location.path not in self._lines and len(self._lines) >= _MOST_READ:
            return make_range(line, column, column + len(name))
        lines = self.read_lines(location.path)
        text = lines[line] if 0 <= line < len(lines) else ""
        start = len(text.encode()[:column].decode("utf-8", "ignore"))
        length = len(name)
        if not text.startswith(name, start):
            if self.is_changed(location.path):
                line, start = _find_near(lines, line, name) or (line, start)
            else:  # a macro is written here
                written = _WORD.match(text, start)
                length = len(written[0]) if written else 0
        found = make_range(line, start, start + length)
        return self._codec.range_to_client_units(lines, found) if line < len(lines) else found

    def _read(self, path: str) -> Sequence[str]:
        lines = self._indexed.read_lines(path)
        if lines:
            return lines
        for root in self._roots:
            file = Path(root, unescape_name(path))
            if not is_link_outside(str(file), self._roots):
                try:
                    data = read_regular_file(file, _MOST_BYTES)
                except OSError:
                    continue
                return [line.decode("utf-8", "replace") for line in split_lines(data)]
        return []


def make_range(line: int, start: int, end: int) -> types.Range:
    """A part of a line, which counts from 0."""
    return types.Range(types.Position(max(line, 0), start), types.Position(max(line, 0), end))


def _find_near(lines: Sequence[str], line: int, name: str) -> tuple[int, int] | None:
    """(line, column) of the nearest line that has a name."""
    if not name:
        return None
    pattern = re.compile(rf"(?<!\w){re.escape(name)}(?!\w)")
    first, last = max(line - _MOST_MOVED, 0), min(line + _MOST_MOVED, len(lines))
    for number in sorted(range(first, last), key=lambda each: abs(each - line)):
        found = pattern.search(lines[number])
        if found is not None:
            return number, found.start()
    return None
