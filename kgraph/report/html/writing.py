"""Writes a site to its folder, whole or not at all.

A new folder is made beside the old one. Files that did not change become hard links to the old
ones. When the new folder is complete it takes the place of the old one. `MARK` lists the files
that kgraph wrote; a folder without it belongs to somebody else and is refused.
"""

import errno
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from kgraph.errors import ReportError
from kgraph.textfile import read_regular_file

MARK = ".kgraph-report.json"
_MAX_MARK = 64 << 20  # bytes


@dataclass(frozen=True, slots=True)
class SiteChanges:
    """How many files of a site were written, left alone, and removed."""

    written: int
    kept: int
    removed: int


def refuse_folder(folder: Path) -> None:
    """Raise ReportError if a site cannot be written to `folder`, before you make the site."""
    with _explain_errors(folder):
        _list_previous(_resolve(folder))
        parent = next(each for each in folder.resolve().parents if each.exists())
        if not parent.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(parent))
        if not os.access(parent, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(parent))


def write_site(folder: Path, files: dict[str, bytes]) -> SiteChanges:
    """Make `folder` hold exactly `files`.

    Raises ReportError if the folder holds something that kgraph did not write, or cannot be
    written. Then it is unchanged.
    """
    with _explain_errors(folder):
        folder = _resolve(folder)
        _repair(folder)
        previous = _list_previous(folder)
        return _replace(folder, files, previous)


def _resolve(folder: Path) -> Path:
    folder = folder.resolve()
    if not folder.name:
        raise ReportError(f"{folder} cannot be replaced", "give another folder with -o")
    return folder


@contextmanager
def _explain_errors(folder: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, RuntimeError) as error:  # a loop of links is a RuntimeError
        where = getattr(error, "filename", None) or folder
        what = getattr(error, "strerror", error)
        raise ReportError(
            f"{where}: {what}", "give another folder with -o"
        ) from error


def _repair(folder: Path) -> None:
    """Undo what an interrupted run left: put the old site back, or remove it."""
    aside = _get_aside(folder)
    if (aside / MARK).is_file():
        if folder.exists():
            _remove(aside)
        else:
            aside.rename(folder)
    elif aside.exists():
        raise ReportError(f"{aside} is in the way and is not a kgraph report",
                          "move it elsewhere, or give another folder with -o")


def _remove(report: Path) -> None:
    """Remove a report, its mark last, so that a report that is half removed is still known."""
    for path in report.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        elif path.name != MARK:
            path.unlink()
    shutil.rmtree(report)


def _get_aside(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.kgraph-old")


def _list_previous(folder: Path) -> list[str]:
    """The files of the site that is there; [] for none."""
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return []
    if not folder.is_dir():
        raise ReportError(f"{folder} is not a folder", "give a folder with -o")
    try:
        names = json.loads(read_regular_file(folder / MARK, _MAX_MARK))
    except (OSError, ValueError, RecursionError):
        names = None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ReportError(
            f"{folder} is not empty and is not a kgraph report", "give an empty or new folder"
        )
    there = {file.relative_to(folder).as_posix() for file in folder.rglob("*")}
    folders = {name.rpartition("/")[0] for name in names}
    foreign = sorted(there - set(names) - folders - {MARK})
    if foreign:
        raise ReportError(
            f"{folder} holds {foreign[0]}, which kgraph did not write",
            "move it elsewhere, or give another folder",
        )
    return [name for name in names if name in there]


def _replace(folder: Path, files: dict[str, bytes], previous: list[str]) -> SiteChanges:
    folder.parent.mkdir(parents=True, exist_ok=True)
    new = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    kept = 0
    try:
        for name, data in {**files, MARK: _mark(files)}.items():
            kept += _write_or_link(folder / name, new / name, data) and name != MARK
        new.chmod(folder.stat().st_mode & 0o7777 if folder.exists() else 0o755)
        if kept == len(files) == len(previous):
            return SiteChanges(0, kept, 0)
        aside = _get_aside(folder)
        if folder.exists():
            folder.rename(aside)
        try:
            new.rename(folder)
        except BaseException:
            if aside.exists():
                aside.rename(folder)
            raise
        if aside.exists():
            _remove(aside)
    finally:
        shutil.rmtree(new, ignore_errors=True)
    return SiteChanges(len(files) - kept, kept, len(set(previous) - set(files)))


def _mark(files: dict[str, bytes]) -> bytes:
    return f"{json.dumps(sorted(files), indent=0)}\n".encode()


def _write_or_link(old: Path, new: Path, data: bytes) -> bool:
    """Make the file `new`. True if `old` holds the same data; then it is the same file."""
    new.parent.mkdir(exist_ok=True)
    if old.is_file() and not old.is_symlink() and old.read_bytes() == data:
        try:
            os.link(old, new)
        except OSError:  # a file system without hard links
            shutil.copy2(old, new)
        return True
    new.write_bytes(data)
    return False
