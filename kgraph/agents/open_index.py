"""The index that answers: opened when it is first asked, opened again when it was replaced, and
compared with its tree.
"""

import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from kgraph import api
from kgraph.textfile import identify_file, unescape_name

_LOOK_AGAIN = 30.0  # seconds after which files are compared again
_MOST_NAMED = 3


class AnsweringIndex:
    """Opens an index and keeps it open. Everything here is for one thread."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._index: api.Index | None = None
        self._identity: tuple[int, ...] = ()
        self._remarks: list[str] = []
        self._looked = -_LOOK_AGAIN
        self._newer: list[str] = []

    def open(self) -> api.Index:
        """The index as it is now. Raises KgraphError."""
        if self._index is not None and self._identity == identify_file(self._index.graph.path):
            return self._index
        self.close()
        self._remarks = []
        self._index = api.open_index(self._path, remark=self._remarks.append)
        self._identity = identify_file(self._index.graph.path)
        self._looked = -_LOOK_AGAIN
        return self._index

    def close(self) -> None:
        """Close the index, if it is open."""
        if self._index is not None:
            self._index.close()
        self._index = None

    def name_index(self) -> dict[str, str]:
        """What the answers are about."""
        about = self.open().description
        return {"tree": about.tree, "release": about.release, "config": about.config}

    def iter_warnings(self, text: "api.SourceText") -> Iterator[str]:
        """Why an answer may not be about the tree as it is now."""
        about = self.open().description
        yield from self._remarks
        if about.bundled:
            yield "no kernel was indexed: this is mini-linux, the example that comes with kgraph"
        if about.only:
            yield f"only a part of the tree was indexed: {', '.join(about.only)}"
        if text.changed_files:
            yield (f"{_name_some(text.changed_files)} changed since the index was built: cited"
                   " lines may have moved; run `kgraph index`")
        newer = self.list_newer_files()
        if newer:
            yield (f"the index is older than {len(newer)} of its files ({_name_some(newer)}): what"
                   " changed there is not in the answer; run `kgraph index`")

    def list_newer_files(self) -> list[str]:
        """The files of the tree that the units read and that changed after the index was built, or
        are gone. Looked at twice a minute.
        """
        if time.monotonic() - self._looked >= _LOOK_AGAIN:
            graph = self.open().graph
            self._newer = [path for path in graph.find_read_files() if self._is_newer(path)]
            self._looked = time.monotonic()
        return self._newer

    def _is_newer(self, path: str) -> bool:
        """Whether a file changed after the index was built, or is gone. Generated files are not in
        the tree.
        """
        graph = self.open().graph
        about = graph.description
        try:
            return Path(about.tree, unescape_name(path)).lstat().st_mtime > about.built
        except OSError:
            known = graph.reader.find_file(path)
            return known is not None and not known[1]


def _name_some(paths: Iterable[str]) -> str:
    names = sorted(paths)
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return ", ".join(names[:_MOST_NAMED]) + more
