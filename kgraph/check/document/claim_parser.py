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
# The same with words beside those, which its parameters must make the head of a function.
_HEADED = re.compile(
    rf"(?:(?:static|inline|extern|asmlinkage)\s+(?:\w+[\s*]+)+|\w+\s+(?:{_TYPE_WORD}[\s*]+)+"
    r"|[A-Za-z]\w*_\w*[\s*]+|\*+\s*)"
    rf"(?={_NAME}\s*\()", re.ASCII,
)
_CALL = re.compile(rf"({_NAME})\s*\(", re.ASCII)
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
_ARROW = re.compile(r"\s+(?:->|=>|-->)\s+|\s*[→⇒]\s*")
_PARAMETER = re.compile(
    r"^(?:void|\.\.\.)$|\b(?:struct|union|enum|const|unsigned|signed|int|long|short|char|bool|void"
    r"|size_t|\w+_t|[us](?:8|16|32|64)|__\w+)\b[\s*]+\w", re.ASCII,
)
_TWO_WORDS = re.compile(r"(?:\w+[\s*]+)+\w+(?:\[\w*\])*$|void$|\.\.\.$", re.ASCII)
# Of a long word of underscores no part is looked at twice: hence the look ahead.
_LOOKS = re.compile(
    r"->\w|\b(?=[A-Za-z_]\w*_)\w+\s*\(|\b\w+\s*\([\w\s,&*>.-]*\)\s*[;{]?\s*$", re.ASCII
)
_SPAN = re.compile(r"(\*\*`?|`)([^`*]+)(?:`?\*\*|`)[;:,.]?")  # Markdown's marks around all of it
_LEFT_OUT = re.compile(r"\s(?:\.{2,}|…+|。{2,}|·{3,})$")  # behind a name: `f ......`
_RECORD = re.compile(r"(?:typedef\s+)?(?:struct|union)\s+\w+\s*\{", re.ASCII)


@dataclass(frozen=True, slots=True)
class ParsedClaim:
    """What a line was read as; `remark` is text behind a call that is no comment by its form."""

    kind: LineKind
    claim: Claim = field(default_factory=Claim)
    remark: str = ""


PROSE = ParsedClaim(LineKind.PROSE)
_TOGETHER = (LineKind.CALL, LineKind.INDIRECT, LineKind.STATEMENT, LineKind.CONDITION)


def parse_claim(text: str, *, drawn: bool, cited: bool) -> ParsedClaim:
    """What `text` claims. `drawn`: it hangs in a drawn tree; `cited`: a citation was beside it."""
    span = _SPAN.fullmatch(text.strip())
    body = _LEFT_OUT.sub("", span[2] if span else text.strip())
    # Most lines of a long document hold no sign of C: they are seen through with few looks.
    several = _several(body) if ";" in body[:-1] else None
    if several is not None:
        return several
    found = _one(body) if _SIGN.search(body) else None
    if found is not None:
        return _as_function(found, cited=cited)
    if re.fullmatch(_NAME, body.rstrip(";{ "), re.ASCII) and _bare(body, drawn=drawn, cited=cited):
        return ParsedClaim(LineKind.FUNCTION, Claim(name=body.rstrip(";{ ")))
    if (cited and drawn) or (drawn and _LOOKS.search(body)) or _ends_unread(body, cited=cited):
        return ParsedClaim(LineKind.UNREAD)
    return PROSE


def _ends_unread(body: str, *, cited: bool) -> bool:
    """Whether a line that nothing is drawn before begins as a claim does that goes on as none:
    `f() text (x.c:1)`, `f() { g(); h(); }` and `struct T { int a; };` in one line.
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


def _bare(body: str, *, drawn: bool, cited: bool) -> bool:
    """Whether a lone word is meant as a function."""
    word = body.rstrip(";{ ")
    return (cited or drawn or "_" in word.rstrip("_")) and not word.isdigit()


def _as_function(found: ParsedClaim, *, cited: bool) -> ParsedClaim:
    """A call with a citation and nothing around it is the function itself."""
    claim = found.claim
    if found.kind is LineKind.CALL and not claim.result and (cited or claim.declared):
        return replace(found, kind=LineKind.FUNCTION)
    return found


def _tail(text: str) -> str | None:
    """What stands behind a call: "" for nothing, a remark, None where the call goes on."""
    if _TAIL.match(text):
        return ""
    found = _REMARK.match(text)
    if found:
        return (found[1] or found[2] or "").strip()
    # Words of another script right behind the call are prose about it.
    return None


def _given(text: str, start: int) -> tuple[tuple[str, ...], str | None]:
    """(arguments, what stands behind) of a call whose parenthesis opens before `start`; None behind
    where it is not closed or goes on.
    """
    end = find_closing(text, start - 1)
    return (split_argument_list(text[start:end]), _tail(text[end + 1:])) if end >= 0 else ((), None)


def _condition(body: str) -> ParsedClaim | None:
    claim = parse_condition(body)
    if claim is None:
        return None
    return ParsedClaim(LineKind.CONDITION, claim) if claim.branch else ParsedClaim(LineKind.UNREAD)


def _several(body: str) -> ParsedClaim | None:
    """Several claims of one caller: `f(x); y = z; g()`."""
    texts = [text for text in split_outside_brackets(body, ";") if text]
    if len(texts) < 2:
        return None
    read = [found for text in texts if (found := _one(text)) is not None]
    if len(read) < len(texts) or any(found.kind not in _TOGETHER for found in read):
        return None
    also = tuple((found.kind, found.claim) for found in read[1:])
    return replace(read[0], claim=replace(read[0].claim, also=also), remark=read[-1].remark)


def _one(body: str) -> ParsedClaim | None:
    found = (attempt(body) for attempt in (_condition, _through, _onward, _named, _statement))
    return next((each for each in found if each is not None), None)


def _result(body: str) -> tuple[str, str]:
    """(what the value goes to, the rest) of `x = rest` and `return rest`."""
    nothing = _NO_VALUE.match(body)
    if nothing:
        return "", body[nothing.end():]
    if body.startswith("return "):
        return "return", body[7:].lstrip()
    typed = _DECLARED_RESULT.match(body)
    start = typed.end() if typed else 0
    found = _RESULT.match(body, start)
    return (found[1], body[found.end():]) if found else ("", body)


def _through(body: str) -> ParsedClaim | None:
    """A call through an expression that is no plain name."""
    result, rest = _result(body)
    callee = _callee(rest)
    if not callee:
        return None
    opening = len(callee) + len(rest[len(callee):]) - len(rest[len(callee):].lstrip())
    given, remark = _given(rest, opening + 1)
    if remark is None or rest[opening:opening + 1] != "(":
        return None
    said = Claim(expression=callee.strip(), arguments=given, result=result)
    return ParsedClaim(LineKind.INDIRECT, said, remark)


def _callee(text: str) -> str:
    """The callee of the call through a pointer that a text begins with: `a->b`, `f(x)->b`,
    `a[i].b`, `(*p)`; "" where it begins with none.
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


def _named(body: str) -> ParsedClaim | None:
    """A call, or the head, of a function or macro."""
    result, rest = _result(body)
    typed = _TYPED.match(rest) if not result else None
    headed = _HEADED.match(rest) if not result and typed is None else None
    head = typed or headed
    rest = rest[head.end():] if head else rest
    found = _CALL.match(rest)
    if found is None:
        return None
    given, remark = _given(rest, found.end())
    looks = _TWO_WORDS if headed else _PARAMETER
    declared = bool(given) and all(looks.search(each) for each in given)
    if remark is None or (headed and not declared):
        return None
    claim = Claim(
        name=found[1], arguments=given, declared=declared or typed is not None, result=result
    )
    return ParsedClaim(LineKind.CALL, claim, remark)


def _onward(body: str) -> ParsedClaim | None:
    """A chain in one line: `f(x) -> g() -> h()`. Behind an arrow a lone name does not do for one:
    it is the target of the call before it.
    """
    names: list[str] = []
    given: tuple[str, ...] = ()
    place = 0
    while (call := _CALL.match(body, place)) is not None:
        end = find_closing(body, call.end() - 1)
        if end < 0:
            return None
        given = given if names else split_argument_list(body[call.end():end])
        names.append(call[1])
        arrow = _ARROW.match(body, end + 1)
        if arrow is None:
            whole = len(names) > 1 and _TAIL.match(body, end + 1)
            claim = Claim(name=names[0], arguments=given, onward=tuple(names[1:]))
            return ParsedClaim(LineKind.CALL, claim) if whole else None
        place = arrow.end()
    return None


def _statement(body: str) -> ParsedClaim | None:
    if _ASSIGNED.match(body) or _JUMP.match(body) or INCREMENT.match(body):
        return ParsedClaim(LineKind.STATEMENT, Claim(expression=body.rstrip("; ")))
    return None
