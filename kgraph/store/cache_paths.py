"""The user's cache folder: where each index lies, and which there are."""

import contextlib
import hashlib
import json
import os
from pathlib import Path

from kgraph.errors import StoreError
from kgraph.model.results import IndexDescription
from kgraph.store.connection import open_read_only, report_damage
from kgraph.store.metadata import read_description

INDEX_SUFFIX = ".kgraph"


def cache_folder() -> Path:
    """$XDG_CACHE_HOME/kgraph, or ~/.cache/kgraph; it need not exist."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(base) if Path(base).is_absolute() else Path.home() / ".cache") / "kgraph"


def index_path(tree: Path, configuration: str) -> Path:
    """The place of the index of `tree` (absolute) in a configuration (the text that selects it)."""
    identity = json.dumps([str(tree), configuration]).encode("utf-8", "surrogateescape")
    digest = hashlib.blake2b(identity, digest_size=6).hexdigest()
    name = "".join(c if c.isalnum() or c in "-._" else "_" for c in tree.name) or "tree"
    return cache_folder() / f"{name}-{digest}{INDEX_SUFFIX}"


def work_folder(index: Path) -> Path:
    """The folder for files that are generated for an index; it need not exist."""
    return index.parent / "build" / index.stem


def list_indexes() -> list[tuple[Path, IndexDescription]]:
    """The readable indexes of the cache folder, the last built first."""
    found = []
    for path in sorted(cache_folder().glob(f"*{INDEX_SUFFIX}")):
        with contextlib.suppress(StoreError), report_damage(path):
            connection = open_read_only(path, verify=False)
            with contextlib.closing(connection):
                found.append((path, read_description(connection)))
    return sorted(found, key=lambda item: -item[1].built)
