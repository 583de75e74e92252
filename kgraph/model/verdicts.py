"""Verdicts: what checking a document finds, line by line."""

from dataclasses import dataclass, field
from enum import StrEnum

from kgraph.model.document import Document, DocumentLine, Scenario
from kgraph.model.location import Location
from kgraph.model.results import Hop


class Verdict(StrEnum):
    """What a claim turns out to be on the indexed tree."""

    HOLDS = "holds"
    STANDS = "stands"  # the function exists, and nothing above claims to call it
    GAP = "gap"  # true, but steps are left out
    DEFERRED = "deferred"  # true, but run later
    ONE_OF = "one-of"  # the claimed target is one of several candidates
    CONTRADICTS = "contradicts"  # the scenario says otherwise
    REFUTED = "refuted"
    UNDECIDED = "undecided"
    PROSE = "prose"
    UNREAD = "unread"

    @property
    def is_wrong(self) -> bool:
        """Whether the claim is not true as the document means it."""
        return self in (Verdict.REFUTED, Verdict.CONTRADICTS)

    @property
    def is_open(self) -> bool:
        """Whether it could not be told."""
        return self in (Verdict.UNDECIDED, Verdict.UNREAD)


class CitationVerdict(StrEnum):
    """Where a cited line is, relative to the code that it is cited for."""

    EXACT = "exact"  # the line of the call site; for a leaf, of any call that it makes
    STATEMENT = "statement"  # another line of the same statement
    NEAR = "near"  # 1 to 3 lines after the statement of the nearest call before it
    DEFINITION = "definition"
    INSIDE = "inside"
    OUTSIDE = "outside"
    MISSING = "missing"  # no such file or line
    NONE = "none"  # nothing is cited

    @property
    def is_right(self) -> bool:
        """Whether nothing about the citation need be changed."""
        return self in (CitationVerdict.EXACT, CitationVerdict.STATEMENT, CitationVerdict.NONE)


@dataclass(frozen=True, slots=True)
class LineVerdict:
    """The verdict on one line. `found` is what the citation should be, `distance` how many lines a
    near citation is off. `hop` is the call that makes the claim true, `via` are the calls that a
    gap leaves out. `note` says in a sentence what is there instead.
    """

    line: DocumentLine
    verdict: Verdict
    citation: CitationVerdict = CitationVerdict.NONE
    found: Location | None = None
    distance: int = 0
    hop: Hop | None = None
    via: tuple[Hop, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class ChainCheck:
    """A document with the verdict on every line, under the scenario that was given or inferred."""

    document: Document
    lines: tuple[LineVerdict, ...]
    scenario: Scenario = field(default_factory=Scenario)

    @property
    def claims(self) -> list[LineVerdict]:
        """The lines that claim something, or look as if they do."""
        return [line for line in self.lines if line.verdict is not Verdict.PROSE]
