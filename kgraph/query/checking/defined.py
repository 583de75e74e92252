"""Where the files that the indexed units read define macros and records, found by their text.

The tree has other definitions of the same names, for other configurations: those that no unit reads
are left to Absence. Both branches of an `#ifdef` in a file that a unit reads count.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from kgraph.graph import CallGraph
from kgraph.model.location import Location
from kgraph.treefile import file_name, read_regular

_DEFINED = re.compile(
    rb"^(?:[ \t]*#[ \t]*define[ \t]+([A-Za-z_]\w*)"
    rb"|(?:typedef[ \t]+)?(?:struct|union)[ \t]+([A-Za-z_]\w*)[^\S\n]*\n?[ \t]*\{)",
    re.MULTILINE,
)


class Defined:
    """Reads the files when it is first asked to, headers before sources, and keeps which of them
    define a name.
    """

    def __init__(self, graph: CallGraph) -> None:
        self._graph = graph
        self._root = Path(graph.description.tree)
        self._macros: dict[bytes, str] = {}
        self._records: dict[bytes, list[str]] | None = None

    def macro(self, name: str) -> Location | None:
        """Where the first `#define` of a name stands."""
        self._read()
        path = self._macros.get(name.encode())
        return next(self._places(path, 1, name), None) if path is not None else None

    def records(self, name: str) -> list[Location]:
        """Where a record is defined: in headers; in sources where no header does."""
        paths = self._read().get(name.encode(), [])
        headers = [path for path in paths if path.endswith(".h")]
        return [place for path in headers or paths for place in self._places(path, 2, name)]

    def _read(self) -> dict[bytes, list[str]]:
        if self._records is None:
            self._records = {}
            for (path,) in self._graph.reader.rows(
                "SELECT path FROM unit_file ORDER BY path NOT LIKE '%.h', path"
            ):
                for match in _DEFINED.finditer(self._bytes(path)):
                    if match[1] is not None:
                        self._macros.setdefault(match[1], path)
                        continue
                    known = self._records.setdefault(match[2], [])
                    if known[-1:] != [path]:
                        known.append(path)
        return self._records

    def _places(self, path: str, group: int, name: str) -> Iterator[Location]:
        """Where a file that defines a name does."""
        data, word = self._bytes(path), name.encode()
        for match in _DEFINED.finditer(data):
            if match[group] == word:
                yield Location(path, data.count(b"\n", 0, match.start()) + 1)

    def _bytes(self, path: str) -> bytes:
        try:
            return read_regular(self._root / file_name(path))
        except OSError:
            return b""
