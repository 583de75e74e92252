"""What stands on each page: records that a template only has to show."""

from dataclasses import dataclass

from markupsafe import Markup

from kgraph.model.document import Scenario
from kgraph.model.location import Location
from kgraph.model.resolution import Evidence
from kgraph.model.results import (
    Coverage,
    Hop,
    IndexDescription,
    Install,
    KnownFunction,
    KnownObject,
    KnownSite,
    OpsRow,
)
from kgraph.model.verdicts import LineVerdict
from kgraph.report.picture.drawing import Drawing


@dataclass(frozen=True, slots=True)
class ExcerptLine:
    """A line of source. `marked`: the excerpt is about this line."""

    number: int
    code: Markup
    marked: bool = False


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Some lines of a file; none if the file changed since it was indexed."""

    path: str
    lines: tuple[ExcerptLine, ...]


@dataclass(frozen=True, slots=True)
class CandidateRow:
    """A candidate of an indirect call. `chosen`: this hop calls it."""

    function: KnownFunction
    chosen: bool


@dataclass(frozen=True, slots=True)
class EvidenceRow:
    """A line of evidence with its source."""

    evidence: Evidence
    code: Markup


@dataclass(frozen=True, slots=True)
class GuardRow:
    """A condition around a call, as the source writes it."""

    location: Location
    condition: str
    holds: bool


@dataclass(frozen=True, slots=True)
class Proof:
    """A hop with everything that justifies it. `anchor` is its name on the page; `more` is the
    number of candidates that are not listed.
    """

    anchor: str
    hop: Hop
    excerpt: Excerpt
    candidates: tuple[CandidateRow, ...]
    more: int
    evidence: tuple[EvidenceRow, ...]
    guards: tuple[GuardRow, ...]


@dataclass(frozen=True, slots=True)
class ChainLine:
    """A line of a document. `is_parent`: other lines stand under it."""

    verdict: LineVerdict
    depth: int
    is_parent: bool
    proofs: tuple[Proof, ...]
    about_edge: str
    about_citation: str


@dataclass(frozen=True, slots=True)
class ChainSection:
    """The lines under one heading (or line of prose) of a document."""

    heading: str
    drawing: Drawing | None
    lines: tuple[ChainLine, ...]


@dataclass(frozen=True, slots=True)
class ChainPage:
    """A checked document. `edges` and `citations` count verdicts; `summary` is for a mail."""

    file: str
    title: str
    name: str
    documented: str
    scenario: Scenario
    setup: tuple[str, ...]
    sections: tuple[ChainSection, ...]
    edges: dict[str, int]
    citations: dict[str, int]
    summary: str


@dataclass(frozen=True, slots=True)
class ShownPath:
    """One path of a path page."""

    number: int
    proofs: tuple[Proof, ...]


@dataclass(frozen=True, slots=True)
class PathPage:
    """A path question with its best answers and one picture of them, or why there is none."""

    file: str
    title: str
    scenario: Scenario | None
    drawing: Drawing | None
    paths: tuple[ShownPath, ...]
    others: str
    frontier: tuple[str, ...]
    summary: str


@dataclass(frozen=True, slots=True)
class FunctionPage:
    """A function: its source, some of its callers and bindings with how many there are of each,
    and all its callees. `hidden` counts the lines of its source that are not shown.
    """

    file: str
    function: KnownFunction
    source: Excerpt
    hidden: int
    callers: tuple[Hop, ...]
    caller_count: int
    callees: tuple[Hop, ...]
    bindings: tuple[OpsRow, ...]
    binding_count: int

    def is_shown(self, location: Location) -> bool:
        """Whether the page shows the line of a location."""
        lines = self.source.lines
        return bool(lines) and location.path == self.source.path and (
            lines[0].number <= location.line <= lines[-1].number)


@dataclass(frozen=True, slots=True)
class SlotPage:
    """A slot: what is bound to it, and the calls through it."""

    file: str
    name: str
    rows: tuple[OpsRow, ...]
    row_count: int
    sites: tuple[tuple[KnownFunction, KnownSite], ...]
    site_count: int


@dataclass(frozen=True, slots=True)
class TablePage:
    """An ops table: its rows, and where it is installed."""

    file: str
    table: KnownObject
    rows: tuple[OpsRow, ...]
    installs: tuple[Install, ...]


@dataclass(frozen=True, slots=True)
class SourcePage:
    """The cited stretches of a file; none if it changed since it was indexed."""

    file: str
    path: str
    excerpts: tuple[Excerpt, ...]


@dataclass(frozen=True, slots=True)
class SearchEntry:
    """A name that the search box finds."""

    name: str
    kind: str
    href: str


@dataclass(frozen=True, slots=True)
class FrontPage:
    """The first page and the coverage page. `troubles`: units that failed or have errors, each with
    the reason.
    """

    tree: str
    config: str
    about: IndexDescription
    coverage: Coverage
    troubles: tuple[tuple[str, str], ...]
    chains: tuple[ChainPage, ...]
    paths: tuple[PathPage, ...]
    names: tuple[SearchEntry, ...]


Page = ChainPage | PathPage | FunctionPage | SlotPage | TablePage | SourcePage
