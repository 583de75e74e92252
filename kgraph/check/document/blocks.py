"""Parses what stands in braces: tables, records, and blocks that open and close on one line.

`struct T name = {` has rows, `struct T {` has members. Several rows may share a line, also with
the head, and a row may open a brace itself. `f() { g(); if (x) { h(); } }` and `struct T { int
a; };` are one line each.
"""

import re
from dataclasses import replace

from kgraph.check.document.brackets import iter_statements, split_outside_brackets
from kgraph.check.document.claim_parser import ParsedClaim, parse_claim
from kgraph.model.document import Claim, LineKind

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
# `struct sk_buff *skb, *next;`: a declaration without a value claims nothing that can be judged.
_DECLARATION = re.compile(
    r"(?:(?!(?:return|goto|else|case)\b)\w+[\s*]+)+\w+(?:\s*\[\w*\])?"
    r"(?:\s*,[\s*]*\w+(?:\s*\[\w*\])?)*$", re.ASCII)
_ELLIPSIS = ".…。· "
_MAX_DEPTH = 40
_HEADS = (LineKind.FUNCTION, LineKind.CALL, LineKind.INDIRECT, LineKind.CONDITION)
BODY_KINDS = (*_HEADS, LineKind.STATEMENT)

_InnerClaims = tuple[tuple[LineKind, Claim], ...]


def parse_table_head(text: str) -> ParsedClaim | None:
    """The first line of a table, with the rows that stand on it."""
    found = _TABLE.match(text.strip())
    if found is None:
        return None
    claim = Claim(name=found[2], type=" ".join(found[1].split()))
    behind = found[4] or ""
    rows = _parse_rows(behind.rpartition("}")[0] if "}" in behind else behind)
    return None if rows is None else ParsedClaim(LineKind.TABLE, replace(claim, also=rows))


def parse_record_head(text: str) -> ParsedClaim | None:
    """The first line of a record."""
    found = _RECORD.match(text.strip())
    return ParsedClaim(LineKind.RECORD, Claim(name=found[1])) if found else None


def parse_table_line(text: str) -> ParsedClaim | None:
    """A row within a table, with those beside it; or a brace that opens an element of it."""
    body = text.strip()
    opened = _ELEMENT.match(body)
    inside = body[opened.end():] if opened else body
    ends_element = opened is not None or inside.rstrip(" ,;").endswith("}")
    if ends_element and inside.count("}") > inside.count("{"):
        inside = inside.rstrip(" ,;").removesuffix("}")
    rows = _parse_rows(inside)
    if rows is None:
        return None
    if not rows:
        return ParsedClaim(LineKind.CLOSING)
    (kind, first), *others = rows
    return ParsedClaim(kind, replace(first, also=tuple(others)))


def _parse_rows(text: str) -> _InnerClaims | None:
    """The rows in a text, None if it holds something else."""
    rows = []
    for part in split_outside_brackets(text.rstrip(" ,;"), ","):
        claim = _parse_row(part)
        if claim is not None:
            rows.append((LineKind.ROW, claim))
        elif part and not _DOTS.match(part):
            return None
    return tuple(rows)


def _parse_row(text: str) -> Claim | None:
    found = _ROW.match(text)
    if found:
        return Claim(name=found[1], value=found[2])
    alone = _VALUE.match(text)
    return Claim(value=alone[1]) if alone else None


def parse_record_line(text: str) -> ParsedClaim | None:
    """A member of a record, also one that a macro declares, or a brace of a record within it."""
    body = text.strip()
    if _NESTED.match(body) or _NESTED_END.match(body):
        return ParsedClaim(LineKind.CLOSING)
    found = _POINTER.match(body) or _MEMBER.match(body)
    if found is None or not found[1].strip():
        macro = _MACRO.match(body)
        return ParsedClaim(LineKind.FIELD, Claim(expression=body.rstrip("; "))) if macro else None
    return ParsedClaim(LineKind.FIELD, Claim(name=found[2].strip(), type=found[1].strip()))


def parse_one_line_block(text: str, *, drawn: bool, cited: bool) -> ParsedClaim | None:
    """The claim of a line that opens a block and ends with it, with all claims in the block; None
    for other lines, and if something in the block is not a claim.
    """
    first, *others = iter_statements(text)
    if first[1] is None:
        return None
    record = parse_record_head(first[0] + " {")
    if record is not None:
        members = None if any(map(any, others)) else _parse_members(first[1])
        if members is None:
            return None
        return replace(record, claim=replace(record.claim, within=members))
    head = parse_claim(first[0], drawn=drawn, cited=cited)
    if head.kind is LineKind.CONDITION:
        # parse_claim() knows what a plain `if (x) { f(); }` leads to.
        claims = _parse_body(text) if text.count("{") > 1 else None
        return ParsedClaim(head.kind, replace(claims[0][1], also=claims[1:])) if claims else None
    is_plain = head.kind in _HEADS and not (head.remark or head.claim.also or head.claim.onward)
    within = _parse_body(first[1]) if is_plain and not any(map(any, others)) else None
    return None if within is None else replace(head, claim=replace(head.claim, within=within))


def parse_nested_record(text: str) -> ParsedClaim | None:
    """A record without a name that stands on one line within another one, `struct { int a; } b;`:
    its members are members of the other.
    """
    members = _parse_members(text)
    if not members:
        return None
    (kind, first), *also = members
    return ParsedClaim(kind, replace(first, also=tuple(also)))


def _parse_body(block: str, depth: int = 0) -> _InnerClaims | None:
    """The claims between the braces of a function, or of a condition; None if something there is
    not a claim.
    """
    found: list[tuple[LineKind, Claim]] = []
    for head, inside in iter_statements(block):
        text = head.strip(_ELLIPSIS)
        if inside is None and (not text or _DECLARATION.match(text)):
            continue
        parsed = parse_claim(text + ";" * (inside is None), drawn=False, cited=False)
        within = () if inside is None else _parse_body(inside, depth + 1)
        if within is None or depth > _MAX_DEPTH or parsed.kind not in (
            BODY_KINDS if inside is None else _HEADS
        ):
            return None
        claim = replace(parsed.claim, within=within)
        if found and found[-1][1].branch == "case" != claim.branch:
            # What follows a label stands behind it, too.
            kind, label = found[-1]
            found[-1] = kind, replace(label, within=(*label.within, (parsed.kind, claim)))
        else:
            found.append((parsed.kind, claim))
    return tuple(found)


def _parse_members(text: str, depth: int = 0) -> _InnerClaims | None:
    """The members that a text declares, also those of records within it; None if something there
    declares none.
    """
    found: list[tuple[LineKind, Claim]] = []
    is_name = False  # of the record within that stands before it
    for head, inside in iter_statements(text):
        if inside is not None:
            members = _parse_members(inside, depth + 1) if depth < _MAX_DEPTH else None
            if members is None:
                return None
            found += members
        elif head.strip(_ELLIPSIS) and not is_name:
            member = parse_record_line(head + ";")
            if member is None or member.kind is not LineKind.FIELD:
                return None
            found.append((member.kind, member.claim))
        is_name = inside is not None
    return tuple(found) or None
