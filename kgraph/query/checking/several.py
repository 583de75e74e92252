"""Lines that make several claims: one verdict, the worst, with all that is to say of each."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from kgraph.model.documents import Claim, LineKind, LineVerdict, Verdict
from kgraph.query.checking.ground import together
from kgraph.query.checking.outcome import Outcome

WORSE = (
    Verdict.HOLDS, Verdict.ONE_OF, Verdict.DEFERRED, Verdict.GAP, Verdict.UNDECIDED,
    Verdict.CONTRADICTS, Verdict.REFUTED,
)


def worst(outcomes: list[Outcome]) -> Outcome:
    """The worst of the verdicts on the parts of a line, with all that is to say of the line."""
    found = max(outcomes, key=lambda each: WORSE.index(each.verdict))
    notes = dict.fromkeys(each.note for each in (found, *outcomes) if each.note)
    return replace(found, note="; ".join(notes))


def of_parts(named: Sequence[tuple[str, Outcome]], *, chain: bool) -> Outcome:
    """The verdict on a line that holds a `chain`, or several calls of one caller, each said by its
    name. What hangs under the line is called by the last of a chain, by any of several.
    """
    outcomes = [each for _, each in named]
    if chain:
        places, standing = outcomes[0].places, outcomes[-1].standing
    else:
        places = tuple(place for each in outcomes for place in each.places)
        standing = together(each.standing for each in outcomes)
    return replace(worst(outcomes), note=notes_by_name(named), places=places, standing=standing)


def notes_by_name(named: Iterable[tuple[str, Outcome | LineVerdict]]) -> str:
    """What is to say of several claims, each said by its name."""
    return "; ".join(f"{name}: {each.verdict}{each.note and ', '}{each.note}"
                     for name, each in named if each.note or each.verdict is not Verdict.HOLDS)


def called(kind: LineKind, claim: Claim) -> str:
    """What a claim is told by: its name, its text, its condition."""
    if kind is LineKind.CONDITION:
        word = "" if claim.branch == "case" else claim.branch
        return " ".join(filter(None, (word, claim.condition)))
    return claim.name or claim.expression or f".{claim.value}"
