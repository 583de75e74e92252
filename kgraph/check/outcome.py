"""The result of judging a claim, the position in the code that the lines under it start from, and
how several claims on one line become one verdict.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from kgraph.model.document import Claim, LineKind
from kgraph.model.location import Extent, Location
from kgraph.model.results import Hop
from kgraph.model.verdicts import LineVerdict, Verdict
from kgraph.query.paths.state_space import State

# From the best verdict of a claim to the worst.
SEVERITY = (
    Verdict.STANDS, Verdict.HOLDS, Verdict.ONE_OF, Verdict.DEFERRED, Verdict.GAP, Verdict.UNDECIDED,
    Verdict.CONTRADICTS, Verdict.REFUTED,
)


@dataclass(frozen=True, slots=True)
class Position:
    """Where in the code a document stands after a line: what the lines under it are called from.

    `states` are the functions. If `sites` is not None, only calls at these call sites count (the
    line is a call through a pointer); `targets` are then the functions that it is said to reach,
    and the lines below may be calls of these, too. `doubt` says why nothing is known, "" if
    something is. `is_macro`: the states are all functions that use a macro; what else they do says
    nothing about it.
    """

    states: tuple[State, ...] = ()
    sites: tuple[int, ...] | None = None
    targets: tuple[State, ...] = ()
    doubt: str = ""
    is_macro: bool = False

    @property
    def is_known(self) -> bool:
        """Whether a claim can be judged here."""
        return bool(self.states) and not self.doubt


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of judging one line, before its citation is judged.

    `places` are the extents of the caller's code that bear it out, which the citation of the line
    above may name. `position` is what the lines under it are called from, None if that does not
    change. `found` is the place of what is not a call: a table, a row, a statement.
    """

    verdict: Verdict
    note: str = ""
    hop: Hop | None = None
    via: tuple[Hop, ...] = ()
    places: tuple[Extent, ...] = ()
    position: Position | None = None
    found: Location | None = None

    def with_note(self, note: str) -> "Outcome":
        """The same outcome with another note behind its own."""
        return replace(self, note=join_notes(self.note, note)) if note else self


def join_notes(*notes: str) -> str:
    """One note of several, those that are "" left out."""
    return "; ".join(filter(None, notes))


def merge_positions(positions: Iterable[Position | None]) -> Position | None:
    """The position after several claims on one line: in whatever any of them reaches."""
    known = [each for each in positions if each is not None]
    states = dict.fromkeys(state for each in known for state in (*each.states, *each.targets))
    if states:
        return Position(tuple(states))
    return known[0] if known else None


def choose_worst(outcomes: list[Outcome]) -> Outcome:
    """The worst outcome of the parts of a line, with the notes of all parts."""
    found = max(outcomes, key=lambda each: SEVERITY.index(each.verdict))
    notes = dict.fromkeys(each.note for each in (found, *outcomes))
    return replace(found, note=join_notes(*notes))


def merge_parts(labelled: Sequence[tuple[str, Outcome]], *, chain: bool) -> Outcome:
    """The outcome of a line that holds a `chain`, or several calls of one caller, each with its
    label. Lines under it are called by the last one of a chain, by any of several calls.
    """
    outcomes = [each for _, each in labelled]
    if chain:
        places, position = outcomes[0].places, outcomes[-1].position
    else:
        places = tuple(place for each in outcomes for place in each.places)
        position = merge_positions(each.position for each in outcomes)
    return replace(
        choose_worst(outcomes), note=describe_parts(labelled), places=places, position=position)


def describe_parts(labelled: Iterable[tuple[str, Outcome | LineVerdict]]) -> str:
    """A note about several claims, each with its label."""
    plain = (Verdict.HOLDS, Verdict.STANDS)
    return "; ".join(f"{label}: {each.verdict}{each.note and ', '}{each.note}"
                     for label, each in labelled if each.note or each.verdict not in plain)


def label_claim(kind: LineKind, claim: Claim) -> str:
    """What a note calls a claim: its name, its text, its condition."""
    if kind is LineKind.CONDITION:
        word = "" if claim.branch == "case" else claim.branch
        return " ".join(filter(None, (word, claim.condition)))
    return claim.name or claim.expression or f".{claim.value}"
