"""What is told beside the verdict on a call, which it does not change: what the value goes to
(`x = f(a)` held against the text before the call), what the name is an alias of, and that nothing
is known of what a mere declaration calls.
"""

from collections.abc import Iterable
from dataclasses import replace

from kgraph.model.documents import DocumentLine, Verdict
from kgraph.model.location import Extent
from kgraph.query.checking.ground import Ground
from kgraph.query.checking.outcome import Outcome
from kgraph.query.checking.parameters import arguments_note
from kgraph.query.checking.texts import words_of
from kgraph.query.names import alias_note

_MOST_LINES = 3  # of a statement before its call
_ENDS = (";", "{", "}")


def result_note(ground: Ground, line: DocumentLine, places: Iterable[Extent]) -> str:
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
            wanted = ground.spelling.text(
                result if result == "return" else f"{result} =", path)
            found = ground.spelling.text(" ".join(before), path)
            if found[-len(wanted):] == wanted:
                return ""
            there.append(before)
    if not there:
        return ""
    said = "is not returned there" if result == "return" else f"does not go to {result} there"
    return f"its value {said}, which has `{' '.join(there[0]) or 'nothing'}` before the call"


def _before(ground: Ground, place: Extent) -> list[str]:
    """The words of a statement before the call, casts left out."""
    number = place.start.line
    lines = ground.sources.lines(place.start.path)[max(0, number - 1 - _MOST_LINES):number]
    if not lines:
        return []
    *above, last = lines
    text = "\n".join([*above, last.encode()[:place.start.column - 1].decode("utf-8", "replace")])
    for mark in _ENDS:
        text = text.rpartition(mark)[2]
    words = words_of(text)
    while words[-1:] == [")"] and "(" in words and "=" not in words[_opening(words):]:
        start = _opening(words)
        if words[start - 1:start] not in (["="], ["return"]):
            break
        words = words[:start]
    return words


def _opening(words: list[str]) -> int:
    return len(words) - 1 - words[::-1].index("(")


def aliased(ground: Ground, line: DocumentLine, outcome: Outcome) -> Outcome:
    """The same, with what the name of a line is an alias of."""
    functions = ground.functions(line.claim.name, line.citation)
    note = alias_note(line.claim.name, functions[0]) if functions else ""
    return replace(outcome, note="; ".join(filter(None, (note, outcome.note)))) if note else outcome


def going_to(ground: Ground, line: DocumentLine, outcome: Outcome) -> Outcome:
    """The same, with what the value of the call goes to, if that is not what the line says."""
    if outcome.via or outcome.verdict not in (Verdict.HOLDS, Verdict.ONE_OF, Verdict.DEFERRED):
        return outcome
    places = outcome.places
    if line.claim.arguments and line.claim.result:
        # That of the call with these arguments, if there is one.
        places = tuple(place for place in places
                       if not arguments_note(ground, line, [place], [])) or places
    note = result_note(ground, line, places)
    return replace(outcome, note="; ".join(filter(None, (outcome.note, note)))) if note else outcome


def without_body(ground: Ground, line: DocumentLine, outcome: Outcome) -> Outcome:
    """The same; of what a function calls that is only declared, nobody can tell."""
    standing = outcome.standing
    if standing is None or standing.doubt or not standing.states or any(
            ground.has_body(state.function) for state in (*standing.states, *standing.inside)):
        return outcome
    doubt = f"{line.claim.name} is only declared: what it calls is not in the index"
    return replace(outcome, standing=replace(standing, doubt=doubt))
