"""Reads the text of units that did not parse cleanly, for what it names."""

from collections.abc import Iterable, Iterator

from kgraph.build import UnitList
from kgraph.extract.unread_text import find_names
from kgraph.indexing.fingerprint import Sources
from kgraph.model.unread_text import UnreadText
from kgraph.store import Connection
from kgraph.store.reader import list_erroneous_units
from kgraph.textfile import read_regular_file, unescape_name


def read_unread_text(
    connection: Connection, units: UnitList, sources: Sources, reason: str
) -> UnreadText | None:
    """What the units with errors may name; None if there are none.

    That is what stands in the files with the errors, in the unit's own file and in those that are
    included into it as code, and in the macros that these use.
    """
    found = list_erroneous_units(connection)
    if not found:
        return None
    paths = {unit.path for unit in found}
    own = paths.union(*(unit.erroneous_files for unit in found))
    own.update(path for unit in found for path in unit.files if path.endswith(".c"))
    headers = {path for unit in found for path in unit.files} - own
    arguments = " ".join(
        word for unit in units.units if unit.path in paths for word in unit.arguments
        if word.startswith("-D"))
    return find_names(
        own, [arguments, *_read_texts(own, sources)], _read_texts(headers, sources), reason)


def _read_texts(paths: Iterable[str], sources: Sources) -> Iterator[str]:
    """The contents of files in the tree or the build folder."""
    for path in sorted(paths):
        for folder in filter(None, (sources.root, sources.build)):
            try:
                content = read_regular_file(folder / unescape_name(path))
            except OSError:
                continue
            yield content.decode("utf-8", "replace")
            break
