"""What writing to a tree would change."""

from pathlib import Path


def listing(root: Path) -> list[tuple[str, int, int]]:
    """Every entry below `root` with its time and size: what writing to it would change."""
    found = []
    for path in sorted([root, *root.rglob("*")]):
        state = path.lstat()
        found.append((str(path), state.st_mtime_ns, state.st_size))
    return found
