"""Writes a site to its folder, whole or not at all.

A new folder is made beside the old one. Files that did not change become hard links to the old
ones. When the new folder is complete it takes the place of the old one. `MARK` lists the files
that kgraph wrote; a folder without it belongs to somebody else and is refused.
"""

import json
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from kgraph.errors import ReportError
from kgraph.textfile import read_regular_file

MARK = ".kgraph-report.json"
_MOST_LISTED = 64 << 20  # bytes of what it lists


@dataclass(frozen=True, slots=True)
class SiteChanges:
    """What writing a site did: how many of its files were written, left as they were, removed."""

    written: int
    kept: int
    removed: int


def write_site(folder: Path, files: dict[str, bytes]) -> SiteChanges:
    """Make `folder` hold exactly `files`. Raises ReportError where it holds what is not kgraph's,
    or cannot be written; then it is as it was.
    """
    try:
        folder = folder.resolve()
        if not folder.name:
            raise ReportError(f"{folder} is no folder to be replaced", "give another one with -o")
        _repair(folder)
        former = _list_previous(folder)
        return _replace(folder, files, former)
    except (OSError, RuntimeError) as error:  # a loop of links is a RuntimeError
        where = getattr(error, "filename", None) or folder
        what = getattr(error, "strerror", error)
        raise ReportError(
            f"{where}: {what}", "give another folder with -o"
        ) from error


def _repair(folder: Path) -> None:
    """Put back what an interrupted run had moved aside."""
    aside = _get_aside(folder)
    if (aside / MARK).is_file():
        if folder.exists():
            _remove(aside)
        else:
            aside.rename(folder)
    elif aside.exists():
        raise ReportError(f"{aside} is in the way, and is no report of kgraph's",
                          "move it elsewhere, or give another folder with -o")


def _remove(report: Path) -> None:
    """Remove a report, its mark last: what an interrupted run leaves can be told by it."""
    for path in report.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        elif path.name != MARK:
            path.unlink()
    shutil.rmtree(report)


def _get_aside(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.kgraph-old")


def _list_previous(folder: Path) -> list[str]:
    """The files of the site that is there."""
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return []
    if not folder.is_dir():
        raise ReportError(f"{folder} is no folder", "give a folder with -o")
    try:
        names = json.loads(read_regular_file(folder / MARK, _MOST_LISTED))
    except (OSError, ValueError, RecursionError):
        names = None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ReportError(
            f"{folder} is not empty, and is no report of kgraph's", "give an empty or new folder"
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


def _replace(folder: Path, files: dict[str, bytes], former: list[str]) -> SiteChanges:
    folder.parent.mkdir(parents=True, exist_ok=True)
    new = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    kept = 0
    try:
        for name, data in {**files, MARK: _mark(files)}.items():
            kept += _write_or_link(folder / name, new / name, data) and name != MARK
        new.chmod(folder.stat().st_mode & 0o7777 if folder.exists() else 0o755)
        if kept == len(files) == len(former):
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
    return SiteChanges(len(files) - kept, kept, len(set(former) - set(files)))


def _mark(files: dict[str, bytes]) -> bytes:
    return f"{json.dumps(sorted(files), indent=0)}\n".encode()


def _write_or_link(old: Path, new: Path, data: bytes) -> bool:
    """The file `new` with `data`; True where it is the file `old`, which holds the same."""
    new.parent.mkdir(exist_ok=True)
    if old.is_file() and not old.is_symlink() and old.read_bytes() == data:
        try:
            os.link(old, new)
        except OSError:  # a file system without hard links
            shutil.copy2(old, new)
        return True
    new.write_bytes(data)
    return False
