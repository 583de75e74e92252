"""The user's cache folder: where each index lies, and which there are."""

import contextlib
import hashlib
import json
import os
import re
from dataclasses import dataclass
from pathlib import Path

from kgraph.errors import StoreError
from kgraph.model.results import IndexDescription
from kgraph.store.connection import connect_read_only, open_read_only, report_damage
from kgraph.store.metadata import read_description

INDEX_SUFFIX = ".kgraph"
INDEX_NAME = re.compile(r".+-[0-9a-f]{12}", re.ASCII | re.DOTALL)  # as index_path names them


def cache_folder() -> Path:
    """$XDG_CACHE_HOME/kgraph, or ~/.cache/kgraph; it need not exist. Raises StoreError."""
    base = Path(os.environ.get("XDG_CACHE_HOME", ""))
    if not base.is_absolute():
        try:
            base = Path.home() / ".cache"
        except RuntimeError:
            raise StoreError("the folder for indexes is not known: this user has no home folder",
                             "set HOME or XDG_CACHE_HOME") from None
    return base / "kgraph"


def index_path(tree: Path, configuration: str) -> Path:
    """The place of the index of `tree` (absolute) in a configuration (the text that selects it)."""
    identity = json.dumps([str(tree), configuration]).encode("utf-8", "surrogateescape")
    digest = hashlib.blake2b(identity, digest_size=6).hexdigest()
    return cache_folder() / f"{_name_after(tree)}-{digest}{INDEX_SUFFIX}"


def _name_after(tree: Path) -> str:
    return "".join(c if c.isalnum() or c in "-._" else "_" for c in tree.name) or "tree"


def work_folder(index: Path) -> Path:
    """The folder for files that are generated for an index; it need not exist."""
    return index.parent / "build" / index.stem


@dataclass(frozen=True, slots=True)
class UnreadableIndex:
    """An index of the cache folder that is damaged or of another version, and the `error`. `tree`
    is what it is of; "" if that cannot be read either."""

    path: Path
    tree: str
    error: StoreError

    def may_be_of(self, tree: Path) -> bool:
        """Whether it is of a tree, as far as it says; else whether it is named after it."""
        if self.tree:
            return self.tree == str(tree)
        return self.path.stem.rpartition("-")[0] == _name_after(tree)


def list_indexes() -> list[tuple[Path, IndexDescription]]:
    """The readable indexes of the cache folder, the last built first."""
    return survey_indexes()[0]


def survey_indexes() -> tuple[list[tuple[Path, IndexDescription]], list[UnreadableIndex]]:
    """The indexes of the cache folder: the readable ones, the last built first, and the others."""
    found, unreadable = [], []
    for path in sorted(cache_folder().glob(f"*{INDEX_SUFFIX}")):
        try:
            with report_damage(path), contextlib.closing(
                    open_read_only(path, verify=False)) as connection:
                found.append((path, read_description(connection)))
        except StoreError as error:
            if INDEX_NAME.fullmatch(path.stem):
                unreadable.append(UnreadableIndex(path, _read_tree(path), error))
    return sorted(found, key=lambda item: -item[1].built), unreadable


def _read_tree(path: Path) -> str:
    """The tree of an index of another version, "" if it cannot be read."""
    with contextlib.suppress(StoreError), report_damage(path), contextlib.closing(
            connect_read_only(path)) as connection:
        row = connection.execute("SELECT value FROM meta WHERE name = 'description'").fetchone()
        return str(json.loads(row[0])["tree"])
    return ""
