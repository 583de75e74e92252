"""List the cache folder: indexes, their generated files, and what no index uses.

A folder of generated files is in use as long as an index that was made in it exists: the one of
the same name in the cache, or one written elsewhere with --index, which the folder records.
Indexes are never removed, and a folder in which a run is at work is left alone.
"""

import contextlib
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from kgraph.errors import StoreError
from kgraph.indexing.locking import LOCK_FILE, try_lock_folder
from kgraph.indexing.workers.precompiled_headers import (
    find_leftover_precompiled,
    remove_precompiled,
)
from kgraph.model.results import CachedIndex, CacheInventory, UnusedFile
from kgraph.store import IndexReader, cache_folder
from kgraph.store.cache_paths import INDEX_NAME, INDEX_SUFFIX, work_folder
from kgraph.store.connection import list_unfinished, remove_unfinished
from kgraph.textfile import is_file, read_regular_file, replace_file

_RECORD_FILE = "indexes.json"
_NO_INDEX = "no index uses it"
_KILLED_RUN = "left by a run that was killed"


def record_index(work: Path, index: Path) -> None:
    """Record in a folder of generated files that an index was made in it."""
    known = [path for path in _read_recorded_indexes(work) if path != index and is_file(path)]
    names = [_relativize_to_cache(path) for path in (*known, index)]
    replace_file(work / _RECORD_FILE, json.dumps(names).encode())


def list_cache() -> CacheInventory:
    """List the cache folder."""
    unused, busy = [], []
    for folder, is_free in _iter_work_folders():
        if is_free:
            unused += _find_unused(folder)
        else:
            busy.append(folder)
    unused += _find_unfinished()
    return CacheInventory(_describe_indexes(), tuple(unused), tuple(busy))


def prune_cache() -> CacheInventory:
    """Remove what no index uses. The inventory is that of before, with what was removed as unused.

    Raises StoreError if something cannot be removed.
    """
    removed, busy = [], []
    for folder, is_free in _iter_work_folders():
        if not is_free:
            busy.append(folder)
            continue
        for unused in _find_unused(folder):
            _remove_unused(unused, folder)
            removed.append(unused)
    unfinished = _find_unfinished()
    for folder in _index_folders():
        remove_unfinished(folder)
    removed += [unused for unused in unfinished if not unused.path.exists()]
    return CacheInventory(_describe_indexes(), tuple(removed), tuple(busy))


def _remove_unused(unused: UnusedFile, folder: Path) -> None:
    """Remove a folder of generated files, or what a killed run left in it."""
    try:
        if unused.path == folder:
            shutil.rmtree(folder)
        else:
            remove_precompiled(folder)
    except OSError as error:
        raise StoreError(f"{unused.path} cannot be removed: {error.strerror}",
                         "check its permissions") from None


def _index_folders() -> tuple[Path, ...]:
    return cache_folder(), cache_folder() / "bundled"


def _find_unfinished() -> list[UnusedFile]:
    """Index files that a killed run had begun."""
    return [UnusedFile(path, _measure_size(path), _KILLED_RUN)
            for folder in _index_folders() for path in list_unfinished(folder)]


def _iter_work_folders() -> Iterator[tuple[Path, bool]]:
    """The folders of generated files, and whether each is free; free ones are locked meanwhile."""
    for folder in sorted(cache_folder().glob("build/*")):
        if _is_work_folder(folder):
            with try_lock_folder(folder) as free:
                yield folder, free


def _is_work_folder(folder: Path) -> bool:
    """Whether runs work in this folder. Somebody else may have put one beside it."""
    return (INDEX_NAME.fullmatch(folder.name) is not None and folder.is_dir()
            and not folder.is_symlink() and (folder / LOCK_FILE).is_file())


def _find_unused(folder: Path) -> list[UnusedFile]:
    """The folder of generated files, if no index uses it; else what a killed run left in it."""
    own = cache_folder() / f"{folder.name}{INDEX_SUFFIX}"
    if not own.is_file() and not any(path.is_file() for path in _read_recorded_indexes(folder)):
        return [UnusedFile(folder, _measure_size(folder), _NO_INDEX)]
    left = find_leftover_precompiled(folder)
    return [UnusedFile(left, _measure_size(left), _KILLED_RUN)] if left is not None else []


def _relativize_to_cache(path: Path) -> str:
    """A path as the record has it: relative if it is in the cache folder, which may be moved."""
    folder = cache_folder()
    return str(path.relative_to(folder) if path.is_relative_to(folder) else path)


def _read_recorded_indexes(work: Path) -> list[Path]:
    try:
        return [
            cache_folder() / path for path in json.loads(read_regular_file(work / _RECORD_FILE))
        ]
    except (OSError, ValueError, TypeError, RecursionError):
        return []


def _describe_indexes() -> tuple[CachedIndex, ...]:
    """The indexes of the cache folder."""
    return tuple(map(_describe_index, sorted(cache_folder().glob(f"*{INDEX_SUFFIX}"))))


def _describe_index(path: Path) -> CachedIndex:
    generated = work_folder(path)
    sizes = _measure_size(path), _measure_size(generated) if generated.is_dir() else 0
    try:
        with contextlib.closing(IndexReader(path, verify=False)) as reader:
            return CachedIndex(path, *sizes, reader.description, reader.coverage)
    except StoreError as error:
        return CachedIndex(path, *sizes, None, None, error.message)


def _measure_size(path: Path) -> int:
    """The bytes that a file or folder takes on disk."""
    total = _measure_disk_use(path)
    if path.is_dir() and not path.is_symlink():
        for folder, folders, files in os.walk(path):
            total += sum(_measure_disk_use(Path(folder, name)) for name in (*folders, *files))
    return total


def _measure_disk_use(path: Path) -> int:
    try:
        return path.lstat().st_blocks * 512
    except OSError:  # removed just now
        return 0
