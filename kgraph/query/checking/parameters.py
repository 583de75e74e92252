"""What stands between parentheses: parameters held against the definition, arguments against the
call.

White space, attributes (`__user`) and `const` make no difference, and neither does a list that was
left out. A difference is told beside the verdict; it does not change it.
"""

import re
from collections.abc import Iterable, Sequence

from kgraph.documents import call_arguments, split_arguments
from kgraph.model.answers import KnownFunction
from kgraph.model.documents import DocumentLine, LineKind
from kgraph.model.location import Extent
from kgraph.query.checking.ground import Ground
from kgraph.query.checking.tokens import ATTRIBUTES, tokens

_MEMBER = re.compile(r"(?:->|\.)\s*(\w+)$", re.ASCII)
_NAME = re.compile(r"\w+[ \t]*(?=\()", re.ASCII)
_MOST_LINES = 10  # that the call of a macro is broken over
_IGNORED = frozenset({"const", "register", "restrict", "extern", "struct", "enum", "union"})


def parameters_note(ground: Ground, line: DocumentLine, function: KnownFunction) -> str:
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
        word for word, _ in tokens(text) if word not in _IGNORED and word not in ATTRIBUTES
    ]


def _declared(ground: Ground, function: KnownFunction) -> tuple[str, ...]:
    """The parameters as the definition writes them; () where a macro makes it."""
    assert function.location is not None
    first = function.location.line
    lines = ground.sources.lines(function.location.path)[first - 1:function.end_line]
    head = "\n".join(lines).partition("{")[0]
    start = head.find(function.id.name + "(")
    if start < 0 or function.macro:
        return ()
    written = split_arguments(head[start + len(function.id.name):])
    return written if written is not None and len(written) == len(function.parameters) else ()


def arguments_note(
    ground: Ground, line: DocumentLine, places: Iterable[Extent], functions: list[KnownFunction]
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


def names_other_members(ground: Ground, line: DocumentLine, places: Iterable[Extent]) -> bool:
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
    ground: Ground, said: Sequence[str], places: Iterable[Extent]
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


def _written(ground: Ground, place: Extent) -> tuple[str, ...] | None:
    """The arguments of the call at a place. Of some macros the index has only where they begin:
    their call goes on to the parenthesis that closes it.
    """
    start, end = place.start, (place.end_line, place.end_column)
    if not start.column or end != (start.line, start.column):
        return call_arguments(ground.sources.text(place))
    lines = ground.sources.lines(start.path)[start.line - 1:start.line - 1 + _MOST_LINES]
    text = "\n".join(lines).encode()[start.column - 1:].decode("utf-8", "replace")
    name = _NAME.match(text)
    return split_arguments(text[name.end():]) if name else None


def _same(ground: Ground, said: Sequence[str], written: Sequence[str], path: str) -> bool:
    """Whether arguments are the same, or become so without macros that stand for members."""
    if list(map(_words, said)) == list(map(_words, written)):
        return True
    plain = [[_words(" ".join(ground.spelling.text(each, path))) for each in arguments]
             for arguments in (said, written)]
    return len(said) == len(written) and plain[0] == plain[1]
