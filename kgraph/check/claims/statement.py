"""Judges lines that quote the source word by word: they stand in the body of their function."""

from collections.abc import Sequence

from kgraph.check.context import PlacedLine
from kgraph.check.outcome import Outcome
from kgraph.check.source.tokens import list_tokens
from kgraph.model.document import LineKind
from kgraph.model.location import Extent, Location
from kgraph.model.results import KnownFunction
from kgraph.model.verdicts import Verdict

_ALIKE = 0.66  # the share of words that a line must have in common with a claim to be shown


def judge_statement(placed: PlacedLine) -> Outcome:
    """A statement stands in one of the functions where the document stands."""
    return _judge(placed, list_tokens(placed.claim.expression))


def judge_quoted_call(placed: PlacedLine) -> Outcome:
    """A use of a macro that calls nothing: `x = macro(a, b)` stands there word by word."""
    claim = placed.claim
    call = _write_call(claim.name, claim.arguments)
    head = {"": [], "return": ["return"]}.get(claim.result, [*list_tokens(claim.result), "="])
    return _judge(placed, [*head, *call])


def _write_call(name: str, arguments: Sequence[str] | None) -> list[str]:
    if arguments is None:
        return [name]
    words = [name, "("]
    for number, argument in enumerate(arguments):
        words += [","] * bool(number) + list_tokens(argument)
    return [*words, ")"]


def _judge(placed: PlacedLine, words: list[str]) -> Outcome:
    if not placed.position.is_known:
        note = placed.position.doubt or "its function is not known"
        return Outcome(Verdict.UNDECIDED, note)
    places = placed.find_tokens(words) or _find_in_callers_names(placed, words)
    if places:
        return Outcome(Verdict.HOLDS, places=tuple(places), found=places[0].start)
    return refute_quote(placed)


def _find_in_callers_names(placed: PlacedLine, words: list[str]) -> list[Extent]:
    """Where a statement stands that a line writes with the names of the caller: each argument of
    the call above for the parameter that it is passed to.
    """
    above = placed.above
    if above is None or above.claim.declared or not above.claim.arguments:
        return []
    arguments = [list_tokens(argument) for argument in above.claim.arguments]
    found: list[Extent] = []
    for function in placed.functions:
        if len(function.parameters) == len(arguments):
            renamed = _rename(words, dict(zip(
                map(tuple, arguments), function.parameters, strict=True)))
            found += placed.context.texts.find_tokens(function, renamed)
    return found


def _rename(words: list[str], names: dict[tuple[str, ...], str]) -> list[str]:
    """The words with a name for each run of words that has one, the longest runs first."""
    renamed: list[str] = []
    place = 0
    while place < len(words):
        run = max((run for run in names if run and tuple(words[place:place + len(run)]) == run
                   and words[place - 1:place] not in (["."], ["->"])), key=len, default=None)
        renamed.append(words[place] if run is None else names[run])
        place += 1 if run is None else len(run)
    return renamed


def refute_quote(placed: PlacedLine) -> Outcome:
    """The outcome for what no function has where the document stands, with the line that is most
    like it.
    """
    functions, sources = placed.functions, placed.context.texts.sources
    names = ", ".join(dict.fromkeys(function.id.name for function in functions))
    if not any(each.location and sources.read_lines(each.location.path) for each in functions):
        return Outcome(
            Verdict.UNDECIDED, f"the source of {names} cannot be read, or changed since indexing")
    what = "condition" if placed.line.kind is LineKind.CONDITION else "statement"
    nearest = _find_nearest(placed, functions)
    there = f"; there is `{nearest[1]}` ({nearest[0]})" if nearest else ""
    return Outcome(Verdict.REFUTED, f"no such {what} in {names}{there}",
                   found=nearest[0] if nearest else None)


def _find_nearest(
    placed: PlacedLine, functions: list[KnownFunction]
) -> tuple[Location, str] | None:
    """The line of the functions that shares most words with the claim, if it shares enough."""
    claimed = set(list_tokens(placed.claim.expression or placed.claim.condition))
    best: tuple[float, Location, str] | None = None
    for function in functions:
        if function.location is None:
            continue
        path, first = function.location.path, function.location.line
        lines = placed.context.texts.sources.read_lines(path)[first:function.end_line]
        for number, text in enumerate(lines, first):
            words = set(list_tokens(text))
            share = len(words & claimed) / max(1, len(words | claimed))
            if share >= _ALIKE and (best is None or share > best[0]):
                best = (share, Location(path, number + 1), text.strip())
    return None if best is None else best[1:]
