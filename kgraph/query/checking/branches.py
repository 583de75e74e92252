"""Conditions that a document claims: alone, before what they lead to, or above it.

A call is held against the conditions that the index has for it (if, else, ?:, &&, early exits), a
statement against those around it in the text. A condition leads to a call where each thing that it
asks for is asked for there; where there is the contrary, or nothing of the kind, the claim is
wrong.
"""

from collections.abc import Iterator
from dataclasses import replace

from kgraph.documents import read_claim
from kgraph.model.answers import KnownFunction
from kgraph.model.documents import Claim, DocumentLine, LineKind, Verdict
from kgraph.model.location import MOST_GUARDS, Extent, Location
from kgraph.query.checking.conditions import (
    Form,
    branches,
    conjuncts,
    normal,
    opposite,
)
from kgraph.query.checking.ground import Ground, Standing
from kgraph.query.checking.outcome import Outcome
from kgraph.query.checking.surroundings import Said, said_of
from kgraph.query.checking.texts import find_in_body, nowhere, words_of

_CONTRARY = "the source asks for the contrary"


def judge_condition(ground: Ground, line: DocumentLine, standing: Standing) -> Outcome:
    """A condition stands in one of the functions where the document stands."""
    if standing.doubt or not standing.states:
        return Outcome(Verdict.UNDECIDED, standing.doubt or "its function is not known")
    functions = [ground.graph.function(state.function) for state in standing.states]
    quoted = _quoted(line.claim)
    for function in functions:
        places = find_in_body(ground, function, quoted)
        if places:
            return Outcome(Verdict.HOLDS, places=tuple(places), found=places[0].start)
    if line.claim.branch in ("if", "while"):
        for function in functions:
            found = _alike(ground, function, line.claim)
            if found is not None:
                return found
    return nowhere(ground, line, functions)


def consequences(line: DocumentLine) -> list[DocumentLine]:
    """What the condition of a line leads to, as lines of their own."""
    claim = line.claim
    if claim.name:
        said = Claim(name=claim.name, arguments=claim.arguments, target=claim.target)
        return [replace(line, kind=LineKind.CALL, claim=said, citation=None)]
    if not claim.consequence:
        return []
    read = read_claim(claim.consequence, drawn=True, cited=False)
    if read.kind in (LineKind.PROSE, LineKind.UNREAD, LineKind.FUNCTION):
        quoted = Claim(expression=claim.consequence)
        return [replace(line, kind=LineKind.STATEMENT, claim=quoted, citation=None)]
    first = replace(read.claim, target=claim.target, also=())
    return [replace(line, kind=kind, claim=each, citation=None)
            for kind, each in ((read.kind, first), *read.claim.also)]


def _quoted(claim: Claim) -> list[str]:
    """A condition as the source would write it."""
    inner = words_of(claim.condition)
    if claim.branch == "case":
        return [*inner, ":"]
    if claim.branch == "else":
        return ["else"]
    return [claim.branch, "(", *(["!", "(", *inner, ")"] if claim.negated else inner), ")"]


def _claimed(ground: Ground, claim: Claim, path: str) -> Form:
    """The form of a claimed condition, of code in the file `path`."""
    return normal(ground.spelling.text(claim.condition, path), holds=not claim.negated)


def _alike(ground: Ground, function: KnownFunction, claim: Claim) -> Outcome | None:
    """A condition of the function that means the same, the contrary, or more."""
    contrary: Outcome | None = None
    claimed = _claimed(ground, claim, function.location.path if function.location else "")
    wanted = conjuncts(claimed)
    for form, place, text in _conditions(ground, function):
        if form == claimed:
            return Outcome(Verdict.HOLDS, places=(place,), found=place.start)
        if wanted <= conjuncts(form):
            note = f"a part of the condition at {place}: {text}"
            contrary = contrary or Outcome(Verdict.HOLDS, note, places=(place,), found=place.start)
        if _any_of(form, claimed):
            note = f"one of the conditions at {place} that do alone: {text}"
            contrary = contrary or Outcome(Verdict.HOLDS, note, places=(place,), found=place.start)
        if form == opposite(claimed):
            note = f"{_CONTRARY}, {text}, at {place}"
            contrary = contrary or Outcome(Verdict.HOLDS, note, places=(place,), found=place.start)
    return contrary


def _any_of(form: Form, claimed: Form) -> bool:
    """Whether a form holds as soon as the claimed one does, as `A || B` where A does."""
    kind, inner = form
    if kind != "or" or form == claimed:
        return False
    assert isinstance(inner, frozenset)
    return claimed in inner or (claimed[0] == "or" and claimed[1] <= inner)  # type: ignore[operator]


def _conditions(ground: Ground, function: KnownFunction) -> Iterator[tuple[Form, Extent, str]]:
    """The conditions of a function, those of its text before those that only the index knows."""
    body = ground.plain_body(function)
    words = [word for word, _ in body]
    if function.location is not None:
        path, first = function.location.path, function.location.line
        for branch in branches(words):
            start = Location(path, first + body[branch.place][1])
            yield branch.form, Extent(start, start.line), ground.sources.line(start)
    for site in ground.sites_of(function.number):
        for guard in site.guards:
            text = " ".join(ground.sources.text(guard.extent).split())
            if text:
                form = normal(ground.spelling.text(text, guard.extent.start.path))
                yield form, guard.extent, text


def led_to(
    ground: Ground, line: DocumentLine, standing: Standing, condition: Outcome,
    then: list[Outcome],
) -> Outcome:
    """The verdict on a condition together with what it leads to, on the same line."""
    outcome = then[-1]
    for each in then:
        if each.verdict is Verdict.REFUTED:
            note = f"what the condition leads to is not there: {each.note}"
            return replace(each, note=note, places=condition.places, found=condition.found)
    parts = consequences(line)
    checked = [under(ground, line.claim, standing, each, part)
               for each, part in zip(then, parts, strict=True)]
    wrong = next((each for each in checked if each.verdict is Verdict.REFUTED), None)
    if wrong is not None:
        return replace(wrong, places=condition.places, found=condition.found)
    places = (*condition.places, *(place for each in then for place in each.places))
    notes = dict.fromkeys(part for each in (condition, *checked) for part in (each.note,) if part)
    found = condition.found or outcome.found
    open_ = any(each.verdict is Verdict.UNDECIDED for each in checked)
    return replace(
        outcome, verdict=Verdict.UNDECIDED if open_ else outcome.verdict, note="; ".join(notes),
        places=places, found=found,
    )


def under(
    ground: Ground, claim: Claim, standing: Standing, outcome: Outcome, line: DocumentLine
) -> Outcome:
    """The verdict on something that the functions of `standing` do, said by `line`, if the
    condition `claim` leads to it; else that it is wrong.
    """
    if claim.branch not in ("if", "while", "else") or outcome.verdict in (
        Verdict.REFUTED, Verdict.UNDECIDED
    ):
        return outcome
    told = list(said_of(ground, standing, outcome, line))
    if not told:
        return outcome
    if claim.branch == "else":
        return _otherwise(outcome, told)
    wanted = {each.path: conjuncts(_claimed(ground, claim, each.path)) for each in told}
    if any(wanted[each.path] <= each.holds for each in told):
        return outcome
    for each in told:
        if all(form in each.holds or any(_any_of(other, form) for other in each.holds)
               for form in wanted[each.path]):
            note = f"one of the conditions that do alone: {each.text}"
            return replace(outcome, note=_joined(outcome.note, note))
    for each in told:
        if each.holds & set(map(opposite, wanted[each.path])):
            there = each.text or "a condition that is not shown"
            return _not_so(outcome, f"it runs only where the contrary holds: {there}")
    return _not_under(ground, claim, standing, outcome, told)


def _otherwise(outcome: Outcome, told: list[Said]) -> Outcome:
    """The verdict on what stands behind `else`: somewhere a condition does not hold there."""
    if any(each.otherwise for each in told):
        return outcome
    if any(each.otherwise is None or each.more for each in told):
        note = "whether it stands behind an else cannot be told"
        return replace(outcome, verdict=Verdict.UNDECIDED, note=_joined(outcome.note, note))
    where = next((each.text for each in told if each.text), "")
    there = f"its conditions are {where}" if where else "it has no condition"
    return _not_so(outcome, f"it stands behind no else: {there}")


def _not_under(
    ground: Ground, claim: Claim, standing: Standing, outcome: Outcome, told: list[Said]
) -> Outcome:
    """The verdict where nothing that is known of a place is the claimed condition."""
    if any(each.more for each in told):
        note = (f"whether the condition leads to it cannot be told: of its conditions the index"
                f" has the innermost {MOST_GUARDS}")
        return replace(outcome, verdict=Verdict.UNDECIDED, note=_joined(outcome.note, note))
    if _jumps(ground, outcome):
        note = "whether the condition leads to it cannot be told: there are labels"
        found = _only_contrary(ground, claim, standing)
        return replace(outcome, verdict=Verdict.UNDECIDED if found else outcome.verdict,
                       note=_joined(outcome.note, note))
    where = next((each.text for each in told if each.text), "")
    if where:
        there = f"its conditions are {where}"
    elif any(each.holds for each in told):
        there = "it stands under others"
    else:
        there = "it has no condition"
    return _not_so(outcome, f"the condition does not lead to it: {there}")


def _only_contrary(ground: Ground, claim: Claim, standing: Standing) -> bool:
    """Whether the functions have the contrary of a condition, and not the condition."""
    functions = [ground.graph.function(state.function) for state in standing.states]
    if any(find_in_body(ground, function, _quoted(claim)) for function in functions):
        return False
    alike = [_alike(ground, function, claim) for function in functions]
    found = [each for each in alike if each is not None]
    return bool(found) and all(each.note.startswith(_CONTRARY) for each in found)


def _joined(*notes: str) -> str:
    return "; ".join(filter(None, notes))


def _not_so(outcome: Outcome, note: str) -> Outcome:
    place = outcome.hop.site.location if outcome.hop is not None else outcome.found
    return replace(outcome, verdict=Verdict.REFUTED, note=f"{note} ({place})" if place else note)


def _jumps(ground: Ground, outcome: Outcome) -> bool:
    """Whether the function has labels, behind which the index knows no conditions."""
    callers = [hop.caller for hop in (outcome.hop, *outcome.via) if hop is not None]
    return any("goto" in (word for word, _ in ground.body(caller)) for caller in callers)
