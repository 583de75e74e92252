"""What lies in the cache folder: indexes, what was generated for them, and what nothing needs.

A folder of generated files is needed as long as an index is there that was made in it: the one of
its name in the cache folder, or one that --index put elsewhere, which the folder's list names.
Indexes themselves are never removed. What a running process holds is left alone.
"""

import contextlib
import json
import os
import re
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from kgraph.errors import StoreError
from kgraph.model.inventory import Held, Inventory, Spare
from kgraph.pipeline.locking import LOCK, alone_if_free
from kgraph.pipeline.precompiling import forget_precompiled, precompiled_left
from kgraph.store import cache_folder
from kgraph.store.database import open_for_reading, remove_unfinished, unfinished
from kgraph.store.places import SUFFIX, read_coverage, read_description, work_folder
from kgraph.treefile import is_file, read_regular

_NAME = re.compile(r".+-[0-9a-f]{12}", re.ASCII | re.DOTALL)  # as places.index_path gives it
_LIST = "indexes.json"
_GONE = "no index is there that was made in it"
_KILLED = "a run that was killed left it"


def note_index(work: Path, index: Path) -> None:
    """Remember, in the folder of what was generated, that an index was made in it."""
    known = [path for path in _noted(work) if path != index and is_file(path)]
    half = work / f"{_LIST}.new"
    half.write_text(json.dumps([_from_cache(path) for path in (*known, index)]))
    half.replace(work / _LIST)


def inventory() -> Inventory:
    """What lies in the cache folder."""
    spare, busy = [], []
    for folder, free in _work_folders():
        if free:
            spare += _spare_in(folder)
        else:
            busy.append(folder)
    for folder in _index_folders():
        spare += [Spare(path, _size(path), _KILLED) for path in unfinished(folder)]
    found = [_held(path) for path in sorted(cache_folder().glob(f"*{SUFFIX}"))]
    return Inventory(tuple(found), tuple(spare), tuple(busy))


def prune() -> Inventory:
    """Remove what nothing needs; the inventory as it was before, with what was removed as spare.

    Raises StoreError where something cannot be removed.
    """
    removed, busy = [], []
    for folder, free in _work_folders():
        if not free:
            busy.append(folder)
            continue
        for spare in _spare_in(folder):
            try:
                if spare.path == folder:
                    shutil.rmtree(folder)
                else:
                    forget_precompiled(folder)
            except OSError as error:
                raise StoreError(f"{spare.path} cannot be removed: {error.strerror}",
                                 "see that what is in it may be written") from None
            removed.append(spare)
    for folder in _index_folders():
        removed += [Spare(path, size, _KILLED) for path, size in
                    [(path, _size(path)) for path in unfinished(folder)] if _is_removed(path)]
    found = [_held(path) for path in sorted(cache_folder().glob(f"*{SUFFIX}"))]
    return Inventory(tuple(found), tuple(removed), tuple(busy))


def _is_removed(path: Path) -> bool:
    remove_unfinished(path.parent)
    return not path.exists()


def _index_folders() -> tuple[Path, ...]:
    return cache_folder(), cache_folder() / "bundled"


def _work_folders() -> Iterator[tuple[Path, bool]]:
    """The folders of generated files, and of each whether no run is in it while it is looked at."""
    for folder in sorted(cache_folder().glob("build/*")):
        if _is_own(folder):
            with alone_if_free(folder) as free:
                yield folder, free


def _is_own(folder: Path) -> bool:
    """Whether a folder is one that runs work in; others may have put theirs beside."""
    return (_NAME.fullmatch(folder.name) is not None and folder.is_dir()
            and not folder.is_symlink() and (folder / LOCK).is_file())


def _spare_in(folder: Path) -> list[Spare]:
    own = cache_folder() / f"{folder.name}{SUFFIX}"
    if not own.is_file() and not any(path.is_file() for path in _noted(folder)):
        return [Spare(folder, _size(folder), _GONE)]
    left = precompiled_left(folder)
    return [Spare(left, _size(left), _KILLED)] if left is not None else []


def _from_cache(path: Path) -> str:
    """A path as the list has it: relative within the cache folder, which may be moved."""
    folder = cache_folder()
    return str(path.relative_to(folder) if path.is_relative_to(folder) else path)


def _noted(work: Path) -> list[Path]:
    try:
        return [cache_folder() / path for path in json.loads(read_regular(work / _LIST))]
    except (OSError, ValueError, TypeError, RecursionError):
        return []


def _held(path: Path) -> Held:
    generated = work_folder(path)
    sizes = _size(path), _size(generated) if generated.is_dir() else 0
    try:
        connection = open_for_reading(path, whole=False)
    except StoreError as error:
        return Held(path, *sizes, None, None, error.message)
    with contextlib.closing(connection):
        try:
            return Held(path, *sizes, read_description(connection), read_coverage(connection))
        except sqlite3.DatabaseError as error:
            return Held(path, *sizes, None, None, f"it is damaged ({error})")


def _size(path: Path) -> int:
    """The bytes that a file or folder takes on the disk."""
    total = _taken(path)
    if path.is_dir() and not path.is_symlink():
        for folder, folders, files in os.walk(path):
            total += sum(_taken(Path(folder, name)) for name in (*folders, *files))
    return total


def _taken(path: Path) -> int:
    try:
        return path.lstat().st_blocks * 512
    except OSError:  # removed just now
        return 0
