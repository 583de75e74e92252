"""Corrects the citations of a checked document and leaves every other byte alone."""

import difflib
import re
from collections.abc import Iterator

from kgraph.model.location import Location
from kgraph.model.verdicts import ChainCheck, LineVerdict, Verdict

_TRUE = (Verdict.HOLDS, Verdict.STANDS, Verdict.GAP, Verdict.DEFERRED, Verdict.ONE_OF)


def fix_citations(data: bytes, check: ChainCheck, *, cite: bool = False) -> bytes:
    """The bytes of a checked document with correct citations on the lines that are true.

    With `cite`, true lines without a citation get one, written like the document's first.
    """
    edits = [
        edit for line in check.lines
        if (edit := _make_edit(line, check, data, cite=cite)) is not None
    ]
    for start, end, new in sorted(edits, reverse=True):
        data = data[:start] + new + data[end:]
    return data


def _make_edit(
    line: LineVerdict, check: ChainCheck, data: bytes, *, cite: bool
) -> tuple[int, int, bytes] | None:
    """What changes in a line: start and end of the old bytes, and the new ones."""
    found, cited = line.found, line.line.citation
    if found is None or line.verdict not in _TRUE:
        return None
    if cited is None:
        if not cite:
            return None
        start = line.line.start
        end = start + len(_strip_comment(data[start:line.line.end]))
        return end, end, f" ({_imitate_citation(check, data, found)})".encode()
    if line.citation.is_right:
        return None
    # If one path is the end of the other they name one file: only the line changes.
    if ("/" + cited.path).endswith("/" + found.path) or (
        ("/" + found.path).endswith("/" + cited.path)
    ):
        return cited.line_start, cited.end, str(found.line).encode()
    return cited.start, cited.end, _imitate_citation(check, data, found).encode()


def _strip_comment(line: bytes) -> bytes:
    """A line up to its comment, without trailing blanks."""
    text = line.decode("utf-8", "surrogateescape")
    code = re.split(r"\s*(?<![:\w/])//|\s*/\*", text, maxsplit=1)[0].rstrip()
    return code.encode("utf-8", "surrogateescape")


def _imitate_citation(check: ChainCheck, data: bytes, found: Location) -> str:
    """A citation written like the document's first one whose folders are known."""
    for line in check.lines:
        cited, there = line.line.citation, line.found
        if cited is None or there is None or not cited.path.endswith(there.path):
            continue
        written = data[cited.start:cited.end].decode("utf-8", "replace")
        prefix = cited.path[:len(cited.path) - len(there.path)]
        if "://" in written or "#" in written:
            continue
        path = prefix + found.path
        return f"{path.replace('/', chr(92)) if chr(92) in written else path}:{found.line}"
    return str(found)


def format_diff(name: str, old: bytes, new: bytes) -> Iterator[str]:
    """A unified diff, a line each."""
    before, after = (
        data.decode("utf-8", "surrogateescape").split("\n") for data in (old, new)
    )
    yield from difflib.unified_diff(before, after, name, name, lineterm="")
