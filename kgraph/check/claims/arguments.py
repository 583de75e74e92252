"""Compares what a line writes around a call with the source: parameters with the definition,
arguments and the use of the result with the call.

White space, attributes (`__user`) and `const` make no difference, nor does a list that was left
out. A difference becomes a note; it does not change the verdict.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from kgraph.check.claims.statement import split_words
from kgraph.check.context import CheckContext
from kgraph.check.document import find_call_arguments, parse_arguments
from kgraph.check.outcome import Outcome
from kgraph.check.source.tokens import ATTRIBUTES, tokenise
from kgraph.model.document import DocumentLine, LineKind
from kgraph.model.location import Extent
from kgraph.model.results import KnownFunction
from kgraph.model.verdicts import Verdict
from kgraph.query.lookup import describe_alias

_MEMBER = re.compile(r"(?:->|\.)\s*(\w+)$", re.ASCII)
_NAME = re.compile(r"\w+[ \t]*(?=\()", re.ASCII)
_MAX_CALL_LINES = 10  # that the call of a macro is broken over
_IGNORED = frozenset({"const", "register", "restrict", "extern", "struct", "enum", "union"})


def compare_parameters(ground: CheckContext, line: DocumentLine, function: KnownFunction) -> str:
    """How the parameters of a line differ from those of the definition, "" where they do not."""
    said = line.claim.arguments
    if not said or not line.claim.declared or function.location is None:
        return ""
    if list(map(_words, said)) == [["void"]]:
        said = ()
    names = function.parameters
    if len(said) != len(names):
        return f"it has {len(names)} parameters: {', '.join(names) or 'none'}"
    written = _declared(ground, function)
    notes = []
    for number, (claim, name) in enumerate(zip(said, names, strict=True), 1):
        claimed = _words(claim)
        if claimed and claimed[-1] != name and name not in claimed:
            notes.append(f"parameter {number} is `{name}`, not `{claimed[-1]}`")
        elif written and _words(written[number - 1]) != claimed:
            notes.append(f"parameter {number} is `{' '.join(written[number - 1].split())}`")
    return "; ".join(notes)


def _words(text: str) -> list[str]:
    return [
        word for word, _ in tokenise(text) if word not in _IGNORED and word not in ATTRIBUTES
    ]


def _declared(ground: CheckContext, function: KnownFunction) -> tuple[str, ...]:
    """The parameters as the definition writes them; () where a macro makes it."""
    assert function.location is not None
    first = function.location.line
    lines = ground.sources.read_lines(function.location.path)[first - 1:function.end_line]
    head = "\n".join(lines).partition("{")[0]
    start = head.find(function.id.name + "(")
    if start < 0 or function.macro:
        return ()
    written = parse_arguments(head[start + len(function.id.name):])
    return written if written is not None and len(written) == len(function.parameters) else ()


def compare_arguments(
    ground: CheckContext,
    line: DocumentLine,
    places: Iterable[Extent],
    functions: list[KnownFunction],
) -> str:
    """How the arguments of a line differ from those of the calls at `places`; "" where they are the
    same as at one of them, or, of a call by itself, are the names of the callee's parameters.
    """
    said = line.claim.arguments
    if not said or line.claim.declared:
        return ""
    there = _differing(ground, said, places)
    claimed = [_words(each) for each in said]
    # `f(a)` may be the head of f; what is done with its value makes it this call.
    head = not line.claim.result and line.kind in (LineKind.FUNCTION, LineKind.CALL)
    if not there or (head and any(
            [[name] for name in each.parameters] == claimed for each in functions)):
        return ""
    nearest = max(there, key=lambda written: sum(_words(each) in claimed for each in written))
    return f"its arguments are ({', '.join(' '.join(each.split()) for each in nearest)}) there"


def has_other_members(ground: CheckContext, line: DocumentLine, places: Iterable[Extent]) -> bool:
    """Whether the calls at `places` have, each of them, another member in an argument."""
    said = line.claim.arguments or ()
    there = _differing(ground, said, places)
    return bool(there) and all(
        len(written) == len(said) and any(map(_other_member, said, written)) for written in there
    )


def _other_member(claimed: str, written: str) -> bool:
    pair = [_MEMBER.search(each.strip()) for each in (claimed, written)]
    return all(pair) and pair[0][1] != pair[1][1]  # type: ignore[index]


def _differing(
    ground: CheckContext, said: Sequence[str], places: Iterable[Extent]
) -> list[tuple[str, ...]]:
    """The arguments of the calls at `places`, none where one has those that are said."""
    found = []
    for place in places:
        written = _written(ground, place)
        if written is not None and _same(ground, said, written, place.start.path):
            return []
        if written is not None:
            found.append(written)
    return found


def _written(ground: CheckContext, place: Extent) -> tuple[str, ...] | None:
    """The arguments of the call at a place. Of some macros the index has only where they begin:
    their call goes on to the parenthesis that closes it.
    """
    start, end = place.start, (place.end_line, place.end_column)
    if not start.column or end != (start.line, start.column):
        return find_call_arguments(ground.sources.read_extent(place))
    lines = ground.sources.read_lines(start.path)[start.line - 1:start.line - 1 + _MAX_CALL_LINES]
    text = "\n".join(lines).encode()[start.column - 1:].decode("utf-8", "replace")
    name = _NAME.match(text)
    return parse_arguments(text[name.end():]) if name else None


def _same(ground: CheckContext, said: Sequence[str], written: Sequence[str], path: str) -> bool:
    """Whether arguments are the same, or become so without macros that stand for members."""
    if list(map(_words, said)) == list(map(_words, written)):
        return True
    plain = [[_words(" ".join(ground.spelling.expand_text(each, path))) for each in arguments]
             for arguments in (said, written)]
    return len(said) == len(written) and plain[0] == plain[1]


_MAX_LINES_BEFORE_CALL = 3  # of a statement before its call
_ENDS = (";", "{", "}")


def compare_result(ground: CheckContext, line: DocumentLine, places: Iterable[Extent]) -> str:
    """That the value of none of the calls at `places` goes to what the line says; "" where that of
    one does, or where the line says nothing of it.
    """
    result = line.claim.result
    if not result:
        return ""
    there: list[list[str]] = []
    for place in places:
        if place.start.column:
            before = _before(ground, place)
            path = place.start.path
            wanted = ground.spelling.expand_text(
                result if result == "return" else f"{result} =", path)
            found = ground.spelling.expand_text(" ".join(before), path)
            if found[-len(wanted):] == wanted:
                return ""
            there.append(before)
    if not there:
        return ""
    said = "is not returned there" if result == "return" else f"does not go to {result} there"
    return f"its value {said}, which has `{' '.join(there[0]) or 'nothing'}` before the call"


def _before(ground: CheckContext, place: Extent) -> list[str]:
    """The words of a statement before the call, casts left out."""
    number = place.start.line
    lines = ground.sources.read_lines(place.start.path)[
        max(0, number - 1 - _MAX_LINES_BEFORE_CALL) : number
    ]
    if not lines:
        return []
    *above, last = lines
    text = "\n".join([*above, last.encode()[:place.start.column - 1].decode("utf-8", "replace")])
    for mark in _ENDS:
        text = text.rpartition(mark)[2]
    words = split_words(text)
    while words[-1:] == [")"] and "(" in words and "=" not in words[_opening(words):]:
        start = _opening(words)
        if words[start - 1:start] not in (["="], ["return"]):
            break
        words = words[:start]
    return words


def _opening(words: list[str]) -> int:
    return len(words) - 1 - words[::-1].index("(")


def note_alias(ground: CheckContext, line: DocumentLine, outcome: Outcome) -> Outcome:
    """The same, with what the name of a line is an alias of."""
    functions = ground.functions(line.claim.name, line.citation)
    note = describe_alias(line.claim.name, functions[0]) if functions else ""
    return replace(outcome, note="; ".join(filter(None, (note, outcome.note)))) if note else outcome


def note_result(ground: CheckContext, line: DocumentLine, outcome: Outcome) -> Outcome:
    """The same, with what the value of the call goes to, if that is not what the line says."""
    if outcome.via or outcome.verdict not in (Verdict.HOLDS, Verdict.ONE_OF, Verdict.DEFERRED):
        return outcome
    places = outcome.places
    if line.claim.arguments and line.claim.result:
        # That of the call with these arguments, if there is one.
        places = tuple(place for place in places
                       if not compare_arguments(ground, line, [place], [])) or places
    note = compare_result(ground, line, places)
    return replace(outcome, note="; ".join(filter(None, (outcome.note, note)))) if note else outcome


def note_missing_body(ground: CheckContext, line: DocumentLine, outcome: Outcome) -> Outcome:
    """The same; of what a function calls that is only declared, nobody can tell."""
    standing = outcome.position
    if standing is None or standing.doubt or not standing.states or any(
            ground.has_body(state.function) for state in (*standing.states, *standing.targets)):
        return outcome
    doubt = f"{line.claim.name} is only declared: what it calls is not in the index"
    return replace(outcome, position=replace(standing, doubt=doubt))
