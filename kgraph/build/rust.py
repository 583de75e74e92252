"""Finds the functions that Rust code of a kernel defines for C: kgraph does not read Rust."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

from kgraph.textfile import read_regular_file

_ENABLED = re.compile(rb"^CONFIG_RUST=y$", re.MULTILINE)
_FUNCTION = re.compile(
    r"#\[(?:unsafe\()?(?:no_mangle|export)\b[^\]]*\]\s*(?:#\[[^\]]*\]\s*)*"
    r"(?:pub(?:\([^)]*\))?\s+)?(?:unsafe\s+)?(?:extern\s+\"C\"\s+)?fn\s+(\w+)\s*[(<]")
_NO_KERNEL = frozenset({"Documentation", "scripts", "tools"})


def find_rust_functions(root: Path, build: Path | None) -> tuple[str, ...]:
    """The functions that Rust code of the tree defines and C can call, sorted; none if the
    configuration leaves Rust out.
    """
    folders = [root] if build is None else [build, root]
    if not any(map(_is_enabled, folders)):
        return ()
    return tuple(sorted({
        name for path in _iter_sources(root)
        for name in _FUNCTION.findall(read_regular_file(path).decode("utf-8", "replace"))}))


def _is_enabled(folder: Path) -> bool:
    try:
        return bool(_ENABLED.search(read_regular_file(folder / "include/config/auto.conf")))
    except OSError:
        return False


def _iter_sources(root: Path) -> Iterator[Path]:
    for folder, folders, files in os.walk(root):
        if folder == str(root):
            folders[:] = [name for name in folders if name not in _NO_KERNEL]
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            if name.endswith(".rs") and (path := Path(folder, name)).is_file():
                yield path
