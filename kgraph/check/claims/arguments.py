"""Compares what a line writes around a call with the source: parameters with the definition,
arguments and the use of the result with the call.

White space, attributes (`__user`) and `const` make no difference, nor does a list that was left
out. A difference becomes a note; it does not change the verdict.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from kgraph.check.context import CheckContext, PlacedLine
from kgraph.check.document.brackets import find_call_arguments, parse_arguments
from kgraph.check.outcome import Outcome, join_notes
from kgraph.check.source.tokens import ATTRIBUTES, list_tokens, tokenise
from kgraph.model.document import LineKind
from kgraph.model.location import Extent
from kgraph.model.results import KnownFunction
from kgraph.model.verdicts import Verdict
from kgraph.query.lookup import describe_alias

_MEMBER = re.compile(r"(?:->|\.)\s*(\w+)$", re.ASCII)
_MEMBERS = re.compile(r"(?:->|\.)\s*([A-Za-z_]\w*)", re.ASCII)
_NAME = re.compile(r"\w+[ \t]*(?=\()", re.ASCII)
_IGNORED = frozenset({"const", "register", "restrict", "extern", "struct", "enum", "union"})
_STATEMENT_ENDS = (";", "{", "}")
_CONSTANT = re.compile(r"[A-Z][A-Z0-9_]{2,}", re.ASCII)
_PASTED = re.compile(r"\w+", re.ASCII)
# The words on both sides of `##`.
_PASTING = re.compile(r"(?=(?:\b(\w+)\s*|[^\w\s]\s*)##\s*(\w*))", re.ASCII)
_MAX_MACROS = 3  # that one hands an argument on to
_MAX_CALL_LINES = 10  # that the call of a macro is broken over
_MAX_LINES_BEFORE_CALL = 3  # of its statement


def compare_parameters(placed: PlacedLine, function: KnownFunction) -> str:
    """How the parameters of a line differ from those of the definition; "" if they do not."""
    claimed = placed.claim.arguments
    if not claimed or not placed.claim.declared or function.location is None:
        return ""
    if list(map(_split, claimed)) == [["void"]]:
        claimed = ()
    names = function.parameters
    if len(claimed) != len(names):
        return f"it has {len(names)} parameters: {', '.join(names) or 'none'}"
    written = _read_parameters(placed.context, function)
    notes = []
    for number, (claim, name) in enumerate(zip(claimed, names, strict=True), 1):
        words = _split(claim)
        if words and words[-1] != name and name not in words:
            notes.append(f"parameter {number} is `{name}`, not `{words[-1]}`")
        elif written and _split(written[number - 1]) != words:
            notes.append(f"parameter {number} is `{' '.join(written[number - 1].split())}`")
    return join_notes(*notes)


def _split(text: str) -> list[str]:
    return [
        word for word, _ in tokenise(text) if word not in _IGNORED and word not in ATTRIBUTES
    ]


def _read_parameters(context: CheckContext, function: KnownFunction) -> tuple[str, ...]:
    """The parameters as the definition writes them; () if a macro makes it."""
    assert function.location is not None
    first = function.location.line
    lines = context.texts.sources.read_lines(function.location.path)[first - 1:function.end_line]
    head = "\n".join(lines).partition("{")[0]
    start = head.find(function.id.name + "(")
    if start < 0 or function.macro:
        return ()
    written = parse_arguments(head[start + len(function.id.name):])
    return written if written is not None and len(written) == len(function.parameters) else ()


def compare_arguments(
    placed: PlacedLine, places: Iterable[Extent], functions: Sequence[KnownFunction] = ()
) -> str:
    """How the arguments of a line differ from those of the calls at `places`. "" if those of one
    call are the same, or, for a call by itself, if they are the names of the parameters of one of
    the `functions` that it may mean.
    """
    claim = placed.claim
    if not claim.arguments or claim.declared:
        return ""
    if claim.name:
        # Where a macro makes the call, its arguments are those of the macro.
        places = [place for place in places if is_written(placed.context, place, claim.name)]
    there = _find_differing(placed.context, claim.arguments, places)
    claimed = [_split(each) for each in claim.arguments]
    # `f(a)` may be the head of f; what is done with its value makes it this call.
    is_head = not claim.result and placed.line.kind in (LineKind.FUNCTION, LineKind.CALL)
    if not there or (is_head and any(
            [[name] for name in each.parameters] == claimed for each in functions)):
        return ""
    nearest = max(there, key=lambda written: sum(_split(each) in claimed for each in written))
    return f"its arguments are ({', '.join(' '.join(each.split()) for each in nearest)}) there"


def describe_other_constants(placed: PlacedLine, places: Iterable[Extent]) -> str:
    """Which constant the calls at `places` pass where a line has another one, or which word they
    give a macro that makes a name of it (`CALL(FOO)` for f(C_FOO)); "" if one of them has those of
    the line, or if none is written by the line's name.
    """
    claim, context = placed.claim, placed.context
    if not claim.arguments or claim.declared or not claim.name:
        return ""
    pasted = _find_pasted(context, claim.name)
    found = ""
    for place in places:
        if not is_written(context, place, claim.name):
            continue
        written = _read_arguments(context, place)
        if written is None or len(written) != len(claim.arguments):
            return ""
        other = next((
            (claimed, there) for number, (claimed, there) in enumerate(
                zip(claim.arguments, written, strict=True))
            if _is_other_constant(context, claimed, there, place, is_pasted=number in pasted)),
            None)
        if other is None:
            return ""
        found = found or f"it passes {other[1]} there, not {other[0]} ({place.start})"
    return found


def _is_other_constant(
    context: CheckContext, claimed: str, there: str, place: Extent, *, is_pasted: bool
) -> bool:
    """Whether both arguments are constants, and not the same; of what a macro pastes any word."""
    pattern = _PASTED if is_pasted else _CONSTANT
    pair = [" ".join(_split(each)) for each in (claimed, there)]
    if pair[0] == pair[1] or not all(map(pattern.fullmatch, pair)):
        return False
    expander, path = context.texts.expander, place.start.path
    return is_pasted or expander.expand_text(claimed, path) != expander.expand_text(there, path)


def _find_pasted(context: CheckContext, macro: str, depth: int = 0) -> set[int]:
    """The parameters, by their numbers, that every definition of a macro makes names of with `##`,
    itself or by another macro.
    """
    found: list[set[int]] = []
    for definition in context.graph.find_macro_definitions(macro):
        head, bracket, rest = definition.text.partition("(")
        end = rest.find(")")
        if head.strip() != macro or not bracket or end < 0:
            return set()
        names, body = [each.strip() for each in rest[:end].split(",")], rest[end + 1:]
        pasted = set(_PASTING.findall(body))
        found.append({number for number, name in enumerate(names)
                      if any(name in pair for pair in pasted)})
        if depth < _MAX_MACROS:
            for inner in _NAME.finditer(body):
                word = inner[0].rstrip()
                arguments = parse_arguments(body[inner.end():]) or ()
                if word != macro and any(each.strip() in names for each in arguments):
                    deeper = _find_pasted(context, word, depth + 1)
                    found[-1] |= {names.index(each.strip()) for number, each in
                                  enumerate(arguments)
                                  if number in deeper and each.strip() in names}
    return set.intersection(*found) if found else set()


def find_no_member(placed: PlacedLine, places: Iterable[Extent]) -> str:
    """A member in the arguments of a line which nothing in the tree has, nor one of the calls at
    `places`; "" for none.
    """
    claim, context = placed.claim, placed.context
    if not claim.arguments or claim.declared or not compare_arguments(placed, places):
        return ""
    names = dict.fromkeys(name for each in claim.arguments for name in _MEMBERS.findall(each))
    context.tree.announce(set(names))
    return next((name for name in names if context.tree.find_name(name) is None), "")


def has_other_members(placed: PlacedLine, places: Iterable[Extent]) -> bool:
    """Whether the calls at `places` have, each of them, another member in an argument."""
    claimed = placed.claim.arguments or ()
    there = _find_differing(placed.context, claimed, places)
    return bool(there) and all(
        len(written) == len(claimed) and any(map(_is_other_member, claimed, written))
        for written in there
    )


def _is_other_member(claimed: str, written: str) -> bool:
    pair = [_MEMBER.search(each.strip()) for each in (claimed, written)]
    return all(pair) and pair[0][1] != pair[1][1]  # type: ignore[index]


def _find_differing(
    context: CheckContext, claimed: Sequence[str], places: Iterable[Extent]
) -> list[tuple[str, ...]]:
    """The arguments of the calls at `places`; none if those of one call are the claimed ones."""
    found = []
    for place in places:
        written = _read_arguments(context, place)
        if written is not None and _are_same(context, claimed, written, place.start.path):
            return []
        if written is not None:
            found.append(written)
    return found


def is_written(context: CheckContext, place: Extent, name: str) -> bool:
    """Whether the text of a call has the name that is called."""
    start, end = place.start, (place.end_line, place.end_column)
    sources = context.texts.sources
    text = sources.read_extent(place)
    if end == (start.line, start.column):
        text = "".join(sources.read_lines(start.path)[start.line - 1:start.line])
    return name in text


def _read_arguments(context: CheckContext, place: Extent) -> tuple[str, ...] | None:
    """The arguments of the call at a place. Of some macros the index has only where they begin:
    their call goes on to the parenthesis that closes it.
    """
    sources = context.texts.sources
    start, end = place.start, (place.end_line, place.end_column)
    if not start.column or end != (start.line, start.column):
        return find_call_arguments(sources.read_extent(place))
    lines = sources.read_lines(start.path)[start.line - 1:start.line - 1 + _MAX_CALL_LINES]
    text = "\n".join(lines).encode()[start.column - 1:].decode("utf-8", "replace")
    name = _NAME.match(text)
    return parse_arguments(text[name.end():]) if name else None


def _are_same(
    context: CheckContext, claimed: Sequence[str], written: Sequence[str], path: str
) -> bool:
    """Whether arguments are the same, also once macros for members are expanded."""
    if list(map(_split, claimed)) == list(map(_split, written)):
        return True
    expander = context.texts.expander
    plain = [[_split(" ".join(expander.expand_text(each, path))) for each in arguments]
             for arguments in (claimed, written)]
    return len(claimed) == len(written) and plain[0] == plain[1]


def note_result(placed: PlacedLine, outcome: Outcome) -> Outcome:
    """The outcome of a call with a note of what its value goes to, if that is not what the line
    says.
    """
    if outcome.via or outcome.verdict not in (Verdict.HOLDS, Verdict.ONE_OF, Verdict.DEFERRED):
        return outcome
    places = outcome.places
    if placed.claim.arguments and placed.claim.result:
        # That of the call with these arguments, if there is one.
        places = tuple(place for place in places
                       if not compare_arguments(placed, [place])) or places
    note = _compare_result(placed, places)
    member = _MEMBER.search(placed.claim.result)
    if note and member is not None and placed.context.tree.find_name(member[1]) is None:
        note = f"no member {member[1]} in this tree: {note}"
        return replace(outcome, verdict=Verdict.REFUTED, note=join_notes(note, outcome.note))
    return outcome.with_note(note)


def _compare_result(placed: PlacedLine, places: Iterable[Extent]) -> str:
    """That no value of the calls at `places` goes to what the line says; "" if that of one does,
    or if the line says nothing of it.
    """
    result, expander = placed.claim.result, placed.context.texts.expander
    if not result:
        return ""
    there: list[list[str]] = []
    for place in places:
        if place.start.column:
            before = _read_words_before(placed.context, place)
            path = place.start.path
            wanted = expander.expand_text(result if result == "return" else f"{result} =", path)
            if expander.expand_text(" ".join(before), path)[-len(wanted):] == wanted:
                return ""
            there.append(before)
    if not there:
        return ""
    claimed = "is not returned there" if result == "return" else f"does not go to {result} there"
    return f"its value {claimed}: `{' '.join(there[0]) or 'nothing'}` stands before the call"


def _read_words_before(context: CheckContext, place: Extent) -> list[str]:
    """The words of a statement before its call, without casts."""
    number = place.start.line
    lines = context.texts.sources.read_lines(place.start.path)[
        max(0, number - 1 - _MAX_LINES_BEFORE_CALL):number]
    if not lines:
        return []
    *above, last = lines
    text = "\n".join([*above, last.encode()[:place.start.column - 1].decode("utf-8", "replace")])
    for mark in _STATEMENT_ENDS:
        text = text.rpartition(mark)[2]
    words = list_tokens(text)
    while words[-1:] == [")"] and "(" in words and "=" not in words[_find_last_opening(words):]:
        start = _find_last_opening(words)
        if words[start - 1:start] not in (["="], ["return"]):
            break
        words = words[:start]
    return words


def _find_last_opening(words: list[str]) -> int:
    return len(words) - 1 - words[::-1].index("(")


def note_alias(placed: PlacedLine, outcome: Outcome) -> Outcome:
    """The outcome with a note of what the name of a line is an alias of, or a label in."""
    functions, labels = placed.find_functions(), placed.context.find_label(placed.claim.name)
    note = describe_alias(placed.claim.name, functions[0]) if functions else ""
    if labels:
        note = f"a label in {labels[0][0]} ({labels[0][1]})"
    return replace(outcome, note=join_notes(note, outcome.note)) if note else outcome


def note_missing_body(placed: PlacedLine, outcome: Outcome) -> Outcome:
    """The outcome; if its functions are only declared, nobody can tell what they call."""
    position = outcome.position
    if position is None or not position.is_known or any(
            placed.context.has_body(state.function)
            for state in (*position.states, *position.targets)):
        return outcome
    doubt = f"{placed.claim.name} is only declared: what it calls is not in the index"
    return replace(outcome, position=replace(position, doubt=doubt))
