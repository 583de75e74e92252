"""Judges conditions: does a function have the one that a line claims?"""

from collections.abc import Iterator
from dataclasses import replace

from kgraph.check.claims.statement import find_in_body, refute_quote, split_words
from kgraph.check.context import CheckContext, get_path
from kgraph.check.document import parse_claim
from kgraph.check.outcome import Outcome, Position
from kgraph.check.source.condition_forms import (
    ConditionForm,
    are_implied,
    is_alternative,
    negate,
    normalise_condition,
    split_conjuncts,
)
from kgraph.model.document import Claim, DocumentLine, LineKind
from kgraph.model.location import Extent, Location
from kgraph.model.results import KnownFunction
from kgraph.model.verdicts import Verdict

CONTRARY = "the source asks for the contrary"
_BETWEEN = (",", "|", "/")  # labels that a document names together


def judge_condition(ground: CheckContext, line: DocumentLine, standing: Position) -> Outcome:
    """A condition stands in one of the functions where the document stands."""
    if standing.doubt or not standing.states:
        return Outcome(Verdict.UNDECIDED, standing.doubt or "its function is not known")
    functions = ground.functions_of(standing)
    ways = _WAYS.get(line.claim.branch, (_quoted,))
    for way in ways:
        for function in functions:
            places = way(ground, function, line.claim)
            if places:
                return Outcome(Verdict.HOLDS, places=tuple(places), found=places[0].start)
    if line.claim.branch in ("if", "while"):
        for function in functions:
            found = find_related_condition(ground, function, line.claim)
            if found is not None:
                return found
        for function in functions:
            found = _summed_up(ground, function, line.claim)
            if found is not None:
                return found
    return refute_quote(ground, line, functions)


def _quoted(ground: CheckContext, function: KnownFunction, claim: Claim) -> list[Extent]:
    return find_in_body(ground, function, quote_condition(claim))


def _same(ground: CheckContext, function: KnownFunction, claim: Claim) -> list[Extent]:
    """Where a function has a condition, however it is written."""
    claimed = normalise_claim(ground, claim, get_path(function))
    same = [place for form, place, _ in _conditions(ground, function) if form == claimed]
    return list(dict.fromkeys((*_quoted(ground, function, claim), *same)))


def _summed_up(ground: CheckContext, function: KnownFunction, claim: Claim) -> Outcome | None:
    """Where all that a condition asks for is asked for by several conditions within each other, or
    by the labels of a `switch`.
    """
    if function.location is None:
        return None
    path, first = function.location.path, function.location.line
    wanted = split_conjuncts(normalise_claim(ground, claim, path))
    flow, body = ground.flow(function), ground.plain_body(function)
    asked = [(part, split_conjuncts(form)) for each in flow.branches
             for part, form in ((each.then, each.form), (each.other, negate(each.form)))]
    starts = sorted({
        *(part.start for part, forms in asked if part and not wanted.isdisjoint(forms)),
        *(label.then.start for label in flow.labels),
    })
    for start in starts:
        if are_implied(wanted, flow.ruling([start]).holds):
            place = Location(path, first + body[start][1])
            return Outcome(Verdict.HOLDS, "summed up from what is asked for around it",
                           places=(Extent(place, place.line),), found=place)
    return None


def _labels(ground: CheckContext, function: KnownFunction, claim: Claim) -> list[Extent]:
    """Where the labels of a claim stand that names several; none where one stands nowhere."""
    found = [find_in_body(ground, function, label) for label in split_labels(claim)]
    return [place for places in found for place in places] if all(found) else []


def _left_early(ground: CheckContext, function: KnownFunction, claim: Claim) -> list[Extent]:
    """Where a function leaves off under the condition of an `else`, so that what follows is as if
    it stood behind one: `if (x) return 0;`.
    """
    if function.location is None or claim.branch != "else" or not claim.condition:
        return []
    path, first = function.location.path, function.location.line
    claimed = normalise_claim(ground, claim, path)
    body = ground.plain_body(function)
    lines = [first + body[branch.place][1] for branch in ground.flow(function).branches
             if branch.form == negate(claimed) or (branch.other and branch.form == claimed)]
    return [Extent(Location(path, line), line) for line in lines]


_WAYS = {
    "case": (_quoted, _labels), "else": (_quoted, _left_early), "if": (_same,), "while": (_same,),
}


def split_consequences(line: DocumentLine) -> list[DocumentLine]:
    """What the condition of a line leads to, as lines of their own."""
    claim = line.claim
    if claim.name:
        said = Claim(name=claim.name, arguments=claim.arguments, target=claim.target)
        return [replace(line, kind=LineKind.CALL, claim=said, citation=None)]
    if not claim.consequence:
        return []
    read = parse_claim(claim.consequence, drawn=True, cited=False)
    if read.kind in (LineKind.PROSE, LineKind.UNREAD, LineKind.FUNCTION):
        quoted = Claim(expression=claim.consequence)
        return [replace(line, kind=LineKind.STATEMENT, claim=quoted, citation=None)]
    first = replace(read.claim, target=claim.target, also=())
    return [replace(line, kind=kind, claim=each, citation=None)
            for kind, each in ((read.kind, first), *read.claim.also)]


def quote_condition(claim: Claim) -> list[str]:
    """A condition as the source would write it."""
    inner = split_words(claim.condition)
    if claim.branch == "case":
        return [*inner, ":"]
    if claim.branch == "else":
        return ["else"]
    return [claim.branch, "(", *(["!", "(", *inner, ")"] if claim.negated else inner), ")"]


def split_labels(claim: Claim) -> list[list[str]]:
    """The labels that `case A: case B:` or `case A, B:` means, each as the source would write it;
    none of any other condition.
    """
    found: list[list[str]] = []
    for word in split_words(claim.condition) if claim.branch == "case" else ():
        if word in ("case", "default") or not found:
            found.append([word])
        elif word in _BETWEEN:
            found.append(["case"])
        elif word != ":":
            found[-1].append(word)
    return [[*label, ":"] for label in found]


def normalise_claim(ground: CheckContext, claim: Claim, path: str) -> ConditionForm:
    """The form of a claimed condition, of code in the file `path`."""
    return normalise_condition(
        ground.spelling.expand_text(claim.condition, path), holds=not claim.negated
    )


def find_related_condition(
    ground: CheckContext, function: KnownFunction, claim: Claim
) -> Outcome | None:
    """A condition of the function that means the same, the contrary, or more."""
    contrary: Outcome | None = None
    claimed = normalise_claim(ground, claim, get_path(function))
    wanted = split_conjuncts(claimed)
    for form, place, text in _conditions(ground, function):
        if form == claimed:
            return Outcome(Verdict.HOLDS, places=(place,), found=place.start)
        if wanted <= split_conjuncts(form):
            note = f"a part of the condition at {place}: {text}"
            contrary = contrary or Outcome(Verdict.HOLDS, note, places=(place,), found=place.start)
        if is_alternative(form, claimed):
            note = f"one of the conditions at {place} that do alone: {text}"
            contrary = contrary or Outcome(Verdict.HOLDS, note, places=(place,), found=place.start)
        if form == negate(claimed):
            note = f"{CONTRARY}, {text}, at {place}"
            contrary = contrary or Outcome(Verdict.HOLDS, note, places=(place,), found=place.start)
    return contrary


def _conditions(
    ground: CheckContext, function: KnownFunction
) -> Iterator[tuple[ConditionForm, Extent, str]]:
    """The conditions of a function, those of its text before those that only the index knows."""
    if function.location is not None:
        body = ground.plain_body(function)
        path, first = function.location.path, function.location.line
        for branch in ground.flow(function).branches:
            start = Location(path, first + body[branch.place][1])
            yield branch.form, Extent(start, start.line), ground.sources.read_line(start)
    yield from ground.guards_of(function.number)
