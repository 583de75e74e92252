"""File names and file contents that may hold anything.

A kernel tree may contain names that are not text, links that lead out of the tree, and pipes
that nobody writes to. This module escapes names for citations, reads regular files only, and
splits lines as clang does. Does not know what a file is about.
"""

import contextlib
import errno
import os
import re
import stat
import tempfile
from collections.abc import Iterable
from pathlib import Path

MAX_LISTING_BYTES = 512 << 20  # of a configuration or a list of compile commands
_ESCAPED = re.compile(rb"\\x([0-9a-f]{2})")


def escape_name(name: str) -> str:
    """A file name as citations write it: one line of text. No two names become the same."""
    if name.isascii() and name.isprintable() and "\\" not in name:
        return name
    return "".join(
        character if character.isprintable() and character != "\\"
        else "".join(f"\\x{byte:02x}" for byte in os.fsencode(character))
        for character in name
    )


def escape_if_undecodable(name: str) -> str:
    """A file name that you gave, as citations write it. It may already be escaped, or hold bytes
    that are not text.
    """
    try:
        name.encode()
    except UnicodeEncodeError:
        return escape_name(name)
    return name


def unescape_name(cited: str) -> str:
    """The file name that a citation writes so."""
    if "\\" not in cited:
        return cited
    return os.fsdecode(
        _ESCAPED.sub(lambda found: bytes([int(found[1], 16)]), os.fsencode(cited)))


def identify_file(path: Path) -> tuple[int, ...]:
    """What tells a file from one that takes its place later; () if there is none."""
    try:
        found = path.stat()
    except OSError:
        return ()
    return found.st_dev, found.st_ino, found.st_mtime_ns, found.st_size


def read_regular_file(name: str | os.PathLike[str], most: int | None = None) -> bytes:
    """The bytes of a file. Raises OSError if it cannot be read, is not a regular file, or has more
    than `most` bytes.
    """
    descriptor = os.open(name, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(descriptor, "rb") as file:  # noqa: PTH123  an open descriptor
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "not a regular file", os.fspath(name))
        content = file.read() if most is None else file.read(most + 1)
    if most is not None and len(content) > most:
        raise OSError(errno.EFBIG, f"larger than {_format_size(most)}", os.fspath(name))
    return content


def normalise_newlines(content: bytes) -> bytes:
    """A source with a newline at the end of each line that clang counts: a carriage return ends a
    line, a form feed does not.
    """
    return content.replace(b"\r\n", b"\n").replace(b"\r", b"\n")


def split_lines(content: bytes) -> list[bytes]:
    """The lines of a source as clang counts them, without their ends."""
    return normalise_newlines(content).split(b"\n")


def _format_size(most: int) -> str:
    return f"{most >> 20} MB" if most >= 1 << 20 else f"{most} bytes"


def is_link_outside(name: str, folders: Iterable[str]) -> bool:
    """Whether links lead from a file to one that is in none of the folders."""
    real, given = os.path.realpath(name), [folder for folder in folders if folder]
    # Most folders are reached without links; then they need not be resolved.
    return not (_in_any(real, given) or _in_any(real, map(os.path.realpath, given)))


def _in_any(name: str, folders: Iterable[str]) -> bool:
    return any(name.startswith(folder.rstrip(os.sep) + os.sep) for folder in folders)


def replace_file(path: Path, data: bytes) -> None:
    """Write a file whole or not at all, by way of a new one beside it; no link is followed."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def make_private_folder(folder: Path) -> None:
    """Make a folder, if need be, that only this user can enter. Raises PermissionError if it is
    there and others may write into it: what is read from it would be theirs."""
    with contextlib.suppress(FileExistsError):
        folder.mkdir(parents=True, mode=0o700)
    state = folder.stat()
    if state.st_uid != os.geteuid():
        raise PermissionError(errno.EACCES, "it belongs to another user", str(folder))
    if state.st_mode & 0o022:
        raise PermissionError(errno.EACCES, "others may write into it", str(folder))


def expand_home(path: str | Path) -> Path:
    """A path with ~ and ~USER replaced, as far as their folders are known."""
    return Path(os.path.expanduser(path))  # noqa: PTH111  Path.expanduser() raises


def is_file(path: str | Path) -> bool:
    """Whether a path is a regular file. False, not an error, for a name that is too long."""
    return os.path.isfile(path)  # noqa: PTH113  Path.is_file() raises


def is_folder(path: str | Path) -> bool:
    """Whether a path is a folder."""
    return os.path.isdir(path)  # noqa: PTH112


def is_there(path: str | Path) -> bool:
    """Whether a path exists."""
    return os.path.exists(path)  # noqa: PTH110
