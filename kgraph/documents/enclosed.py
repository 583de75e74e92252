"""Blocks on one line: `f() { g(); if (x) { h(); } }`, `struct T { int a; };`."""

import re
from dataclasses import replace

from kgraph.documents.claims import Read, read_claim
from kgraph.documents.scanning import statements
from kgraph.documents.tables import record_head, record_line
from kgraph.model.documents import Claim, LineKind

_DEEPEST = 40
_DOTS = ".…。· "
# `struct sk_buff *skb, *next;`: what is declared so says nothing that could be judged.
_DECLARATION = re.compile(
    r"(?:(?!(?:return|goto|else|case)\b)\w+[\s*]+)+\w+(?:\s*\[\w*\])?"
    r"(?:\s*,[\s*]*\w+(?:\s*\[\w*\])?)*$", re.ASCII)
_HEADS = (LineKind.FUNCTION, LineKind.CALL, LineKind.INDIRECT, LineKind.CONDITION)
PIECES = (*_HEADS, LineKind.STATEMENT)

Said = tuple[tuple[LineKind, Claim], ...]


def read_enclosed(text: str, *, drawn: bool, cited: bool) -> Read | None:
    """What a line claims that ends with the block that it opens, with all that stands in the block;
    None where it is no such line, or something in the block is no claim.
    """
    first, *others = statements(text)
    if first[1] is None:
        return None
    record = record_head(first[0] + " {")
    if record is not None:
        members = None if any(map(any, others)) else _members(first[1])
        if members is None:
            return None
        return replace(record, claim=replace(record.claim, within=members))
    read = read_claim(first[0], drawn=drawn, cited=cited)
    if read.kind is LineKind.CONDITION:
        # Of a plain `if (x) { f(); }` read_claim() knows what it leads to.
        claims = _claims(text) if text.count("{") > 1 else None
        return Read(read.kind, replace(claims[0][1], also=claims[1:])) if claims else None
    plain = read.kind in _HEADS and not (read.remark or read.claim.also or read.claim.onward)
    within = _claims(first[1]) if plain and not any(map(any, others)) else None
    return None if within is None else replace(read, claim=replace(read.claim, within=within))


def read_members(text: str) -> Read | None:
    """A record without a name of its own that stands on one line within another one: the members
    are as those of the other, `struct { int a; } b;`.
    """
    members = _members(text)
    if not members:
        return None
    (kind, first), *also = members
    return Read(kind, replace(first, also=tuple(also)))


def _claims(text: str, depth: int = 0) -> Said | None:
    """What is claimed between the braces of a function, or of a condition."""
    found: list[tuple[LineKind, Claim]] = []
    for head, inside in statements(text):
        said = head.strip(_DOTS)
        if inside is None and (not said or _DECLARATION.match(said)):
            continue
        read = read_claim(said + ";" * (inside is None), drawn=False, cited=False)
        within = () if inside is None else _claims(inside, depth + 1)
        if within is None or depth > _DEEPEST or read.kind not in (
            PIECES if inside is None else _HEADS
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


def _members(text: str, depth: int = 0) -> Said | None:
    """The members that a text declares, those of records within it among them."""
    found: list[tuple[LineKind, Claim]] = []
    named = False  # whether what stands before is a record within, whose name this is
    for head, inside in statements(text):
        if inside is not None:
            members = _members(inside, depth + 1) if depth < _DEEPEST else None
            if members is None:
                return None
            found += members
        elif head.strip(_DOTS) and not named:
            read = record_line(head + ";")
            if read is None or read.kind is not LineKind.FIELD:
                return None
            found.append((read.kind, read.claim))
        named = inside is not None
    return tuple(found) or None
