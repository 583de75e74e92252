"""Answers in the lines of cscope's line-oriented interface: `file function line text`."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import PurePath

from kgraph.model.location import Location
from kgraph.model.results import IndexDescription, Reference
from kgraph.report.quickfix import find_file
from kgraph.textfile import unescape_name

GLOBAL = "<global>"
UNKNOWN = "<unknown>"


class FileNames:
    """How files are written: after `prefix`, if there is one; else relative to the current
    `folder` if they are below it, and as absolute paths if not.
    """

    def __init__(self, index: IndexDescription, folder: str, prefix: str = "") -> None:
        self._index = index
        self._folder = folder
        self._prefix = prefix
        self._known: dict[str, str] = {}

    def write(self, path: str) -> str:
        """The file of a citation."""
        if path not in self._known:
            found = find_file(path, self._index, "" if self._prefix else self._folder)
            if self._prefix and PurePath(found).is_relative_to(self._index.tree):
                found = str(PurePath(self._prefix, unescape_name(path)))
            self._known[path] = found
        return self._known[path]


def format_references(
    references: Iterable[Reference], names: FileNames, read_line: Callable[[Location], str]
) -> Iterator[str]:
    """A line for each reference. A text that is no longer what was indexed is unknown."""
    for each in references:
        text = " ".join(read_line(each.location).split()) or UNKNOWN
        file = names.write(each.location.path)
        yield f"{file} {each.function or GLOBAL} {each.location.line} {text}"


def format_files(paths: Iterable[str], names: FileNames) -> Iterator[str]:
    """A line for each file."""
    for path in paths:
        yield f"{names.write(path)} {UNKNOWN} 1 {UNKNOWN}"


def format_text(lines: Iterable[tuple[Location, str]], names: FileNames) -> Iterator[str]:
    """A line for each line of the source."""
    for location, text in lines:
        yield f"{names.write(location.path)} {UNKNOWN} {location.line} {text or UNKNOWN}"
