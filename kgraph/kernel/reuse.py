"""Remembering the dry run of a tree, so that a second index of an unchanged tree asks no make.

Owns units.json in the work folder and the key under which it holds: tree, configuration, compiler,
this package, and every file that Kbuild reads (Makefile, Kbuild, Kconfig, scripts), by time and
size. The commands name the work folder, and so do files that make wrote into it: one that was
copied or moved is not used. Limit: a header edited so that generated ones (asm-offsets.h) would
change is not noticed.
"""

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from kgraph.kernel.configuration import Configuration
from kgraph.kernel.tools import compiler_version
from kgraph.kernel.tree import KernelTree
from kgraph.model.units import TranslationUnit
from kgraph.treefile import read_regular

_FILE = "units.json"
_READ_BY_KBUILD = ("Makefile", "Kbuild", "Kconfig")
_TABLES = (".tbl", "defconfig", ".config")


@dataclass(frozen=True, slots=True)
class Remembered:
    """What a dry run gave: its units, what was skipped (reason, count), what was remarked."""

    units: tuple[TranslationUnit, ...]
    skipped: tuple[tuple[str, int], ...]
    remarks: tuple[str, ...]


def recall(
    work: Path, tree: KernelTree, configuration: Configuration, remark: Callable[[str], None]
) -> Remembered | None:
    """What was remembered in `work`, if its inputs are the same today."""
    try:
        stored = json.loads(read_regular(work / _FILE))
        if stored["work"] != str(work):
            remark(f"the cache folder was copied or moved: {work} was made in {stored['work']},"
                   " and is made anew")
            return None
        if stored["key"] != _key(tree, configuration) or not (work / "build").is_dir():
            return None
        units = tuple(
            TranslationUnit(**{**unit, "arguments": tuple(stored["flags"][unit["arguments"]])})
            for unit in stored["units"]
        )
        skipped = tuple((reason, count) for reason, count in stored["skipped"])
        return Remembered(units, skipped, tuple(stored["remarks"]))
    except (OSError, ValueError, KeyError, TypeError, IndexError, RecursionError):
        # Not there, of an earlier kgraph, or cut off: it is made again.
        return None


def remember(
    work: Path, tree: KernelTree, configuration: Configuration, remembered: Remembered
) -> None:
    """Writes what `recall` reads, whole or not at all."""
    flags: dict[tuple[str, ...], int] = {}
    for unit in remembered.units:
        flags.setdefault(unit.arguments, len(flags))
    content = {
        "key": _key(tree, configuration),
        "work": str(work),
        "flags": list(flags),
        "units": [
            {**asdict(unit), "arguments": flags[unit.arguments]} for unit in remembered.units
        ],
        "skipped": remembered.skipped,
        "remarks": remembered.remarks,
    }
    half = work / f"{_FILE}.new"
    half.write_text(json.dumps(content), encoding="utf-8")
    half.replace(work / _FILE)


def forget(work: Path) -> None:
    """Removes what was remembered, before the build folder that it speaks of is made again."""
    (work / _FILE).unlink(missing_ok=True)


def _key(tree: KernelTree, configuration: Configuration) -> str:
    digest = hashlib.sha256()
    for part in (tree.root, tree.release, configuration.digest, compiler_version()):
        digest.update(f"{part}\n".encode())
    for source in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(source.read_bytes())
    for line in sorted(_inputs(str(tree.root))):
        digest.update(line.encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def _inputs(root: str) -> Iterator[str]:
    for folder, folders, files in os.walk(root):
        folders[:] = [name for name in folders if not name.startswith(".")]
        whole = folder.startswith(f"{root}/scripts")
        for name in files:
            if whole or name.startswith(_READ_BY_KBUILD) or name.endswith(_TABLES):
                path = f"{folder}/{name}"
                try:
                    state = os.lstat(path)
                except OSError:  # removed just now
                    continue
                yield f"{path} {state.st_mtime_ns} {state.st_size}\n"
