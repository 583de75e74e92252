"""Tables and records in a document: `struct T name = {` with rows, `struct T {` with members.

Several rows may stand on one line, the head's too, and a row may itself open a brace.
"""

import re
from dataclasses import replace

from kgraph.documents.claims import Read
from kgraph.documents.scanning import parts
from kgraph.model.documents import Claim, LineKind

_QUALIFIERS = r"(?:(?:static|const|extern|__\w+)\s+)*"
_TABLE = re.compile(
    rf"{_QUALIFIERS}((?:struct|union)\s+\w+|\w+_t)\s+(?:__\w+\s+)*(\w+)\s*(\[[^\]]*\])?"
    r"(?:\s*__\w+(?:\([^)]*\))?)*\s*=\s*(?:\{(.*))?$", re.ASCII,
)
_RECORD = re.compile(r"(?:typedef\s+)?(?:struct|union)\s+(\w+)\s*\{\s*$", re.ASCII)
_NESTED = re.compile(r"(?:struct|union)\s*(?:\w+\s*)?\{\s*$", re.ASCII)
_NESTED_END = re.compile(r"\}\s*\w+(?:\s*\[[^\]]*\])?\s*;?\s*$", re.ASCII)
_ROW = re.compile(r"\.\s*(\w+(?:\.\w+|\[\w+\])*)\s*=\s*(.+?)\s*$", re.ASCII)
_VALUE = re.compile(r"(&?\s*\w+)\s*$", re.ASCII)
_ELEMENT = re.compile(r"\s*(?:\[[^\[\]]*\]\s*=\s*)?\{", re.ASCII)
_POINTER = re.compile(r"(.*?)(\(\s*\*\s*\w+\s*\)\s*\(.*\))\s*;\s*$", re.ASCII)
_MEMBER = re.compile(r"(.*[\s*])(\w+(?:\s*\[[^\]]*\])*(?:\s*:\s*\w+)?)\s*;\s*$", re.ASCII)
_MACRO = re.compile(r"[A-Za-z_]\w*\s*\(.*\)\s*;\s*$", re.ASCII)
_DOTS = re.compile(r"[.…。]+$")


def table_head(text: str) -> Read | None:
    """The first line of a table, with the rows that stand on it."""
    found = _TABLE.match(text.strip())
    if found is None:
        return None
    claim = Claim(name=found[2], type=" ".join(found[1].split()))
    inside = (found[4] or "").rpartition("}")[0] if "}" in (found[4] or "") else found[4] or ""
    rows = _rows(inside)
    if rows is None:
        return None
    return Read(LineKind.TABLE, replace(claim, also=tuple((row.kind, row.claim) for row in rows)))


def record_head(text: str) -> Read | None:
    """The first line of a record."""
    found = _RECORD.match(text.strip())
    return Read(LineKind.RECORD, Claim(name=found[1])) if found else None


def table_line(text: str) -> Read | None:
    """A row within a table, with those beside it; or a brace that opens an element of it."""
    body = text.strip()
    opened = _ELEMENT.match(body)
    inside = body[opened.end():] if opened else body
    if opened or inside.rstrip(" ,;").endswith("}"):
        inside = inside.rstrip(" ,;").removesuffix("}") if inside.count("}") > inside.count(
            "{") else inside
    rows = _rows(inside)
    if rows is None:
        return None
    if not rows:
        return Read(LineKind.CLOSING)
    also = tuple((row.kind, row.claim) for row in rows[1:])
    return replace(rows[0], claim=replace(rows[0].claim, also=also))


def _rows(text: str) -> list[Read] | None:
    """The rows that stand in a text, None where it holds something else."""
    rows = []
    for part in parts(text.rstrip(" ,;"), ","):
        row = _row(part)
        if row is not None:
            rows.append(row)
        elif part and not _DOTS.match(part):
            return None
    return rows


def _row(text: str) -> Read | None:
    found = _ROW.match(text)
    if found:
        return Read(LineKind.ROW, Claim(name=found[1], value=found[2]))
    alone = _VALUE.match(text)
    return Read(LineKind.ROW, Claim(value=alone[1])) if alone else None


def record_line(text: str) -> Read | None:
    """A member of a record, also one that a macro declares, or a brace of a record within it."""
    body = text.strip()
    if _NESTED.match(body) or _NESTED_END.match(body):
        return Read(LineKind.CLOSING)
    found = _POINTER.match(body) or _MEMBER.match(body)
    if found is None or not found[1].strip():
        macro = _MACRO.match(body)
        return Read(LineKind.FIELD, Claim(expression=body.rstrip("; "))) if macro else None
    return Read(LineKind.FIELD, Claim(name=found[2].strip(), type=found[1].strip()))
