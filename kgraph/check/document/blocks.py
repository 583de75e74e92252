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


def parse_table_head(text: str) -> ParsedClaim | None:
    """The first line of a table, with the rows that stand on it."""
    found = _TABLE.match(text.strip())
    if found is None:
        return None
    claim = Claim(name=found[2], type=" ".join(found[1].split()))
    inside = (found[4] or "").rpartition("}")[0] if "}" in (found[4] or "") else found[4] or ""
    rows = _rows(inside)
    if rows is None:
        return None
    return ParsedClaim(
        LineKind.TABLE, replace(claim, also=tuple((row.kind, row.claim) for row in rows))
    )


def parse_record_head(text: str) -> ParsedClaim | None:
    """The first line of a record."""
    found = _RECORD.match(text.strip())
    return ParsedClaim(LineKind.RECORD, Claim(name=found[1])) if found else None


def parse_table_line(text: str) -> ParsedClaim | None:
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
        return ParsedClaim(LineKind.CLOSING)
    also = tuple((row.kind, row.claim) for row in rows[1:])
    return replace(rows[0], claim=replace(rows[0].claim, also=also))


def _rows(text: str) -> list[ParsedClaim] | None:
    """The rows that stand in a text, None where it holds something else."""
    rows = []
    for part in split_outside_brackets(text.rstrip(" ,;"), ","):
        row = _row(part)
        if row is not None:
            rows.append(row)
        elif part and not _DOTS.match(part):
            return None
    return rows


def _row(text: str) -> ParsedClaim | None:
    found = _ROW.match(text)
    if found:
        return ParsedClaim(LineKind.ROW, Claim(name=found[1], value=found[2]))
    alone = _VALUE.match(text)
    return ParsedClaim(LineKind.ROW, Claim(value=alone[1])) if alone else None


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


_DEEPEST = 40
_ELLIPSIS = ".…。· "
# `struct sk_buff *skb, *next;`: what is declared so says nothing that could be judged.
_DECLARATION = re.compile(
    r"(?:(?!(?:return|goto|else|case)\b)\w+[\s*]+)+\w+(?:\s*\[\w*\])?"
    r"(?:\s*,[\s*]*\w+(?:\s*\[\w*\])?)*$", re.ASCII)
_HEADS = (LineKind.FUNCTION, LineKind.CALL, LineKind.INDIRECT, LineKind.CONDITION)
BODY_KINDS = (*_HEADS, LineKind.STATEMENT)
InnerClaims = tuple[tuple[LineKind, Claim], ...]


def parse_one_line_block(text: str, *, drawn: bool, cited: bool) -> ParsedClaim | None:
    """What a line claims that ends with the block that it opens, with all that stands in the block;
    None where it is no such line, or something in the block is no claim.
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
    read = parse_claim(first[0], drawn=drawn, cited=cited)
    if read.kind is LineKind.CONDITION:
        # Of a plain `if (x) { f(); }` read_claim() knows what it leads to.
        claims = _parse_body(text) if text.count("{") > 1 else None
        return ParsedClaim(read.kind, replace(claims[0][1], also=claims[1:])) if claims else None
    plain = read.kind in _HEADS and not (read.remark or read.claim.also or read.claim.onward)
    within = _parse_body(first[1]) if plain and not any(map(any, others)) else None
    return None if within is None else replace(read, claim=replace(read.claim, within=within))


def parse_nested_record(text: str) -> ParsedClaim | None:
    """A record without a name of its own that stands on one line within another one: the members
    are as those of the other, `struct { int a; } b;`.
    """
    members = _parse_members(text)
    if not members:
        return None
    (kind, first), *also = members
    return ParsedClaim(kind, replace(first, also=tuple(also)))


def _parse_body(text: str, depth: int = 0) -> InnerClaims | None:
    """What is claimed between the braces of a function, or of a condition."""
    found: list[tuple[LineKind, Claim]] = []
    for head, inside in iter_statements(text):
        said = head.strip(_ELLIPSIS)
        if inside is None and (not said or _DECLARATION.match(said)):
            continue
        read = parse_claim(said + ";" * (inside is None), drawn=False, cited=False)
        within = () if inside is None else _parse_body(inside, depth + 1)
        if within is None or depth > _DEEPEST or read.kind not in (
            BODY_KINDS if inside is None else _HEADS
        ):
            return None
        claim = replace(read.claim, within=within)
        if found and found[-1][1].branch == "case" != claim.branch:
            # What follows a label stands behind it, too.
            kind, label = found[-1]
            found[-1] = kind, replace(label, within=(*label.within, (read.kind, claim)))
        else:
            found.append((read.kind, claim))
    return tuple(found)


def _parse_members(text: str, depth: int = 0) -> InnerClaims | None:
    """The members that a text declares, those of records within it among them."""
    found: list[tuple[LineKind, Claim]] = []
    named = False  # whether what stands before is a record within, whose name this is
    for head, inside in iter_statements(text):
        if inside is not None:
            members = _parse_members(inside, depth + 1) if depth < _DEEPEST else None
            if members is None:
                return None
            found += members
        elif head.strip(_ELLIPSIS) and not named:
            read = parse_record_line(head + ";")
            if read is None or read.kind is not LineKind.FIELD:
                return None
            found.append((read.kind, read.claim))
        named = inside is not None
    return tuple(found) or None
