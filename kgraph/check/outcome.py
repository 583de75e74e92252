"""The result of judging one claim, the position in the code that the lines under it start from,
and how several claims on one line become one verdict.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from kgraph.model.document import Claim, LineKind
from kgraph.model.location import Extent, Location
from kgraph.model.results import Hop
from kgraph.model.verdicts import LineVerdict, Verdict
from kgraph.query.paths.state_space import State


@dataclass(frozen=True, slots=True)
class Position:
    """Where the document stands after a line: what the lines under it are called from.

    `states` are the functions; where `sites` is not None only calls at these call sites count (the
    line is a call through a pointer); `inside` are then the functions that it is said to reach, of
    which the lines below may be calls, too. `doubt` says why nothing is known, "" otherwise.
    `users`: the states are all that use a macro, and what they do besides says nothing of it.
    """

    states: tuple[State, ...] = ()
    sites: tuple[int, ...] | None = None
    targets: tuple[State, ...] = ()
    doubt: str = ""
    is_macro: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """The verdict of a line. `places` are the stretches of the caller's code that bear it out,
    which the citation of the line above may name; `standing` is what the lines under it are called
    from, None where that is what it was before; `found` the place of what is no call (a table, a
    row, a statement).
    """

    verdict: Verdict
    note: str = ""
    hop: Hop | None = None
    via: tuple[Hop, ...] = ()
    places: tuple[Extent, ...] = ()
    position: Position | None = None
    found: Location | None = None


SEVERITY = (
    Verdict.HOLDS, Verdict.ONE_OF, Verdict.DEFERRED, Verdict.GAP, Verdict.UNDECIDED,
    Verdict.CONTRADICTS, Verdict.REFUTED,
)


def choose_worst(outcomes: list[Outcome]) -> Outcome:
    """The worst of the verdicts on the parts of a line, with all that is to say of the line."""
    found = max(outcomes, key=lambda each: SEVERITY.index(each.verdict))
    notes = dict.fromkeys(each.note for each in (found, *outcomes) if each.note)
    return replace(found, note="; ".join(notes))


def merge_parts(named: Sequence[tuple[str, Outcome]], *, chain: bool) -> Outcome:
    """The verdict on a line that holds a `chain`, or several calls of one caller, each said by its
    name. What hangs under the line is called by the last of a chain, by any of several.
    """
    outcomes = [each for _, each in named]
    if chain:
        places, standing = outcomes[0].places, outcomes[-1].position
    else:
        places = tuple(place for each in outcomes for place in each.places)
        standing = merge_positions(each.position for each in outcomes)
    return replace(
        choose_worst(outcomes), note=describe_by_name(named), places=places, position=standing
    )


def describe_by_name(named: Iterable[tuple[str, Outcome | LineVerdict]]) -> str:
    """What is to say of several claims, each said by its name."""
    return "; ".join(f"{name}: {each.verdict}{each.note and ', '}{each.note}"
                     for name, each in named if each.note or each.verdict is not Verdict.HOLDS)


def label_claim(kind: LineKind, claim: Claim) -> str:
    """What a claim is told by: its name, its text, its condition."""
    if kind is LineKind.CONDITION:
        word = "" if claim.branch == "case" else claim.branch
        return " ".join(filter(None, (word, claim.condition)))
    return claim.name or claim.expression or f".{claim.value}"


def merge_positions(standings: Iterable[Position | None]) -> Position | None:
    """Where a document stands after several claims on one line: in what any of them reaches."""
    known = [each for each in standings if each is not None]
    states = dict.fromkeys(state for each in known for state in (*each.states, *each.targets))
    if states:
        return Position(tuple(states))
    return known[0] if known else None
