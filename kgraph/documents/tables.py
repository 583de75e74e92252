"""Tables and records in a document: `struct T name = {` with rows, `struct T {` with members."""

import re

from kgraph.documents.claims import Read
from kgraph.model.documents import Claim, LineKind

_QUALIFIERS = r"(?:(?:static|const|extern|__\w+)\s+)*"
_TABLE = re.compile(
    rf"{_QUALIFIERS}((?:struct|union)\s+\w+|\w+_t)\s+(?:__\w+\s+)*(\w+)\s*(\[[^\]]*\])?"
    r"(?:\s*__\w+(?:\([^)]*\))?)*\s*=\s*\{?\s*$", re.ASCII,
)
_RECORD = re.compile(r"(?:typedef\s+)?(?:struct|union)\s+(\w+)\s*\{\s*$", re.ASCII)
_ROW = re.compile(r"\.\s*(\w+(?:\.\w+|\[\w+\])*)\s*=\s*(.+?)\s*,?\s*$", re.ASCII)
_VALUE = re.compile(r"(&?\s*\w+)\s*,?\s*$", re.ASCII)
_POINTER = re.compile(r"(.*?)(\(\s*\*\s*\w+\s*\)\s*\(.*\))\s*;\s*$", re.ASCII)
_MEMBER = re.compile(r"(.*[\s*])(\w+(?:\s*\[[^\]]*\])*(?:\s*:\s*\w+)?)\s*;\s*$", re.ASCII)


def table_head(text: str) -> Read | None:
    """The first line of a table."""
    found = _TABLE.match(text.strip())
    if found is None:
        return None
    return Read(LineKind.TABLE, Claim(name=found[2], type=" ".join(found[1].split())))


def record_head(text: str) -> Read | None:
    """The first line of a record."""
    found = _RECORD.match(text.strip())
    return Read(LineKind.RECORD, Claim(name=found[1])) if found else None


def table_line(text: str) -> Read | None:
    """A row within a table."""
    body = text.strip()
    found = _ROW.match(body)
    if found and not found[2].endswith("{"):
        return Read(LineKind.ROW, Claim(name=found[1], value=found[2]))
    alone = _VALUE.match(body)
    return Read(LineKind.ROW, Claim(value=alone[1])) if alone else None


def record_line(text: str) -> Read | None:
    """A member within a record."""
    body = text.strip()
    found = _POINTER.match(body) or _MEMBER.match(body)
    if found is None or not found[1].strip():
        return None
    return Read(LineKind.FIELD, Claim(name=found[2].strip(), type=found[1].strip()))
