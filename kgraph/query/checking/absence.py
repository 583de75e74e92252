"""Names that the index does not know: are they elsewhere in the tree, or nowhere in it?

A name that stands in the tree's text may be a function of another configuration, so that a claim
about it cannot be decided; one that stands nowhere is wrong on this tree.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path

from kgraph.model.answers import IndexDescription
from kgraph.model.location import Location
from kgraph.treefile import file_name, read_regular, split_lines

_SUFFIXES = (".c", ".h", ".S")
_MOST_NAMES = 200
_MOST_DEFINITIONS = 30  # names whose definitions are searched for, each in the whole tree


class Absence:
    """Looks names up in the text of a tree: one pass over its C sources for all that are announced
    before the first question, one more for each that was not.
    """

    def __init__(self, about: IndexDescription) -> None:
        self._root = Path(about.tree)
        self._wanted: set[str] = set()
        self._found: dict[str, Location | None] = {}
        self._records: dict[str, list[Location]] = {}
        self._definitions: dict[str, list[Location]] = {}
        self._lines: dict[str, list[str]] = {}

    def announce(self, names: set[str]) -> None:
        """Names that `place` may be asked for."""
        self._wanted |= names - self._found.keys()

    def place(self, name: str) -> Location | None:
        """Where the tree's text has the name, a place that looks like a definition before others;
        None where it stands nowhere.
        """
        if name not in self._found:
            self._search({name} | set(sorted(self._wanted)[:_MOST_NAMES]))
            self._wanted.clear()
        return self._found[name]

    def records(self, name: str) -> list[Location]:
        """Where `struct name {` (or a union) stands: in headers, in sources where in no header."""
        if name not in self._records:
            pattern = re.compile(
                rb"^(?:typedef\s+)?(?:struct|union)\s+" + re.escape(name.encode()) + rb"\s*\{",
                re.MULTILINE,
            )
            every = self._every(name.encode(), pattern)
            self._records[name] = [at for at in every if at.path.endswith(".h")] or every
        return self._records[name]

    def definitions(self, name: str) -> list[Location]:
        """Where functions of this name have a body, whatever the configuration; nothing once many
        names were asked for.
        """
        if name not in self._definitions and len(self._definitions) < _MOST_DEFINITIONS:
            word = re.escape(name.encode())
            pattern = re.compile(
                rb"^[A-Za-z_][^\n;={}#]*\b" + word + rb"[ \t]*\([^;{}]*\)[^;{}()]*\{", re.MULTILINE
            )
            self._definitions[name] = self._every(name.encode(), pattern)
        return self._definitions.get(name, [])

    def lines(self, path: str) -> list[str]:
        """The lines of a file of the tree, [] where it cannot be read."""
        if path not in self._lines:
            data = _bytes(self._root / file_name(path))
            self._lines[path] = [] if data is None else [
                line.decode("utf-8", "replace") for line in split_lines(data)]
        return self._lines[path]

    def _every(self, word: bytes, pattern: re.Pattern[bytes]) -> list[Location]:
        found = []
        for path in _sources(self._root):
            data = _bytes(path) or b""
            for match in pattern.finditer(data) if word in data else ():
                line = data.count(b"\n", 0, match.start()) + 1
                found.append(Location(path.relative_to(self._root).as_posix(), line))
        return found

    def _search(self, names: set[str]) -> None:
        best: dict[str, tuple[bool, Location]] = {}
        missing = {name: name.encode() for name in names}
        for path in _sources(self._root):
            data = _bytes(path) or b""
            for name in [name for name, word in missing.items() if word in data]:
                relative = path.relative_to(self._root).as_posix()
                for defines, line in _places(missing[name], data):
                    if name not in best or (defines and not best[name][0]):
                        best[name] = (defines, Location(relative, line))
                if best.get(name, (False,))[0]:
                    del missing[name]
        for name in names:
            self._found[name] = best[name][1] if name in best else None


def _places(word: bytes, data: bytes) -> Iterator[tuple[bool, int]]:
    """(looks like a definition, line) of the first place, and of the first that defines."""
    first = True
    for match in re.finditer(rb"\b" + re.escape(word) + rb"\b", data):
        start = data.rfind(b"\n", 0, match.start()) + 1
        before = data[start:match.start()]
        # A line of its own that ends with a semicolon is a use at file scope, or a declaration.
        used = data[start:data.find(b"\n", start)].rstrip().endswith(b";")
        defines = bool((before[:1].isalpha() and not used)
                       or before.lstrip().startswith(b"#define"))
        if first or defines:
            yield defines, data.count(b"\n", 0, match.start()) + 1
        if defines:
            return
        first = False


def _bytes(path: Path) -> bytes | None:
    """What a file holds, None where it cannot be read."""
    try:
        return read_regular(path)
    except OSError:
        return None


def _sources(root: Path) -> Iterator[Path]:
    """The C sources under a folder, links left aside, in the order of their paths."""
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            path = Path(folder, name)
            if name.endswith(_SUFFIXES) and path.is_file() and not path.is_symlink():
                yield path
