"""Reads a unified diff: which lines of which files it touches, before and after.

    read_patch(text, name) -> tuple[FilePatch, ...]

Lines count from 1. Where one side only lacks lines, the gap between two lines of it is touched.
"""

from collections.abc import Iterable
from enum import Enum

from msgspec import Struct
from unidiff.errors import UnidiffParseError
from unidiff.patch import Hunk, PatchSet

from kgraph.errors import DocumentError


class Side(Enum):
    """Which text an index was made of."""

    BEFORE = "before"
    AFTER = "after"


class TextPatch(Struct, frozen=True):
    """What a patch says of one side of a file. `lines` are the numbers of touched lines, `gaps` the
    numbers of lines behind which lines of the other side are missing; `text` has every line that
    the patch shows."""

    path: str
    lines: frozenset[int]
    gaps: frozenset[int]
    text: dict[int, str]

    def touches(self, first: int, last: int) -> bool:
        """Whether it changes something from one line to another, both included."""
        return any(first <= line <= last for line in self.lines) or any(
            first <= line < last for line in self.gaps)


class FilePatch(Struct, frozen=True):
    """The two sides of a file; None where the file is not there."""

    before: TextPatch | None
    after: TextPatch | None

    def get_side(self, side: Side) -> TextPatch | None:
        """One of the two."""
        return self.before if side is Side.BEFORE else self.after


def read_patch(text: str, name: str) -> tuple[FilePatch, ...]:
    """The files of a patch. Raises DocumentError where it is no unified diff."""
    try:
        files = PatchSet(text)
    except UnidiffParseError as error:
        raise DocumentError(f"{name} is not a unified diff: {str(error).strip()}",
                            "give what `git diff` or `diff -u` writes") from None
    if not files:
        raise DocumentError(f"{name} changes no file", "give what `git diff` or `diff -u` writes")
    return tuple(
        FilePatch(
            None if each.is_added_file else _read_side(each.source_file, each, Side.BEFORE),
            None if each.is_removed_file else _read_side(each.target_file, each, Side.AFTER))
        for each in files)


def _read_side(path: str, hunks: Iterable[Hunk], side: Side) -> TextPatch:
    lines: set[int] = set()
    gaps: set[int] = set()
    text: dict[int, str] = {}
    for hunk in hunks:
        start, length = ((hunk.source_start, hunk.source_length) if side is Side.BEFORE
                         else (hunk.target_start, hunk.target_length))
        at = start if not length else start - 1  # of no lines it says the line before
        for line in hunk:
            if line.is_context or (line.is_removed if side is Side.BEFORE else line.is_added):
                at += 1
                text[at] = line.value.rstrip("\r\n")
                if not line.is_context:
                    lines.add(at)
            elif line.is_added or line.is_removed:
                gaps.add(at)
    return TextPatch(_strip_prefix(path), frozenset(lines), frozenset(
        gap for gap in gaps if gap not in lines and gap + 1 not in lines), text)


def _strip_prefix(path: str) -> str:
    """The path in the tree: git and diff put one folder in front."""
    path = path.strip('"').split("\t")[0]
    _, slash, rest = path.partition("/")
    return rest if slash else path
