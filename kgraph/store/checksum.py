"""The checksum of an index file, stored after its last page.

SQLite detects damage to its own structure only; a damaged number would be returned as an
answer. SQLite ignores bytes after the pages that its header counts. The checksum detects
corruption, not tampering.
"""

import os
import zlib
from pathlib import Path
from typing import BinaryIO

from kgraph.errors import StoreError
from kgraph.store.arrays import REBUILD_HINT
from kgraph.store.schema import APPLICATION_ID, SCHEMA_VERSION

_SQLITE = b"SQLite format 3\0"
_MARK = b"kgraph crc32"
_TRAILER_SIZE = len(_MARK) + 4
_HEADER = 100
_PAGE = 8192  # the first page has the schema
_OWN_TABLE = b"CREATE TABLE unit_file"  # every version has it
_LEAST_SHARE = 16  # of a file that is all there; even where the file system compresses it
_CHUNK = 1 << 18  # small enough for the processor's cache


def write_checksum(path: Path) -> None:
    """Write the checksum after the pages of a database, over an earlier one."""
    with path.open("r+b") as file:
        header = file.read(_HEADER)
        size = _find_size(header)
        file.truncate(size)
        checksum = _compute_checksum(file, size)
        file.seek(0, os.SEEK_END)
        file.write(_MARK + checksum.to_bytes(4, "big"))


def check_header(path: Path) -> None:
    """Raise StoreError if the file is not an index, or one of another version."""
    try:
        with path.open("rb") as file:
            header = file.read(_HEADER)
    except OSError as error:
        raise StoreError(f"{path} cannot be read: {error.strerror}", "check its permissions"
                         ) from None
    if len(header) < _HEADER or not header.startswith(_SQLITE):
        raise StoreError(f"{path} is not a kgraph index, or is damaged", REBUILD_HINT)
    if _number(header, 68) != APPLICATION_ID:
        raise StoreError(f"{path} is not a kgraph index", "name another file with --index")
    version = _number(header, 60)
    if version != SCHEMA_VERSION:
        raise StoreError(
            f"{path} was written by another version of kgraph (its schema is {version}, not"
            f" {SCHEMA_VERSION})",
            REBUILD_HINT,
        )


def looks_like_index(path: Path) -> bool:
    """Whether a file is an index of any version, or may have been one before it was damaged: one of
    its marks is left, at its start, on its first page, or at its end. So is an empty file."""
    with path.open("rb") as file:
        head = file.read(_PAGE)
        file.seek(-min(_TRAILER_SIZE, os.fstat(file.fileno()).st_size), os.SEEK_END)
        end = file.read(_TRAILER_SIZE)
    if len(head) < _HEADER:  # empty, or cut off
        return head.startswith(_SQLITE) or _SQLITE.startswith(head)
    return (_number(head, 68) == APPLICATION_ID or end.startswith(_MARK)
            or (head.startswith(_SQLITE) and _OWN_TABLE in head))


def check_checksum(path: Path) -> None:
    """Raise StoreError if the file differs in a bit from what was written.

    The file is read, not mapped: mapped pages would count as memory of this process.
    """
    with path.open("rb") as file:
        size = _find_size(file.read(_HEADER))
        state = os.fstat(file.fileno())
        expected = b""
        # A file that is mostly holes is not read: it may claim to have terabytes.
        is_there = state.st_blocks * 512 * _LEAST_SHARE >= size
        if size + _TRAILER_SIZE == state.st_size and is_there:
            expected = _MARK + _compute_checksum(file, size).to_bytes(4, "big")
        if not expected or file.read() != expected:
            raise StoreError(f"the index {path} is damaged (its checksum is wrong)", REBUILD_HINT)


def _find_size(header: bytes) -> int:
    """The size of a database, as its header says."""
    return _number(header, 28) * (_number(header, 16, 2) or 1)


def _compute_checksum(file: BinaryIO, size: int) -> int:
    """The checksum of the first `size` bytes; what follows is read next."""
    file.seek(0)
    buffer = memoryview(bytearray(_CHUNK))
    checksum = 0
    while size > 0:
        read = file.readinto(buffer[:min(size, _CHUNK)])  # type: ignore[attr-defined]
        if not read:
            break
        checksum = zlib.crc32(buffer[:read], checksum)
        size -= read
    return checksum


def _number(header: bytes, at: int, size: int = 4) -> int:
    return int.from_bytes(header[at:at + size], "big")
