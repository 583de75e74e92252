"""Parses conditions: `if (x) f()`, `else`, `switch (x)`, `case X:`, `for (...)`, with what the
line says they lead to.
"""

import re
from dataclasses import replace

from kgraph.check.document.brackets import find_closing, split_argument_list, split_outside_brackets
from kgraph.model.document import Claim

_NAME = r"[A-Za-z_][A-Za-z0-9_]*"
_CALL = re.compile(rf"({_NAME})\s*\(", re.ASCII)
_HEAD = re.compile(r"(?:(else)\s+)?(if|while|for|switch)\b\s*", re.ASCII)
_ELSE = re.compile(r"else\b\s*", re.ASCII)
_LABELS = r"case\s(?:'(?:\\.|[^\\'])+'|[^:;{}\"'])+|default\s*"
_CASE = re.compile(rf"((?:{_LABELS})(?::\s*(?:{_LABELS}))*):\s*(.*)$", re.ASCII)
_BARE_CASE = re.compile(r"(?:case\s+[A-Z0-9_]+|default)$", re.ASCII)  # its colon left out
# What documents put for the colon, and between a condition and what it leads to.
_ARROW = r"(?:-+>|=>|[→⇒：:])"
_CASE_ARROW = re.compile(rf"(case\s+\w+|default)\s*(?:\([^()]*\)\s*)?{_ARROW}\s*(.*)$", re.ASCII)
_BETWEEN = re.compile(rf"\s*(?:{_ARROW}|(?:then|calls?)\b|则)\s*", re.ASCII)
_ENDS = " \t;{}"
_JUMP = re.compile(r"(?:return|goto|break|continue)\b", re.ASCII)
_WORDS = re.compile(r"\w\s+\w")
_PLACE = rf"[*&]*{_NAME}(?:\s*(?:->|\.)\s*{_NAME}|\s*\[[^\[\]]*\])*"
_ASSIGNED = re.compile(rf"{_PLACE}\s*(?:[-+*/%&|^]|<<|>>)?=(?!=)\s*\S", re.ASCII)
_THROUGH = re.compile(
    rf"(?:{_NAME}(?:\s*(?:->|\.)\s*{_NAME})+|\(\s*\*[^()]*\))\s*\(.*\)$", re.ASCII)
INCREMENT = re.compile(r"(?:\+\+|--)[A-Za-z_][\w>.-]*;?$|[A-Za-z_][\w>.-]*(?:\+\+|--);?$", re.ASCII)


def parse_condition(body: str) -> Claim | None:
    """The condition that a line claims, with what it leads to; None for other lines. A condition
    whose parentheses do not close is a claim without a branch.
    """
    body = body.lstrip("} \t")
    if body[:1] not in "iewfscd":
        return None
    if _BARE_CASE.match(body):
        body += ":"
    label = _CASE.match(body)
    if label is None or "(" in label[1]:
        label = _CASE_ARROW.match(body) or label
    if label is not None:
        claim = Claim(condition=" ".join(label[1].split()), branch="case")
        return _add_consequence(claim, label[2]) if _is_code(label[2]) else None
    head = _HEAD.match(body)
    if head is None:
        other = _ELSE.match(body)
        then = _strip_arrow(body[other.end():]) if other else ""
        return _add_consequence(Claim(branch="else"), then) if other and _is_code(then) else None
    rest = body[head.end():]
    negated = rest.startswith("!")
    opening = rest[1:].lstrip() if negated else rest
    if not opening.startswith("("):
        return None
    end = find_closing(opening, 0)
    if end < 0:
        return Claim()
    claim = Claim(condition=opening[1:end].strip(), negated=negated, branch=head[2])
    return _add_consequence(claim, _strip_arrow(opening[end + 1:]))


def _strip_arrow(text: str) -> str:
    """A text without the arrow, colon or word between a condition and it."""
    found = _BETWEEN.match(text)
    return text[found.end():] if found else text


def _is_code(text: str) -> bool:
    """Whether calls, statements or nothing stand behind `else` or `case X:`, and no prose."""
    then = text.strip(_ENDS)
    return text.rstrip().endswith(";") or all(
        map(_is_claim, filter(None, split_outside_brackets(then, ";")))
    )


def _is_claim(text: str) -> bool:
    """Whether a text is a call or a statement, with nothing beside it."""
    left = text.strip(_ENDS)
    call = _CALL.match(left)
    if call and find_closing(left, call.end() - 1) == len(left) - 1:
        return True
    head = _HEAD.match(left)
    if head is not None and left[head.end():].startswith(("(", "!(")):
        return True
    jump = _JUMP.match(left)
    value = left[jump.end():] if jump else ""
    # Two words beside each other are not an expression.
    return bool((jump and not _WORDS.search(value)) or _ASSIGNED.match(left)
                or _THROUGH.match(left) or INCREMENT.match(left))


def _add_consequence(claim: Claim, text: str) -> Claim:
    """The claim with the call, or the other text, that stands behind a condition."""
    then = text.strip(_ENDS)
    call = _CALL.match(then)
    last = find_closing(then, call.end() - 1) if call else -1
    if call and last == len(then) - 1:
        return replace(claim, name=call[1], arguments=split_argument_list(then[call.end():last]))
    return replace(claim, consequence=then)
