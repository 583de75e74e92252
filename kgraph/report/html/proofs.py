"""The proof of a hop: source around the call, candidates, evidence, conditions.

Each proof also records what it mentions, so that everything mentioned gets a page.
"""

from collections.abc import Sequence

from markupsafe import Markup
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import CLexer

from kgraph.graph import CallGraph
from kgraph.graph.text import SourceText
from kgraph.model.location import Extent, Guard, Location
from kgraph.model.resolution import EdgeKind, Evidence
from kgraph.model.results import Hop, KnownFunction, KnownObject, OpsRow
from kgraph.report.html.pages import (
    CandidateRow,
    EvidenceRow,
    Excerpt,
    ExcerptLine,
    GuardRow,
    Proof,
)
from kgraph.report.templates import escape_unshowable

CONTEXT = 3


class Mentions:
    """What a site mentions, and so has pages of.

    `locations`: by path the cited lines, each with how many lines to show around it.
    """

    def __init__(self) -> None:
        self.functions: dict[int, KnownFunction] = {}
        self.slots: set[str] = set()
        self.tables: dict[int, KnownObject] = {}
        self.locations: dict[str, dict[int, int]] = {}

    def add_location(self, location: Location | None, context: int = 0) -> None:
        """A location is cited."""
        if location is not None:
            lines = self.locations.setdefault(location.path, {})
            lines[location.line] = max(context, lines.get(location.line, 0))

    def add_function(self, function: KnownFunction) -> None:
        """A function is part of an answer."""
        self.functions[function.number] = function
        self.add_location(function.location)

    def add_hop(self, hop: Hop) -> None:
        """A hop is part of an answer."""
        self.add_function(hop.caller)
        self.add_function(hop.callee)
        self.add_citations(hop, CONTEXT)
        if hop.site.holder:
            self.slots.add(hop.site.holder)

    def add_citations(self, hop: Hop, context: int = 0) -> None:
        """What a hop cites is cited."""
        self.add_location(hop.site.location, context)
        for location in (*(item.location for item in hop.evidence), *hop.sites[:1]):
            self.add_location(location)
        for guard in hop.site.guards if context else ():
            self.add_location(guard.extent.start)

    def add_row(self, row: OpsRow) -> None:
        """A binding is shown."""
        self.add_location(row.location)
        self.add_location(row.bound.location)
        for install in row.installs:
            self.add_location(install.location)
        for item in row.evidence:
            self.add_location(item.location)


_LEXER = CLexer(stripnl=False, ensurenl=True)
_FORMATTER = HtmlFormatter(nowrap=True)
_LONGEST_LINE = 300


def highlight_lines(lines: Sequence[str]) -> list[Markup]:
    """Each line as HTML. A line of over 300 characters is cut, with an ellipsis at its end."""
    text = "\n".join(
        escape_unshowable(line if len(line) <= _LONGEST_LINE else f"{line[:_LONGEST_LINE]}…")
        for line in lines
    )
    found = str(highlight(text, _LEXER, _FORMATTER)).split("\n")
    # Made by the formatter, which escapes every token.
    return [Markup(line) for line in found[: len(lines)]]  # noqa: S704


MAX_CANDIDATES = 40
_LONGEST_EXCERPT = 24


class ProofMaker:
    """Makes proofs, and collects in `mentions` what they mention."""

    def __init__(self, graph: CallGraph, source: SourceText) -> None:
        self._graph = graph
        self._source = source
        self.mentions = Mentions()

    def make_proofs(self, hops: Sequence[Hop], prefix: str) -> tuple[Proof, ...]:
        """The proofs of hops, with the anchors PREFIX-1, PREFIX-2 ..."""
        return tuple(
            self._make_proof(hop, f"{prefix}-{number}") for number, hop in enumerate(hops, 1)
        )

    def _make_proof(self, hop: Hop, anchor: str) -> Proof:
        self.mentions.add_hop(hop)
        rows = self._list_candidates(hop)
        return Proof(
            anchor, hop, self._make_excerpt(hop.site.extent), tuple(rows[:MAX_CANDIDATES]),
            max(0, len(rows) - MAX_CANDIDATES), tuple(map(self._make_evidence, hop.evidence)),
            tuple(map(self._make_guard, hop.site.guards)),
        )

    def _list_candidates(self, hop: Hop) -> list[CandidateRow]:
        """The candidates of the call site, the chosen one first."""
        graph = self._graph
        if hop.kind in (EdgeKind.DIRECT, EdgeKind.ASM, EdgeKind.TYPE):
            return []
        deferred = hop.kind is EdgeKind.DEFERRED
        numbers = dict.fromkeys(
            graph.edge_callee[edge] for edge in graph.edges_of(hop.site.number)
            if (graph.kind(edge) is EdgeKind.DEFERRED) is deferred
        )
        rows = [
            CandidateRow(graph.function(number), number == hop.callee.number) for number in numbers
        ]
        return sorted(rows, key=lambda row: (not row.chosen, row.function.id))

    def _make_excerpt(self, extent: Extent) -> Excerpt:
        """The lines of an extent, marked, with those around them."""
        start, path = extent.start.line, extent.start.path
        end = min(max(extent.end_line, start), start + _LONGEST_EXCERPT)
        first = max(1, start - CONTEXT)
        return Excerpt(
            path, tuple(self.read_lines(path, first, end + CONTEXT, range(start, end + 1)))
        )

    def read_lines(
        self, path: str, first: int, last: int, marked: range | frozenset[int]
    ) -> list[ExcerptLine]:
        """The lines from `first` to `last` of a file that exist, those in `marked` marked."""
        found = self._source.read_lines(path)[first - 1:last]
        return [
            ExcerptLine(number, code, number in marked)
            for number, code in enumerate(highlight_lines(found), first)
        ] if found else []

    def _make_evidence(self, item: Evidence) -> EvidenceRow:
        return EvidenceRow(item, self._highlight_line(self._source.read_line(item.location)))

    def _highlight_line(self, text: str) -> Markup:
        return highlight_lines([text])[0] if text else Markup()

    def _make_guard(self, guard: Guard) -> GuardRow:
        condition = " ".join(self._source.read_extent(guard.extent).split())
        return GuardRow(guard.extent.start, condition, guard.holds)
