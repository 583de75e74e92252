"""Parses the claim of one line: a function, a call, a statement, a condition.

The line comes without its drawing, comment and citation. What claims nothing is prose. What
looks like a claim and cannot be parsed is "unread".
"""

import re
from dataclasses import dataclass, field, replace

from kgraph.check.document.brackets import find_closing, split_argument_list, split_outside_brackets
from kgraph.check.document.condition_parser import INCREMENT, parse_condition
from kgraph.model.document import Claim, LineKind

_NAME = r"[A-Za-z_][A-Za-z0-9_]*"
_TYPE_WORD = (
    r"(?:static|inline|extern|asmlinkage|noinline|const|volatile|unsigned|signed|void|bool|char|"
    r"short|int|long|float|double|size_t|(?:struct|union|enum)\s+\w+|\w+_t|[us](?:8|16|32|64)|__\w+)"
)
_TYPED = re.compile(rf"(?:{_TYPE_WORD}[\s*]+)+(?={_NAME}\s*\()", re.ASCII)
# The same with other words, if its parameters make it the head of a function.
_HEADED = re.compile(
    rf"(?:(?:static|inline|extern|asmlinkage)\s+(?:\w+[\s*]+)+|\w+\s+(?:{_TYPE_WORD}[\s*]+)+"
    r"|[A-Za-z]\w*_\w*[\s*]+|\*+\s*)"
    rf"(?={_NAME}\s*\()", re.ASCII,
)
# A blank before the parenthesis is English, unless the name has an underscore and a small letter.
_CALL = re.compile(
    rf"((?=\w*_)(?=\w*[a-z]){_NAME}(?=\s*\()|{_NAME}(?=\())\s*\(", re.ASCII)
_TYPE = re.compile(rf"{_TYPE_WORD}\b", re.ASCII)
_FIRST = re.compile(rf"[*&]*{_NAME}", re.ASCII)
_MEMBER = re.compile(rf"\s*(?:->|\.)\s*{_NAME}", re.ASCII)
_RESULT = re.compile(rf"([*&]?{_NAME}(?:\s*(?:->|\.)\s*{_NAME}|\s*\[[^\[\]]*\])*)\s*=\s*(?!=)",
                     re.ASCII)
_DECLARED_RESULT = re.compile(rf"(?:{_TYPE_WORD}[\s*]+)+", re.ASCII)
_ASSIGNED = re.compile(
    r"[*&(]?[A-Za-z_](?:[\w\s>.()*&-]|\[[^\[\]]*\])*?(?:[-+*/%&|^]|<<|>>)?=(?!=)\s*\S", re.ASCII
)
_JUMP = re.compile(r"(?:return|goto|break|continue)\b[^()]*;?$|return\b.*;$", re.ASCII)
_NO_VALUE = re.compile(r"\(\s*void\s*\)\s*(?=[\w*(])", re.ASCII)
_SIGN = re.compile(r"[(=:+-]|^(?:return|goto|break|continue|else|case\s|default$|\})", re.ASCII)
_TAIL = re.compile(r"[\s;{},]*$")
_REMARK = re.compile(
    r"[\s;{]*(?:->|=>|→|⇒|<-|=|:|：|i\.e\.|即|\[|--|—)\s*(.*)$|\s+\(([^()]*)\)$")
# Without blanks around it `->` is C: a member of what the call returns.
_ARROW = re.compile(r"\s+(?:->|=>|-->|==>)\s+|\s*[→⇒]\s*")
_BACKWARD = re.compile(r"\s+(?:<-|<--|<=|<==)\s+|\s*[←⇐]\s*")
_PARAMETER = re.compile(
    r"^(?:void|\.\.\.)$|\b(?:struct|union|enum|const|unsigned|signed|int|long|short|char|bool|void"
    r"|size_t|\w+_t|[us](?:8|16|32|64)|__\w+)\b[\s*]+\w", re.ASCII,
)
_TWO_WORDS = re.compile(r"(?:\w+[\s*]+)+\w+(?:\[\w*\])*$|void$|\.\.\.$", re.ASCII)
# The look ahead keeps it from looking twice at any part of a long word of underscores.
_LOOKS = re.compile(
    r"[\w)\]]->\w|\b(?=[A-Za-z_]\w*_)\w+\s*\(|\b\w+\([\w\s,&*>.-]*\)\s*[;{]?\s*$", re.ASCII
)
_SPAN = re.compile(r"(\*\*`?|`)([^`*]+)(?:`?\*\*|`)[;:,.]?")  # Markdown's marks around all of it
_LEFT_OUT = re.compile(r"\s(?:\.{2,}|…+|。{2,}|·{3,})$")  # behind a name: `f ......`
_RECORD = re.compile(r"(?:typedef\s+)?(?:struct|union)\s+\w+\s*\{", re.ASCII)
# What stands beside a claim and is no comment: `f()  # why`, `f()  why`, `[Layer] f()`.
_BESIDE = (
    re.compile(r"(?P<claim>.*?\S)\s+(?:#|←|<--)\s*(?P<aside>\S.*)$"),
    re.compile(r"(?P<claim>.*?[)\w;{])\s{2,}(?P<aside>[^\s&|=?:+*/<>-].*)$"),
    re.compile(r"(?P<claim>.*?[)\w;])\s+[-–—]\s+(?P<aside>[^\W\d].*)$"),
    re.compile(r"\[(?P<aside>[\w /.+-]{1,24})\]\s+(?P<claim>\S.*)$"),
)
_FUNCTION = r"[A-Za-z_]\w*(?:\(\))?"
_BARE_ARROW = r"(?:\s+(?:->|=>|-->|==>)\s+|\s*[→⇒]\s*)"
_BARE_CHAIN = re.compile(rf"{_FUNCTION}(?:{_BARE_ARROW}{_FUNCTION})+", re.ASCII)
_QUOTED = re.compile(r"`([^`]{3,400})`")
# Lines that look like C: a configuration, what strace prints, a sysctl, a label of a picture.
_NO_CLAIM = re.compile(
    r"CONFIG_\w+\s*=\s*\S+$|#\s*CONFIG_\w+ is not set$"
    r"|(?:\[pid\s+\d+\]\s+)?[a-z_]\w*\(.*\)\s+=\s+(?:-?\d+|0x[0-9a-f]+|\?)"
    r"(?:\s+(?:E[A-Z]+\b|\().*|\s+<[\d.]+>)?$"
    r"|[a-z][\w-]*(?:\.[\w-]+){2,}\s*=\s*[\d ]+$"
    r"|[\w,#-]+\s*=\s*<[^<>]*>[;,]?$|[\w,#]+-[\w,#-]*\s*=\s*[\"<].*$"
    r"|\w+\s?->\s?\w+\s?:\s[^()]*$", re.ASCII)


@dataclass(frozen=True, slots=True)
class ParsedClaim:
    """What a line was parsed as. `remark` is text behind a call that has no form of a comment."""

    kind: LineKind
    claim: Claim = field(default_factory=Claim)
    remark: str = ""


PROSE = ParsedClaim(LineKind.PROSE)
_TOGETHER = (LineKind.CALL, LineKind.INDIRECT, LineKind.STATEMENT, LineKind.CONDITION)


def parse_claim(text: str, *, drawn: bool, cited: bool) -> ParsedClaim:
    """What `text` claims. `drawn`: it stands in a drawn tree; `cited`: with a citation."""
    if _NO_CLAIM.match(text.strip()):
        return PROSE
    span = _SPAN.fullmatch(text.strip())
    body = _LEFT_OUT.sub("", span[2] if span else text.strip())
    # Most lines of a long document have no sign of C, and need no further look.
    several = _parse_several(body) if ";" in body[:-1] else None
    if several is not None:
        return several
    found = _parse_one(body) if _SIGN.search(body) else None
    if found is not None:
        return _turn_into_function(found, cited=cited)
    word = body.rstrip(";{ ")
    if re.fullmatch(_NAME, word, re.ASCII) and (cited or drawn or "_" in word.rstrip("_")):
        return ParsedClaim(LineKind.FUNCTION, Claim(name=word))
    if (cited and drawn) or (drawn and _LOOKS.search(body)) or _is_unread(body, cited=cited):
        return ParsedClaim(LineKind.UNREAD)
    return PROSE


def parse_with_aside(text: str, *, drawn: bool, cited: bool, in_tree: bool) -> ParsedClaim | None:
    """What a line claims beside which, or around which, something else stands; None for none.
    `in_tree`: it stands in a tree or a block of code, where two blanks part a remark.
    """
    body, asides = text.strip(), []
    for part in _BESIDE:
        found = part.match(body)
        if found is not None and (in_tree or "(" in found["claim"]) and (
                in_tree or part is not _BESIDE[1]):
            body = found["claim"]
            asides.append(found["aside"].strip())
    parsed = parse_claim(body, drawn=drawn, cited=cited) if asides else PROSE
    if parsed.kind not in (LineKind.PROSE, LineKind.UNREAD):
        return replace(parsed, remark=" ".join(filter(None, (parsed.remark, *asides))))
    quoted = [found[1].strip() for found in _QUOTED.finditer(text)]
    chains = [chain for chain in (text.strip(), *quoted) if _is_bare_chain(chain)]
    if not chains:
        return None
    first, *others = re.findall(_FUNCTION, chains[0])
    names = tuple(name.rstrip("()") for name in others)
    return ParsedClaim(LineKind.FUNCTION, Claim(name=first.rstrip("()"), onward=names))


def _is_bare_chain(text: str) -> bool:
    """Whether a text is `f -> g -> h`, with names that look like functions."""
    if not _BARE_CHAIN.fullmatch(text):
        return False
    names = re.findall(_FUNCTION, text)
    return 2 * sum("_" in name or "(" in name for name in names) >= len(names)


def _is_unread(body: str, *, cited: bool) -> bool:
    """Whether a line without a drawing begins as a claim and goes on as none: `f() text (x.c:1)`,
    `f() { g(); h(); }` and `struct T { int a; };` in one line.
    """
    if _RECORD.match(body):
        return ";" in body and "}" in body
    typed = _TYPED.match(body)
    call = _CALL.match(body, typed.end() if typed else 0)
    if call is None or cited:
        return call is not None
    end = find_closing(body, call.end() - 1)
    rest = body[end + 1:].strip(" \t;") if end > 0 else ""
    return rest.startswith("{") and rest.endswith("}")


def _turn_into_function(found: ParsedClaim, *, cited: bool) -> ParsedClaim:
    """The claim; a call with a citation and nothing around it is the function itself."""
    claim = found.claim
    if found.kind is LineKind.CALL and not claim.result and (cited or claim.declared):
        return replace(found, kind=LineKind.FUNCTION)
    return found


def _parse_tail(text: str) -> str | None:
    """The remark behind a call, "" for none; None if the call goes on."""
    if _TAIL.match(text):
        return ""
    found = _REMARK.match(text)
    return (found[1] or found[2] or "").strip() if found else None


def _parse_arguments(text: str, start: int) -> tuple[tuple[str, ...], str | None]:
    """(arguments, remark behind) of a call whose parenthesis opens before `start`; the remark is
    None if the parenthesis is not closed, or the call goes on.
    """
    end = find_closing(text, start - 1)
    if end < 0:
        return (), None
    return split_argument_list(text[start:end]), _parse_tail(text[end + 1:])


def _parse_condition(body: str) -> ParsedClaim | None:
    claim = parse_condition(body)
    if claim is None:
        return None
    return ParsedClaim(LineKind.CONDITION, claim) if claim.branch else ParsedClaim(LineKind.UNREAD)


def _parse_several(body: str) -> ParsedClaim | None:
    """Several claims of one caller: `f(x); y = z; g()`."""
    texts = [text for text in split_outside_brackets(body, ";") if text]
    if len(texts) < 2:
        return None
    claims = [found for text in texts if (found := _parse_one(text)) is not None]
    if len(claims) < len(texts) or any(each.kind not in _TOGETHER for each in claims):
        return None
    also = tuple((each.kind, each.claim) for each in claims[1:])
    return replace(
        claims[0], claim=replace(claims[0].claim, also=also), remark=claims[-1].remark)


def _parse_one(body: str) -> ParsedClaim | None:
    found = (attempt(body) for attempt in (
        _parse_condition, _parse_pointer_call, _parse_chain, _parse_named, _parse_statement))
    return next((each for each in found if each is not None), None)


def _split_result(body: str) -> tuple[str, str]:
    """(what the value goes to, the rest) of `x = rest` and `return rest`; ("", body) of others."""
    nothing = _NO_VALUE.match(body)
    if nothing:
        return "", body[nothing.end():]
    if body.startswith("return "):
        return "return", body[7:].lstrip()
    typed = _DECLARED_RESULT.match(body)
    start = typed.end() if typed else 0
    found = _RESULT.match(body, start)
    return (found[1], body[found.end():]) if found else ("", body)


def _parse_pointer_call(body: str) -> ParsedClaim | None:
    """A call through an expression that is not a plain name."""
    result, rest = _split_result(body)
    callee = _find_callee(rest)
    if not callee:
        return None
    opening = len(callee) + len(rest[len(callee):]) - len(rest[len(callee):].lstrip())
    arguments, remark = _parse_arguments(rest, opening + 1)
    if remark is None or rest[opening:opening + 1] != "(":
        return None
    claim = Claim(expression=callee.strip(), arguments=arguments, result=result)
    return ParsedClaim(LineKind.INDIRECT, claim, remark)


def _find_callee(text: str) -> str:
    """The callee of the call through a pointer that a text begins with: `a->b`, `f(x)->b`,
    `a[i].b`, `(*p)`; "" if it begins with none.
    """
    first = _FIRST.match(text)
    place = first.end() if first else 0
    if first is None:
        place = find_closing(text, 0) + 1 if re.match(r"\(\s*\*", text) else 0
        if not place:
            return ""
    callee = "" if first else text[:place]  # the longest beginning that a call follows
    while place < len(text):
        member = _MEMBER.match(text, place)
        if member is not None and text[place - 1] == ")" and text[place].isspace():
            break  # f(x) -> g(): an arrow between two calls
        following = len(text[place:]) - len(text[place:].lstrip()) + place
        if member is not None:
            place = member.end()
        elif text[following:following + 1] in ("(", "["):
            end = find_closing(text, following)
            if end < 0:
                break
            # f(x) is a call of f; only what it returns can be called through.
            place = end + 1
        else:
            break
        if place < len(text) and text[place:].lstrip()[:1] == "(" and text[place - 1] != ")":
            callee = text[:place]
    return callee


def _parse_named(body: str) -> ParsedClaim | None:
    """A call, or the head, of a function or macro."""
    result, rest = _split_result(body)
    typed = _TYPED.match(rest) if not result else None
    headed = _HEADED.match(rest) if not result and typed is None else None
    head = typed or headed
    rest = rest[head.end():] if head else rest
    found = _CALL.match(rest)
    if found is None:
        return None
    arguments, remark = _parse_arguments(rest, found.end())
    parameter = _TWO_WORDS if headed else _PARAMETER
    declared = bool(arguments) and all(parameter.search(each) for each in arguments)
    if remark is None or (headed and not declared):
        return None
    claim = Claim(
        name=found[1], arguments=arguments, declared=declared or typed is not None, result=result
    )
    return ParsedClaim(LineKind.CALL, claim, remark)


def _parse_chain(body: str) -> ParsedClaim | None:
    """A chain in one line: `f(x) -> g() -> h()`, or `h() <- g() <- f(x)`. A name alone behind an
    arrow makes no chain: it is the target of the call before it.
    """
    calls: list[tuple[str, tuple[str, ...]]] = []
    arrows = _ARROW
    place = 0
    while (call := _CALL.match(body, place)) is not None:
        end = find_closing(body, call.end() - 1)
        if end < 0:
            return None
        calls.append((call[1], split_argument_list(body[call.end():end])))
        arrow = arrows.match(body, end + 1)
        if arrow is None and len(calls) == 1:
            arrows = _BACKWARD
            arrow = arrows.match(body, end + 1)
        if arrow is None:
            if len(calls) < 2 or not _TAIL.match(body, end + 1):
                return None
            (name, arguments), *others = reversed(calls) if arrows is _BACKWARD else calls
            onward = tuple(other for other, _ in others)
            return ParsedClaim(LineKind.CALL, Claim(name, arguments=arguments, onward=onward))
        place = arrow.end()
    return None


def _parse_statement(body: str) -> ParsedClaim | None:
    target = body.partition("=")[0].split()
    if len(target) > 2 and all(map(str.isalpha, target[:2])) and not _TYPE.match(body):
        return None  # words of a sentence
    if _ASSIGNED.match(body) or _JUMP.match(body) or INCREMENT.match(body):
        return ParsedClaim(LineKind.STATEMENT, Claim(expression=body.rstrip("; ")))
    return None
