"""Where the tree defines a name, found in its text.

A name that the index does not have may be a function of another configuration: a claim about it
cannot be decided. A name that stands nowhere in the tree is wrong. Files that indexed units
include come first; in these, both branches of an `#ifdef` count.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path

from kgraph.graph.callgraph import CallGraph
from kgraph.model.location import Location
from kgraph.model.results import IndexDescription
from kgraph.textfile import (
    is_link_outside,
    read_regular_file,
    split_lines,
    unescape_name,
)

_SUFFIXES = (".c", ".h", ".S")
_MAX_NAMES = 200  # that one pass looks for
_MAX_SEARCHES = 30  # for bodies, each in the whole tree
_DEFINITION = re.compile(
    rb"^(?:[ \t]*#[ \t]*define[ \t]+([A-Za-z_]\w*)"
    rb"|(?:typedef[ \t]+)?(?:struct|union)[ \t]+([A-Za-z_]\w*)[^\S\n]*\n?[ \t]*\{)",
    re.MULTILINE,
)
_MACRO, _RECORD = 1, 2  # groups of it
_LABEL = re.compile(rb"^([A-Za-z_]\w*):(?!:)", re.MULTILINE)


class TreeSearch:
    """Looks names up in the text of a tree, in one pass over its C sources for all names that were
    announced before the first question, and one more pass for each other name.
    """

    def __init__(self, about: IndexDescription) -> None:
        self._root = Path(about.tree)
        self._announced: set[str] = set()
        self._found: dict[str, Location | None] = {}
        self._records: dict[str, list[Location]] = {}
        self._bodies: dict[str, list[Location]] = {}
        self._lines: dict[str, list[str]] = {}

    def announce(self, names: set[str]) -> None:
        """Announce names that find_name() may be asked for."""
        self._announced |= names - self._found.keys()

    def find_name(self, name: str) -> Location | None:
        """Where the tree's text has the name: a place that looks like a definition before others;
        None if nowhere.
        """
        if name not in self._found:
            self._search({name} | set(sorted(self._announced)[:_MAX_NAMES]))
            self._announced.clear()
        return self._found[name]

    def find_glued(self, name: str) -> tuple[str, str] | None:
        """Two words of the tree's text that `##` in a macro would glue to a name that the text does
        not have; None if no two do. In one pass, as for find_name, unless the longer of two words
        is there; a shorter one of at most three letters is then taken for a word of the tree.
        """
        half = (len(name) + 1) // 2
        words = self._find_words_like(name[:half], name[-half:])
        for size in range(1, len(name)):
            parts = name[:size], name[size:]
            longer, shorter = sorted(parts, key=len, reverse=True)
            if longer in words and (len(shorter) < 4 or self.find_name(shorter) is not None):
                return parts
        return None

    def _find_words_like(self, head: str, tail: str) -> set[str]:
        """The words that begin with `head`, and those that end with `tail`."""
        first, last = head.encode(), tail.encode()
        pattern = re.compile(rb"\b" + re.escape(first) + rb"\w*|\b\w*" + re.escape(last) + rb"\b")
        found: set[str] = set()
        for path in _iter_sources(self._root):
            data = _read_bytes(path) or b""
            if first in data or last in data:
                found.update(each.decode("ascii", "replace") for each in pattern.findall(data))
        return found

    def find_records(self, name: str) -> list[Location]:
        """Where `struct name {` (or a union) stands: in headers; in sources if in no header."""
        if name not in self._records:
            pattern = re.compile(
                rb"^(?:typedef\s+)?(?:struct|union)\s+" + re.escape(name.encode()) + rb"\s*\{",
                re.MULTILINE,
            )
            every = self._find_all(name.encode(), pattern)
            self._records[name] = [at for at in every if at.path.endswith(".h")] or every
        return self._records[name]

    def find_bodies(self, name: str) -> list[Location]:
        """Where functions of this name have a body, in whatever configuration; [] once too many
        names were asked for.
        """
        if name not in self._bodies and len(self._bodies) < _MAX_SEARCHES:
            word = re.escape(name.encode())
            pattern = re.compile(
                rb"^[A-Za-z_][^\n;={}#]*\b" + word + rb"[ \t]*\([^;{}]*\)[^;{}()]*\{", re.MULTILINE
            )
            self._bodies[name] = self._find_all(name.encode(), pattern)
        return self._bodies.get(name, [])

    def read_lines(self, path: str) -> list[str]:
        """The lines of a file of the tree, [] if it cannot be read."""
        if path not in self._lines:
            data = _read_bytes(self._root / unescape_name(path))
            self._lines[path] = [] if data is None else [
                line.decode("utf-8", "replace") for line in split_lines(data)]
        return self._lines[path]

    def _find_all(self, word: bytes, pattern: re.Pattern[bytes]) -> list[Location]:
        found = []
        for path in _iter_sources(self._root):
            data = _read_bytes(path) or b""
            for match in pattern.finditer(data) if word in data else ():
                line = data.count(b"\n", 0, match.start()) + 1
                found.append(Location(path.relative_to(self._root).as_posix(), line))
        return found

    def _search(self, names: set[str]) -> None:
        best: dict[str, tuple[bool, Location]] = {}
        missing = {name: name.encode() for name in names}
        for path in _iter_sources(self._root):
            data = _read_bytes(path) or b""
            for name in [name for name, word in missing.items() if word in data]:
                relative = path.relative_to(self._root).as_posix()
                for defines, line in _iter_places(missing[name], data):
                    if name not in best or (defines and not best[name][0]):
                        best[name] = (defines, Location(relative, line))
                if best.get(name, (False,))[0]:
                    del missing[name]
        for name in names:
            self._found[name] = best[name][1] if name in best else None


def _iter_places(word: bytes, data: bytes) -> Iterator[tuple[bool, int]]:
    """(looks like a definition, line) of the first place, and of the first definition."""
    is_first = True
    for match in re.finditer(rb"\b" + re.escape(word) + rb"\b", data):
        start = data.rfind(b"\n", 0, match.start()) + 1
        before = data[start:match.start()]
        # A line of its own that ends with a semicolon is a use at file scope, or a declaration.
        is_use = data[start:data.find(b"\n", start)].rstrip().endswith(b";")
        defines = bool((before[:1].isalpha() and not is_use)
                       or before.lstrip().startswith(b"#define"))
        if is_first or defines:
            yield defines, data.count(b"\n", 0, match.start()) + 1
        if defines:
            return
        is_first = False


def _read_bytes(path: Path) -> bytes | None:
    """The bytes of a file, None if it cannot be read."""
    try:
        return read_regular_file(path)
    except OSError:
        return None


def _iter_sources(root: Path) -> Iterator[Path]:
    """The C sources under a folder, without links, in the order of their paths."""
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            path = Path(folder, name)
            if name.endswith(_SUFFIXES) and path.is_file() and not path.is_symlink():
                yield path


def search_read_files(
    graph: CallGraph, pattern: re.Pattern[bytes]
) -> Iterator[tuple[Location, str]]:
    """The lines that a pattern finds, as they stand now, of the files of the tree and of the build
    folder that indexed units read, in the order of their paths.
    """
    roots = tuple(filter(None, (graph.description.tree, graph.reader.build_folder)))
    for path in sorted(graph.find_read_files()):
        data = _read_within(roots, path)
        if pattern.search(data):
            for number, line in enumerate(split_lines(data), 1):
                if pattern.search(line):
                    yield Location(path, number), line.decode("utf-8", "replace")


def _read_within(roots: tuple[str, ...], path: str) -> bytes:
    """The bytes of a file below the first of some folders that has it; b"" if none does."""
    for root in roots:
        file = Path(root, unescape_name(path))
        data = None if is_link_outside(str(file), roots) else _read_bytes(file)
        if data is not None:
            return data
    return b""


def find_member(graph: CallGraph, record: str, member: str) -> Location | None:
    """Where a record declares a member, in the files that units read, headers first. None for a
    record without a name of its own."""
    if not record.isidentifier():
        return None
    roots = tuple(filter(None, (graph.description.tree, graph.reader.build_folder)))
    start = re.compile(
        rb"^[ \t]*(?:typedef[ \t]+)?(?:struct|union)\s+" + record.encode() + rb"\b[^;{}()]*\{",
        re.MULTILINE)
    word = re.compile(rb"\b" + re.escape(member.encode()) + rb"\b")
    for path in graph.find_read_files():
        data = _read_within(roots, path)
        for begin in start.finditer(data) if record.encode() in data else ():
            end = data.find(b"\n}", begin.end())
            found = word.search(data, begin.end(), end if end >= 0 else len(data))
            if found is not None:
                line = data.count(b"\n", 0, found.start()) + 1
                column = found.start() - data.rfind(b"\n", 0, found.start())
                return Location(path, line, column)
    return None


class IndexedDefinitions:
    """The macros, records and labels that the files of indexed units define. Reads the files on
    first use, headers before sources, and keeps which of them define a name.
    """

    def __init__(self, graph: CallGraph) -> None:
        self._graph = graph
        self._root = Path(graph.description.tree)
        self._macros: dict[bytes, str] = {}
        self._records: dict[bytes, list[str]] | None = None
        self._labels: dict[str, list[Location]] | None = None

    def find_macro(self, name: str) -> Location | None:
        """Where the first `#define` of a name stands."""
        self._read()
        path = self._macros.get(name.encode())
        return next(self._iter_in(path, _MACRO, name), None) if path is not None else None

    def find_records(self, name: str) -> list[Location]:
        """Where a record is defined: in headers; in sources if no header does."""
        paths = self._read().get(name.encode(), [])
        headers = [path for path in paths if path.endswith(".h")]
        return [place for path in headers or paths for place in self._iter_in(path, _RECORD, name)]

    def find_labels(self, name: str) -> list[Location]:
        """Where the assembler of indexed units has a plain label of a name."""
        if self._labels is None:
            self._labels = {}
            for path in self._graph.find_read_files():
                data = self._read_bytes(path) if path.endswith(".S") else b""
                for match in _LABEL.finditer(data):
                    line = data.count(b"\n", 0, match.start()) + 1
                    self._labels.setdefault(match[1].decode(), []).append(Location(path, line))
        return self._labels.get(name, [])

    def _read(self) -> dict[bytes, list[str]]:
        if self._records is None:
            self._records = {}
            for path in self._graph.find_read_files():
                for match in _DEFINITION.finditer(self._read_bytes(path)):
                    if match[_MACRO] is not None:
                        self._macros.setdefault(match[_MACRO], path)
                        continue
                    known = self._records.setdefault(match[_RECORD], [])
                    if known[-1:] != [path]:
                        known.append(path)
        return self._records

    def _iter_in(self, path: str, group: int, name: str) -> Iterator[Location]:
        """Where a file defines a name."""
        data, word = self._read_bytes(path), name.encode()
        for match in _DEFINITION.finditer(data):
            if match[group] == word:
                yield Location(path, data.count(b"\n", 0, match.start()) + 1)

    def _read_bytes(self, path: str) -> bytes:
        return _read_bytes(self._root / unescape_name(path)) or b""
