"""Judges lines that quote the source word by word, and finds them in the body of their function."""

from collections.abc import Sequence

from kgraph.check.context import CheckContext
from kgraph.check.outcome import Outcome, Position
from kgraph.check.source.tokens import tokenise
from kgraph.model.document import DocumentLine, LineKind
from kgraph.model.location import Extent, Location
from kgraph.model.results import KnownFunction
from kgraph.model.verdicts import Verdict


def judge_statement(ground: CheckContext, line: DocumentLine, standing: Position) -> Outcome:
    """A statement stands in one of the functions where the document stands."""
    return _judge(ground, line, standing, split_words(line.claim.expression))


def judge_quoted(ground: CheckContext, line: DocumentLine, standing: Position) -> Outcome:
    """A use of a macro that calls nothing: `x = macro(a, b)` stands there word by word."""
    claim = line.claim
    call = _call(claim.name, claim.arguments)
    head = {"": [], "return": ["return"]}.get(claim.result, [*split_words(claim.result), "="])
    return _judge(ground, line, standing, [*head, *call])


def _call(name: str, arguments: Sequence[str] | None) -> list[str]:
    words = [name, "("]
    for number, argument in enumerate(arguments or ()):
        words += [","] * bool(number) + split_words(argument)
    return [*words, ")"] if arguments is not None else [name]


def split_words(text: str) -> list[str]:
    """The tokens of a text but semicolons."""
    return [word for word, _ in tokenise(text) if word != ";"]


def _judge(
    ground: CheckContext, line: DocumentLine, standing: Position, words: list[str]
) -> Outcome:
    if standing.doubt or not standing.states:
        return Outcome(Verdict.UNDECIDED, standing.doubt or "its function is not known")
    every = find_in_position(ground, standing, words)
    if every:
        return Outcome(Verdict.HOLDS, places=tuple(every), found=every[0].start)
    return refute_quote(ground, line, ground.functions_of(standing))


def refute_quote(
    ground: CheckContext, line: DocumentLine, functions: list[KnownFunction]
) -> Outcome:
    """The verdict on what none of the functions has: with the line that is most like it."""
    names = ", ".join(dict.fromkeys(function.id.name for function in functions))
    unread = [
        function for function in functions
        if function.location is None or not ground.sources.read_lines(function.location.path)
    ]
    if len(unread) == len(functions):
        return Outcome(Verdict.UNDECIDED, f"the source of {names} cannot be read as it was indexed")
    what = "condition" if line.kind is LineKind.CONDITION else "statement"
    nearest = _nearest(ground, line, functions)
    there = f"; there is `{nearest[1]}` ({nearest[0]})" if nearest else ""
    return Outcome(Verdict.REFUTED, f"no such {what} in {names}{there}",
                   found=nearest[0] if nearest else None)


def _nearest(
    ground: CheckContext, line: DocumentLine, functions: list[KnownFunction]
) -> tuple[Location, str] | None:
    """The line of the functions that shares most words with the claim, if it shares two thirds."""
    claimed = set(split_words(line.claim.expression or line.claim.condition))
    best: tuple[float, Location, str] | None = None
    for function in functions:
        if function.location is None:
            continue
        path, first = function.location.path, function.location.line
        for number, text in enumerate(
            ground.sources.read_lines(path)[first : function.end_line], first
        ):
            words = set(split_words(text))
            share = len(words & claimed) / max(1, len(words | claimed))
            if share >= 0.66 and (best is None or share > best[0]):
                best = (share, Location(path, number + 1), text.strip())
    return None if best is None else best[1:]


def find_in_position(ground: CheckContext, standing: Position, words: list[str]) -> list[Extent]:
    """Where a run of words stands in the functions where the document stands."""
    return [place for function in ground.functions_of(standing)
            for place in find_in_body(ground, function, words)]


def find_in_body(ground: CheckContext, function: KnownFunction, words: list[str]) -> list[Extent]:
    """Where a run of words stands in a function's definition, as it is written or else without
    macros that stand for members. Semicolons make no difference.
    """
    if function.location is None or not words:
        return []
    place = function.location
    found = _runs(place, ground.body(function), words)
    if found:
        return found
    plain = [word for word, _ in ground.spelling.expand(((word, 0) for word in words), place.path)]
    return _runs(place, ground.plain_body(function), plain)


def _runs(start: Location, body: list[tuple[str, int]], words: list[str]) -> list[Extent]:
    told = [(word, line) for word, line in body if word != ";"]
    return [
        Extent(Location(start.path, start.line + told[first][1]),
               start.line + told[first + len(words) - 1][1])
        for first in range(len(told) - len(words) + 1)
        if all(told[first + step][0] == word for step, word in enumerate(words))
    ]
