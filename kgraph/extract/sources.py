"""Maps clang's locations to citations, and reads the source text behind them.

Owns the mapping from clang's file names to paths relative to the tree or the build folder. A file
outside both (a compiler's own header) has no citation path.
"""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

from kgraph.extract.clang.api import (
    IN_MACRO,
    C,
    decode_location,
    get_end,
    get_start,
    get_type_spelling,
    take_text,
)
from kgraph.extract.clang.ctypes_api import Cursor, SourceLocation, SourceRange, Type
from kgraph.model.location import Extent, Location
from kgraph.textfile import escape_name, is_link_outside, read_regular_file, split_lines

_PACKAGE = f"{Path(__file__).parent.parent}{os.sep}"
# clang spells an unnamed record "(unnamed struct at /home/me/linux/net/core/dst.c:45:8)"
_DECLARED_AT = re.compile(r" at (\S.*?):[0-9]+:[0-9]+(?=\))")


@lru_cache(maxsize=256)
def _read_lines(path: str) -> tuple[bytes, ...]:
    try:
        return tuple(split_lines(read_regular_file(path)))
    except OSError:
        return ()


def has_line(path: str, line: int) -> bool:
    """Whether a file has a line of this number."""
    return 0 < line <= len(_read_lines(path))


def _read_identifier(path: str, line: int, column: int) -> str:
    """The C identifier that starts at a place in a file, "" if none does."""
    lines = _read_lines(path)
    if line > len(lines):
        return ""
    rest = lines[line - 1][column - 1:]
    length = 0
    while length < len(rest) and (rest[length:length + 1].isalnum() or rest[length] == 0x5F):
        length += 1
    return rest[:length].decode("ascii", "replace")


@lru_cache(maxsize=100_000)
def _cite_file(name: str, roots: tuple[str, ...]) -> str:
    path = os.path.normpath(name)
    if ".." in name and os.path.realpath(path) != os.path.realpath(name):
        return ""  # after a symbolic link, ".." leads to another folder than the text says
    for root in roots:
        if path.startswith(root):
            return "" if is_link_outside(path, roots) else escape_name(path[len(root):])
    return ""


def clear_source_caches() -> None:
    """Forget what was read from files, which may have changed."""
    _read_lines.cache_clear()
    _cite_file.cache_clear()


class SourceMap:
    """Citations of one translation unit's files, cached by clang's file handle."""

    def __init__(self, roots: tuple[str, ...]) -> None:
        """`roots` are absolute folder names, the most specific first."""
        self._roots = tuple(root.rstrip("/") + "/" for root in roots)
        self._around: Location | None = None
        self._files: dict[int, tuple[str, str]] = {}

    def find_citation_path(self, name: str) -> str:
        """The path of a file relative to the first root that holds it.

        "" if none does, or if a symbolic link leads from there to elsewhere.
        """
        return _cite_file(name, self._roots)

    def is_foreign(self, name: str) -> bool:
        """Whether a file cannot be cited and is not one of kgraph's own."""
        return not self.find_citation_path(name) and not name.startswith(_PACKAGE)

    def spell_type(self, type_: Type) -> str:
        """A type as C spells it.

        An unnamed record is named after the citation path of its file: a fact must not depend on
        where the tree or the cache folder lies, nor on the lines above.
        """
        spelled = get_type_spelling(type_)
        if " at " not in spelled:
            return spelled
        return _DECLARED_AT.sub(
            lambda found: f" in {self.find_citation_path(found[1]) or Path(found[1]).name}",
            spelled)

    def mask_roots(self, printed: str) -> str:
        """What clang printed, with the tree and build folder masked (`__FILE__` names them)."""
        for root in self._roots:
            printed = printed.replace(root, "@/")
        return printed

    @contextmanager
    def cite_outside(self, around: Location) -> Iterator[None]:
        """During the block, what lies outside the tree is located at the definition around it: its
        body may include such a file."""
        self._around = around
        try:
            yield
        finally:
            self._around = None

    def locate(self, location: SourceLocation) -> Location:
        """Where a reader sees a location; its path is "" outside the tree."""
        handle, line, column = decode_location(location)
        path = self._name_file(handle)[0]
        return Location(path, line, column) if path else self._around or Location("", line, column)

    def find_path(self, cursor: Cursor) -> str:
        """The citation path of the file that a cursor is in, "" outside the tree, whatever is
        around it: what an entity is called must not depend on who uses it.
        """
        handle, _, _ = decode_location(C.clang_getCursorLocation(cursor))
        return self._name_file(handle)[0]

    def locate_cursor(self, cursor: Cursor) -> Location:
        """Where a reader sees a cursor."""
        return self.locate(C.clang_getCursorLocation(cursor))

    def locate_extent(self, cursor: Cursor) -> Extent:
        """From where to where a reader sees a cursor."""
        return self.locate_range(C.clang_getCursorExtent(cursor))

    def locate_range(self, extent: SourceRange) -> Extent:
        """A range as a reader sees it: never ends before it starts, or in another file."""
        start = self.locate(get_start(extent))
        end = self.locate(get_end(extent))
        if end.path != start.path or (end.line, end.column) < (start.line, start.column):
            end = start
        return Extent(start, end.line, end.column)

    def read_range(self, extent: SourceRange) -> str:
        """The source text of a range, white space folded; "" if a macro makes either end of it."""
        if (extent.begin | extent.end) & IN_MACRO:
            return ""
        located = self.locate_range(extent)
        handle = decode_location(get_start(extent))[0]
        first, last = located.start.line, located.end_line
        lines = list(_read_lines(self._name_file(handle)[1])[first - 1:last])
        if len(lines) != last - first + 1:
            return ""
        lines[-1] = lines[-1][:located.end_column - 1]
        lines[0] = lines[0][located.start.column - 1:]
        return b" ".join(b" ".join(lines).split()).decode("utf-8", "replace")

    def find_hiding_macro(self, location: SourceLocation, visible: str) -> str:
        """The macro that hides code at a location; "" if a reader sees `visible` itself there."""
        if not location.code & IN_MACRO:
            return ""
        handle, line, column = decode_location(location)
        name = _read_identifier(self._name_file(handle)[1], line, column)
        return "" if name == visible else name

    def _name_file(self, handle: int | None) -> tuple[str, str]:
        """(citation path, name as clang opened it) of a file."""
        if handle is None:
            return "", ""
        known = self._files.get(handle)
        if known is None:
            name = take_text(C.clang_getFileName(handle))
            known = self._files[handle] = (self.find_citation_path(name), name)
        return known
