"""Lines that quote the source: statements and conditions, found in the body of their function."""

from collections.abc import Sequence

from kgraph.model.answers import KnownFunction
from kgraph.model.documents import DocumentLine, LineKind, Verdict
from kgraph.model.location import Extent, Location
from kgraph.query.checking.ground import Ground, Standing
from kgraph.query.checking.outcome import Outcome
from kgraph.query.checking.tokens import tokens


def judge_statement(ground: Ground, line: DocumentLine, standing: Standing) -> Outcome:
    """A statement stands in one of the functions where the document stands."""
    return _judge(ground, line, standing, [_words(line.claim.expression)])


def judge_quoted(ground: Ground, line: DocumentLine, standing: Standing) -> Outcome:
    """A use of a macro that calls nothing: `x = macro(a, b)` stands there word by word."""
    claim = line.claim
    call = _call(claim.name, claim.arguments)
    head = {"": [], "return": ["return"]}.get(claim.result, [*_words(claim.result), "="])
    return _judge(ground, line, standing, [[*head, *call]])


def judge_condition(ground: Ground, line: DocumentLine, standing: Standing) -> Outcome:
    """A condition stands there, with what it leads to where the line says it."""
    claim = line.claim
    inner = _unwrapped(_words(claim.condition))
    wanted = ["if", "(", *(["!", "(", *inner, ")"] if claim.negated else inner), ")"]
    ways = [wanted]
    if claim.negated and len(inner) == 1:
        ways.append(["if", "(", "!", *inner, ")"])
    consequence = _words(claim.consequence)
    if not consequence and claim.name:
        consequence = _call(claim.name, claim.arguments)
    outcome = _judge(ground, line, standing, ways)
    if outcome.verdict is not Verdict.HOLDS or not consequence:
        return outcome
    whole = [[*way, *brace, *consequence] for way in ways for brace in ([], ["{"])]
    with_it = _judge(ground, line, standing, whole)
    if with_it.verdict is Verdict.HOLDS:
        return with_it
    alone = _judge(ground, line, standing, [consequence])
    if alone.verdict is Verdict.HOLDS:
        return Outcome(
            Verdict.HOLDS, f"{' '.join(consequence)} stands at {alone.found}, not directly under"
            " the condition", places=(*outcome.places, *alone.places), found=outcome.found,
        )
    return Outcome(
        Verdict.REFUTED, f"the condition is at {outcome.found}; what it leads to is not there",
        places=outcome.places, found=outcome.found,
    )


def _call(name: str, arguments: Sequence[str] | None) -> list[str]:
    words = [name, "("]
    for number, argument in enumerate(arguments or ()):
        words += [","] * bool(number) + _words(argument)
    return [*words, ")"] if arguments is not None else [name]


def _words(text: str) -> list[str]:
    return [word for word, _ in tokens(text) if word != ";"]


def _unwrapped(words: list[str]) -> list[str]:
    """Words without parentheses around the whole of them."""
    while len(words) > 2 and words[0] == "(" and words[-1] == ")":
        depth = 0
        for place, word in enumerate(words):
            depth += {"(": 1, ")": -1}.get(word, 0)
            if depth == 0 and place < len(words) - 1:
                return words
        words = words[1:-1]
    return words


def _judge(
    ground: Ground, line: DocumentLine, standing: Standing, ways: list[list[str]]
) -> Outcome:
    if standing.doubt or not standing.states:
        return Outcome(Verdict.UNDECIDED, standing.doubt or "its function is not known")
    functions = [ground.graph.function(state.function) for state in standing.states]
    for function in functions:
        for way in ways:
            places = find_in_body(ground, function, way)
            if places:
                return Outcome(Verdict.HOLDS, places=tuple(places), found=places[0].start)
    return _nowhere(ground, line, functions)


def _nowhere(ground: Ground, line: DocumentLine, functions: list[KnownFunction]) -> Outcome:
    names = ", ".join(dict.fromkeys(function.id.name for function in functions))
    unread = [
        function for function in functions
        if function.location is None or not ground.sources.lines(function.location.path)
    ]
    if len(unread) == len(functions):
        return Outcome(Verdict.UNDECIDED, f"the source of {names} cannot be read as it was indexed")
    what = "condition" if line.kind is LineKind.CONDITION else "statement"
    nearest = _nearest(ground, line, functions)
    there = f"; there is `{nearest[1]}` ({nearest[0]})" if nearest else ""
    return Outcome(Verdict.REFUTED, f"no such {what} in {names}{there}",
                   found=nearest[0] if nearest else None)


def _nearest(
    ground: Ground, line: DocumentLine, functions: list[KnownFunction]
) -> tuple[Location, str] | None:
    """The line of the functions that shares most words with the claim, if it shares two thirds."""
    claimed = set(_words(line.claim.expression or line.claim.condition))
    best: tuple[float, Location, str] | None = None
    for function in functions:
        if function.location is None:
            continue
        path, first = function.location.path, function.location.line
        for number, text in enumerate(ground.sources.lines(path)[first:function.end_line], first):
            words = set(_words(text))
            share = len(words & claimed) / max(1, len(words | claimed))
            if share >= 0.66 and (best is None or share > best[0]):
                best = (share, Location(path, number + 1), text.strip())
    return None if best is None else best[1:]


def find_in_body(ground: Ground, function: KnownFunction, words: list[str]) -> list[Extent]:
    """Where a run of words stands in a function's definition."""
    if function.location is None or not words:
        return []
    path, first = function.location.path, function.location.line
    body = ground.body(function)
    found = []
    for place in range(len(body) - len(words) + 1):
        if all(body[place + step][0] == word for step, word in enumerate(words)):
            start = Location(path, first + body[place][1])
            found.append(Extent(start, first + body[place + len(words) - 1][1]))
    return found
